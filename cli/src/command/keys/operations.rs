//! `tresor keys operations`: long operations, and how far they are.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use serde_json::{Value, json};
use tresor_proto::vault::{
    CancelOperationRequest, GetOperationRequest, ListOperationsRequest, Operation, OperationKind,
    OperationState, OperationTarget, PauseOperationRequest, ResumeOperationRequest,
};

use super::rotate_data::class_name;
use crate::{
    command::{question::ask, tenant::moment},
    connection::ConnectionFlags,
    control_plane::ControlPlane,
    error::{CliError, Exit},
    output::{Output, Tone, printable},
    session::Session,
};

/// Looks at long operations, pauses, resumes and cancels them.
#[derive(Debug, Subcommand)]
pub(crate) enum OperationsCommand {
    /// List long operations
    List(List),
    /// Show one
    Show(One),
    /// Pause one
    Pause(One),
    /// Let one go on; one that needs attention scans all records anew
    Resume(One),
    /// End one; the older keys are kept
    Cancel(Cancel),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those of this tenant, by name or id
    #[arg(long)]
    tenant: Option<String>,
    #[command(flatten)]
    connection: ConnectionFlags,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    /// Id of the operation
    id: String,
    #[command(flatten)]
    connection: ConnectionFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Cancel {
    #[command(flatten)]
    one: One,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only show what would be cancelled
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
}

impl OperationsCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let operation = match self {
            Self::List(list) => return list.run(session).await,
            Self::Show(one) => one.show(&one.plane(session).await?).await?,
            Self::Pause(one) => {
                let plane = one.plane(session).await?;
                let request = PauseOperationRequest { id: one.id };
                plane.keys().pause_operation(request).await?.into_inner().operation
            }
            Self::Resume(one) => {
                let plane = one.plane(session).await?;
                let request = ResumeOperationRequest { id: one.id };
                plane.keys().resume_operation(request).await?.into_inner().operation
            }
            Self::Cancel(cancel) if cancel.dry_run => return cancel.tell(session).await,
            Self::Cancel(cancel) => cancel.run(session).await?,
        };
        show(&session.output, &operation.unwrap_or_default())?;
        Ok(Exit::Done)
    }
}

impl One {
    async fn plane(&self, session: &Session) -> Result<ControlPlane, CliError> {
        ControlPlane::connect(&self.connection.to_operator(session)?).await
    }

    async fn show(&self, plane: &ControlPlane) -> Result<Option<Operation>, CliError> {
        let request = GetOperationRequest { id: self.id.clone() };
        Ok(plane.keys().get_operation(request).await?.into_inner().operation)
    }
}

impl Cancel {
    async fn tell(self, session: &Session) -> Result<Exit, CliError> {
        let plane = self.one.plane(session).await?;
        let operation = self.one.show(&plane).await?.unwrap_or_default();
        session.output.give(&would_be_cancelled(&operation), |output| {
            output.line(match has_ended(&operation) {
                true => "nothing would be cancelled: it has ended",
                false => "would be cancelled:",
            })?;
            lines(output, &operation)
        })?;
        Ok(Exit::Done)
    }

    async fn run(self, session: &Session) -> Result<Option<Operation>, CliError> {
        let plane = self.one.plane(session).await?;
        if !self.yes {
            let operation = self.one.show(&plane).await?.unwrap_or_default();
            let question = format!(
                "operation {} is {} ({} of {} records); what is done stays so, older keys are \
                 kept. Cancel it?",
                operation.id,
                state(&operation),
                operation.done,
                operation.total
            );
            ask(&question, "nothing was cancelled")?;
        }
        let request = CancelOperationRequest { id: self.one.id };
        Ok(plane.keys().cancel_operation(request).await?.into_inner().operation)
    }
}

impl List {
    async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        let mut request = ListOperationsRequest {
            tenant: self.tenant.unwrap_or_default(),
            page_size: 1_000,
            page_token: String::new(),
        };
        let mut operations = Vec::new();
        loop {
            let page = plane.keys().list_operations(request.clone()).await?.into_inner();
            operations.extend(page.operations);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        let document = json!({ "operations": operations.iter().map(to_json).collect::<Vec<_>>() });
        session.output.give(&document, |output| {
            let header = ["id", "tenant", "kind", "state", "done", "total", "updated"];
            output.table(&header, operations.iter().map(|operation| row(output, operation)))
        })?;
        Ok(Exit::Done)
    }
}

fn show(output: &Output, operation: &Operation) -> Result<(), CliError> {
    output.give(&to_json(operation), |output| lines(output, operation))
}

fn has_ended(operation: &Operation) -> bool {
    matches!(operation.state(), OperationState::Done | OperationState::Cancelled)
}

fn would_be_cancelled(operation: &Operation) -> Value {
    let mut document = to_json(operation);
    document["dry_run"] = json!(true);
    document["would_be_cancelled"] = json!(!has_ended(operation));
    document
}

fn lines(output: &Output, operation: &Operation) -> Result<(), CliError> {
    output.line(format!("operation  {}", operation.id))?;
    output.line(format!("tenant     {}", operation.tenant_id))?;
    output.line(format!("kind       {}", printable(&kind(operation))))?;
    output.line(format!("state      {}", state(operation)))?;
    output.line(format!("records    {} of {}", operation.done, operation.total))?;
    output.line(match operation.kind() {
        OperationKind::Index => format!("indexed    {} records", operation.resealed),
        OperationKind::Identifiers => format!("moved      {} rows", operation.resealed),
        OperationKind::Unspecified | OperationKind::Reencryption => {
            format!("resealed   {} groups", operation.resealed)
        }
    })?;
    if operation.rate > 0.0 {
        output.line(format!("rate       {:.0} records/s", operation.rate))?;
    }
    for (what, time) in [
        ("end       ", operation.estimated_end),
        ("destroy   ", operation.destroy),
        ("created   ", operation.created),
        ("updated   ", operation.updated),
    ] {
        if let Some(time) = moment(time) {
            output.line(format!("{what} {time}"))?;
        }
    }
    let targets = operation.targets.iter().map(target).collect::<Vec<_>>().join(", ");
    output.line(format!("targets    {targets}"))?;
    if !operation.refused_fields.is_empty() {
        let refused = operation.refused_fields.join(", ");
        output.line(format!("refused    {}: too few distinct values", printable(&refused)))?;
    }
    if operation.damaged > 0 {
        output.line(format!("damaged    {} records", operation.damaged))?;
    }
    let damaged = operation.damaged_records.iter();
    damaged.into_iter().try_for_each(|id| output.line(format!("  {}", printable(id))))
}

fn target(target: &OperationTarget) -> String {
    match target.epoch {
        0 => class_name(target.data_class).to_owned(),
        epoch => format!("{} {epoch}", class_name(target.data_class)),
    }
}

/// What it does.
fn kind(operation: &Operation) -> String {
    match operation.kind() {
        OperationKind::Index => {
            format!("index {} ({})", operation.collection, operation.fields.join(", "))
        }
        OperationKind::Identifiers => "identifier keys".to_owned(),
        OperationKind::Unspecified | OperationKind::Reencryption => "re-encryption".to_owned(),
    }
}

fn row(output: &Output, operation: &Operation) -> Vec<Cell> {
    let tone = match operation.state() {
        OperationState::Done => Tone::Good,
        OperationState::NeedsAttention => Tone::Bad,
        OperationState::Unspecified
        | OperationState::PendingCustomer
        | OperationState::Counting
        | OperationState::Resealing
        | OperationState::Indexing
        | OperationState::Removing
        | OperationState::Moving
        | OperationState::Verifying
        | OperationState::Destroying
        | OperationState::Paused
        | OperationState::Cancelled => Tone::Notable,
    };
    vec![
        operation.id.as_str().into(),
        operation.tenant_id.as_str().into(),
        printable(&kind(operation)).to_string().into(),
        output.cell(tone, state(operation)),
        operation.done.into(),
        operation.total.into(),
        moment(operation.updated).unwrap_or_default().into(),
    ]
}

fn state(operation: &Operation) -> &'static str {
    match operation.state() {
        OperationState::Unspecified => "unknown",
        OperationState::PendingCustomer => "pending customer",
        OperationState::Counting => "counting",
        OperationState::Resealing => "resealing",
        OperationState::Indexing => "indexing",
        OperationState::Removing => "removing",
        OperationState::Moving => "moving",
        OperationState::Verifying => "verifying",
        OperationState::Destroying => "destroying",
        OperationState::Paused => "paused",
        OperationState::NeedsAttention => "needs attention",
        OperationState::Done => "done",
        OperationState::Cancelled => "cancelled",
    }
}

fn to_json(operation: &Operation) -> Value {
    let targets = operation
        .targets
        .iter()
        .map(|target| json!({ "class": class_name(target.data_class), "epoch": target.epoch }));
    json!({
        "id": operation.id,
        "tenant_id": operation.tenant_id,
        "kind": match operation.kind() {
            OperationKind::Index => "index",
            OperationKind::Identifiers => "identifier-keys",
            OperationKind::Unspecified | OperationKind::Reencryption => "re-encryption",
        },
        "collection": operation.collection,
        "fields": operation.fields,
        "refused_fields": operation.refused_fields,
        "state": state(operation),
        "targets": targets.collect::<Vec<_>>(),
        "done": operation.done,
        "total": operation.total,
        "resealed": operation.resealed,
        "rate": operation.rate,
        "rate_max": operation.rate_max,
        "estimated_end": moment(operation.estimated_end),
        "destroy": moment(operation.destroy),
        "created": moment(operation.created),
        "updated": moment(operation.updated),
        "damaged": operation.damaged,
        "damaged_records": operation.damaged_records,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_says_that_it_is_one_and_whether_there_is_anything_to_cancel() {
        for (state, is_open) in [(OperationState::Paused, true), (OperationState::Done, false)] {
            let mut operation = Operation::default();
            operation.set_state(state);
            let document = would_be_cancelled(&operation);
            assert_eq!(
                (&document["dry_run"], &document["would_be_cancelled"]),
                (&json!(true), &json!(is_open))
            );
        }
    }
}
