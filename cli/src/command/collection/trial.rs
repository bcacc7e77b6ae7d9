//! `tresor collection test`, and the look at a sample before a policy is put: what a policy would do
//! to a file. Nothing is uploaded.

use std::path::PathBuf;

use clap::Args;
use comfy_table::Cell;
use serde::Serialize;
use tresor_proto::{ErrorCode, Policy, vault::GetCollectionRequest};
use tresor_screening::{ComparisonDocument, FieldChange, Remark, ReportDocument, remarks};

use super::read_policy;
use crate::{
    command::screen::{Sample, conclude, show_report},
    connection::ConnectionFlags,
    control_plane::{ControlPlane, context_for},
    error::{CliError, Exit},
    file_report::FileReport,
    output::{Output, Tone, counted, printable},
    session::Session,
};

/// Says what a policy would do to a file.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor collection test customers.yaml customers.csv
  tresor collection test customers.yaml customers.csv --collection customers --tenant stadtwerke-burg

The file stays on this machine, and nothing is stored. With a collection named, its policy is fetched,
and the values are counted that the new one would treat otherwise.")]
pub(crate) struct Test {
    /// Policy document, YAML
    policy: PathBuf,
    #[command(flatten)]
    sample: Sample,
    /// Collection whose policy it is compared with
    #[arg(long, value_name = "NAME", requires = "tenant")]
    collection: Option<String>,
    /// Name or id of its tenant
    #[arg(long, requires = "collection")]
    tenant: Option<String>,
    #[command(flatten)]
    connection: ConnectionFlags,
}

/// The policy that a collection has.
pub(super) struct Current {
    name: String,
    /// 0 when there is no such collection yet.
    version: u64,
    policy: Policy,
}

/// What a policy does to a sample, and what is otherwise than before.
#[derive(Serialize)]
pub(super) struct Trial {
    #[serde(flatten)]
    report: ReportDocument,
    /// What the author of the policy may not have meant.
    remarks: Vec<Remark>,
    /// What the collection's policy does otherwise.
    changes: Option<Compared>,
    #[serde(skip)]
    found: FileReport,
}

#[derive(Serialize)]
struct Compared {
    collection: String,
    policy_version: u64,
    #[serde(flatten)]
    document: ComparisonDocument,
}

impl Test {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let policy = read_policy(&self.policy)?;
        let current = match (&self.collection, &self.tenant) {
            (Some(name), Some(tenant)) => {
                let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
                Some(Current::fetch(&plane, tenant, name).await?)
            }
            _ => None,
        };
        let trial = Trial::of(&self.sample, current.as_ref(), &policy)?;
        session.output.give(&trial, |output| trial.show(output))?;
        Ok(trial.conclude(&session.output))
    }
}

impl Current {
    /// Asks for it; of a collection that is not there it is the policy that declares nothing.
    pub(super) async fn fetch(
        plane: &ControlPlane,
        tenant: &str,
        name: &str,
    ) -> Result<Self, CliError> {
        let request = GetCollectionRequest {
            context: Some(context_for(tenant)),
            name: name.to_owned(),
            policy_version: 0,
        };
        let answer = plane.collections().get_collection(request).await.map_err(CliError::from);
        let collection = match answer {
            Ok(answer) => answer.into_inner().collection.unwrap_or_default(),
            Err(error) if error.code() == Some(ErrorCode::NotFound) => Default::default(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            name: name.to_owned(),
            version: collection.policy_version,
            policy: Policy::try_from(collection.policy.unwrap_or_default())?,
        })
    }
}

impl Trial {
    /// Screens a sample under a policy, and under the one that a collection has now.
    pub(super) fn of(
        sample: &Sample,
        current: Option<&Current>,
        policy: &Policy,
    ) -> Result<Self, CliError> {
        let (file, format) = (sample.file(), sample.format()?);
        let (found, changes) = match current {
            None => (FileReport::of(file, format, policy)?, None),
            Some(Current { name, version, policy: before }) => {
                let (found, compared) = FileReport::compared(file, format, before, policy)?;
                let document = compared.document(before, policy);
                let collection = name.clone();
                (found, Some(Compared { collection, policy_version: *version, document }))
            }
        };
        let report = found.report.document();
        let remarks = remarks(policy, &report.columns);
        Ok(Self { report, remarks, changes, found })
    }

    /// Shows it to a person.
    pub(super) fn show(&self, output: &Output) -> Result<(), CliError> {
        show_report(output, &self.report)?;
        for Remark { field, kind } in &self.remarks {
            let line = format!("{}: {kind}", printable(field.as_str()));
            output.line(output.paint(Tone::Notable, &line))?;
        }
        self.changes.as_ref().map_or(Ok(()), |compared| compared.show(output))
    }

    /// How it ended: rows that cannot be read are told.
    pub(super) fn conclude(&self, output: &Output) -> Exit {
        conclude(output, &self.found, self.report.rejected)
    }
}

impl Compared {
    fn show(&self, output: &Output) -> Result<(), CliError> {
        let (name, ComparisonDocument { records, refused, fields }) =
            (printable(&self.collection), &self.document);
        let against = match self.policy_version {
            0 => format!("{name} has no policy yet; without one nothing is declared"),
            version => format!("beside version {version} of the policy of {name}"),
        };
        output.line("")?;
        if fields.is_empty() {
            return output.line(format!("{against}: nothing changes"));
        }
        output.line(format!(
            "{against}: {} would be treated otherwise",
            counted(*records, "record")
        ))?;
        output.table(&["field", "now", "then", "values"], fields.iter().flat_map(rows))?;
        if refused.before != refused.after {
            let line = format!("records refused: {} now, {} then", refused.before, refused.after);
            output.line(output.paint(Tone::Notable, &line))?;
        }
        Ok(())
    }
}

/// The lines of a field: how it is declared, then what becomes of its values.
fn rows(field: &FieldChange) -> Vec<Vec<Cell>> {
    let row = |before: &str, after: &str, values: &str| {
        let name = printable(field.name.as_str());
        vec![Cell::new(name), Cell::new(before), Cell::new(after), Cell::new(values)]
    };
    let declared = field.declared.iter().map(|change| {
        let written = |side: &Option<String>| match side {
            Some(text) => printable(text).into_owned(),
            None => "not declared".to_owned(),
        };
        row(&written(&change.before), &written(&change.after), "")
    });
    let values = field.values.iter().map(|(change, count)| {
        row(&change.before.to_string(), &change.after.to_string(), &count.to_string())
    });
    declared.chain(values).collect()
}
