//! Policies as messages: those of calls are those at rest.
//!
//! It promises that a policy survives being sent, and that a message is taken only as one that could be
//! put together. It relies on [`Policy::defining`] for what may be combined.

use super::{FieldPolicy, Policy, UndeclaredPolicy};
use crate::{
    Action, DataClass, Failure, FieldName, InfoType, InfoTypes, Mask, SearchIndex, SurrogateForm,
    vault,
};

impl TryFrom<vault::Policy> for Policy {
    type Error = Failure;

    fn try_from(policy: vault::Policy) -> Result<Self, Failure> {
        let flagged = policy.declared_clear_but_personal();
        let undeclared =
            policy.undeclared.as_ref().map_or_else(UndeclaredPolicy::default, |wire| {
                UndeclaredPolicy {
                    personal: Action::from_wire(wire.personal()).unwrap_or(Action::Seal),
                    unknown_text: Action::from_wire(wire.unknown_text()).unwrap_or(Action::Seal),
                    not_personal: Action::from_wire(wire.not_personal()).unwrap_or(Action::Clear),
                }
            });
        let info_types = InfoTypes::try_from(policy.info_types)?;
        let fields = policy.fields.iter().map(|field| FieldPolicy::from_wire(field, &info_types));
        Self::defining(
            info_types.clone(),
            fields.collect::<Result<_, _>>()?,
            undeclared,
            Action::from_wire(flagged).unwrap_or(Action::Seal),
        )
    }
}

impl FieldPolicy {
    fn from_wire(field: &vault::FieldPolicy, info_types: &InfoTypes) -> Result<Self, Failure> {
        let unknown = |what: &str| Failure::invalid("fields", format!("unknown {what}"));
        let info_type = match field.info_type.as_str() {
            "" => None,
            text => Some(info_types.named(text).ok_or_else(|| unknown("info type"))?),
        };
        Ok(Self {
            name: FieldName::parse(&field.name)?,
            info_type,
            data_class: DataClass::from_wire(field.data_class).map_err(|()| unknown("class"))?,
            action: Action::from_wire(field.action()).unwrap_or(Action::Seal),
            search: field.search.map(SearchIndex::try_from).transpose()?,
            surrogate: surrogate_form(field.surrogate.as_ref(), info_type)?,
            mask: field.mask.map(Mask::try_from).transpose()?,
            redacted_copy: match field.redacted_copy.as_str() {
                "" => None,
                name => Some(FieldName::parse(name)?),
            },
        })
    }
}

fn surrogate_form(
    wire: Option<&vault::SurrogateForm>,
    info_type: Option<InfoType>,
) -> Result<Option<SurrogateForm>, Failure> {
    let Some(wire) = wire else { return Ok(None) };
    let missing = || Failure::invalid("fields", "surrogates need an info type");
    SurrogateForm::from_wire(wire, info_type.ok_or_else(missing)?).map(Some)
}

impl From<&Policy> for vault::Policy {
    fn from(policy: &Policy) -> Self {
        let action = |action: Action| vault::Action::from(action) as i32;
        Self {
            info_types: policy.info_types.definitions().iter().map(Into::into).collect(),
            fields: policy.fields.iter().map(vault::FieldPolicy::from).collect(),
            undeclared: Some(vault::UndeclaredPolicy {
                personal: action(policy.undeclared.personal),
                unknown_text: action(policy.undeclared.unknown_text),
                not_personal: action(policy.undeclared.not_personal),
            }),
            declared_clear_but_personal: action(policy.declared_clear_but_personal),
        }
    }
}

impl From<&FieldPolicy> for vault::FieldPolicy {
    fn from(field: &FieldPolicy) -> Self {
        let class = field.data_class.map_or(vault::DataClass::Unspecified, Into::into);
        Self {
            name: field.name.as_str().to_owned(),
            info_type: field.info_type.map_or_else(String::new, |it| it.as_str().to_owned()),
            action: vault::Action::from(field.action) as i32,
            data_class: class as i32,
            search: field.search.map(Into::into),
            surrogate: field.surrogate.map(Into::into),
            mask: field.mask.map(Into::into),
            redacted_copy: field.redacted_copy.as_ref().map_or("", FieldName::as_str).to_owned(),
        }
    }
}
