//! `tresor keys rotate-root`: replaces the root key, after showing what that means and asking.

use clap::Args;
use serde_json::json;
use tresor_proto::vault::{RotateRootKeyRequest, RotateRootKeyResponse};

use crate::{
    command::{question::ask, tenant::moment},
    connection::ConnectionFlags,
    control_plane::ControlPlane,
    error::{CliError, Exit},
    output::{Output, printable},
    session::Session,
};

/// Replaces the root key.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor keys rotate-root --dry-run
  tresor keys rotate-root
  tresor keys rotate-root --yes --output json

Nothing stops. Every seal that holds the root key takes part: each has to be reachable and named in
the configuration. The dry run asks each of them, and writes nothing.")]
pub(crate) struct RotateRoot {
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only show what would be replaced, after asking every seal
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    connection: ConnectionFlags,
}

impl RotateRoot {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        if !self.yes {
            let plan = rotate(&plane, true).await?;
            if self.dry_run {
                return conclude(&session.output, &plan);
            }
            confirm(&plan)?;
        }
        conclude(&session.output, &rotate(&plane, false).await?)
    }
}

async fn rotate(plane: &ControlPlane, dry_run: bool) -> Result<RotateRootKeyResponse, CliError> {
    let request = RotateRootKeyRequest { dry_run };
    Ok(plane.keys().rotate_root_key(request).await?.into_inner())
}

fn confirm(plan: &RotateRootKeyResponse) -> Result<(), CliError> {
    let question = format!(
        "root key {} will be replaced and destroyed, under the seals {}. Replace?",
        plan.old_generation,
        printable(&plan.seals.join(", "))
    );
    ask(&question, "nothing was replaced")
}

fn conclude(output: &Output, replaced: &RotateRootKeyResponse) -> Result<Exit, CliError> {
    let when = moment(replaced.replaced);
    let document = json!({
        "dry_run": when.is_none(),
        "old_generation": replaced.old_generation,
        "new_generation": replaced.new_generation,
        "replaced": when,
        "seals": replaced.seals,
    });
    output.give(&document, |output| {
        let RotateRootKeyResponse { old_generation, new_generation, .. } = replaced;
        output.line(match &when {
            Some(when) => {
                format!("root key {old_generation} replaced by {new_generation} at {when}")
            }
            None => format!("root key {old_generation} would be replaced by {new_generation}"),
        })?;
        output.line(format!("seals  {}", printable(&replaced.seals.join(", "))))
    })?;
    Ok(Exit::Done)
}
