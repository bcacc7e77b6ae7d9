//! The policy, held by the vault: what the edge decided is evidence, not a verdict.

use std::collections::HashMap;

use tresor_proto::{Action, FieldPolicy, Policy};

use crate::{
    error::VaultError,
    record::{NewField, NewRecord, Treatment},
};

/// A policy, ready to be held against records.
pub(super) struct Rules<'a> {
    declared: HashMap<&'a str, &'a FieldPolicy>,
    takes_undeclared_clear: bool,
}

impl<'a> Rules<'a> {
    /// The rules of a policy; a caller who did not screen may store nothing undeclared clear.
    pub(super) fn new(policy: &'a Policy, is_screened: bool) -> Self {
        let declared = policy.fields().iter().map(|field| (field.name.as_str(), field));
        Self {
            declared: declared.collect(),
            takes_undeclared_clear: is_screened && policy.undeclared.not_personal == Action::Clear,
        }
    }

    /// Refuses fields the policy does not take as they are, and brings declared types into force.
    pub(super) fn enforce(&self, record: &mut NewRecord) -> Result<(), VaultError> {
        record.fields_mut().iter_mut().try_for_each(|field| self.enforce_field(field))
    }

    fn enforce_field(&self, field: &mut NewField) -> Result<(), VaultError> {
        let declared = self.declared.get(field.name.as_str());
        let is_clear = field.treatment == Treatment::Clear;
        let is_taken = match declared.map(|declared| declared.action) {
            None => !is_clear || self.takes_undeclared_clear,
            Some(Action::Clear) => true,
            Some(Action::Seal) => !is_clear,
            Some(Action::Tokenize | Action::Drop | Action::Reject) => false,
        };
        if !is_taken {
            return Err(VaultError::RejectedByPolicy(field.name.clone()));
        }
        if let (Some(declared), Treatment::Seal { info_type, .. }) = (declared, field.treatment) {
            let is_declared = declared.info_type.is_some()
                || declared.data_class.is_some()
                || declared.search.is_some();
            if is_declared {
                let info_type = declared.info_type.or(info_type);
                field.treatment = Treatment::Seal { info_type, class: declared.class() };
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tresor_proto::{Content, DataClass, FieldName, InfoType, UndeclaredPolicy};

    use super::*;

    fn policy(action: Action) -> Policy {
        let name = FieldName::parse("iban").unwrap();
        let info_type = Some(InfoType::IbanCode);
        let field = FieldPolicy { info_type, ..FieldPolicy::new(name, action) };
        Policy::new(vec![field], UndeclaredPolicy::default(), Action::Seal).unwrap()
    }

    fn enforce(
        policy: &Policy,
        is_screened: bool,
        name: &str,
        treatment: Treatment,
    ) -> Result<Treatment, VaultError> {
        let name = FieldName::parse(name).unwrap();
        let field = NewField { name, content: Content::text("x").unwrap(), treatment };
        let mut record = NewRecord::new(None, vec![field]).unwrap();
        Rules::new(policy, is_screened).enforce(&mut record)?;
        Ok(record.fields()[0].treatment)
    }

    const SEALED: Treatment = Treatment::Seal { info_type: None, class: DataClass::Other };

    #[test]
    fn a_field_declared_sealed_is_refused_when_it_arrives_clear() {
        let refused = enforce(&policy(Action::Seal), true, "iban", Treatment::Clear);
        assert!(matches!(refused, Err(VaultError::RejectedByPolicy(_))));
    }

    #[test]
    fn a_declared_type_is_brought_into_force() {
        let expected =
            Treatment::Seal { info_type: Some(InfoType::IbanCode), class: DataClass::Financial };
        assert_eq!(enforce(&policy(Action::Seal), true, "iban", SEALED), Ok(expected));
    }

    #[test]
    fn more_protection_than_declared_is_taken() {
        assert!(enforce(&policy(Action::Clear), true, "iban", SEALED).is_ok());
    }

    #[test]
    fn fields_to_drop_or_reject_are_refused() {
        for action in [Action::Drop, Action::Reject] {
            assert!(enforce(&policy(action), true, "iban", SEALED).is_err());
        }
    }

    #[test]
    fn who_did_not_screen_may_store_nothing_undeclared_clear() {
        let policy = policy(Action::Clear);
        assert!(enforce(&policy, true, "status", Treatment::Clear).is_ok());
        assert!(enforce(&policy, false, "status", Treatment::Clear).is_err());
        assert!(enforce(&policy, false, "iban", Treatment::Clear).is_ok());
    }
}
