//! `tresor seal`: what keeps the vault's root key, and locking.
//!
//! No secret is asked for or sent: a seal is a name in the vault's configuration, which says where
//! its secret is. What changes something says what it will do and asks.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use serde_json::{Value, json};
use tresor_proto::vault::{
    AddSealRequest, GetSealStatusRequest, LockRequest, LockState, MigrateSealRequest,
    RemoveSealRequest, SealInfo, SealStatus, UnlockRequest,
};

use crate::{
    command::{question::ask, tenant::moment},
    connection::ConnectionFlags,
    control_plane::ControlPlane,
    error::{CliError, Exit},
    output::{Output, Tone, printable},
    session::Session,
};

/// Looks at seals and changes them.
#[derive(Debug, Subcommand)]
pub(crate) enum SealCommand {
    /// Show whether the vault is locked, and how each seal is
    Status(Simple),
    /// Let another seal of the configuration hold the root key too
    #[command(after_help = "\
Examples:
  tresor seal add hsm --dry-run
  tresor seal add hsm --yes --output json

NAME is a table [seal.NAME] of the vault's configuration. The seal must give the root key back
before anything is written.")]
    Add(One),
    /// Take the root key from a seal; never from the last one
    Remove(One),
    /// Add one seal, then remove another
    #[command(after_help = "\
Examples:
  tresor seal migrate --from passphrase --to hsm --dry-run
  tresor seal migrate --from passphrase --to hsm

The old seal goes after the new one has given the root key back out of the file. Cut off in
between, both open, and the same command goes on.")]
    Migrate(Two),
    /// Wipe all keys from the vault's memory; it answers nobody until it is unlocked
    Lock(Change),
    /// Unlock the vault through any seal that opens
    Unlock(Simple),
}

#[derive(Debug, Args)]
pub(crate) struct Simple {
    #[command(flatten)]
    connection: ConnectionFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Try everything and change nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    connection: ConnectionFlags,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    /// Name of the seal
    #[arg(value_name = "NAME")]
    seal: String,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub(crate) struct Two {
    /// Seal that holds the root key now
    #[arg(long, value_name = "NAME")]
    from: String,
    /// Seal that is to hold it
    #[arg(long, value_name = "NAME")]
    to: String,
    #[command(flatten)]
    change: Change,
}

/// What a command did, for the change record.
struct Done<'a> {
    what: String,
    command: &'static str,
    dry_run: bool,
    status: &'a SealStatus,
}

impl SealCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let output = &session.output;
        let plane = ControlPlane::connect(&self.connection().to_operator(session)?).await?;
        match self {
            Self::Status(_) => {
                let answer = plane.seals().get_seal_status(GetSealStatusRequest {}).await?;
                let status = answer.into_inner().status.unwrap_or_default();
                output.give(&to_json(&status), |output| show(output, &status))?;
                return Ok(exit_of(&status));
            }
            Self::Add(One { seal, change }) => add(&plane, output, seal, &change).await,
            Self::Remove(One { seal, change }) => remove(&plane, output, seal, &change).await,
            Self::Migrate(two) => two.run(&plane, output).await,
            Self::Lock(change) => lock(&plane, output, &change).await,
            Self::Unlock(_) => {
                let status = plane.seals().unlock(UnlockRequest {}).await?.into_inner().status;
                let what = "the vault is unlocked".to_owned();
                tell(output, what, "unlock", false, status)
            }
        }?;
        Ok(Exit::Done)
    }

    fn connection(&self) -> &ConnectionFlags {
        match self {
            Self::Status(simple) | Self::Unlock(simple) => &simple.connection,
            Self::Add(one) | Self::Remove(one) => &one.change.connection,
            Self::Migrate(two) => &two.change.connection,
            Self::Lock(change) => &change.connection,
        }
    }
}

async fn add(
    plane: &ControlPlane,
    output: &Output,
    seal: String,
    change: &Change,
) -> Result<(), CliError> {
    let name = printable(&seal).into_owned();
    change.confirm(&format!("{name} will hold the root key too. Add it?"))?;
    let dry_run = change.dry_run;
    let status = plane.seals().add_seal(AddSealRequest { seal, dry_run }).await?;
    let what = change.told(format!("{name} holds the root key"));
    tell(output, what, "add", dry_run, status.into_inner().status)
}

async fn remove(
    plane: &ControlPlane,
    output: &Output,
    seal: String,
    change: &Change,
) -> Result<(), CliError> {
    let name = printable(&seal).into_owned();
    change.confirm(&format!("{name} will not open the vault any more. Remove it?"))?;
    let dry_run = change.dry_run;
    let status = plane.seals().remove_seal(RemoveSealRequest { seal, dry_run }).await?;
    let what = change.told(format!("{name} does not hold the root key"));
    tell(output, what, "remove", dry_run, status.into_inner().status)
}

impl Two {
    async fn run(self, plane: &ControlPlane, output: &Output) -> Result<(), CliError> {
        let Self { from, to, change } = self;
        let (old, new) = (printable(&from).into_owned(), printable(&to).into_owned());
        change.confirm(&format!("{new} will open the vault and {old} will not. Migrate?"))?;
        let dry_run = change.dry_run;
        let status = plane.seals().migrate_seal(MigrateSealRequest { from, to, dry_run }).await?;
        let what = change.told(format!("{new} holds the root key, {old} does not"));
        tell(output, what, "migrate", dry_run, status.into_inner().status)
    }
}

async fn lock(plane: &ControlPlane, output: &Output, change: &Change) -> Result<(), CliError> {
    if change.dry_run {
        let status = plane.seals().get_seal_status(GetSealStatusRequest {}).await?.into_inner();
        let what = change.told("the vault is locked".to_owned());
        return tell(output, what, "lock", true, status.status);
    }
    change.confirm("Calls under way will end, and all others be refused. Lock the vault?")?;
    let status = plane.seals().lock(LockRequest {}).await?.into_inner().status;
    tell(output, "the vault is locked, its keys are wiped".to_owned(), "lock", false, status)
}

impl Change {
    fn confirm(&self, question: &str) -> Result<(), CliError> {
        if self.yes || self.dry_run {
            return Ok(());
        }
        ask(question, "nothing was changed")
    }

    /// A claim, or what it would be.
    fn told(&self, claim: String) -> String {
        if self.dry_run { format!("dry run passed; it would be so: {claim}") } else { claim }
    }
}

fn tell(
    output: &Output,
    what: String,
    command: &'static str,
    dry_run: bool,
    status: Option<SealStatus>,
) -> Result<(), CliError> {
    let status = status.unwrap_or_default();
    Done { what, command, dry_run, status: &status }.give(output)
}

impl Done<'_> {
    fn give(&self, output: &Output) -> Result<(), CliError> {
        let mut document = to_json(self.status);
        document["command"] = json!(self.command);
        document["dry_run"] = json!(self.dry_run);
        output.give(&document, |output| {
            output.line(output.paint(Tone::Good, &self.what))?;
            show(output, self.status)
        })
    }
}

fn show(output: &Output, status: &SealStatus) -> Result<(), CliError> {
    let state = match status.lock_state() {
        LockState::Unlocked => output.paint(Tone::Good, "unlocked"),
        LockState::Unspecified | LockState::Locked | LockState::LockedByOperator => {
            output.paint(Tone::Bad, lock_state(status))
        }
    };
    let reason = if status.reason.is_empty() {
        String::new()
    } else {
        format!(": {}", printable(&status.reason))
    };
    output.line(format!("vault    {state}{reason}"))?;
    output.line(format!("checked  {}", moment(status.checked).unwrap_or_default()))?;
    let header = ["seal", "provider", "root key", "state"];
    output.table(&header, status.seals.iter().map(|seal| row(output, seal)))
}

fn row(output: &Output, seal: &SealInfo) -> Vec<Cell> {
    let (tone, state) = state(seal);
    vec![
        printable(&seal.name).into_owned().into(),
        printable(&seal.provider).into_owned().into(),
        if seal.holds_root_key { "held" } else { "–" }.into(),
        output.cell(tone, &printable(&state)),
    ]
}

fn state(seal: &SealInfo) -> (Tone, String) {
    match (seal.holds_root_key, seal.is_configured, seal.problem.as_str()) {
        (true, false, _) => (Tone::Notable, "not in the configuration".to_owned()),
        (true, true, "") => (Tone::Good, "opens".to_owned()),
        (true, true, problem) => (Tone::Bad, problem.to_owned()),
        (false, ..) => (Tone::Faint, "not in use".to_owned()),
    }
}

fn to_json(status: &SealStatus) -> Value {
    let seal = |seal: &SealInfo| {
        json!({
            "name": seal.name,
            "provider": seal.provider,
            "is_configured": seal.is_configured,
            "holds_root_key": seal.holds_root_key,
            "problem": (!seal.problem.is_empty()).then_some(&seal.problem),
        })
    };
    json!({
        "lock_state": lock_state(status),
        "reason": (!status.reason.is_empty()).then_some(&status.reason),
        "checked": moment(status.checked),
        "seals": status.seals.iter().map(seal).collect::<Vec<_>>(),
    })
}

fn lock_state(status: &SealStatus) -> &'static str {
    match status.lock_state() {
        LockState::Unspecified => "unknown",
        LockState::Unlocked => "unlocked",
        LockState::Locked => "locked",
        LockState::LockedByOperator => "locked_by_operator",
    }
}

/// A monitor runs `tresor seal status`: whatever is not as it should be is its failure.
fn exit_of(status: &SealStatus) -> Exit {
    let is_open = status.lock_state() == LockState::Unlocked;
    let is_whole = status.seals.iter().all(|seal| seal.problem.is_empty());
    if is_open && is_whole { Exit::Done } else { Exit::Failed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(problem: &str) -> SealInfo {
        SealInfo {
            name: "hsm".to_owned(),
            provider: "pkcs11".to_owned(),
            is_configured: true,
            holds_root_key: true,
            problem: problem.to_owned(),
        }
    }

    #[test]
    fn a_status_fails_when_the_vault_is_locked_or_a_seal_does_not_open() {
        let status = |lock_state: LockState, problem: &str| SealStatus {
            lock_state: lock_state as i32,
            seals: vec![seal(problem)],
            ..SealStatus::default()
        };
        assert_eq!(exit_of(&status(LockState::Unlocked, "")), Exit::Done);
        assert_eq!(exit_of(&status(LockState::Unlocked, "it does not answer")), Exit::Failed);
        assert_eq!(exit_of(&status(LockState::Locked, "")), Exit::Failed);
        assert_eq!(exit_of(&status(LockState::LockedByOperator, "")), Exit::Failed);
    }

    #[test]
    fn a_seal_that_is_only_in_the_file_is_pointed_out() {
        let stray = SealInfo { is_configured: false, ..seal("") };
        assert_eq!(state(&stray).1, "not in the configuration");
        let spare = SealInfo { holds_root_key: false, ..seal("") };
        assert_eq!(state(&spare).1, "not in use");
    }
}
