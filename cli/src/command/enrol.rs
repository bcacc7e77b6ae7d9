//! `tresor enrol`: the customer makes the tenant's keys and receives the customer token and the
//! recovery token, once.
//!
//! The places they go to are made sure of before the call, since they are shown once and
//! stored nowhere by the vault.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use clap::Args;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use tresor_proto::{EnrolmentCode, ErrorCode, Password};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    connection::CustomerFlags,
    error::{CliError, Exit},
    https::{Https, fetch},
    private_file::{Kept, Reserved},
    secret_input::{EnrolmentCodeSource, read_password},
    session::Session,
};

/// Makes the tenant's keys and receives the customer token.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor enrol --code-file burg.code --token-file customer.token
  tresor enrol                       asks for the code and shows both tokens
  tresor enrol --code-file burg.code --token-file customer.token --user planner \\
      --password-file one-time --new-password-file planner.password

The last one begins with a change of the password, as a one-time password asks for.

The customer token is the customer's key, and the recovery token the spare one: it opens nothing
itself and can only issue another. Both are given once and kept nowhere else. Keep the recovery
token offline, apart from the other: whoever loses both loses the data, and nobody, the operator
included, can make another.")]
pub(crate) struct EnrolCommand {
    #[command(flatten)]
    code: EnrolmentCodeSource,
    /// File to write the customer token to (mode 0600); without it, it is shown on the terminal
    #[arg(long, value_name = "FILE", help_heading = "Secrets")]
    token_file: Option<PathBuf>,
    /// File to write the recovery token to (mode 0600); the token file's name and `.recovery`
    /// unless given
    #[arg(long, value_name = "FILE", requires = "token_file", help_heading = "Secrets")]
    recovery_file: Option<PathBuf>,
    /// Change the password first, from the one-time password to that in this file
    #[arg(long, value_name = "FILE", help_heading = "Secrets")]
    new_password_file: Option<PathBuf>,
    /// Only show where the tokens would go
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    connection: CustomerFlags,
}

/// What an enrolment gives.
#[derive(Deserialize)]
pub(crate) struct Enrolled {
    /// The tenant's id.
    pub(crate) tenant_id: String,
    /// The tenant's name.
    pub(crate) tenant_name: String,
    /// The customer token, as text.
    pub(crate) customer_token: String,
    /// The recovery token, as text; empty from a vault that knows none.
    #[serde(default)]
    pub(crate) recovery_token: String,
}

impl Drop for Enrolled {
    fn drop(&mut self) {
        self.customer_token.zeroize();
        self.recovery_token.zeroize();
    }
}

impl EnrolCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let https = self.connection.https(session)?;
        let new_password = self.new_password()?;
        if self.token_file.is_none() && !std::io::stdout().is_terminal() {
            return Err(CliError::usage("there is no terminal to show the customer token on")
                .advise("give --token-file FILE"));
        }
        if self.dry_run {
            return self.tell(session);
        }
        let reserve = |path: Option<&Path>| path.map(Reserved::create).transpose();
        let file = reserve(self.token_file.as_deref())?;
        let spare = reserve(self.recovery_path().as_deref())?;
        let code = self.code.read()?;
        let https = match new_password {
            Some(password) => https.with_new_password(password).await?,
            None => https,
        };
        let enrolled = enrol(&https, &code).await?;
        // Both are tried before anything can fail: they exist nowhere else.
        let customer_token = Kept::new(file, &enrolled.customer_token);
        let recovery_token = Kept::new(spare, &enrolled.recovery_token);
        show(session, &enrolled, &customer_token, &recovery_token)?;
        customer_token.end().and(recovery_token.end())?;
        Ok(Exit::Done)
    }

    fn new_password(&self) -> Result<Option<Password>, CliError> {
        let file = self.new_password_file.as_deref();
        file.map(|file| read_password(Some(file), None, "New password")).transpose()
    }

    /// Where the recovery token goes, beside the other unless told.
    fn recovery_path(&self) -> Option<PathBuf> {
        let beside = || {
            let mut name = self.token_file.clone()?.into_os_string();
            name.push(".recovery");
            Some(PathBuf::from(name))
        };
        self.recovery_file.clone().or_else(beside)
    }

    fn tell(&self, session: &Session) -> Result<Exit, CliError> {
        let (file, spare) = (self.token_file.as_deref(), self.recovery_path());
        let document = json!({ "dry_run": true, "customer_token_file": file,
            "recovery_token_file": spare });
        session.output.give(&document, |output| {
            let place = |path: Option<&Path>| {
                path.map_or_else(|| "the terminal".to_owned(), |path| path.display().to_string())
            };
            output.line("the tenant's keys would be made, and the code used up")?;
            output.line(format!("customer token to {}", place(file)))?;
            output.line(format!("recovery token to {}", place(spare.as_deref())))
        })?;
        Ok(Exit::Done)
    }
}

fn show(
    session: &Session,
    enrolled: &Enrolled,
    customer_token: &Kept,
    recovery_token: &Kept,
) -> Result<(), CliError> {
    let mut document =
        json!({ "tenant_id": enrolled.tenant_id, "tenant_name": enrolled.tenant_name });
    customer_token.tell(&mut document, "customer_token", &enrolled.customer_token);
    recovery_token.tell(&mut document, "recovery_token", &enrolled.recovery_token);
    session.output.give(&document, |output| {
        output.line(format!("tenant {} has its keys", enrolled.tenant_name))?;
        output.line(customer_token.line("customer token", &enrolled.customer_token))?;
        output.line(recovery_token.line("recovery token", &enrolled.recovery_token))?;
        output.note("they are kept nowhere else; keep the recovery token offline, apart");
        Ok(())
    })
}

/// Enrols with a code.
pub(crate) async fn enrol(https: &Https, code: &EnrolmentCode) -> Result<Enrolled, CliError> {
    let text = code.expose_text();
    // The alphabet of a code needs no escaping.
    let body = Zeroizing::new(format!("{{\"enrolment_code\":\"{}\"}}", text.as_str()));
    let request = https
        .request(Method::POST, &["v1", "enrol"])
        .header(reqwest::header::CONTENT_TYPE, "application/json")
        .body(body.as_bytes().to_vec());
    fetch(request).await.map_err(explain_refusal)
}

fn explain_refusal(error: CliError) -> CliError {
    if error.code() != Some(ErrorCode::AlreadyExists) {
        return error;
    }
    CliError::failed("the tenant has enrolled already")
        .advise(
            "use the customer token of that enrolment; it cannot be shown again. If nobody has \
             it, ask the operator to register the tenant under another name",
        )
        .with_code(ErrorCode::AlreadyExists)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_enrolment_is_told_what_to_do() {
        let refusal = |code| explain_refusal(CliError::failed("x").with_code(code));
        let second = refusal(ErrorCode::AlreadyExists);
        assert_eq!(second.to_string(), "the tenant has enrolled already");
        assert!(second.advice().is_some_and(|advice| advice.contains("customer token")));
        assert_eq!(refusal(ErrorCode::Forbidden).to_string(), "x");
    }
}
