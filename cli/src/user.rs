//! The customer's user: its name, and where its password comes from.
//!
//! A name without a password is asked for it; a password without a name is a mistake. Both are given
//! only where the tenant requires them.

use std::{path::PathBuf, sync::Arc};

use tresor_proto::{Password, UserName};

use crate::{error::CliError, secret_input::read_password, session::Session};

/// The flags that name a user.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct UserFlags {
    /// Your user, where the tenant requires one; its password is asked for unless a file is given
    #[arg(
        long,
        value_name = "NAME",
        value_parser = user_name,
        env = "TRESOR_USER",
        help_heading = "Connection"
    )]
    user: Option<UserName>,
    /// File that holds the user's password
    #[arg(long, value_name = "FILE", env = "TRESOR_PASSWORD_FILE", help_heading = "Secrets")]
    password_file: Option<PathBuf>,
    /// File descriptor to read the user's password from
    #[arg(long, value_name = "FD", conflicts_with = "password_file", help_heading = "Secrets")]
    password_fd: Option<u32>,
}

/// A user and its password.
pub(crate) struct User {
    /// Its name.
    pub(crate) name: UserName,
    /// Its password.
    pub(crate) password: Password,
}

impl UserFlags {
    /// Whether the password is read from standard input.
    pub(crate) fn has_standard_input(&self) -> bool {
        self.password_fd == Some(0)
    }

    /// Reads the password of the user, if one is named; the profile stands in for flags.
    pub(crate) fn read(&self, session: &Session) -> Result<Option<Arc<User>>, CliError> {
        let side = session.profile()?.customer;
        let by_profile = || side.user.as_deref().map(user_name).transpose();
        let name = self.user.clone().map_or_else(by_profile, |name| Ok(Some(name)));
        let name = name.map_err(|error| CliError::usage(format!("the profile's user: {error}")))?;
        let file = match self.password_fd {
            Some(_) => None,
            None => self.password_file.clone().or(side.password_file),
        };
        let Some(name) = name else {
            return self.refuse_without_name(file.is_some());
        };
        let password = read_password(file.as_deref(), self.password_fd, "Password")?;
        Ok(Some(Arc::new(User { name, password })))
    }

    fn refuse_without_name(&self, has_file: bool) -> Result<Option<Arc<User>>, CliError> {
        if has_file || self.password_fd.is_some() {
            return Err(CliError::usage("a password is given, and no user")
                .advise("name the user with --user, TRESOR_USER or the profile"));
        }
        Ok(None)
    }
}

fn user_name(text: &str) -> Result<UserName, String> {
    let name = UserName::parse(text);
    name.ok_or_else(|| "a name is a small letter, then small letters, digits, `.`, `_`, `-`".into())
}
