//! The plan of a collection: what is known of each of its fields before any value is seen.
//!
//! It promises one verdict a value, in order, whatever the values are; a declared type wins towards
//! more protection, and detection never lowers it. It relies on the policy, the names and the value
//! alone, so the same record always gets the same verdicts.

mod row;
mod screening;

use tresor_proto::{Action, DataClass, FieldName, FieldPolicy, InfoType, Policy, UndeclaredPolicy};

use crate::{
    Evidence, Source, Value, Verdict,
    defined::{self, Defined},
    detection::{self, Detection, InText, Standing},
    field_name::{self, Hint},
    shape::{Certainty, Finding},
    text::Seen,
};

use screening::Inspected;
pub(crate) use screening::Screening;

/// A policy and field names, compiled once and used for every record with these names.
#[derive(Clone, Debug)]
pub struct Plan {
    fields: Vec<Field>,
    defined: Defined,
    undeclared: UndeclaredPolicy,
    declared_clear_but_personal: Action,
    /// Whether a field is neither declared nor has a telling name.
    has_untold: bool,
    /// Whether the name of a field nobody declared is a technical one.
    has_technical: bool,
}

/// What is known of a field.
#[derive(Clone, Copy, Debug)]
struct Field {
    hint: Hint,
    /// The info type of the policy whose word its name is.
    defined: Option<InfoType>,
    declared: Option<Declared>,
}

/// What a policy says of a field.
#[derive(Clone, Copy, Debug)]
struct Declared {
    info_type: Option<InfoType>,
    class: DataClass,
    action: Action,
}

impl Plan {
    /// Compiles the plan of a policy and a record's field names.
    #[must_use]
    pub fn compile(policy: &Policy, names: &[FieldName]) -> Self {
        let defined = Defined::of(policy.info_types());
        let fields = names.iter().map(|name| {
            let hint = field_name::hint(name);
            Field {
                hint,
                defined: defined.named(name, matches!(hint, Hint::Technical { .. })),
                declared: policy.covering(name).map(Declared::from),
            }
        });
        let fields: Vec<_> = fields.collect();
        Self {
            has_untold: fields.iter().any(Field::is_untold),
            has_technical: fields.iter().any(Field::is_technical),
            fields,
            defined,
            undeclared: policy.undeclared,
            declared_clear_but_personal: policy.declared_clear_but_personal,
        }
    }

    /// Screens a record's values, in the order of the names.
    ///
    /// A value beyond the last name is one nobody declared, of a field without a telling name.
    #[must_use]
    pub fn screen(&self, values: &[Value<'_>]) -> Vec<Verdict> {
        let mut screening = Screening::default();
        self.screen_into(values, &mut screening);
        screening.verdicts
    }

    /// The same, with what was found inside of free text, into memory that is used again.
    pub(crate) fn screen_into(&self, values: &[Value<'_>], screening: &mut Screening) {
        screening.begin(self.fields.len());
        for (index, value) in values.iter().enumerate() {
            let field = self.fields.get(index).copied().unwrap_or(Field::UNKNOWN);
            screening.add(self, index, field, *value);
        }
        self.compare(values, screening);
    }

    /// The verdict on a text, or on bytes.
    fn screen_value(&self, field: Field, text: Option<Seen<'_>>, found: Option<InText>) -> Verdict {
        match field.declared {
            Some(declared) if declared.action == Action::Clear => {
                self.declared_clear(declared, field, text, found)
            }
            Some(declared) => declared.verdict(text),
            None => self.undeclared(field, text, found),
        }
    }

    /// A field declared clear stays clear unless its value is personal, or something inside of it.
    fn declared_clear(
        &self,
        declared: Declared,
        field: Field,
        text: Option<Seen<'_>>,
        found: Option<InText>,
    ) -> Verdict {
        let value = text.and_then(|text| {
            let known = detection::contradiction(field.hint, text);
            known.or_else(|| self.contradiction(field, text))
        });
        let (info_type, confidence, source, rule) = match (value, found) {
            (Some(value), _) => (value.info_type, 0.98, Source::Value, value.rule),
            (None, Some(found)) if found.is_sure() => {
                (InfoType::FreeText, found.confidence, Source::Text, found.rule)
            }
            (None, _) => return declared.verdict(text),
        };
        let action = self.declared_clear_but_personal;
        Verdict {
            info_type: Some(info_type),
            class: (action != Action::Clear).then(|| info_type.class()),
            confidence,
            source,
            evidence: Evidence::DeclaredClear { rule },
            action,
        }
    }

    /// What a value of a field declared clear is of the policy's own info types: by its checksum, or
    /// by its form where the field's name names it.
    fn contradiction(&self, field: Field, text: Seen<'_>) -> Option<Finding> {
        let is_named = |finding: &Finding| field.defined == Some(finding.info_type);
        let found = self.defined.finding(text);
        found.filter(|finding| finding.certainty == Certainty::Sure || is_named(finding))
    }

    fn undeclared(&self, field: Field, text: Option<Seen<'_>>, found: Option<InText>) -> Verdict {
        let Some(text) = text else { return self.verdict(&detection::bytes(field.told())) };
        let detection = match field.defined {
            Some(info_type) => {
                let checked = self.defined.check(info_type, text);
                detection::defined(info_type, checked, text.written())
            }
            None => {
                let detection = detection::detect(field.hint, text);
                detection::with_defined(detection, self.defined.finding(text))
            }
        };
        self.verdict(&detection::with_text(detection, found))
    }

    /// The verdict on a field nobody declared.
    fn verdict(&self, detection: &Detection) -> Verdict {
        let action = self.undeclared_action(detection);
        Verdict {
            info_type: detection.info_type,
            class: (action != Action::Clear).then_some(detection.class),
            confidence: detection.confidence,
            source: detection.source,
            evidence: detection.evidence,
            action,
        }
    }

    fn undeclared_action(&self, detection: &Detection) -> Action {
        let action = match detection.standing {
            Standing::Personal => self.undeclared.personal,
            Standing::Unknown => self.undeclared.unknown_text,
            Standing::NotPersonal => self.undeclared.not_personal,
        };
        // A field without a value is no reason to refuse a record.
        let is_empty = detection.evidence == Evidence::Empty;
        if is_empty && action == Action::Reject {
            return if self.undeclared.takes_any() { Action::Seal } else { Action::Drop };
        }
        action
    }
}

impl Field {
    const UNKNOWN: Self = Self { hint: Hint::Nothing, defined: None, declared: None };

    /// What its name says, the words of the policy before all others.
    fn told(self) -> Hint {
        let of_type = |info_type: InfoType| Hint::Personal {
            info_type: Some(info_type),
            class: info_type.class(),
            word: defined::WORD,
        };
        self.defined.map_or(self.hint, of_type)
    }

    fn is_declared_clear(self) -> bool {
        self.declared.is_some_and(|declared| declared.action == Action::Clear)
    }
}

impl Declared {
    fn verdict(self, text: Option<Seen<'_>>) -> Verdict {
        let is_empty = text.is_some_and(|text| text.written().trim().is_empty());
        // A field without a value is no reason to refuse a record.
        let is_spared = is_empty && self.action == Action::Reject;
        Verdict {
            info_type: self.info_type,
            class: (self.action != Action::Clear).then_some(self.class),
            confidence: 1.0,
            source: Source::Declared,
            evidence: if is_empty { Evidence::Empty } else { Evidence::Declared },
            action: if is_spared { Action::Drop } else { self.action },
        }
    }
}

impl From<&FieldPolicy> for Declared {
    fn from(field: &FieldPolicy) -> Self {
        Self { info_type: field.info_type, class: field.class(), action: field.action }
    }
}

#[cfg(test)]
mod tests;
