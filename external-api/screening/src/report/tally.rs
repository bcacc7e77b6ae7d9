//! The counts of one column.
//!
//! It promises a few groups and no value, however many values there are. It relies on verdicts
//! alone, and on the masks of their info types for examples.

use std::collections::BTreeMap;

use tresor_proto::{Action, DataClass, FieldName, FieldPolicy, InfoType};

use super::{
    ActionCounts, Column,
    examples::{Example, Examples},
};
use crate::{Drift, Evidence, Source, Verdict, column_memory::Settling};

/// The counts of one column.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    name: FieldName,
    pub(super) values: u64,
    pub(super) groups: Vec<Group>,
    inside: BTreeMap<InfoType, u64>,
    actions: ActionCounts,
    flagged: u64,
    action: Option<Action>,
    settling: Settling,
    drift: Option<Drift>,
}

/// The verdicts of a column that agree in info type and class.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) info_type: Option<InfoType>,
    class: Option<DataClass>,
    pub(super) values: u64,
    verdicts: u64,
    confidence_sum: f64,
    surest: f32,
    pub(super) source: Source,
    evidence: Evidence,
    examples: Examples,
}

impl Tally {
    pub(super) fn new(name: FieldName) -> Self {
        Self {
            name,
            values: 0,
            groups: Vec::new(),
            inside: BTreeMap::new(),
            actions: ActionCounts::default(),
            flagged: 0,
            action: None,
            settling: Settling::default(),
            drift: None,
        }
    }

    /// Whether it is the column of that name.
    pub(super) fn is_of(&self, name: &FieldName) -> bool {
        &self.name == name
    }

    /// Whether any of its values was not empty.
    pub(super) fn has_values(&self) -> bool {
        self.values > 0
    }

    /// Counts what was said of a value.
    pub(super) fn count(&mut self, verdict: &Verdict, value: Example<'_>) {
        let is_value = verdict.evidence != Evidence::Empty;
        if is_value {
            self.values += 1;
            self.actions.add(verdict.action);
            self.flagged += u64::from(verdict.is_flagged());
        }
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
            group.count(verdict, is_value.then_some(value));
        }
    }

    /// Counts what was found inside of a text.
    pub(super) fn count_inside(&mut self, info_type: InfoType) {
        *self.inside.entry(info_type).or_default() += 1;
    }

    /// The group most values are in; among equals the one that protects.
    fn dominant(&self) -> Option<&Group> {
        let weight = |g: &&Group| (g.values, g.info_type.is_some(), g.class.is_some(), g.verdicts);
        self.groups.iter().max_by_key(weight)
    }

    /// What they come to.
    pub(super) fn column(&self) -> Column {
        let dominant = self.dominant();
        let action = self.action.unwrap_or(Action::Seal);
        let voted =
            self.voted().filter(|voted| dominant.is_none_or(|group| voted.outweighs(group)));
        let info_type = voted.as_ref().map(|voted| voted.info_type);
        let class = info_type.map(InfoType::class).filter(|_| action != Action::Clear);
        let class = class.or_else(|| dominant.and_then(|group| group.class));
        let by_values = dominant.map_or(Evidence::Empty, |group| group.evidence);
        let source = dominant.map_or(Source::Value, |group| group.source);
        let info_type = info_type.or_else(|| dominant.and_then(|group| group.info_type));
        Column {
            name: self.name.clone(),
            info_type,
            source: if voted.is_some() { Source::Column } else { source },
            drift: self.drift,
            class: class.or((action != Action::Clear).then(|| self.any_class())),
            action,
            actions: self.actions,
            flagged: self.flagged,
            confidence: dominant.map_or(0.0, Group::confidence),
            evidence: voted.map_or(by_values, |voted| voted.evidence()),
            values: self.values,
            examples: self.examples(info_type),
            findings: self.findings(),
            in_text: self.inside.clone(),
        }
    }

    /// Masks of values of the column's type; dots where they would show nothing.
    fn examples(&self, info_type: Option<InfoType>) -> Vec<String> {
        let of_type = self.groups.iter().filter(|group| group.info_type == info_type);
        let most = of_type.max_by_key(|group| group.values);
        most.filter(|group| group.values > 0)
            .map(|group| group.examples.masks())
            .unwrap_or_default()
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

    /// How a policy would declare it; not at all where its values alone were clear: what comes under
    /// this name tomorrow is looked at then.
    pub(super) fn proposal(&self) -> Option<FieldPolicy> {
        let column = self.column();
        if column.action == Action::Clear && column.source != Source::Declared {
            return None;
        }
        let by_type = column.info_type.map_or(DataClass::Other, InfoType::class);
        let action = match column.action {
            Action::Clear | Action::Drop => column.action,
            Action::Seal | Action::Tokenize | Action::Reject => Action::Seal,
        };
        Some(FieldPolicy {
            info_type: column.info_type,
            data_class: column.class.filter(|class| *class != by_type),
            ..FieldPolicy::new(column.name, action)
        })
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
            examples: Examples::default(),
        }
    }

    fn count(&mut self, verdict: &Verdict, value: Option<Example<'_>>) {
        self.verdicts += 1;
        let Some(value) = value else { return };
        self.values += 1;
        self.examples.see(verdict.info_type, value);
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
        (self.confidence_sum / self.values.max(1) as f64) as f32
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
