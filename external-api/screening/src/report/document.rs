//! A report as programs read it: one JSON object, the same from the command line and the external
//! API.
//!
//! It promises that a key which was there once stays what it means. It relies on serde.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer, ser::SerializeStruct as _};
use tresor_proto::{DataClass, InfoType};

use super::{Column, Report};
use crate::{Drift, policy_document};

/// A report with everything that is told of it.
#[derive(Clone, Debug, Serialize)]
pub struct ReportDocument {
    /// Rows that could be read.
    pub records: u64,
    /// Rows that could not.
    pub rejected: u64,
    /// Records that the policy refuses.
    pub rejected_by_policy: u64,
    /// The columns, in the order in which they first appeared.
    pub columns: Vec<Column>,
    /// What was found inside of texts, in all columns.
    #[serde(serialize_with = "by_name")]
    pub in_text: BTreeMap<InfoType, u64>,
    /// Values of fields beyond the first 1,024 names, which are screened and not listed.
    pub unlisted_values: u64,
    /// A policy document that declares the columns as they were seen.
    pub proposed_policy: String,
}

impl Report {
    /// Everything that is told of it.
    #[must_use]
    pub fn document(&self) -> ReportDocument {
        let columns = self.columns();
        let mut in_text = BTreeMap::new();
        for (info_type, count) in columns.iter().flat_map(|column| &column.in_text) {
            *in_text.entry(*info_type).or_default() += count;
        }
        ReportDocument {
            records: self.records,
            rejected: self.rejected,
            rejected_by_policy: self.rejected_by_policy,
            columns,
            in_text,
            unlisted_values: self.unlisted_values,
            proposed_policy: policy_document::write(&self.proposed_policy()),
        }
    }
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut told = serializer.serialize_struct("Column", 15)?;
        told.serialize_field("name", self.name.as_str())?;
        told.serialize_field("info_type", &self.info_type.as_ref().map(InfoType::as_str))?;
        told.serialize_field("class", &self.class.map(DataClass::as_str))?;
        told.serialize_field("action", self.action.as_str())?;
        told.serialize_field("actions", &self.actions)?;
        told.serialize_field("flagged", &self.flagged)?;
        told.serialize_field("confidence", &thousandths(self.confidence))?;
        told.serialize_field("source", self.source.as_str())?;
        told.serialize_field("code", self.evidence.code())?;
        told.serialize_field("evidence", &self.evidence.to_string())?;
        told.serialize_field("drift", &self.drift)?;
        told.serialize_field("values", &self.values)?;
        told.serialize_field("examples", &self.examples)?;
        told.serialize_field("findings", &Counts(&self.findings))?;
        told.serialize_field("in_text", &Counts(&self.in_text))?;
        told.end()
    }
}

impl Serialize for Drift {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut told = serializer.serialize_struct("Drift", 2)?;
        told.serialize_field("from", &self.from.as_ref().map(InfoType::as_str))?;
        told.serialize_field("to", &self.to.as_ref().map(InfoType::as_str))?;
        told.end()
    }
}

/// Counts by the names of info types.
struct Counts<'a>(&'a BTreeMap<InfoType, u64>);

impl Serialize for Counts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        by_name(self.0, serializer)
    }
}

fn by_name<S: Serializer>(
    counts: &BTreeMap<InfoType, u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().map(|(info_type, count)| (info_type.as_str(), count)))
}

/// A number for people: a float of 32 bits would show digits it does not have.
fn thousandths(confidence: f32) -> f64 {
    (f64::from(confidence) * 1_000.0).round() / 1_000.0
}
