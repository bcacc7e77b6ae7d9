//! `tresor collection`: collections and their screening policies.

mod analyze;
mod build_index;
mod inventory;
mod trial;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tresor_proto::{
    Policy, Violation,
    vault::{
        Collection, GetCollectionRequest, IndexStatus, ListCollectionsRequest,
        Policy as WirePolicy, PutCollectionRequest,
    },
};
use tresor_screening::policy_document::{self, Mistake};

use self::trial::{Current, Trial};
use super::{question, screen::Sample, tenant::moment};
use crate::{
    connection::ConnectionFlags,
    control_plane::{ControlPlane, context_for},
    error::{CliError, Exit},
    output::printable,
    session::Session,
};

/// Gives collections a policy and looks at them.
#[derive(Debug, Subcommand)]
pub(crate) enum CollectionCommand {
    /// Make a collection or give it a new policy
    #[command(after_help = "\
Examples:
  tresor screen customers.csv --propose customers.yaml
  tresor collection put customers --tenant stadtwerke-burg -f customers.yaml
  tresor collection put customers --tenant stadtwerke-burg -f customers.yaml --sample customers.csv

Without a file the collection seals everything that is not provably harmless.")]
    Put(Put),
    /// Say what a policy would do to a file, and what a collection's policy does otherwise
    Test(trial::Test),
    /// Show a collection's policy
    Show(Show),
    /// List a tenant's collections
    List(List),
    /// Count what an onlooker of the database learns from a collection's indexes
    Analyze(analyze::Analyze),
    /// List what kinds of personal data tenants hold
    Inventory(inventory::TakeInventory),
    /// Build the blind indexes of a collection over the records that are there
    BuildIndex(build_index::BuildIndex),
}

#[derive(Debug, Args)]
pub(crate) struct Put {
    /// Name of the collection, `[a-z][a-z0-9_-]{0,62}`
    name: String,
    /// Name or id of the tenant
    #[arg(long)]
    tenant: String,
    /// Policy document, YAML
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// File of records by which to see first what would change; then it is asked
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,
    /// Show what a sample would get, and put nothing
    #[arg(long, requires = "sample")]
    dry_run: bool,
    /// Put it without asking
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    connection: ConnectionFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Name of the collection
    name: String,
    /// Name or id of the tenant
    #[arg(long)]
    tenant: String,
    /// Version of the policy; the newest when not given
    #[arg(long, value_name = "N", default_value = "0", hide_default_value = true)]
    policy_version: u64,
    #[command(flatten)]
    connection: ConnectionFlags,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Name or id of the tenant
    #[arg(long)]
    tenant: String,
    #[command(flatten)]
    connection: ConnectionFlags,
}

impl CollectionCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        match self {
            Self::Put(put) => put.run(session).await,
            Self::Test(test) => test.run(session).await,
            Self::Show(show) => show.run(session).await,
            Self::List(list) => list.run(session).await,
            Self::Analyze(analyze) => analyze.run(session).await,
            Self::Inventory(inventory) => inventory.run(session).await,
            Self::BuildIndex(build) => build.run(session).await,
        }
    }
}

impl Put {
    async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let policy = self.file.as_deref().map_or_else(|| Ok(Policy::default()), read_policy)?;
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        if let Some(sample) = &self.sample {
            let current = Current::fetch(&plane, &self.tenant, &self.name).await?;
            let trial = Trial::of(&Sample::of(sample), Some(&current), &policy)?;
            if self.dry_run {
                session.output.give(&trial, |output| trial.show(output))?;
                return Ok(trial.conclude(&session.output));
            }
            self.ask(session, &trial)?;
        }
        let request = PutCollectionRequest {
            context: Some(context_for(&self.tenant)),
            name: self.name,
            policy: Some(WirePolicy::from(&policy)),
        };
        let answer = plane.collections().put_collection(request).await?.into_inner();
        let collection = answer.collection.unwrap_or_default();
        session.output.give(&to_json(&collection)?, |output| {
            let (name, version) = (printable(&collection.name), collection.policy_version);
            output.line(format!("collection {name} has its policy, version {version}"))?;
            incomplete(&collection).try_for_each(|index| {
                let field = printable(&index.field);
                output.line(format!("the index of {field} is not complete; see build-index"))
            })
        })?;
        Ok(Exit::Done)
    }

    /// Shows what would change of the sample, and asks.
    fn ask(&self, session: &Session, trial: &Trial) -> Result<(), CliError> {
        if !session.output.is_json() {
            trial.show(&session.output)?;
        }
        if self.yes {
            return Ok(());
        }
        let question = format!("Put this policy for the collection {}?", printable(&self.name));
        question::ask(&question, "the policy was not put")
    }
}

impl Show {
    async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        let request = GetCollectionRequest {
            context: Some(context_for(&self.tenant)),
            name: self.name,
            policy_version: self.policy_version,
        };
        let answer = plane.collections().get_collection(request).await?.into_inner();
        let collection = answer.collection.unwrap_or_default();
        session.output.give(&to_json(&collection)?, |output| {
            let (name, version) = (printable(&collection.name), collection.policy_version);
            let updated = moment(collection.updated).unwrap_or_default();
            output.line(format!("# {name}, policy version {version} of {updated}"))?;
            collection.indexes.iter().try_for_each(|index| {
                let state = match (index.complete, index.refused) {
                    (true, _) => "complete",
                    (false, true) => "refused: too few distinct values",
                    (false, false) => "not complete",
                };
                let (field, bits) = (printable(&index.field), index.bits);
                output.line(format!("# index of {field}, {bits} bits: {state}"))
            })?;
            let document = document_of(&collection)?;
            document.lines().try_for_each(|line| output.line(printable(line)))
        })?;
        Ok(Exit::Done)
    }
}

impl List {
    async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        let request = ListCollectionsRequest { context: Some(context_for(&self.tenant)) };
        let collections =
            plane.collections().list_collections(request).await?.into_inner().collections;
        let documents = collections.iter().map(to_json).collect::<Result<Vec<_>, _>>()?;
        let row = |c: &Collection| {
            let fields = c.policy.as_ref().map_or(0, |policy| policy.fields.len());
            let name = printable(&c.name).into_owned();
            let updated = moment(c.updated).unwrap_or_default();
            vec![name, c.policy_version.to_string(), fields.to_string(), updated]
        };
        session.output.give(&json!({ "collections": documents }), |output| {
            let header = ["name", "policy version", "declared fields", "updated"];
            output.table(&header, collections.iter().map(row))
        })?;
        Ok(Exit::Done)
    }
}

/// The indexes that do not hold every record.
fn incomplete(collection: &Collection) -> impl Iterator<Item = &IndexStatus> {
    collection.indexes.iter().filter(|index| !index.complete)
}

fn index_json(index: &IndexStatus) -> Value {
    json!({
        "field": index.field,
        "bits": index.bits,
        "complete": index.complete,
        "refused": index.refused,
    })
}

/// Reads a policy document.
pub(super) fn read_policy(path: &Path) -> Result<Policy, CliError> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| CliError::file("read", path, &error))?;
    policy_document::parse(&text).map_err(|error| {
        CliError::usage(format!("{} is not a policy", path.display()))
            .with_violations(error.mistakes().iter().map(violation).collect())
            .advise("`tresor screen FILE --propose policy.yaml` writes one to begin with")
    })
}

fn violation(mistake: &Mistake) -> Violation {
    let place = match mistake.line {
        0 => String::new(),
        line => format!(" (line {line}, column {})", mistake.column),
    };
    let field = if mistake.path.is_empty() { "document" } else { &mistake.path };
    Violation { field: field.to_owned(), description: format!("{}{place}", mistake.description) }
}

fn to_json(collection: &Collection) -> Result<Value, CliError> {
    Ok(json!({
        "name": collection.name,
        "policy_version": collection.policy_version,
        "updated": moment(collection.updated),
        "indexes": collection.indexes.iter().map(index_json).collect::<Vec<_>>(),
        "policy": document_of(collection)?,
    }))
}

fn document_of(collection: &Collection) -> Result<String, CliError> {
    let policy = Policy::try_from(collection.policy.clone().unwrap_or_default())?;
    Ok(policy_document::write(&policy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_of_a_policy_has_its_own_line() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("policy.yaml");
        std::fs::write(&file, "fields:\n  email: { action: hide }\nundeclard: {}\n").unwrap();
        let error = read_policy(&file).unwrap_err();
        let fields = error.violations().iter().map(|v| v.field.as_str()).collect::<Vec<_>>();
        assert_eq!(fields, ["fields.email.action", "undeclard"]);
        assert!(error.violations()[1].description.ends_with("(line 3, column 1)"));
        assert!(!error.to_string().contains('\n'));
    }
}
