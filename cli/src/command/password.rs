//! `tresor password`: a user changes its password, by the old one.
//!
//! It promises that neither is in an argument or an output. A one-time password, as the operator
//! hands it over, is good for this alone.

use clap::Args;
use serde_json::json;

use crate::{
    connection::CustomerFlags,
    error::{CliError, Exit},
    secret_input::NewPasswordSource,
    session::Session,
};

/// Changes a user's password.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor password --user planner            asks for the old one, and twice for the new one
  tresor password --user planner --password-file one-time --new-password-file planner.password

The old one may be the one-time password that came from the operator: it is good for this alone,
for three days. A password has 12 to 128 bytes. From the next request on only the new one counts;
uploads under way by the old one end.")]
pub(crate) struct PasswordCommand {
    #[command(flatten)]
    new_password: NewPasswordSource,
    #[command(flatten)]
    connection: CustomerFlags,
}

impl PasswordCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let https = self.connection.https(session)?;
        let https = https.with_new_password(self.new_password.read()?).await?;
        let name = https.user().map_or("", |user| user.name.as_str());
        let document = json!({ "user": name, "new_password_file": self.new_password.file() });
        session.output.give(&document, |output| {
            output.line(format!("the password of {name} is changed"))?;
            if let Some(file) = self.new_password.file() {
                output.note(format!("from now on: --password-file {}", file.display()));
            }
            Ok(())
        })?;
        Ok(Exit::Done)
    }
}
