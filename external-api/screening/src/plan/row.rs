//! What the other fields of a record say of a field: a postcode beside a town, a house number beside
//! a street, a last name beside a first one.
//!
//! It promises to look at fields whose names say nothing, and never to lower what is known of one. It
//! relies on the order of fields, which tables keep, and on the record alone: the same record always
//! gets the same verdicts.

mod people;
mod places;
mod technical;
mod users;
mod weak;

use tresor_proto::InfoType;

use super::{Inspected, Plan, Screening};
use crate::{
    Evidence, Rule, Source, Value, Verdict,
    detection::{Detection, Standing},
    field_name::Hint,
    shape::trimmed,
};

/// The fields of a record, with what is known of each so far.
pub(super) struct Row<'a, 'v> {
    plan: &'a Plan,
    values: &'a [Value<'v>],
    verdicts: &'a mut [Verdict],
    /// Which fields nobody declared, have names that say nothing, and values that are not sure.
    are_open: &'a [bool],
}

impl Plan {
    /// Lets the fields of a record say what they know of each other.
    pub(super) fn compare(&self, values: &[Value<'_>], screening: &mut Screening) {
        let Screening { verdicts, are_open, .. } = screening;
        are_open.clear();
        if self.has_untold {
            let verdicts = verdicts.iter().enumerate();
            are_open.extend(verdicts.map(|(index, verdict)| self.is_open(index, verdict)));
        }
        let mut row = Row { plan: self, values, verdicts, are_open };
        if self.has_untold {
            row.compare_places();
            row.compare_people();
            row.compare_towns();
            row.compare_users();
            row.compare_weak();
        }
        if self.has_technical {
            row.compare_technical();
        }
    }

    fn is_open(&self, index: usize, verdict: &Verdict) -> bool {
        let is_untold = self.fields.get(index).is_some_and(|field| field.is_untold());
        let has_text = !matches!(verdict.evidence, Evidence::Empty | Evidence::Bytes);
        // What the policy's own patterns say, neighbours do not know better.
        let is_defined = verdict.info_type.and_then(InfoType::custom).is_some();
        is_untold && has_text && !is_defined && verdict.confidence <= 0.95
    }
}

impl<'v> Row<'_, 'v> {
    fn len(&self) -> usize {
        self.values.len().min(self.verdicts.len())
    }

    /// The text of a field; empty when it has none.
    fn text(&self, index: usize) -> &'v str {
        let value = self.values.get(index).map(|value| Inspected::from(*value));
        trimmed(value.and_then(Inspected::text).unwrap_or_default())
    }

    fn info_type(&self, index: usize) -> Option<InfoType> {
        self.verdicts.get(index).and_then(|verdict| verdict.info_type)
    }

    fn is_open(&self, index: usize) -> bool {
        self.are_open.get(index).copied().unwrap_or_default()
    }

    /// Whether the field is open and of no type yet, free text of a few words left aside.
    fn is_unknown(&self, index: usize) -> bool {
        self.is_open(index) && matches!(self.info_type(index), None | Some(InfoType::FreeText))
    }

    /// Whether a value has a form that nothing of a person has: a moment, a reading, a UUID.
    fn is_harmless(&self, index: usize) -> bool {
        let evidence = self.verdicts.get(index).map(|verdict| &verdict.evidence);
        // A number may be anybody's, and a telephone number may look like a version.
        matches!(evidence, Some(Evidence::NotPersonal { kind }) if !["number", "version"].contains(kind))
    }

    /// The indices beside a field.
    fn beside(&self, index: usize) -> impl Iterator<Item = usize> + use<> {
        let len = self.len();
        let before = index.checked_sub(1);
        let after = Some(index + 1).filter(|after| *after < len);
        after.into_iter().chain(before)
    }

    /// Says what an open field is.
    fn tell(&mut self, index: usize, info_type: InfoType, rule: &'static str) {
        if !self.is_open(index) {
            return;
        }
        let detection = Detection {
            standing: Standing::Personal,
            info_type: Some(info_type),
            class: info_type.class(),
            confidence: 0.8,
            source: Source::Value,
            evidence: Evidence::Value { rule: Rule::Named(rule) },
        };
        if let Some(verdict) = self.verdicts.get_mut(index) {
            *verdict = self.plan.verdict(&detection);
        }
    }
}

impl super::Field {
    pub(super) fn is_untold(&self) -> bool {
        self.declared.is_none() && self.told() == Hint::Nothing
    }

    pub(super) fn is_technical(&self) -> bool {
        self.declared.is_none() && matches!(self.told(), Hint::Technical { .. })
    }
}

#[cfg(test)]
mod tests;
