//! What a policy says that its author may not have meant, told before it goes live.
//!
//! It promises to name the fields and no value, and to refuse nothing: a remark is a question. It
//! relies on the names of fields and on which of them a sample has.

use serde::{Serialize, Serializer, ser::SerializeStruct as _};
use tresor_proto::{FieldName, FieldPolicy, Policy};

use crate::{
    Column,
    defined::{Defined, WORD},
    field_name::{self, Hint},
};

/// Something about a field that a policy declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The field.
    pub field: FieldName,
    /// What there is about it.
    pub kind: RemarkKind,
}

/// What there is about a declared field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemarkKind {
    /// It is declared clear, while its name says that its values are personal; the word that does.
    ClearDespiteName(&'static str),
    /// No record of the sample has it.
    NotSeen,
}

/// What is remarkable about a policy beside the columns of a sample, in the policy's order.
#[must_use]
pub fn remarks(policy: &Policy, columns: &[Column]) -> Vec<Remark> {
    let copies: Vec<_> = policy.fields().iter().filter_map(|f| f.redacted_copy.as_ref()).collect();
    let made = |name: &FieldName| copies.contains(&name);
    let defined = Defined::of(policy.info_types());
    let declared = policy.fields().iter().filter(|field| !made(&field.name));
    let kinds = declared.flat_map(|field| {
        let of_policy = || defined.named(&field.name, false).map(|_| WORD);
        let word = || personal_word(&field.name).or_else(of_policy);
        let word = if field.protects() { None } else { word() };
        let is_seen = columns.iter().any(|column| covers(field, &column.name));
        let not_seen = (!is_seen).then_some(RemarkKind::NotSeen);
        let kinds = word.map(RemarkKind::ClearDespiteName).into_iter().chain(not_seen);
        kinds.map(|kind| Remark { field: field.name.clone(), kind })
    });
    kinds.collect()
}

/// The word of a name that says that its values are personal.
fn personal_word(name: &FieldName) -> Option<&'static str> {
    match field_name::hint(name) {
        Hint::Personal { word, .. } => Some(word),
        Hint::Technical { .. } | Hint::Nothing => None,
    }
}

/// Whether a declaration holds for a column.
fn covers(declared: &FieldPolicy, column: &FieldName) -> bool {
    let is = |name: &str| (name == declared.name.as_str()).then_some(declared);
    tresor_proto::covering(column.as_str(), is, |field| field.protects()).is_some()
}

impl RemarkKind {
    /// The kind in one word, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ClearDespiteName(_) => "clear_despite_name",
            Self::NotSeen => "not_seen",
        }
    }
}

impl core::fmt::Display for RemarkKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::ClearDespiteName(word) => {
                write!(f, "declared clear, though its name says personal ({word})")
            }
            Self::NotSeen => write!(f, "declared, and no record has it"),
        }
    }
}

impl Serialize for Remark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut told = serializer.serialize_struct("Remark", 3)?;
        told.serialize_field("field", self.field.as_str())?;
        told.serialize_field("code", self.kind.code())?;
        told.serialize_field("remark", &self.kind.to_string())?;
        told.end()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Report, Screener, Value, policy_document};

    #[test]
    fn names_that_contradict_and_fields_that_nobody_has_are_told() {
        let yaml = "info_types: {ZZA: {words: [zza], class: health}}
fields: {zza: {action: clear}, frei: {action: clear}, Vorname: {action: clear}, status: {action: clear}, \
                    nachname: {info_type: LAST_NAME}, adresse: {class: location}, \
                    Notiz: {info_type: FREE_TEXT, redacted_copy: Notiz_kurz}}";
        let policy = policy_document::parse(yaml).unwrap();
        let names = ["Vorname", "status", "Nachname", "/adresse/ort", "Notiz", "zza", "/frei/0"];
        let names: Arc<[_]> = names.map(|name| FieldName::parse(name).unwrap()).into();
        let mut report = Report::new();
        let values = [Value::Text("x"); 7];
        report.observe(&names, Screener::new(&policy).screen(&names, &values));
        let remarks = remarks(&policy, &report.columns());
        let told: Vec<_> = remarks.iter().map(|it| (it.field.as_str(), it.kind.code())).collect();
        let expected = [
            ("zza", "clear_despite_name"),
            ("frei", "not_seen"),
            ("Vorname", "clear_despite_name"),
            ("nachname", "not_seen"),
        ];
        assert_eq!(told, expected);
    }
}
