//! `tresor collection build-index`: has blind indexes built over what is there, after showing which
//! and asking.
//!
//! It relies on the vault for the work, which waits for the customer to lend a customer token.

use clap::Args;
use serde_json::json;
use tresor_proto::vault::{BuildIndexRequest, BuildIndexResponse};

use crate::{
    command::{keys::class_name, question::ask},
    connection::ConnectionFlags,
    control_plane::{ControlPlane, context_for},
    error::{CliError, Exit},
    output::{Output, printable},
    session::Session,
};

/// Builds the blind indexes of a collection over the records that are there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor collection build-index customers --tenant stadtwerke-burg --dry-run
  tresor collection build-index customers --tenant stadtwerke-burg --yes
  tresor keys operations list

It goes on as soon as the customer lends a customer token: `tresor keys token lend`.")]
pub(crate) struct BuildIndex {
    /// Name of the collection
    name: String,
    /// Name or id of the tenant
    #[arg(long)]
    tenant: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only show what would be built
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    connection: ConnectionFlags,
}

impl BuildIndex {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        let request = |dry_run: bool| BuildIndexRequest {
            context: Some(context_for(&self.tenant)),
            collection: self.name.clone(),
            dry_run,
        };
        if !self.yes {
            let planned = plane.collections().build_index(request(true)).await?.into_inner();
            if self.dry_run {
                return tell_build(&session.output, &planned, "would be built");
            }
            let (fields, classes) = (planned.fields.join(", "), classes_of(&planned).join(", "));
            let question = format!(
                "the indexes of {} are built over all records of {}; the customer has to lend {}. \
                 Go on?",
                printable(&fields),
                printable(&self.name),
                printable(&classes)
            );
            ask(&question, "nothing is built")?;
        }
        let asked = plane.collections().build_index(request(false)).await?.into_inner();
        tell_build(&session.output, &asked, "are built")
    }
}

fn classes_of(build: &BuildIndexResponse) -> Vec<&'static str> {
    build.data_classes.iter().map(|class| class_name(*class)).collect()
}

fn tell_build(output: &Output, build: &BuildIndexResponse, what: &str) -> Result<Exit, CliError> {
    let operation = build.operation.as_ref().map(|operation| operation.id.as_str());
    let document = json!({
        "dry_run": operation.is_none(),
        "fields": build.fields,
        "classes": classes_of(build),
        "operation": operation,
    });
    output.give(&document, |output| {
        let fields = build.fields.join(", ");
        output.line(format!("indexes {what}: {}", printable(&fields)))?;
        output.line(format!("to be lent: {}", classes_of(build).join(", ")))?;
        operation.map_or(Ok(()), |id| output.line(format!("operation  {}", printable(id))))
    })?;
    Ok(Exit::Done)
}
