//! The policy, held by the vault: what the edge decided is evidence, not a verdict.

use std::collections::HashMap;

use tresor_proto::{
    Action, Failure, FieldName, FieldPolicy, InfoType, InfoTypes, Mask, Policy, RefusalReason,
    SurrogateForm, covering,
};

use crate::{
    error::VaultError,
    mask,
    record::{FieldMask, NewField, NewRecord, Treatment},
};

/// A policy, ready to be held against records.
pub(super) struct Rules<'a> {
    info_types: &'a InfoTypes,
    declared: HashMap<&'a str, &'a FieldPolicy>,
    takes_undeclared: bool,
    takes_undeclared_clear: bool,
    may_tokenize: bool,
}

impl<'a> Rules<'a> {
    /// The rules of a policy; a caller who did not screen may store nothing undeclared clear.
    pub(super) fn new(policy: &'a Policy, is_screened: bool) -> Self {
        let declared = policy.fields().iter().map(|field| (field.name.as_str(), field));
        Self {
            info_types: policy.info_types(),
            takes_undeclared: policy.undeclared.takes_any(),
            declared: declared.collect(),
            takes_undeclared_clear: is_screened && policy.undeclared.not_personal == Action::Clear,
            may_tokenize: false,
        }
    }

    /// The same for a customer token that may give surrogates, or may not.
    pub(super) fn tokenizing(mut self, may_tokenize: bool) -> Self {
        self.may_tokenize = may_tokenize;
        self
    }

    /// Refuses fields the policy does not take as they are, and brings declared types into force.
    pub(super) fn enforce(&self, record: &mut NewRecord) -> Result<(), VaultError> {
        record.fields_mut().iter_mut().try_for_each(|field| self.enforce_field(field))
    }

    fn covering(&self, name: &FieldName) -> Option<&'a FieldPolicy> {
        let declared = |name: &str| self.declared.get(name).copied();
        covering(name.as_str(), declared, |field| field.protects())
    }

    fn enforce_field(&self, field: &mut NewField) -> Result<(), VaultError> {
        field.treatment = self.known(field.treatment)?;
        let declared = self.covering(&field.name);
        if !self.takes(declared.map(|declared| declared.action), field.treatment) {
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
        if let Some(FieldPolicy {
            surrogate: Some(form), info_type: Some(info_type), mask, ..
        }) = declared
        {
            let mask = mask.or_else(|| self.info_types.mask(*info_type));
            field.treatment = tokenized(field, *info_type, (*form, mask));
            if !self.may_tokenize && field.tokenized().is_some() {
                return Err(RefusalReason::CustomerTokenLacksOperation.into());
            }
        }
        Ok(())
    }

    /// A treatment with a custom info type as the policy defines it; who sends one that it does not
    /// define sends one that there is not.
    fn known(&self, treatment: Treatment) -> Result<Treatment, VaultError> {
        let known = |told: InfoType| {
            let unknown = || Failure::invalid("info_type", "unknown info type");
            self.info_types.known(told).ok_or_else(unknown)
        };
        Ok(match treatment {
            Treatment::Seal { info_type: Some(told @ InfoType::Custom(_)), .. } => {
                let info_type = known(told)?;
                Treatment::Seal { info_type: Some(info_type), class: info_type.class() }
            }
            Treatment::Tokenize { info_type, form, mask } => {
                Treatment::Tokenize { info_type: known(info_type)?, form, mask }
            }
            other @ (Treatment::Seal { .. } | Treatment::Clear) => other,
        })
    }

    /// Whether the policy takes a field as it is: at least as protected as it says. A surrogate is
    /// given where the policy says which, and nowhere else.
    fn takes(&self, declared: Option<Action>, treatment: Treatment) -> bool {
        match (declared, treatment) {
            (None, Treatment::Clear) => self.takes_undeclared_clear,
            (None, Treatment::Seal { .. }) => self.takes_undeclared,
            (Some(Action::Seal | Action::Tokenize), Treatment::Seal { .. })
            | (Some(Action::Clear), Treatment::Clear | Treatment::Seal { .. })
            | (Some(Action::Tokenize), Treatment::Tokenize { .. }) => true,
            (_, Treatment::Tokenize { .. })
            | (Some(Action::Seal | Action::Tokenize), Treatment::Clear)
            | (Some(Action::Drop | Action::Reject), _) => false,
        }
    }

    /// The masks of a record's sealed fields.
    pub(super) fn masks(&self, record: &NewRecord) -> Vec<FieldMask> {
        let masked = |field: &NewField| {
            let kept = self.covering(&field.name).and_then(|declared| declared.mask);
            let (info_type, class) = (field.info_type(), field.class()?);
            let of_type = || info_type.and_then(|info_type| self.info_types.mask(info_type));
            let kept = kept.or_else(of_type);
            let mask = mask::mask(info_type, kept, &field.content);
            let mask = mask.as_text().unwrap_or_default().to_owned();
            Some(FieldMask { field: field.name.clone(), info_type, class, mask })
        };
        record.fields().iter().filter_map(masked).collect()
    }
}

/// A field of which there is nothing is sealed: nothing can stand in for it.
fn tokenized(
    field: &NewField,
    info_type: InfoType,
    (form, mask): (SurrogateForm, Option<Mask>),
) -> Treatment {
    if field.content.is_blank() {
        return Treatment::Seal { info_type: Some(info_type), class: info_type.class() };
    }
    Treatment::Tokenize { info_type, form, mask }
}

#[cfg(test)]
mod tests {
    use tresor_proto::{Content, DataClass, Reveal, SurrogateKind, UndeclaredPolicy};

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
        Rules::new(policy, is_screened).tokenizing(true).enforce(&mut record)?;
        Ok(record.fields()[0].treatment)
    }

    const SEALED: Treatment = Treatment::Seal { info_type: None, class: DataClass::Other };

    #[test]
    fn a_field_declared_sealed_is_refused_when_it_arrives_clear() {
        let refused = enforce(&policy(Action::Seal), true, "iban", Treatment::Clear);
        assert!(matches!(refused, Err(VaultError::RejectedByPolicy(_))));
    }

    #[test]
    fn what_lies_below_a_declared_field_is_held_to_its_declaration() {
        let policy = policy(Action::Seal);
        assert!(enforce(&policy, true, "/iban/0", Treatment::Clear).is_err());
        let expected =
            Treatment::Seal { info_type: Some(InfoType::IbanCode), class: DataClass::Financial };
        assert_eq!(enforce(&policy, true, "/iban/0", SEALED), Ok(expected));
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

    fn tokenizing() -> (Policy, SurrogateForm) {
        let form = SurrogateForm {
            kind: SurrogateKind::Deterministic,
            reveal: Reveal::Masked,
            ..SurrogateForm::default()
        };
        let name = FieldName::parse("iban").unwrap();
        let field = FieldPolicy {
            info_type: Some(InfoType::IbanCode),
            surrogate: Some(form),
            mask: Mask::new(1, 2).ok(),
            ..FieldPolicy::new(name, Action::Tokenize)
        };
        (Policy::new(vec![field], UndeclaredPolicy::default(), Action::Seal).unwrap(), form)
    }

    /// What a caller asks for, which decides nothing.
    fn asked() -> Treatment {
        let (info_type, form) = (InfoType::City, SurrogateForm::default());
        Treatment::Tokenize { info_type, form, mask: Mask::new(8, 8).ok() }
    }

    #[test]
    fn a_field_declared_tokenized_gets_the_surrogate_the_policy_says() {
        let (policy, form) = tokenizing();
        let other = asked();
        let mask = Mask::new(1, 2).ok();
        let expected = Treatment::Tokenize { info_type: InfoType::IbanCode, form, mask };
        for treatment in [SEALED, other] {
            assert_eq!(enforce(&policy, true, "iban", treatment), Ok(expected));
        }
        assert!(enforce(&policy, true, "iban", Treatment::Clear).is_err());
    }

    #[test]
    fn who_may_only_write_gives_no_surrogates() {
        let (policy, _) = tokenizing();
        let name = FieldName::parse("iban").unwrap();
        let field = NewField { name, content: Content::text("x").unwrap(), treatment: SEALED };
        let mut record = NewRecord::new(None, vec![field]).unwrap();
        let refused = Rules::new(&policy, true).enforce(&mut record).unwrap_err();
        assert_eq!(refused, RefusalReason::CustomerTokenLacksOperation.into());
    }

    #[test]
    fn nobody_gets_a_surrogate_of_a_field_that_is_not_declared_tokenized() {
        let asked = asked();
        for action in [Action::Seal, Action::Clear] {
            assert!(enforce(&policy(action), true, "iban", asked).is_err(), "{action:?}");
        }
        assert!(enforce(&Policy::default(), true, "iban", asked).is_err());
    }

    #[test]
    fn nothing_stands_in_for_nothing() {
        let (policy, _) = tokenizing();
        let name = FieldName::parse("iban").unwrap();
        let field = NewField { name, content: Content::text(" ").unwrap(), treatment: SEALED };
        let mut record = NewRecord::new(None, vec![field]).unwrap();
        Rules::new(&policy, true).enforce(&mut record).unwrap();
        let class = DataClass::Financial;
        let expected = Treatment::Seal { info_type: Some(InfoType::IbanCode), class };
        assert_eq!(record.fields()[0].treatment, expected);
    }

    #[test]
    fn a_mask_is_that_of_the_policy_or_of_the_info_type() {
        let (policy, _) = tokenizing();
        let field = |name: &str, treatment| NewField {
            name: FieldName::parse(name).unwrap(),
            content: Content::text("DE65 8844 7294").unwrap(),
            treatment,
        };
        let fields =
            vec![field("iban", SEALED), field("other", SEALED), field("clear", Treatment::Clear)];
        let record = NewRecord::new(None, fields).unwrap();
        let masks = Rules::new(&policy, true).masks(&record);
        let masks: Vec<_> = masks.iter().map(|m| (m.field.as_str(), m.mask.as_str())).collect();
        assert_eq!(masks, [("iban", "D•••94"), ("other", "•••")]);
    }

    #[test]
    fn a_policy_that_takes_declared_fields_only_takes_no_other() {
        let undeclared = UndeclaredPolicy {
            personal: Action::Reject,
            unknown_text: Action::Drop,
            not_personal: Action::Drop,
        };
        let mut only = policy(Action::Seal);
        only.undeclared = undeclared;
        assert!(enforce(&only, true, "iban", SEALED).is_ok());
        for treatment in [SEALED, Treatment::Clear] {
            assert!(enforce(&only, true, "other", treatment).is_err());
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
