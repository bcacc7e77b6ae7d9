//! What screening found per column, over many records.
//!
//! It promises to keep no value: only counts, types, the evidence of the surest verdict and three
//! masks; and to take no more memory however many records and fields there are. It relies on what
//! screening said of a record coming with the names of its fields, in the same order.

mod action_counts;
mod document;
mod examples;
mod tally;
mod voting;

use std::collections::{BTreeMap, HashMap};

use tresor_proto::{
    Action, DataClass, FieldName, InfoType, InfoTypes, Policy, UndeclaredPolicy,
    limits::POLICY_FIELDS_MAX,
};

use crate::{Drift, Evidence, Screened, Source, TextFinding};
use tally::Tally;

pub use action_counts::ActionCounts;
pub use document::ReportDocument;

/// Columns of a report: as many as a policy can declare.
const COLUMNS_MAX: usize = POLICY_FIELDS_MAX;

/// Columns over many records.
#[derive(Clone, Debug, Default)]
pub struct Report {
    info_types: InfoTypes,
    columns: Vec<Tally>,
    positions: HashMap<FieldName, usize>,
    records: u64,
    rejected: u64,
    rejected_by_policy: u64,
    unlisted_values: u64,
}

/// What was found in one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The field's name.
    pub name: FieldName,
    /// The info type most of its values have; `None` when most have none.
    pub info_type: Option<InfoType>,
    /// The class that goes with it; `None` when it is stored clear.
    pub class: Option<DataClass>,
    /// The action that protects most among those taken.
    pub action: Action,
    /// How many values each action is taken on, empty ones left out.
    pub actions: ActionCounts,
    /// How many values the policy stores clear though they are personal.
    pub flagged: u64,
    /// The mean confidence of the verdicts it stands for.
    pub confidence: f32,
    /// The stage that decided; `Column` when the values together say more than most of them alone.
    pub source: Source,
    /// The evidence of the surest of them.
    pub evidence: Evidence,
    /// That it holds something else from some record on, when it does.
    pub drift: Option<Drift>,
    /// How many values were seen, empty ones left out.
    pub values: u64,
    /// Masks of up to three of its values, never one of them.
    pub examples: Vec<String>,
    /// How many values had each info type, and how often each was found inside of texts.
    pub findings: BTreeMap<InfoType, u64>,
    /// How often each was found inside of texts.
    pub in_text: BTreeMap<InfoType, u64>,
}

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty report of what is screened under a policy, which may define info types.
    #[must_use]
    pub fn under(policy: &Policy) -> Self {
        Self { info_types: policy.info_types().clone(), ..Self::default() }
    }

    /// Counts what screening said of one record, whose fields are `names`.
    pub fn observe(&mut self, names: &[FieldName], screened: Screened<'_>) {
        self.records += 1;
        let is_rejected = screened.verdicts.iter().any(|verdict| verdict.action == Action::Reject);
        self.rejected_by_policy += u64::from(is_rejected);
        let verdicts = screened.verdicts.iter().zip(screened.values);
        for (index, (name, (verdict, value))) in names.iter().zip(verdicts).enumerate() {
            let mask = verdict.info_type.and_then(|info_type| self.info_types.mask(info_type));
            match self.tally(index, name) {
                Some(tally) => tally.count(verdict, (*value, mask)),
                None => self.unlisted_values += u64::from(verdict.evidence != Evidence::Empty),
            }
        }
        for finding in screened.findings {
            self.observe_inside(names, finding);
        }
    }

    /// Counts a row that cannot be read.
    pub fn reject(&mut self) {
        self.rejected += 1;
    }

    /// Counts what was found inside of a text.
    fn observe_inside(&mut self, names: &[FieldName], finding: &TextFinding) {
        let Some(name) = names.get(finding.field) else {
            return;
        };
        if let Some(tally) = self.tally(finding.field, name) {
            tally.count_inside(finding.info_type);
        }
    }

    /// How many records were observed.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The columns, in the order in which they first appeared.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        self.columns.iter().map(Tally::column).collect()
    }

    /// A policy that declares each column as it was seen: its info type, sealed when any value was
    /// protected. Columns without any value stay undeclared, and so do those that were clear: a
    /// declaration would keep clear what a value tomorrow shows to be personal but no rule is sure of.
    /// What the policy that they were screened under defines is defined as it was.
    #[must_use]
    pub fn proposed_policy(&self) -> Policy {
        let seen = self.columns.iter().filter(|tally| tally.has_values());
        let fields = seen.filter_map(Tally::proposal).collect();
        let flagged = Policy::default().declared_clear_but_personal;
        let info_types = self.info_types.clone();
        let proposed = Policy::defining(info_types, fields, UndeclaredPolicy::default(), flagged);
        proposed.unwrap_or_default()
    }

    /// The counts of a column; `None` when there is no room for another one.
    fn tally(&mut self, index: usize, name: &FieldName) -> Option<&mut Tally> {
        let position = self.position(index, name)?;
        self.columns.get_mut(position)
    }

    fn position(&mut self, index: usize, name: &FieldName) -> Option<usize> {
        // Records of one file have their fields in one order: no lookup then.
        if self.columns.get(index).is_some_and(|tally| tally.is_of(name)) {
            return Some(index);
        }
        if let Some(position) = self.positions.get(name) {
            return Some(*position);
        }
        let position = self.columns.len();
        if position >= COLUMNS_MAX {
            return None;
        }
        self.positions.insert(name.clone(), position);
        self.columns.push(Tally::new(name.clone()));
        Some(position)
    }
}

#[cfg(test)]
mod tests;
