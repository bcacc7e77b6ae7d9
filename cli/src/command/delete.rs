//! `tresor delete`: deletes records, after showing what it will do and asking.

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};
use tresor_proto::{CustomerToken, ErrorCode, RecordId};

use super::{get::Target, parse, question::ask};
use crate::{
    error::{CliError, Exit},
    https::{Https, send},
    output::{Output, Tone},
    session::Session,
};

/// Deletes records.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor delete A-03405927 --collection customers
  tresor delete A-03405927 A-77932180 --collection customers --dry-run
  tresor delete A-03405927 --collection customers --yes")]
pub(crate) struct DeleteCommand {
    /// Ids of the records
    #[arg(required = true, value_name = "ID", value_parser = parse::record_id)]
    ids: Vec<RecordId>,
    #[command(flatten)]
    target: Target,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only show what would be deleted
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
}

/// What became of one record.
struct Deletion {
    id: RecordId,
    failure: Option<CliError>,
}

impl DeleteCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let https = self.target.connection.https(session)?;
        let customer_token = self.target.customer_token.read(session)?;
        if !self.dry_run && !self.yes {
            self.ask()?;
        }
        let method = if self.dry_run { Method::GET } else { Method::DELETE };
        let mut deletions = Vec::with_capacity(self.ids.len());
        for id in &self.ids {
            let failure = self.visit(&https, method.clone(), id, &customer_token).await.err();
            let is_final = failure.as_ref().is_some_and(is_about_the_caller);
            deletions.push(Deletion { id: id.clone(), failure });
            if is_final {
                break;
            }
        }
        self.conclude(session, deletions)
    }

    fn ask(&self) -> Result<(), CliError> {
        let ids = self.ids.iter().map(RecordId::as_str).collect::<Vec<_>>().join(", ");
        let count = self.ids.len();
        let question = format!(
            "{count} of {} will be deleted and cannot be brought back: {ids}\nDelete?",
            self.target.collection
        );
        ask(&question, "nothing was deleted")
    }

    async fn visit(
        &self,
        https: &Https,
        method: Method,
        id: &RecordId,
        customer_token: &CustomerToken,
    ) -> Result<(), CliError> {
        let segments =
            ["v1", "collections", self.target.collection.as_str(), "records", id.as_str()];
        let mut request = https.request_with(method.clone(), &segments, customer_token)?;
        if method == Method::GET {
            request = request.query(&[("reveal", "redacted")]);
        }
        send(request).await.map(drop)
    }

    fn conclude(&self, session: &Session, deletions: Vec<Deletion>) -> Result<Exit, CliError> {
        let failed = deletions.iter().filter(|d| d.failure.is_some()).count();
        let done = deletions.len() - failed;
        if let [Deletion { failure: Some(_), .. }] = deletions.as_slice() {
            let only = deletions.into_iter().find_map(|deletion| deletion.failure);
            return Err(only.unwrap_or_else(|| CliError::failed("nothing was deleted")));
        }
        let status = if self.dry_run { "would be deleted" } else { "deleted" };
        let items = deletions.iter().map(|d| d.to_json(status)).collect::<Vec<_>>();
        session.output.give(&json!({ "records": items, "dry_run": self.dry_run }), |output| {
            deletions.iter().try_for_each(|deletion| deletion.show(output, status))
        })?;
        Ok(match (done, failed) {
            (_, 0) => Exit::Done,
            (0, _) => Exit::Failed,
            _ => Exit::SomeRejected,
        })
    }
}

impl Deletion {
    fn to_json(&self, status: &str) -> Value {
        match &self.failure {
            None => json!({ "id": self.id.as_str(), "status": status }),
            Some(failure) => {
                let mut item = failure.to_json();
                item["id"] = json!(self.id.as_str());
                item["status"] = json!("failed");
                item
            }
        }
    }

    fn show(&self, output: &Output, status: &str) -> Result<(), CliError> {
        match &self.failure {
            None => output.line(format!("{}  {}", self.id, output.paint(Tone::Good, status))),
            Some(failure) => {
                let what = output.paint(Tone::Bad, &failure.to_string());
                output.line(format!("{}  {what}", self.id))
            }
        }
    }
}

/// Whether the same would happen to every other record.
fn is_about_the_caller(failure: &CliError) -> bool {
    matches!(failure.code(), None | Some(ErrorCode::Unauthenticated | ErrorCode::Forbidden))
}
