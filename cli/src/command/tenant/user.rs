//! `tresor tenant user`: the operator's register of a tenant's users.
//!
//! Whatever changes one is shown and asked about first, and ends its sessions.

mod one_time;
mod shown;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use tresor_proto::vault::{
    DisableUserRequest, EnableUserRequest, ListUsersRequest, RemoveUserRequest,
    SetUserRolesRequest, TenantRole, User,
};

use one_time::{Add, Reset};
use shown::{in_words, roles_in_words, show, to_json};

use crate::{
    command::question::ask,
    connection::ConnectionFlags,
    control_plane::ControlPlane,
    error::{CliError, Exit},
    output::{Output, printable},
    session::Session,
};

const NOTHING: &str = "nothing was changed";

/// Adds users to a tenant, looks at them and changes them.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user; gives its one-time password
    #[command(after_help = "\
Examples:
  tresor tenant user add stadtwerke-burg erika --role admin --password-file erika.password
  tresor tenant user add stadtwerke-burg billing --role writer --role reader

The one-time password works for three days and is good for choosing another only: `tresor password`,
with the tenant's client certificate. A user's name may be a person's: it is never logged.")]
    Add(Add),
    /// List the users of a tenant
    List(List),
    /// Change what a user is for
    Roles(Roles),
    /// Turn a user away until it is enabled
    Disable(One),
    /// Let a disabled user in again, under its old password
    Enable(One),
    /// Give a user a one-time password in place of its own
    Reset(Reset),
    /// Remove a user
    Remove(One),
}

/// What a user is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Role {
    /// Whatever the customer token may.
    Admin,
    /// Storing and deleting records.
    Writer,
    /// Reading records.
    Reader,
    /// Settings and lists, and no record.
    Auditor,
}

#[derive(Debug, Args)]
pub(crate) struct Whom {
    /// Name or id of the tenant
    tenant: String,
    /// Name of the user, `[a-z][a-z0-9._-]{0,62}`
    #[arg(value_name = "USER")]
    name: String,
    #[command(flatten)]
    connection: ConnectionFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only show what would be changed
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Name or id of the tenant
    tenant: String,
    #[command(flatten)]
    connection: ConnectionFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Roles {
    #[command(flatten)]
    whom: Whom,
    /// What the user is for from now on; may be repeated
    #[arg(long, value_enum, required = true)]
    role: Vec<Role>,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    #[command(flatten)]
    whom: Whom,
    #[command(flatten)]
    change: Change,
}

impl UserCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        match self {
            Self::Add(add) => add.run(session).await?,
            Self::List(list) => list.run(session).await?,
            Self::Roles(roles) => roles.run(session).await?,
            Self::Disable(one) => one.disable(session).await?,
            Self::Enable(one) => one.enable(session).await?,
            Self::Reset(reset) => reset.run(session).await?,
            Self::Remove(one) => one.remove(session).await?,
        }
        Ok(Exit::Done)
    }
}

impl List {
    async fn run(self, session: &Session) -> Result<(), CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        let users = users(&plane, &self.tenant).await?;
        shown::list(&session.output, &users)
    }
}

impl Roles {
    async fn run(self, session: &Session) -> Result<(), CliError> {
        let Self { whom, role, change } = self;
        let (plane, user) = whom.found(session).await?;
        let roles = to_wire(&role);
        let to_be = User { roles: roles.clone(), ..user.clone() };
        if change.dry_run {
            return would_be(&session.output, "changed", &to_be);
        }
        let for_what = roles_in_words(&to_be);
        change.confirm(&format!("{} will be {for_what} from now on.", in_words(&user)))?;
        let request = SetUserRolesRequest { tenant: whom.tenant, name: whom.name, roles };
        let changed = plane.tenants().set_user_roles(request).await?.into_inner();
        show(&session.output, "changed", &changed.user.unwrap_or_default())
    }
}

impl One {
    async fn disable(self, session: &Session) -> Result<(), CliError> {
        let Self { whom, change } = self;
        let (plane, user) = whom.found(session).await?;
        if change.dry_run {
            let to_be = User { disabled: true, ..user };
            return would_be(&session.output, "disabled", &to_be);
        }
        change.confirm(&format!("{} will be turned away.", in_words(&user)))?;
        let request = DisableUserRequest { tenant: whom.tenant, name: whom.name };
        let changed = plane.tenants().disable_user(request).await?.into_inner();
        show(&session.output, "disabled", &changed.user.unwrap_or_default())
    }

    async fn enable(self, session: &Session) -> Result<(), CliError> {
        let Self { whom, change } = self;
        let (plane, user) = whom.found(session).await?;
        if change.dry_run {
            let to_be = User { disabled: false, ..user };
            return would_be(&session.output, "enabled", &to_be);
        }
        change.confirm(&format!("{} will be let in again.", in_words(&user)))?;
        let request = EnableUserRequest { tenant: whom.tenant, name: whom.name };
        let changed = plane.tenants().enable_user(request).await?.into_inner();
        show(&session.output, "enabled", &changed.user.unwrap_or_default())
    }

    async fn remove(self, session: &Session) -> Result<(), CliError> {
        let Self { whom, change } = self;
        let (plane, user) = whom.found(session).await?;
        if change.dry_run {
            return would_be(&session.output, "removed", &user);
        }
        change.confirm(&format!("{} will be gone.", in_words(&user)))?;
        let request = RemoveUserRequest { tenant: whom.tenant, name: whom.name };
        plane.tenants().remove_user(request).await?;
        show(&session.output, "removed", &user)
    }
}

impl Whom {
    async fn plane(&self, session: &Session) -> Result<ControlPlane, CliError> {
        ControlPlane::connect(&self.connection.to_operator(session)?).await
    }

    async fn find(&self, plane: &ControlPlane) -> Result<Option<User>, CliError> {
        let users = users(plane, &self.tenant).await?;
        Ok(users.into_iter().find(|user| user.name == self.name))
    }

    async fn found(&self, session: &Session) -> Result<(ControlPlane, User), CliError> {
        let plane = self.plane(session).await?;
        let user = self.find(&plane).await?;
        let absent = || {
            CliError::failed(format!("there is no user {}", printable(&self.name)))
                .advise(format!("`tresor tenant user list {}` shows them", printable(&self.tenant)))
        };
        Ok((plane, user.ok_or_else(absent)?))
    }
}

impl Change {
    fn confirm(&self, what: &str) -> Result<(), CliError> {
        if self.yes {
            return Ok(());
        }
        ask(&format!("{what} Its sessions end at once. Go on?"), NOTHING)
    }
}

/// All users of a tenant.
async fn users(plane: &ControlPlane, tenant: &str) -> Result<Vec<User>, CliError> {
    let mut users = Vec::new();
    let mut request =
        ListUsersRequest { tenant: tenant.to_owned(), page_size: 1_000, ..Default::default() };
    loop {
        let page = plane.tenants().list_users(request.clone()).await?.into_inner();
        users.extend(page.users);
        if page.next_page_token.is_empty() {
            return Ok(users);
        }
        request.page_token = page.next_page_token;
    }
}

fn would_be(output: &Output, done: &str, user: &User) -> Result<(), CliError> {
    let document = json!({ "dry_run": true, "would_be": done, "user": to_json(user) });
    output.give(&document, |output| output.line(format!("{} would be {done}", in_words(user))))
}

fn to_wire(roles: &[Role]) -> Vec<i32> {
    let role = |role: &Role| match role {
        Role::Admin => TenantRole::Admin,
        Role::Writer => TenantRole::Writer,
        Role::Reader => TenantRole::Reader,
        Role::Auditor => TenantRole::Auditor,
    };
    roles.iter().map(|one| role(one) as i32).collect()
}
