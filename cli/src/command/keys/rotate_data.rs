//! `tresor keys rotate-data`: marks data keys as due, after showing which and asking.

use clap::Args;
use comfy_table::Cell;
use serde_json::{Value, json};
use tresor_proto::{
    DataClass,
    vault::{DataKeyMark, MarkDataKeysDueRequest, MarkDataKeysDueResponse},
};

use crate::{
    command::{parse, question::ask, tenant::moment},
    connection::ConnectionFlags,
    control_plane::ControlPlane,
    error::{CliError, Exit},
    output::Output,
    session::Session,
};

/// Marks data keys as due.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor keys rotate-data --tenant stadtwerke-burg
  tresor keys rotate-data --tenant stadtwerke-burg --class contact --rate 500
  tresor keys rotate-data --tenant stadtwerke-burg --destroy-after 720h --yes --output json

Only the customer can make the new keys: the next request that writes does, or a customer
token that is lent. Records are re-encrypted while one is lent: `tresor keys operations`.")]
pub(crate) struct RotateData {
    /// Name or id of the tenant
    #[arg(long)]
    tenant: String,
    /// Only this class; may be repeated
    #[arg(long = "class", value_name = "CLASS", value_parser = parse::data_class)]
    classes: Vec<DataClass>,
    /// The keys are believed known to others
    #[arg(long)]
    compromised: bool,
    /// Records a second that are re-encrypted at most
    #[arg(long, value_name = "RECORDS", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: Option<u32>,
    /// How long to keep the older keys once nothing hangs on them: as long as backups that need
    /// them, `720h` for instance
    #[arg(long, value_name = "TIME", value_parser = parse::span)]
    destroy_after: Option<prost_types::Duration>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only show which would be marked
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    connection: ConnectionFlags,
}

impl RotateData {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        if !self.yes {
            let planned = self.mark(&plane, true).await?;
            if self.dry_run {
                return self.conclude(&session.output, &planned);
            }
            self.confirm(&planned)?;
        }
        let marked = self.mark(&plane, false).await?;
        self.conclude(&session.output, &marked)
    }

    async fn mark(
        &self,
        plane: &ControlPlane,
        dry_run: bool,
    ) -> Result<MarkDataKeysDueResponse, CliError> {
        let classes = self.classes.iter().map(|class| i32::from(class.code())).collect();
        let request = MarkDataKeysDueRequest {
            tenant: self.tenant.clone(),
            classes,
            compromised: self.compromised,
            rate_max: self.rate.unwrap_or_default(),
            destroy_after: self.destroy_after,
            dry_run,
        };
        Ok(plane.keys().mark_data_keys_due(request).await?.into_inner())
    }

    fn confirm(&self, planned: &MarkDataKeysDueResponse) -> Result<(), CliError> {
        let when = match &self.destroy_after {
            None => "at once".to_owned(),
            Some(span) => format!("{} hours later", span.seconds / 3_600),
        };
        let question = format!(
            "{} data keys of {} will be replaced; once nothing hangs on the older ones they are \
             destroyed, {when}. Mark them as due?",
            planned.marks.len(),
            planned.tenant_id
        );
        ask(&question, "nothing was marked")
    }

    fn conclude(
        &self,
        output: &Output,
        marked: &MarkDataKeysDueResponse,
    ) -> Result<Exit, CliError> {
        let document = json!({
            "dry_run": self.dry_run,
            "tenant_id": marked.tenant_id,
            "operation": Some(&marked.operation_id).filter(|id| !id.is_empty()),
            "data_keys": marked.marks.iter().map(to_json).collect::<Vec<_>>(),
        });
        output.give(&document, |output| {
            let row = |mark: &DataKeyMark| {
                let due = moment(mark.due).unwrap_or_default();
                vec![Cell::new(class_name(mark.data_class)), Cell::new(mark.epoch), Cell::new(due)]
            };
            output.table(&["class", "epoch", "due"], marked.marks.iter().map(row))?;
            if self.dry_run {
                return output.line("nothing was marked");
            }
            output.line(format!("operation {}", marked.operation_id))
        })?;
        if !self.dry_run {
            output.note("next: the customer writes, or lends a customer token");
        }
        Ok(Exit::Done)
    }
}

fn to_json(mark: &DataKeyMark) -> Value {
    json!({
        "class": class_name(mark.data_class),
        "epoch": mark.epoch,
        "due": moment(mark.due),
    })
}

/// The name of a class on the wire.
pub(super) fn class_name(wire: i32) -> &'static str {
    let class = DataClass::from_wire(wire).ok().flatten();
    class.map_or("unknown", DataClass::as_str)
}
