//! `tresor keys rotate-root`: replaces the root key, after showing what that means and asking.

use clap::Args;
use serde_json::json;
use tresor_proto::vault::{RotateRootKeyRequest, RotateRootKeyResponse};

use super::{
    rotate_cipher::{CipherRotations, Intent},
    scope::Scope,
    waiting::WaitingList,
};
use crate::{
    command::{
        question::{Consent, ask},
        tenant::moment,
    },
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
  tresor keys rotate-root --compromised

Nothing stops. Every seal that holds the root key takes part: each has to be reachable and named in
the configuration. The dry run asks each of them, and writes nothing.")]
pub(crate) struct RotateRoot {
    /// The key is believed known to others, and with it all cipher keys: replace those too, remember
    /// it, and list who waits for their customer
    #[arg(long)]
    compromised: bool,
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
        let consent = Consent { yes: self.yes, dry_run: self.dry_run };
        let replace = async |dry_run| self.replace(&plane, dry_run).await;
        consent.to(replace, Replaced::confirm).await?.conclude(&session.output)
    }

    async fn replace(&self, plane: &ControlPlane, dry_run: bool) -> Result<Replaced, CliError> {
        let compromised = self.compromised;
        let request = RotateRootKeyRequest { dry_run, compromised };
        let root = plane.keys().rotate_root_key(request).await?.into_inner();
        let others = match compromised {
            true => Some(Others::replace(plane, dry_run).await?),
            false => None,
        };
        Ok(Replaced { root, others })
    }
}

/// What was replaced, or would be.
struct Replaced {
    root: RotateRootKeyResponse,
    others: Option<Others>,
}

/// What whoever knew the root key may know too.
struct Others {
    cipher_keys: CipherRotations,
    waiting: WaitingList,
}

impl Others {
    async fn replace(plane: &ControlPlane, dry_run: bool) -> Result<Self, CliError> {
        let intent = if dry_run { Intent::Show } else { Intent::ReplaceCompromised };
        let cipher_keys = CipherRotations::ask(plane, &Scope::all(), intent).await?;
        let waiting = WaitingList::read(plane, &Scope::all()).await?;
        Ok(Self { cipher_keys, waiting })
    }
}

impl Replaced {
    fn confirm(&self) -> Result<(), CliError> {
        let others = match self.others {
            Some(_) => ", then the cipher keys of all tenants, all marked as compromised",
            None => "",
        };
        let question = format!(
            "root key {} will be replaced and destroyed, under the seals {}{others}. Replace?",
            self.root.old_generation,
            printable(&self.root.seals.join(", "))
        );
        ask(&question, "nothing was replaced")
    }

    fn conclude(&self, output: &Output) -> Result<Exit, CliError> {
        let when = moment(self.root.replaced);
        let mut document = json!({
            "dry_run": when.is_none(),
            "compromised": self.others.is_some(),
            "old_generation": self.root.old_generation,
            "new_generation": self.root.new_generation,
            "replaced": when,
            "seals": self.root.seals,
        });
        if let Some(others) = &self.others {
            document["cipher_keys"] = others.cipher_keys.to_json();
            document["waiting"] = others.waiting.to_json();
        }
        output.give(&document, |output| self.show(output, when.as_deref()))?;
        Ok(self.others.as_ref().map_or(Exit::Done, |others| others.cipher_keys.exit()))
    }

    fn show(&self, output: &Output, when: Option<&str>) -> Result<(), CliError> {
        let RotateRootKeyResponse { old_generation, new_generation, .. } = self.root;
        output.line(match when {
            Some(when) => {
                format!("root key {old_generation} replaced by {new_generation} at {when}")
            }
            None => format!("root key {old_generation} would be replaced by {new_generation}"),
        })?;
        output.line(format!("seals  {}", printable(&self.root.seals.join(", "))))?;
        if let Some(others) = &self.others {
            others.cipher_keys.show(output)?;
            others.waiting.show(output)?;
        }
        Ok(())
    }
}
