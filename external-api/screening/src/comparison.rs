//! What another policy would do to the same records.
//!
//! It promises counts and no value, in memory that does not grow with the records. It relies on each
//! record having been screened under both policies.

use std::collections::{BTreeMap, HashMap};

use serde::{Serialize, Serializer, ser::SerializeStruct as _};
use tresor_proto::{Action, DataClass, FieldName, Policy, limits::POLICY_FIELDS_MAX};

use crate::{Evidence, Verdict, policy_document};

/// Fields that are told apart: as many as a policy can declare.
const FIELDS_MAX: usize = POLICY_FIELDS_MAX;

/// Records under two policies.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    fields: Vec<Moves>,
    positions: HashMap<FieldName, usize>,
    records: u64,
    refused: Change<u64>,
}

/// Two policies compared, as it is told.
#[derive(Clone, Debug, Serialize)]
pub struct ComparisonDocument {
    /// Records of which some value is treated otherwise.
    pub records: u64,
    /// Records that each of the policies refuses.
    pub refused: Change<u64>,
    /// The fields of which something changes.
    pub fields: Vec<FieldChange>,
}

/// Something as it is and as it would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change<T> {
    /// As it is.
    pub before: T,
    /// As it would be.
    pub after: T,
}

/// What changes of a field.
#[derive(Clone, Debug)]
pub struct FieldChange {
    /// Its name.
    pub name: FieldName,
    /// How it is declared, where that changes.
    pub declared: Option<Change<Option<String>>>,
    /// How many values are treated otherwise, and how.
    pub values: BTreeMap<Change<Treatment>, u64>,
}

/// What is done with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Treatment {
    action: &'static str,
    class: Option<&'static str>,
}

/// The values of one field that are treated otherwise.
#[derive(Clone, Debug)]
struct Moves {
    name: FieldName,
    values: BTreeMap<Change<Treatment>, u64>,
}

impl Comparison {
    /// Counts a record, whose fields are `names`, with what each policy says of it.
    pub fn observe(&mut self, names: &[FieldName], before: &[Verdict], after: &[Verdict]) {
        let is_refused = |verdicts: &[Verdict]| verdicts.iter().any(|v| v.action == Action::Reject);
        self.refused.before += u64::from(is_refused(before));
        self.refused.after += u64::from(is_refused(after));
        let mut is_changed = false;
        for (name, (before, after)) in names.iter().zip(before.iter().zip(after)) {
            let change = Change { before: Treatment::of(before), after: Treatment::of(after) };
            let is_value = after.evidence != Evidence::Empty;
            if is_value && change.before != change.after {
                is_changed = true;
                self.count(name, change);
            }
        }
        self.records += u64::from(is_changed);
    }

    fn count(&mut self, name: &FieldName, change: Change<Treatment>) {
        let position = self.positions.get(name).copied().unwrap_or(self.fields.len());
        if position == self.fields.len() {
            if position >= FIELDS_MAX {
                return;
            }
            self.positions.insert(name.clone(), position);
            self.fields.push(Moves { name: name.clone(), values: BTreeMap::new() });
        }
        if let Some(moves) = self.fields.get_mut(position) {
            *moves.values.entry(change).or_default() += 1;
        }
    }

    /// What it comes to, with the fields that the policies declare otherwise.
    #[must_use]
    pub fn document(&self, before: &Policy, after: &Policy) -> ComparisonDocument {
        let declared = before.fields().iter().chain(after.fields()).map(|field| &field.name);
        let mut names: Vec<&FieldName> = self.fields.iter().map(|moves| &moves.name).collect();
        for name in declared {
            let is_changed = before.field(name) != after.field(name);
            if is_changed && !names.contains(&name) {
                names.push(name);
            }
        }
        let fields = names.into_iter().map(|name| FieldChange {
            name: name.clone(),
            declared: declaration(before, after, name),
            values: self.values_of(name),
        });
        ComparisonDocument {
            records: self.records,
            refused: self.refused,
            fields: fields.collect(),
        }
    }

    fn values_of(&self, name: &FieldName) -> BTreeMap<Change<Treatment>, u64> {
        let moves = self.positions.get(name).and_then(|position| self.fields.get(*position));
        moves.map(|moves| moves.values.clone()).unwrap_or_default()
    }
}

/// How a field is declared before and after, where that changes.
fn declaration(
    before: &Policy,
    after: &Policy,
    name: &FieldName,
) -> Option<Change<Option<String>>> {
    let (before, after) = (before.field(name), after.field(name));
    let written = |field| Option::map(field, policy_document::write_field);
    (before != after).then(|| Change { before: written(before), after: written(after) })
}

impl Treatment {
    fn of(verdict: &Verdict) -> Self {
        let action = if verdict.is_flagged() { "flag" } else { verdict.action.as_str() };
        Self { action, class: verdict.class.map(DataClass::as_str) }
    }
}

impl core::fmt::Display for Treatment {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.class {
            Some(class) => write!(f, "{} ({class})", self.action),
            None => f.write_str(self.action),
        }
    }
}

impl Serialize for Treatment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut told = serializer.serialize_struct("Treatment", 2)?;
        told.serialize_field("action", self.action)?;
        told.serialize_field("class", &self.class)?;
        told.end()
    }
}

impl Serialize for FieldChange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Counted<'a> {
            #[serde(flatten)]
            change: &'a Change<Treatment>,
            values: u64,
        }
        let values = self.values.iter().map(|(change, values)| Counted { change, values: *values });
        let mut told = serializer.serialize_struct("FieldChange", 3)?;
        told.serialize_field("name", self.name.as_str())?;
        told.serialize_field("declared", &self.declared)?;
        told.serialize_field("changes", &values.collect::<Vec<_>>())?;
        told.end()
    }
}

#[cfg(test)]
mod tests {
    use tresor_proto::{FieldPolicy, InfoType, UndeclaredPolicy};

    use super::*;
    use crate::{Screener, Value};

    fn field(name: &str, action: Action) -> FieldPolicy {
        FieldPolicy::new(FieldName::parse(name).unwrap(), action)
    }

    fn policy(fields: Vec<FieldPolicy>, personal: Action) -> Policy {
        let undeclared = UndeclaredPolicy { personal, ..UndeclaredPolicy::default() };
        Policy::new(fields, undeclared, Action::Clear).unwrap()
    }

    fn compared(before: &Policy, after: &Policy, records: &[[&str; 2]]) -> ComparisonDocument {
        let names = ["email", "x"].map(|name| FieldName::parse(name).unwrap()).into();
        let (mut earlier, mut later) = (Screener::new(before), Screener::new(after));
        let mut comparison = Comparison::default();
        for record in records {
            let values = record.map(Value::Text);
            let before = earlier.screen(&names, &values).verdicts;
            comparison.observe(&names, before, later.screen(&names, &values).verdicts);
        }
        comparison.document(before, after)
    }

    #[test]
    fn values_that_are_treated_otherwise_are_counted_by_field() {
        let records = [["a@example.org", "Kellerwohnung"], ["b@example.org", "17"], ["", "18"]];
        let clear = policy(vec![field("x", Action::Clear)], Action::Seal);
        let document = compared(&Policy::default(), &clear, &records);
        let json = serde_json::to_value(&document).unwrap();
        assert_eq!((document.records, json["fields"].as_array().unwrap().len()), (1, 1));
        assert_eq!(json["fields"][0]["changes"][0]["before"]["action"], "seal");
        assert_eq!(json["fields"][0]["changes"][0]["after"]["action"], "clear");
        assert_eq!(json["fields"][0]["changes"][0]["values"], 1);
        assert_eq!(json["fields"][0]["declared"]["after"], "{action: clear}");
        assert_eq!(json["fields"][0]["declared"]["before"], serde_json::Value::Null);
    }

    #[test]
    fn records_that_a_policy_refuses_are_counted_before_and_after() {
        let records = [["a@example.org", "1"], ["", "2"]];
        let document = compared(&Policy::default(), &policy(Vec::new(), Action::Reject), &records);
        assert_eq!(document.refused, Change { before: 0, after: 1 });
        let [change] = &document.fields[..] else { panic!("one field") };
        let told: Vec<_> = change.values.iter().map(|(c, n)| (c.after.to_string(), *n)).collect();
        assert_eq!(told, [("reject (contact)".to_owned(), 1)]);
    }

    #[test]
    fn what_is_declared_otherwise_is_told_though_no_value_shows_it() {
        let typed = FieldPolicy { info_type: Some(InfoType::City), ..field("ort", Action::Seal) };
        let before = policy(vec![field("ort", Action::Seal)], Action::Seal);
        let document = compared(&before, &policy(vec![typed], Action::Seal), &[["", "1"]]);
        assert_eq!((document.records, document.fields.len()), (0, 1));
        let declared = document.fields[0].declared.clone().unwrap();
        assert_eq!(declared.after.unwrap(), "{info_type: CITY, action: seal}");
    }

    #[test]
    fn what_is_only_flagged_is_told_as_such() {
        let before = policy(vec![field("x", Action::Seal)], Action::Seal);
        let after = policy(vec![field("x", Action::Clear)], Action::Seal);
        let document = compared(&before, &after, &[["", "DE89370400440532013000"]]);
        let change = document.fields[0].values.keys().next().unwrap();
        assert_eq!(change.after.to_string(), "flag");
    }
}
