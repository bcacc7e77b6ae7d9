//! The masks that a policy gives to fields of its own.
//!
//! It promises the newest policy's, whatever a record was stored under. It relies on
//! [`tresor_proto::mask`] for what a mask shows.

use std::{collections::HashMap, sync::Arc};

use tresor_proto::{FieldPolicy, Mask, Policy, covering};

pub(crate) use tresor_proto::{mask, narrower_mask};

/// The masks that a policy gives to fields of its own: of each declared field, by name, when any of
/// them has one.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldMasks(Arc<HashMap<String, Declared>>);

/// What is declared of a field.
#[derive(Clone, Copy, Debug)]
struct Declared {
    mask: Option<Mask>,
    protects: bool,
}

impl FieldMasks {
    /// Those of a policy.
    pub(crate) fn of(policy: &Policy) -> Self {
        if policy.fields().iter().all(|field| field.mask.is_none()) {
            return Self::default();
        }
        let declared =
            |field: &FieldPolicy| Declared { mask: field.mask, protects: field.protects() };
        let fields = policy.fields().iter();
        Self(Arc::new(fields.map(|f| (f.name.as_str().to_owned(), declared(f))).collect()))
    }

    /// The mask of a field, if it or what covers it has one of its own.
    pub(crate) fn field(&self, name: &str) -> Option<Mask> {
        covering(name, |name| self.0.get(name).copied(), |field| field.protects)?.mask
    }
}

#[cfg(test)]
mod tests {
    use tresor_proto::{Action, FieldName, UndeclaredPolicy};

    use super::*;

    #[test]
    fn a_policy_gives_masks_to_its_fields() {
        let named = |name: &str| FieldName::parse(name).unwrap();
        let mut iban = FieldPolicy::new(named("iban"), Action::Seal);
        iban.mask = Some(Mask::new(2, 0).unwrap());
        let other = FieldPolicy::new(named("name"), Action::Seal);
        let policy = Policy::new(vec![iban, other], UndeclaredPolicy::default(), Action::Seal);
        let masks = FieldMasks::of(&policy.unwrap());
        assert_eq!(masks.field("iban"), Some(Mask::new(2, 0).unwrap()));
        assert_eq!(masks.field("/iban/0"), masks.field("iban"));
        assert_eq!((masks.field("name"), masks.field("note")), (None, None));
    }
}
