//! `tresor keys token lend`: lends class keys to re-encryption, for a while, and tells how far it is.

use std::time::Duration;

use clap::Args;
use comfy_table::Cell;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tresor_proto::DataClass;

use super::{Asking, Desk};
use crate::{
    command::{
        parse,
        question::{Consent, ask},
    },
    error::{CliError, Exit},
    output::{Output, printable},
    session::Session,
};

/// How often it is asked how far the work is.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Lends a customer token.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor keys token lend --dry-run
  tresor keys token lend --class contact --for 8h
  tresor keys token lend --yes --wait

When the operator has marked data keys as due, your records are re-encrypted while you lend. The
customer token itself is not kept: its locks are opened once, and the class keys stay in the memory
of the vault until the loan ends, the customer token is revoked or the vault restarts. --dry-run
also tells how far the work is.")]
pub(crate) struct Lend {
    /// Only this class; may be repeated
    #[arg(long = "class", value_name = "CLASS", value_parser = parse::data_class)]
    classes: Vec<DataClass>,
    /// For how long, 24 hours at most
    #[arg(long = "for", value_name = "TIME", value_parser = parse::span, default_value = "1h")]
    lifetime: prost_types::Duration,
    /// Wait until the work needs the loan no more
    #[arg(long, conflicts_with = "dry_run")]
    wait: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only show what would be lent, and how far the work is
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    asking: Asking,
}

/// What is lent.
#[derive(Deserialize, Serialize)]
struct Lent {
    classes: Vec<String>,
    ends: String,
    operations: Vec<Work>,
}

/// The re-encryption of the tenant's records.
#[derive(Clone, Deserialize, PartialEq, Serialize)]
struct Work {
    id: String,
    state: String,
    done: u64,
    total: u64,
    resealed: u64,
    estimated_end: Option<String>,
    destroy: Option<String>,
    damaged: u64,
    damaged_records: Vec<String>,
}

impl Lend {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let desk = self.asking.desk(session)?;
        let consent = Consent { yes: self.yes, dry_run: self.dry_run };
        let lend = async |dry_run| self.lend(&desk, dry_run).await;
        let mut lent = consent.to(lend, |lent| ask(&lent.question(), "nothing was lent")).await?;
        if self.dry_run {
            lent.show(&session.output, true)?;
            return Ok(Exit::Done);
        }
        if self.wait {
            self.follow(&desk, &session.output, &mut lent).await?;
        }
        lent.show(&session.output, false)?;
        let is_stuck = self.wait && lent.operations.iter().any(Work::is_stuck);
        Ok(if is_stuck { Exit::Failed } else { Exit::Done })
    }

    async fn lend(&self, desk: &Desk, dry_run: bool) -> Result<Lent, CliError> {
        let mut body = json!({ "lifetime_seconds": self.lifetime.seconds, "dry_run": dry_run });
        if !self.classes.is_empty() {
            let classes = self.classes.iter().map(|class| class.as_str());
            body["classes"] = classes.collect::<Vec<_>>().into();
        }
        desk.post(Some(&format!("{}:lend", desk.customer_token.id())), &body).await
    }

    /// Waits until none of the work goes on with what is lent.
    async fn follow(&self, desk: &Desk, output: &Output, lent: &mut Lent) -> Result<(), CliError> {
        while lent.operations.iter().any(Work::goes_on) {
            tokio::time::sleep(LOOK_INTERVAL).await;
            let now = self.lend(desk, true).await?.operations;
            for work in &mut lent.operations {
                let newer = now.iter().find(|one| one.id == work.id);
                let newer = newer.cloned().unwrap_or_else(|| work.ended());
                if newer != *work {
                    output.note(newer.in_words());
                }
                *work = newer;
            }
        }
        Ok(())
    }
}

impl Lent {
    fn question(&self) -> String {
        let classes = self.classes.join(", ");
        format!(
            "the keys of {} will stay in the memory of the vault until {}. Lend them?",
            printable(&classes),
            printable(&self.ends)
        )
    }

    fn show(&self, output: &Output, dry_run: bool) -> Result<(), CliError> {
        let document = json!({ "dry_run": dry_run, "lent": self });
        output.give(&document, |output| {
            let what = if dry_run { "would be lent until" } else { "lent until" };
            let classes = self.classes.join(", ");
            output.line(format!("{what} {}: {}", printable(&self.ends), printable(&classes)))?;
            if self.operations.is_empty() {
                return output.line("no work waits for it");
            }
            let header = ["operation", "state", "done", "total", "resealed", "end", "destroy"];
            output.table(&header, self.operations.iter().map(Work::row))?;
            let mut damaged = self.operations.iter().flat_map(|work| &work.damaged_records);
            damaged.try_for_each(|id| output.line(format!("damaged  {}", printable(id))))
        })
    }
}

impl Work {
    /// Whether it goes on with what is lent. The destroying of keys needs nothing that is lent, and
    /// may be set for a later day.
    fn goes_on(&self) -> bool {
        let is_over = matches!(self.state.as_str(), "destroying" | "done" | "cancelled" | "ended");
        !is_over && !self.is_stuck()
    }

    fn is_stuck(&self) -> bool {
        matches!(self.state.as_str(), "pending_customer" | "paused" | "needs_attention")
    }

    /// It, once it is not told of any more.
    fn ended(&self) -> Self {
        Self { state: "ended".to_owned(), estimated_end: None, ..self.clone() }
    }

    fn in_words(&self) -> String {
        let state = self.state.replace('_', " ");
        format!("{}: {}, {} of {} records", self.id, printable(&state), self.done, self.total)
    }

    fn row(&self) -> Vec<Cell> {
        let moment = |time: &Option<String>| time.clone().unwrap_or_default();
        vec![
            printable(&self.id).into_owned().into(),
            printable(&self.state.replace('_', " ")).into_owned().into(),
            self.done.into(),
            self.total.into(),
            self.resealed.into(),
            moment(&self.estimated_end).into(),
            moment(&self.destroy).into(),
        ]
    }
}
