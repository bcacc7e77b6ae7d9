//! `tresor keys rotate-cipher`: replaces cipher keys, after showing which and asking.

use clap::Args;
use comfy_table::Cell;
use serde_json::{Value, json};
use tresor_proto::{
    Failure,
    vault::{CipherKeyRotation, RotateCipherKeyRequest},
};

use super::{scope::Scope, waiting::WaitingList};
use crate::{
    command::{
        question::{Consent, ask},
        tenant::moment,
    },
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
  tresor keys rotate-cipher --tenant stadtwerke-burg --compromised

No customer is needed and nothing stops: requests under way end as they began. The old cipher key
is destroyed in the same step; it opens no lock made afterwards.")]
pub(crate) struct RotateCipher {
    #[command(flatten)]
    scope: Scope,
    /// The keys are believed known to others: remember it, and list who waits for their customer
    #[arg(long)]
    compromised: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only show which would be replaced
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    connection: ConnectionFlags,
}

impl RotateCipher {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        let (output, scope) = (&session.output, &self.scope);
        let consent = Consent { yes: self.yes, dry_run: self.dry_run };
        let rotate = async |dry_run| {
            let intent = match (dry_run, self.compromised) {
                (true, _) => Intent::Show,
                (false, false) => Intent::Replace,
                (false, true) => Intent::ReplaceCompromised,
            };
            CipherRotations::ask(&plane, scope, intent).await
        };
        let replaced = consent.to(rotate, |planned| self.confirm(&planned.0)).await?;
        let waiting = match self.compromised && !self.dry_run {
            true => Some(WaitingList::read(&plane, scope).await?),
            false => None,
        };
        replaced.conclude(output, waiting.as_ref())
    }

    fn confirm(&self, planned: &[CipherKeyRotation]) -> Result<(), CliError> {
        let keys = match planned {
            [only] => {
                format!("cipher key {} of {}", only.old_version, printable(&only.tenant_name))
            }
            all => format!("the cipher keys of {} tenants", all.len()),
        };
        let known = if self.compromised { ", and marked as compromised" } else { "" };
        let question = format!("{keys} will be replaced and destroyed{known}. Replace?");
        ask(&question, "nothing was replaced")
    }
}

/// What is to become of cipher keys.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Intent {
    /// Only to be shown.
    Show,
    /// To be replaced.
    Replace,
    /// To be replaced, since others may know them.
    ReplaceCompromised,
}

/// What became of the cipher key of each tenant, or would.
pub(super) struct CipherRotations(Vec<CipherKeyRotation>, Intent);

impl CipherRotations {
    pub(super) async fn ask(
        plane: &ControlPlane,
        scope: &Scope,
        intent: Intent,
    ) -> Result<Self, CliError> {
        let request = RotateCipherKeyRequest {
            tenant: scope.tenant.clone().unwrap_or_default(),
            all_tenants: scope.all,
            dry_run: intent == Intent::Show,
            compromised: intent == Intent::ReplaceCompromised,
        };
        let mut answers = plane.keys().rotate_cipher_key(request).await?.into_inner();
        let mut rotations = Vec::new();
        while let Some(answer) = answers.message().await? {
            rotations.extend(answer.rotations);
        }
        Ok(Self(rotations, intent))
    }

    fn conclude(&self, output: &Output, waiting: Option<&WaitingList>) -> Result<Exit, CliError> {
        let mut document = self.to_json();
        if let Some(waiting) = waiting {
            document["waiting"] = waiting.to_json();
        }
        output.give(&document, |output| {
            self.show(output)?;
            waiting.map_or(Ok(()), |waiting| waiting.show(output))
        })?;
        Ok(self.exit())
    }

    /// How many were replaced, or would be, and how many failed.
    fn counts(&self) -> (usize, usize) {
        let failed = self.0.iter().filter(|rotation| rotation.error.is_some()).count();
        (self.0.len() - failed, failed)
    }

    pub(super) fn exit(&self) -> Exit {
        match self.counts() {
            (_, 0) => Exit::Done,
            (0, _) => Exit::Failed,
            _ => Exit::SomeRejected,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let ((done, failed), dry_run) = (self.counts(), self.1 == Intent::Show);
        json!({
            "dry_run": dry_run,
            "compromised": self.1 == Intent::ReplaceCompromised,
            "replaced": if dry_run { 0 } else { done },
            "failed": failed,
            "cipher_keys": self.0.iter().map(to_json).collect::<Vec<_>>(),
        })
    }

    pub(super) fn show(&self, output: &Output) -> Result<(), CliError> {
        let ((done, failed), dry_run) = (self.counts(), self.1 == Intent::Show);
        let header = ["tenant", "id", "old", "new", "replaced"];
        output.table(&header, self.0.iter().map(|rotation| row(output, rotation, dry_run)))?;
        let keys = counted(u64::try_from(done).unwrap_or(u64::MAX), "cipher key");
        let what = match self.1 {
            Intent::Show => "would be replaced",
            Intent::Replace => "replaced",
            Intent::ReplaceCompromised => "marked as compromised and replaced",
        };
        output.line(format!("{keys} {what}, {failed} failed"))
    }
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
