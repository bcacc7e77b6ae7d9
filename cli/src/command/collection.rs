//! `tresor collection`: collections and their screening policies.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use comfy_table::Cell;
use serde_json::{Value, json};
use tresor_proto::{
    Policy, Violation,
    vault::{
        AnalyzeCollectionRequest, BuildIndexRequest, BuildIndexResponse, Collection,
        GetCollectionRequest, IndexAnalysis, IndexStatus, ListCollectionsRequest,
        Policy as WirePolicy, PutCollectionRequest,
    },
};
use tresor_screening::policy_document::{self, Mistake};

use super::{keys::class_name, question::ask, tenant::moment};
use crate::{
    connection::ConnectionFlags,
    control_plane::{ControlPlane, context_for},
    error::{CliError, Exit},
    output::{Output, printable},
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

Without a file the collection seals everything that is not provably harmless.")]
    Put(Put),
    /// Show a collection's policy
    Show(Show),
    /// List a tenant's collections
    List(List),
    /// Count what an onlooker of the database learns from a collection's indexes
    #[command(after_help = "\
Examples:
  tresor collection analyze customers --tenant stadtwerke-burg
  tresor collection analyze customers --tenant stadtwerke-burg --hidden-among 9

Whoever has the database sees which records have equal values in an indexed field, and how many. Of
values that come as often as no other, who knows the frequencies knows the value. Entries of fewer
bits are shared by several values; the advice is the most bits with which every value shares its
entry with as many others as asked: `searchable: { bits: 16 }` in the policy.")]
    Analyze(Analyze),
    /// Build the blind indexes of a collection over the records that are there
    #[command(after_help = "\
Examples:
  tresor collection build-index customers --tenant stadtwerke-burg --dry-run
  tresor collection build-index customers --tenant stadtwerke-burg --yes
  tresor keys operations list

It goes on as soon as the customer lends a customer token: `tresor keys token lend`.")]
    BuildIndex(BuildIndex),
}

#[derive(Debug, Args)]
pub(crate) struct Analyze {
    /// Name of the collection
    name: String,
    /// Name or id of the tenant
    #[arg(long)]
    tenant: String,
    /// Among how many other values each is to hide
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u64).range(1..))]
    hidden_among: u64,
    #[command(flatten)]
    connection: ConnectionFlags,
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

#[derive(Debug, Args)]
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

impl CollectionCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        match self {
            Self::Put(put) => put.run(session).await,
            Self::Show(show) => show.run(session).await,
            Self::List(list) => list.run(session).await,
            Self::Analyze(analyze) => analyze.run(session).await,
            Self::BuildIndex(build) => build.run(session).await,
        }
    }
}

impl Put {
    async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let policy = self.file.as_deref().map_or_else(|| Ok(Policy::default()), read_policy)?;
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
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
}

impl Analyze {
    async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        let request = AnalyzeCollectionRequest {
            context: Some(context_for(&self.tenant)),
            collection: self.name,
            hidden_among: self.hidden_among,
        };
        let answer = plane.collections().analyze_collection(request).await?.into_inner();
        let told: Vec<_> = answer.indexes.iter().map(analysis_to_json).collect();
        session.output.give(&json!({ "indexes": told }), |output| {
            if answer.indexes.is_empty() {
                return output.line("no field of this collection is searchable");
            }
            let rows = answer.indexes.iter().map(analysis_row);
            output.table(&ANALYSIS_COLUMNS, rows)
        })?;
        Ok(Exit::Done)
    }
}

const ANALYSIS_COLUMNS: [&str; 8] =
    ["field", "bits", "entries", "distinct", "most frequent", "entropy", "told", "advice"];

/// The share of entries that are the most frequent one.
#[allow(clippy::cast_precision_loss, reason = "a share for people, not a count")]
fn most_frequent_share(analysis: &IndexAnalysis) -> f64 {
    analysis.most_frequent as f64 / (analysis.entries as f64).max(1.0)
}

fn analysis_to_json(analysis: &IndexAnalysis) -> Value {
    json!({
        "field": analysis.field,
        "bits": analysis.bits,
        "entries": analysis.entries,
        "distinct": analysis.distinct,
        "most_frequent": analysis.most_frequent,
        "most_frequent_share": most_frequent_share(analysis),
        "entropy_bits": analysis.entropy_bits,
        "told": analysis.told,
        "told_records": analysis.told_records,
        "advised_bits": Some(analysis.advised_bits).filter(|bits| *bits > 0),
    })
}

fn analysis_row(analysis: &IndexAnalysis) -> Vec<Cell> {
    let advice = match analysis.advised_bits {
        0 => "no index".to_owned(),
        bits if bits >= analysis.bits => "as it is".to_owned(),
        bits => format!("{bits} bits"),
    };
    let told = format!("{} in {} records", analysis.told, analysis.told_records);
    let share = format!("{:.1} %", 100.0 * most_frequent_share(analysis));
    let entropy = format!("{:.1} bits", analysis.entropy_bits);
    let cells = [
        printable(&analysis.field).to_string(),
        analysis.bits.to_string(),
        analysis.entries.to_string(),
        analysis.distinct.to_string(),
        share,
        entropy,
        told,
        advice,
    ];
    cells.into_iter().map(Cell::new).collect()
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

impl BuildIndex {
    async fn run(self, session: &Session) -> Result<Exit, CliError> {
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
