//! What screening found per column, over many records.
//!
//! It promises to keep no value: only counts, types and the evidence of the surest verdict. It relies
//! on verdicts arriving with the names of their fields, in the same order.

use std::collections::{BTreeMap, HashMap};

use tresor_proto::{
    Action, DataClass, FieldName, FieldPolicy, InfoType, Policy, UndeclaredPolicy,
    limits::POLICY_FIELDS_MAX,
};

use crate::{Drift, Evidence, Screened, Source, TextFinding, Verdict, column_memory::Settling};

/// Columns over many records.
#[derive(Clone, Debug, Default)]
pub struct Report {
    columns: Vec<Tally>,
    positions: HashMap<FieldName, usize>,
    records: u64,
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
    /// How many values had each info type, and how often each was found inside of texts.
    pub findings: BTreeMap<InfoType, u64>,
}

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts what screening said of one record, whose fields are `names`.
    pub fn observe(&mut self, names: &[FieldName], screened: Screened<'_>) {
        self.records += 1;
        for (index, (name, verdict)) in names.iter().zip(screened.verdicts).enumerate() {
            let position = self.position(index, name);
            if let Some(tally) = self.columns.get_mut(position) {
                tally.count(verdict);
            }
        }
        for finding in screened.findings {
            self.observe_inside(names, finding);
        }
    }

    /// Counts what was found inside of a text.
    fn observe_inside(&mut self, names: &[FieldName], finding: &TextFinding) {
        let Some(name) = names.get(finding.field) else {
            return;
        };
        let position = self.position(finding.field, name);
        if let Some(tally) = self.columns.get_mut(position) {
            *tally.inside.entry(finding.info_type).or_default() += 1;
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
    /// protected, clear when none was. Columns without any value stay undeclared.
    #[must_use]
    pub fn proposed_policy(&self) -> Policy {
        let seen = self.columns.iter().filter(|tally| tally.values > 0);
        let fields = seen.take(POLICY_FIELDS_MAX).map(Tally::proposal).collect();
        let flagged = Policy::default().declared_clear_but_personal;
        Policy::new(fields, UndeclaredPolicy::default(), flagged).unwrap_or_default()
    }

    fn position(&mut self, index: usize, name: &FieldName) -> usize {
        // Records of one file have their fields in one order: no lookup then.
        if self.columns.get(index).is_some_and(|t| &t.name == name) {
            return index;
        }
        if let Some(position) = self.positions.get(name) {
            return *position;
        }
        let position = self.columns.len();
        self.positions.insert(name.clone(), position);
        self.columns.push(Tally::new(name.clone()));
        position
    }
}

/// The counts of one column.
#[derive(Clone, Debug)]
struct Tally {
    name: FieldName,
    values: u64,
    groups: Vec<Group>,
    inside: BTreeMap<InfoType, u64>,
    action: Option<Action>,
    settling: Settling,
    drift: Option<Drift>,
}

/// The verdicts of a column that agree in info type and class.
#[derive(Clone, Debug)]
struct Group {
    info_type: Option<InfoType>,
    class: Option<DataClass>,
    values: u64,
    verdicts: u64,
    confidence_sum: f64,
    surest: f32,
    source: Source,
    evidence: Evidence,
}

impl Tally {
    fn new(name: FieldName) -> Self {
        Self {
            name,
            values: 0,
            groups: Vec::new(),
            inside: BTreeMap::new(),
            action: None,
            settling: Settling::default(),
            drift: None,
        }
    }

    fn count(&mut self, verdict: &Verdict) {
        let is_value = verdict.evidence != Evidence::Empty;
        self.values += u64::from(is_value);
        self.drift = self.settling.observe(verdict).or(self.drift);
        let action = self.action.unwrap_or(verdict.action);
        self.action = Some(more_protective(action, verdict.action));
        let matches = |g: &Group| g.info_type == verdict.info_type && g.class == verdict.class;
        let index = self.groups.iter().position(matches);
        let index = index.unwrap_or_else(|| {
            self.groups.push(Group::new(verdict));
            self.groups.len() - 1
        });
        if let Some(group) = self.groups.get_mut(index) {
            group.count(verdict, is_value);
        }
    }

    /// The group most values are in; among equals the one that protects.
    fn dominant(&self) -> Option<&Group> {
        let weight = |g: &&Group| (g.values, g.info_type.is_some(), g.class.is_some(), g.verdicts);
        self.groups.iter().max_by_key(weight)
    }

    fn column(&self) -> Column {
        let dominant = self.dominant();
        let action = self.action.unwrap_or(Action::Seal);
        let voted =
            self.voted().filter(|voted| dominant.is_none_or(|group| voted.outweighs(group)));
        let info_type = voted.as_ref().map(|voted| voted.info_type);
        let class = info_type.map(InfoType::class).filter(|_| action != Action::Clear);
        let class = class.or_else(|| dominant.and_then(|group| group.class));
        let by_values = dominant.map_or(Evidence::Empty, |group| group.evidence);
        let source = dominant.map_or(Source::Value, |group| group.source);
        Column {
            name: self.name.clone(),
            info_type: info_type.or_else(|| dominant.and_then(|group| group.info_type)),
            source: if voted.is_some() { Source::Column } else { source },
            drift: self.drift,
            class: class.or((action != Action::Clear).then(|| self.any_class())),
            action,
            confidence: dominant.map_or(0.0, Group::confidence),
            evidence: voted.map_or(by_values, |voted| voted.evidence()),
            values: self.values,
            findings: self.findings(),
        }
    }

    fn findings(&self) -> BTreeMap<InfoType, u64> {
        let mut findings = self.inside.clone();
        for group in self.groups.iter().filter(|group| group.values > 0) {
            if let Some(info_type) = group.info_type {
                *findings.entry(info_type).or_default() += group.values;
            }
        }
        findings
    }

    /// The class of most protected values, for a column of which most are clear.
    fn any_class(&self) -> DataClass {
        let protected = self.groups.iter().filter(|group| group.class.is_some());
        let most = protected.max_by_key(|group| group.values);
        most.and_then(|group| group.class).unwrap_or(DataClass::Other)
    }

    fn proposal(&self) -> FieldPolicy {
        let column = self.column();
        let by_type = column.info_type.map_or(DataClass::Other, InfoType::class);
        let action = match column.action {
            Action::Clear | Action::Drop => column.action,
            Action::Seal | Action::Tokenize | Action::Reject => Action::Seal,
        };
        FieldPolicy {
            info_type: column.info_type,
            data_class: column.class.filter(|class| *class != by_type),
            ..FieldPolicy::new(column.name, action)
        }
    }
}

impl Group {
    fn new(verdict: &Verdict) -> Self {
        Self {
            info_type: verdict.info_type,
            class: verdict.class,
            values: 0,
            verdicts: 0,
            confidence_sum: 0.0,
            surest: -1.0,
            source: verdict.source,
            evidence: verdict.evidence,
        }
    }

    fn count(&mut self, verdict: &Verdict, is_value: bool) {
        self.verdicts += 1;
        self.values += u64::from(is_value);
        self.confidence_sum += f64::from(verdict.confidence);
        if verdict.confidence > self.surest {
            self.surest = verdict.confidence;
            self.evidence = verdict.evidence;
            self.source = verdict.source;
        }
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a mean of numbers between 0 and 1, for people to read"
    )]
    fn confidence(&self) -> f32 {
        (self.confidence_sum / self.verdicts.max(1) as f64) as f32
    }
}

fn more_protective(first: Action, second: Action) -> Action {
    let strength = |action: Action| match action {
        Action::Clear => 0,
        Action::Tokenize => 1,
        Action::Seal => 2,
        Action::Drop => 3,
        Action::Reject => 4,
    };
    if strength(second) > strength(first) { second } else { first }
}

mod voting;

#[cfg(test)]
mod tests;
