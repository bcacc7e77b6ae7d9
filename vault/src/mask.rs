//! The masks that a policy gives to fields of its own.
//!
//! It promises the newest policy's, whatever a record was stored under. It relies on
//! [`tresor_proto::mask`] for what a mask shows.

use std::{collections::HashMap, sync::Arc};

use tresor_proto::{FieldPolicy, InfoType, InfoTypes, Mask, Policy, covering};

pub(crate) use tresor_proto::{mask, narrower_mask};

/// The masks that a policy gives to fields of its own: of each declared field, by name, when any of
/// them has one; and to the info types it defines.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldMasks {
    fields: Arc<HashMap<String, Declared>>,
    info_types: InfoTypes,
}

/// What is declared of a field.
#[derive(Clone, Copy, Debug)]
struct Declared {
    mask: Option<Mask>,
    protects: bool,
}

impl FieldMasks {
    /// Those of a policy.
    pub(crate) fn of(policy: &Policy) -> Self {
        let info_types = policy.info_types().clone();
        if policy.fields().iter().all(|field| field.mask.is_none()) {
            return Self { info_types, ..Self::default() };
        }
        let declared =
            |field: &FieldPolicy| Declared { mask: field.mask, protects: field.protects() };
        let fields = policy.fields().iter();
        let fields = fields.map(|f| (f.name.as_str().to_owned(), declared(f))).collect();
        Self { fields: Arc::new(fields), info_types }
    }

    /// The mask of a field, if the policy gives one to it, to what covers it, or to its info type.
    pub(crate) fn of_field(&self, name: &str, info_type: Option<InfoType>) -> Option<Mask> {
        let declared = |name: &str| self.fields.get(name).copied();
        let own = covering(name, declared, |field| field.protects).and_then(|field| field.mask);
        own.or_else(|| self.info_types.mask(info_type?))
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
        assert_eq!(masks.of_field("iban", None), Some(Mask::new(2, 0).unwrap()));
        assert_eq!(masks.of_field("/iban/0", None), masks.of_field("iban", None));
        assert_eq!((masks.of_field("name", None), masks.of_field("note", None)), (None, None));
    }
}
