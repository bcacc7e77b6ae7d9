//! `tresor keys rotate-data`: marks data keys as due, after showing which and asking.

use clap::Args;
use comfy_table::Cell;
use serde_json::{Value, json};
use tresor_proto::{
    DataClass, ErrorCode,
    vault::{DataKeyMark, MarkDataKeysDueRequest, MarkDataKeysDueResponse},
};

use super::{scope::Scope, waiting::WaitingList};
use crate::{
    command::{
        parse,
        question::{Consent, ask},
        tenant::moment,
    },
    connection::ConnectionFlags,
    control_plane::ControlPlane,
    error::{CliError, Exit},
    output::{Output, Tone, printable},
    session::Session,
};

/// Marks data keys as due.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor keys rotate-data --tenant stadtwerke-burg
  tresor keys rotate-data --tenant stadtwerke-burg --class contact --rate 500
  tresor keys rotate-data --all --destroy-after 720h --yes --output json
  tresor keys rotate-data --tenant stadtwerke-burg --compromised

Only the customer can make the new keys: the next request that writes does, or a customer
token that is lent. Records are re-encrypted while one is lent: `tresor keys operations`.")]
pub(crate) struct RotateData {
    #[command(flatten)]
    scope: Scope,
    /// Only this class; may be repeated
    #[arg(long = "class", value_name = "CLASS", value_parser = parse::data_class)]
    classes: Vec<DataClass>,
    /// The keys are believed known to others: remember it, and list who waits for their customer
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
        let tenants = self.tenants(&plane).await?;
        let consent = Consent { yes: self.yes, dry_run: self.dry_run };
        let mark = async |dry_run| self.mark(&plane, &tenants, dry_run).await;
        let marked = consent.to(mark, |planned| self.confirm(planned)).await?;
        let waiting = match self.compromised && !self.dry_run {
            true => Some(WaitingList::read(&plane, &self.scope).await?),
            false => None,
        };
        self.conclude(&session.output, &marked, waiting.as_ref())
    }

    /// The names or ids of the tenants.
    async fn tenants(&self, plane: &ControlPlane) -> Result<Vec<String>, CliError> {
        match &self.scope.tenant {
            Some(tenant) => Ok(vec![tenant.clone()]),
            None => {
                let enrolled = self.scope.enrolled(plane).await?.into_iter();
                Ok(enrolled.map(|tenant| tenant.tenant_name).collect())
            }
        }
    }

    /// What became of each tenant, or would. One that fails stops no other.
    async fn mark(
        &self,
        plane: &ControlPlane,
        tenants: &[String],
        dry_run: bool,
    ) -> Result<Vec<Marked>, CliError> {
        let classes = self.classes.iter().map(|class| i32::from(class.code()));
        let request = MarkDataKeysDueRequest {
            tenant: String::new(),
            classes: classes.collect(),
            compromised: self.compromised,
            rate_max: self.rate.unwrap_or_default(),
            destroy_after: self.destroy_after,
            dry_run,
        };
        let mut all = Vec::with_capacity(tenants.len());
        for tenant in tenants {
            let request = MarkDataKeysDueRequest { tenant: tenant.clone(), ..request.clone() };
            let outcome = plane.keys().mark_data_keys_due(request).await;
            let outcome = match outcome {
                Ok(marked) => Ok(marked.into_inner()),
                Err(status) if self.scope.all => Err(CliError::from(status)),
                Err(status) => return Err(status.into()),
            };
            all.push(Marked { tenant: tenant.clone(), outcome });
        }
        Ok(all)
    }

    fn confirm(&self, planned: &[Marked]) -> Result<(), CliError> {
        let when = match &self.destroy_after {
            None => "at once".to_owned(),
            Some(span) => format!("{} later", parse::span_in_words(span)),
        };
        let keys: usize = planned.iter().map(|one| one.marks().len()).sum();
        let whose = match planned {
            [only] => printable(&only.tenant).into_owned(),
            all => format!("{} tenants", all.len()),
        };
        let known = if self.compromised { " as compromised" } else { "" };
        let question = format!(
            "{keys} data keys of {whose} will be replaced; once nothing hangs on the older ones \
             they are destroyed, {when}. Mark them{known}?"
        );
        ask(&question, "nothing was marked")
    }

    fn conclude(
        &self,
        output: &Output,
        marked: &[Marked],
        waiting: Option<&WaitingList>,
    ) -> Result<Exit, CliError> {
        let mut document = match (marked, self.scope.all) {
            ([only], false) => only.to_json(),
            (all, _) => json!({ "tenants": all.iter().map(Marked::to_json).collect::<Vec<_>>() }),
        };
        document["dry_run"] = self.dry_run.into();
        document["compromised"] = self.compromised.into();
        if let Some(waiting) = waiting {
            document["waiting"] = waiting.to_json();
        }
        output.give(&document, |output| {
            let header = ["tenant", "class", "epoch", "due", "operation"];
            output.table(&header, marked.iter().flat_map(|one| one.rows(output)))?;
            if self.dry_run {
                return output.line("nothing was marked");
            }
            waiting.map_or(Ok(()), |waiting| waiting.show(output))
        })?;
        if !self.dry_run {
            output.note("next: the customer writes, or lends a customer token");
        }
        let failed = marked.iter().filter(|one| one.outcome.is_err()).count();
        Ok(match failed {
            0 => Exit::Done,
            failed if failed == marked.len() => Exit::Failed,
            _ => Exit::SomeRejected,
        })
    }
}

/// What became of the data keys of a tenant.
struct Marked {
    tenant: String,
    outcome: Result<MarkDataKeysDueResponse, CliError>,
}

impl Marked {
    fn marks(&self) -> &[DataKeyMark] {
        self.outcome.as_ref().map_or(&[], |marked| &marked.marks)
    }

    fn rows(&self, output: &Output) -> Vec<Vec<Cell>> {
        let tenant = || Cell::new(printable(&self.tenant));
        match &self.outcome {
            Err(error) => {
                let told = output.cell(Tone::Bad, &printable(&error.to_string()));
                vec![vec![tenant(), told]]
            }
            Ok(marked) => {
                let row = |mark: &DataKeyMark| {
                    let due = moment(mark.due).unwrap_or_default();
                    let class = Cell::new(class_name(mark.data_class));
                    let operation = Cell::new(&marked.operation_id);
                    vec![tenant(), class, Cell::new(mark.epoch), Cell::new(due), operation]
                };
                marked.marks.iter().map(row).collect()
            }
        }
    }

    fn to_json(&self) -> Value {
        match &self.outcome {
            Err(error) => json!({
                "tenant": self.tenant,
                "error": {
                    "code": error.code().map(ErrorCode::as_str),
                    "message": error.to_string(),
                },
            }),
            Ok(marked) => json!({
                "tenant": self.tenant,
                "tenant_id": marked.tenant_id,
                "operation": Some(&marked.operation_id).filter(|id| !id.is_empty()),
                "data_keys": marked.marks.iter().map(to_json).collect::<Vec<_>>(),
            }),
        }
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
pub(in crate::command) fn class_name(wire: i32) -> &'static str {
    let class = DataClass::from_wire(wire).ok().flatten();
    class.map_or("unknown", DataClass::as_str)
}
