//! `tresor keys rotate-cipher`: replaces cipher keys, after showing which and asking.

use clap::Args;
use comfy_table::Cell;
use serde_json::{Value, json};
use tresor_proto::{
    Failure,
    vault::{CipherKeyRotation, RotateCipherKeyRequest},
};

use crate::{
    command::{question::ask, tenant::moment},
    connection::ConnectionFlags,
    control_plane::ControlPlane,
    error::{CliError, Exit},
    output::{Output, Tone, counted, printable},
    session::Session,
};

/// Replaces cipher keys.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor keys rotate-cipher --tenant stadtwerke-burg
  tresor keys rotate-cipher --all --dry-run
  tresor keys rotate-cipher --all --yes --output json

No customer is needed and nothing stops: requests under way end as they began. The old cipher key
is destroyed in the same step; it opens no lock made afterwards.")]
pub(crate) struct RotateCipher {
    #[command(flatten)]
    scope: Scope,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only show which would be replaced
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    connection: ConnectionFlags,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Scope {
    /// Name or id of the tenant
    #[arg(long)]
    tenant: Option<String>,
    /// All tenants whose customers have enrolled
    #[arg(long)]
    all: bool,
}

impl RotateCipher {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        if !self.yes {
            let planned = self.rotate(&plane, true).await?;
            if self.dry_run {
                return conclude(&session.output, &planned, true);
            }
            self.confirm(&planned)?;
        }
        let replaced = self.rotate(&plane, false).await?;
        conclude(&session.output, &replaced, false)
    }

    /// What became of each tenant, or would.
    async fn rotate(
        &self,
        plane: &ControlPlane,
        dry_run: bool,
    ) -> Result<Vec<CipherKeyRotation>, CliError> {
        let tenant = self.scope.tenant.clone().unwrap_or_default();
        let request = RotateCipherKeyRequest { tenant, all_tenants: self.scope.all, dry_run };
        let mut answers = plane.keys().rotate_cipher_key(request).await?.into_inner();
        let mut rotations = Vec::new();
        while let Some(answer) = answers.message().await? {
            rotations.extend(answer.rotations);
        }
        Ok(rotations)
    }

    fn confirm(&self, planned: &[CipherKeyRotation]) -> Result<(), CliError> {
        let keys = match planned {
            [only] => {
                format!("cipher key {} of {}", only.old_version, printable(&only.tenant_name))
            }
            all => format!("the cipher keys of {} tenants", all.len()),
        };
        let question = format!("{keys} will be replaced and destroyed. Replace?");
        ask(&question, "nothing was replaced")
    }
}

fn conclude(
    output: &Output,
    rotations: &[CipherKeyRotation],
    dry_run: bool,
) -> Result<Exit, CliError> {
    let failed = rotations.iter().filter(|rotation| rotation.error.is_some()).count();
    let done = rotations.len() - failed;
    let document = json!({
        "dry_run": dry_run,
        "replaced": if dry_run { 0 } else { done },
        "failed": failed,
        "cipher_keys": rotations.iter().map(to_json).collect::<Vec<_>>(),
    });
    output.give(&document, |output| {
        let header = ["tenant", "id", "old", "new", "replaced"];
        output.table(&header, rotations.iter().map(|rotation| row(output, rotation, dry_run)))?;
        let keys = counted(u64::try_from(done).unwrap_or(u64::MAX), "cipher key");
        let what = if dry_run { "would be replaced" } else { "replaced" };
        output.line(format!("{keys} {what}, {failed} failed"))
    })?;
    Ok(match (done, failed) {
        (_, 0) => Exit::Done,
        (0, _) => Exit::Failed,
        _ => Exit::SomeRejected,
    })
}

fn row(output: &Output, rotation: &CipherKeyRotation, dry_run: bool) -> Vec<Cell> {
    let version = |version: u32| match version {
        0 => Cell::new("–"),
        version => Cell::new(version),
    };
    let when = match (&rotation.error, dry_run) {
        (Some(error), _) => {
            output.cell(Tone::Bad, &printable(&Failure::from_item_status(error).to_string()))
        }
        (None, true) => output.cell(Tone::Faint, "not yet"),
        (None, false) => output.cell(Tone::Good, &moment(rotation.replaced).unwrap_or_default()),
    };
    vec![
        printable(&rotation.tenant_name).into_owned().into(),
        rotation.tenant_id.as_str().into(),
        version(rotation.old_version),
        version(rotation.new_version),
        when,
    ]
}

fn to_json(rotation: &CipherKeyRotation) -> Value {
    let mut document = json!({
        "tenant": rotation.tenant_name,
        "id": rotation.tenant_id,
    });
    match &rotation.error {
        Some(error) => {
            let failure = Failure::from_item_status(error);
            document["error"] =
                json!({ "code": failure.code().as_str(), "message": failure.message() });
        }
        None => {
            document["old_version"] = json!(rotation.old_version);
            document["new_version"] = json!(rotation.new_version);
            document["replaced"] = json!(moment(rotation.replaced));
        }
    }
    document
}
