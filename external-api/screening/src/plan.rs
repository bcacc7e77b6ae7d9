//! The plan of a collection: what is known of each of its fields before any value is seen.
//!
//! It promises one verdict a value, in order, whatever the values are. It relies on the policy, the
//! names and the value alone, so the same record always gets the same verdicts.

use tresor_proto::{Action, DataClass, FieldName, FieldPolicy, Policy};

use crate::{Evidence, Source, Value, Verdict};

/// A policy and field names, compiled once and used for every record with these names.
pub struct Plan {
    policy: Policy,
    fields: Vec<Option<FieldPolicy>>,
}

impl Plan {
    /// Compiles the plan of a policy and a record's field names.
    #[must_use]
    pub fn compile(policy: &Policy, names: &[FieldName]) -> Self {
        Self {
            policy: policy.clone(),
            fields: names.iter().map(|n| policy.field(n).cloned()).collect(),
        }
    }

    /// Screens a record's values, in the order of the names.
    #[must_use]
    pub fn screen(&self, values: &[Value<'_>]) -> Vec<Verdict> {
        let values = values.iter().enumerate();
        values
            .map(|(i, _)| self.verdict(self.fields.get(i).and_then(Option::as_ref)))
            .collect()
    }

    fn verdict(&self, declared: Option<&FieldPolicy>) -> Verdict {
        let action = declared.map_or(self.policy.undeclared.unknown_text, |f| f.action);
        let class = declared.map_or(DataClass::Other, FieldPolicy::class);
        Verdict {
            info_type: declared.and_then(|field| field.info_type),
            class: (action != Action::Clear).then_some(class),
            confidence: 1.0,
            source: declared.map_or(Source::Value, |_| Source::Declared),
            evidence: declared.map_or(Evidence::UnknownText, |_| Evidence::Declared),
            action,
        }
    }
}
