//! What a customer has.

use std::{fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A tenant, and what its customer has.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Directory with `client.pem`, `client.key`, `customer.token`.
    pub directory: PathBuf,
    /// Its user, where it has one.
    pub user: Option<User>,
}

/// A user of a tenant.
#[derive(Clone, Debug)]
pub struct User {
    /// Its name.
    pub name: String,
    /// The file with its password.
    pub password_file: PathBuf,
}

impl Tenant {
    /// Its customer token.
    ///
    /// # Panics
    /// When it has none.
    #[must_use]
    pub fn customer_token(&self) -> String {
        let text = fs::read_to_string(self.directory.join("customer.token"));
        text.expect("the customer token").trim().to_owned()
    }

    /// The headers that show what the customer has.
    ///
    /// # Panics
    /// When it has no customer token.
    #[must_use]
    pub fn headers(&self) -> String {
        let customer_token = format!("Tresor-Customer-Token: {}", self.customer_token());
        let user = self.user.as_ref().map(User::header);
        [Some(customer_token), user].into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

impl User {
    /// Its password.
    ///
    /// # Panics
    /// When it has none.
    #[must_use]
    pub fn password(&self) -> String {
        let text = fs::read_to_string(&self.password_file).expect("a password");
        text.trim_end_matches('\n').to_owned()
    }

    /// The header that shows it.
    #[must_use]
    pub fn header(&self) -> String {
        basic(&self.name, &self.password())
    }
}

/// The header that shows a user and a password.
#[must_use]
pub fn basic(user: &str, password: &str) -> String {
    format!("Authorization: Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
