//! `tresor collection analyze`: what an onlooker of the database learns from indexes.
//!
//! It relies on the vault to count; it takes as long as that takes.

use clap::Args;
use comfy_table::Cell;
use serde_json::{Value, json};
use tresor_proto::vault::{AnalyzeCollectionRequest, IndexAnalysis};

use crate::{
    connection::ConnectionFlags,
    control_plane::{ControlPlane, context_for},
    error::{CliError, Exit},
    output::printable,
    session::Session,
};

/// Counts what an onlooker of the database learns from a collection's indexes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor collection analyze customers --tenant stadtwerke-burg
  tresor collection analyze customers --tenant stadtwerke-burg --hidden-among 9

Whoever has the database sees which records have equal values in an indexed field, and how many. Of
values that come as often as no other, who knows the frequencies knows the value. Entries of fewer
bits are shared by several values; the advice is the most bits with which every value shares its
entry with as many others as asked: `searchable: { bits: 16 }` in the policy.")]
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

impl Analyze {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
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
