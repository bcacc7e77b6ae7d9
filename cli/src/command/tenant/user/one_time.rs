//! What gives a user a one-time password: adding and resetting.
//!
//! It is given once, to a file that was made sure of before or on the terminal.

use std::path::PathBuf;

use clap::Args;
use prost_types::Timestamp;
use serde_json::json;
use tresor_proto::vault::{AddUserRequest, ResetUserPasswordRequest, User};
use zeroize::Zeroizing;

use super::{
    Change, Role, Whom,
    shown::{in_words, to_json},
    to_wire, would_be,
};
use crate::{
    command::tenant::moment,
    error::CliError,
    output::Output,
    private_file::{Kept, Reserved},
    session::Session,
};

#[derive(Debug, Args)]
pub(crate) struct Add {
    #[command(flatten)]
    whom: Whom,
    /// What the user is for; may be repeated
    #[arg(long, value_enum, required = true)]
    role: Vec<Role>,
    /// File to write the one-time password to (mode 0600) instead of showing it
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Only show what would be added
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Reset {
    #[command(flatten)]
    whom: Whom,
    /// File to write the one-time password to (mode 0600) instead of showing it
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    change: Change,
}

/// A one-time password as it came.
struct Given {
    user: Option<User>,
    one_time_password: Zeroizing<String>,
    expires: Option<Timestamp>,
}

impl Add {
    pub(super) async fn run(self, session: &Session) -> Result<(), CliError> {
        let Self { whom, role, password_file, dry_run } = self;
        let plane = whom.plane(session).await?;
        let roles = to_wire(&role);
        if dry_run {
            if whom.find(&plane).await?.is_some() {
                return Err(CliError::failed("there is a user of that name"));
            }
            let user = User { name: whom.name, roles, ..User::default() };
            return would_be(&session.output, "added", &user);
        }
        let file = password_file.as_deref().map(Reserved::create).transpose()?;
        let request = AddUserRequest { tenant: whom.tenant, name: whom.name, roles };
        let added = plane.tenants().add_user(request).await?.into_inner();
        let one_time_password = Zeroizing::new(added.one_time_password);
        let given = Given { user: added.user, one_time_password, expires: added.expires };
        given.give(&session.output, file, "added")
    }
}

impl Reset {
    pub(super) async fn run(self, session: &Session) -> Result<(), CliError> {
        let Self { whom, password_file, change } = self;
        let (plane, user) = whom.found(session).await?;
        if change.dry_run {
            return would_be(&session.output, "given a one-time password", &user);
        }
        let question = format!("{} will have to choose another password.", in_words(&user));
        change.confirm(&question)?;
        let file = password_file.as_deref().map(Reserved::create).transpose()?;
        let request = ResetUserPasswordRequest { tenant: whom.tenant, name: whom.name };
        let reset = plane.tenants().reset_user_password(request).await?.into_inner();
        let one_time_password = Zeroizing::new(reset.one_time_password);
        let given = Given { user: reset.user, one_time_password, expires: reset.expires };
        given.give(&session.output, file, "reset")
    }
}

impl Given {
    fn give(self, output: &Output, file: Option<Reserved>, done: &str) -> Result<(), CliError> {
        let kept = Kept::new(file, &self.one_time_password);
        let user = self.user.unwrap_or_default();
        let expires = moment(self.expires);
        let mut document = json!({ "done": done, "user": to_json(&user), "expires": expires });
        kept.tell(&mut document, "one_time_password", &self.one_time_password);
        output.give(&document, |output| {
            output.line(format!("{} is {done}", in_words(&user)))?;
            output.line(kept.line("one-time password", &self.one_time_password))?;
            output.line(format!("it works until {}", expires.as_deref().unwrap_or_default()))?;
            output
                .note("it is kept nowhere else, and good for choosing another: `tresor password`");
            Ok(())
        })?;
        kept.end()
    }
}
