//! The masks that a policy gives to fields of its own.
//!
//! It promises the newest policy's, whatever a record was stored under. It relies on
//! [`tresor_proto::mask`] for what a mask shows.

use std::{collections::HashMap, sync::Arc};

use tresor_proto::{Mask, Policy};

pub(crate) use tresor_proto::{mask, narrower_mask};

/// The masks that a policy gives to fields of its own, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldMasks(Arc<HashMap<String, Mask>>);

impl FieldMasks {
    /// Those of a policy.
    pub(crate) fn of(policy: &Policy) -> Self {
        let masks = policy.fields().iter();
        let masks = masks.filter_map(|field| Some((field.name.as_str().to_owned(), field.mask?)));
        Self(Arc::new(masks.collect()))
    }

    /// The mask of a field, if it has one of its own.
    pub(crate) fn field(&self, name: &str) -> Option<Mask> {
        self.0.get(name).copied()
    }
}
#[cfg(test)]
mod tests {
    use tresor_proto::{Action, FieldName, FieldPolicy, UndeclaredPolicy};

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
        assert_eq!((masks.field("name"), masks.field("note")), (None, None));
    }
}
