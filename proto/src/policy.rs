use std::collections::HashSet;

use crate::{
    Action, DataClass, Failure, FieldName, InfoType, Mask, SearchIndex, SurrogateForm,
    field_name::enclosing, limits::POLICY_FIELDS_MAX, vault,
};

/// A collection's screening policy: what happens to each field. The vault's, fetched by the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    fields: Vec<FieldPolicy>,
    /// Fields nobody declared.
    pub undeclared: UndeclaredPolicy,
    /// A field declared clear whose value is personal: seal it, reject the record, or
    /// ([`Action::Clear`]) only flag it.
    pub declared_clear_but_personal: Action,
}

/// What happens to a declared field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPolicy {
    /// The field's name.
    pub name: FieldName,
    /// Its info type, when declared.
    pub info_type: Option<InfoType>,
    /// Its class, when it is not the info type's.
    pub data_class: Option<DataClass>,
    /// Its action.
    pub action: Action,
    /// How records are found by it, if they are.
    pub search: Option<SearchIndex>,
    /// Which surrogates it gives, when it is tokenized.
    pub surrogate: Option<SurrogateForm>,
    /// What its mask shows, when it is not its info type's.
    pub mask: Option<Mask>,
    /// The readable field that is made of it: the text with what was found personal replaced.
    pub redacted_copy: Option<FieldName>,
}

/// What happens to fields nobody declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UndeclaredPolicy {
    /// Values recognised as personal: never clear.
    pub personal: Action,
    /// Text nobody knows: never clear.
    pub unknown_text: Action,
    /// Values provably not personal.
    pub not_personal: Action,
}

impl Policy {
    /// Puts a policy together.
    ///
    /// # Errors
    /// `invalid_request` when a field is declared twice, an action is not allowed where it stands,
    /// or there are more than 1,024 fields.
    pub fn new(
        mut fields: Vec<FieldPolicy>,
        undeclared: UndeclaredPolicy,
        declared_clear_but_personal: Action,
    ) -> Result<Self, Failure> {
        if fields.len() > POLICY_FIELDS_MAX {
            return Err(Failure::invalid("fields", "more than 1024 declared fields"));
        }
        let mut names = HashSet::new();
        if !fields.iter().all(|field| names.insert(field.name.as_str())) {
            return Err(Failure::invalid("fields", "a field is declared twice"));
        }
        for field in &mut fields {
            field.check().map_err(|failure| failure.below(&format!("fields.{}", field.name)))?;
            if field.action == Action::Tokenize {
                field.surrogate.get_or_insert_default();
            }
        }
        declare_copies(&mut fields)?;
        if fields.len() > POLICY_FIELDS_MAX {
            return Err(Failure::invalid("fields", "more than 1024 declared fields"));
        }
        undeclared.check()?;
        if !matches!(declared_clear_but_personal, Action::Seal | Action::Reject | Action::Clear) {
            let description = "one of: seal, reject, clear (which only flags it)";
            return Err(Failure::invalid("declared_clear_but_personal", description));
        }
        Ok(Self { fields, undeclared, declared_clear_but_personal })
    }

    /// The declared fields, in their order.
    #[must_use]
    pub fn fields(&self) -> &[FieldPolicy] {
        &self.fields
    }

    /// What is declared of a field.
    #[must_use]
    pub fn field(&self, name: &FieldName) -> Option<&FieldPolicy> {
        self.fields.iter().find(|field| &field.name == name)
    }

    /// Whether it lets personal values in fields declared clear stay readable.
    #[must_use]
    pub fn is_flagging(&self) -> bool {
        self.declared_clear_but_personal == Action::Clear
    }

    /// What covers a field, see [`covering`].
    #[must_use]
    pub fn covering(&self, name: &FieldName) -> Option<&FieldPolicy> {
        let declared = |name: &str| self.fields.iter().find(|field| field.name.as_str() == name);
        covering(name.as_str(), declared, |field| field.protects())
    }
}

/// What covers a field: its own declaration or, when it has none, that of the nearest value it lies in
/// that is declared so as to protect. So a value stays protected when it comes as an array or an object
/// one day, and nothing becomes readable that nobody named.
pub fn covering<T>(
    name: &str,
    declared: impl Fn(&str) -> Option<T>,
    protects: impl Fn(&T) -> bool,
) -> Option<T> {
    let of_enclosing = || enclosing(name).find_map(|name| declared(&name).filter(&protects));
    declared(name).or_else(of_enclosing)
}

impl FieldPolicy {
    /// Whether it keeps the value from being stored readable, and so what lies below it, too.
    #[must_use]
    pub fn protects(&self) -> bool {
        self.action != Action::Clear
    }
}

impl Default for Policy {
    /// Declares nothing: seals all but what is provably not personal.
    fn default() -> Self {
        Self {
            fields: Vec::new(),
            undeclared: UndeclaredPolicy::default(),
            declared_clear_but_personal: Action::Seal,
        }
    }
}

impl FieldPolicy {
    /// Declares what happens to a field, and nothing else of it.
    #[must_use]
    pub fn new(name: FieldName, action: Action) -> Self {
        Self {
            name,
            info_type: None,
            data_class: None,
            action,
            search: None,
            surrogate: None,
            mask: None,
            redacted_copy: None,
        }
    }

    /// The class the field is locked with.
    #[must_use]
    pub fn class(&self) -> DataClass {
        let by_type = || self.info_type.map_or(DataClass::Other, InfoType::class);
        self.data_class.unwrap_or_else(by_type)
    }
}

impl UndeclaredPolicy {
    /// Whether a field nobody declared may be stored at all.
    #[must_use]
    pub fn takes_any(self) -> bool {
        let is_taken = |action| !matches!(action, Action::Drop | Action::Reject);
        [self.personal, self.unknown_text, self.not_personal].into_iter().any(is_taken)
    }

    fn check(self) -> Result<(), Failure> {
        let protects =
            |action: Action| matches!(action, Action::Seal | Action::Drop | Action::Reject);
        let description = "one of: seal, drop, reject";
        if !protects(self.personal) {
            return Err(Failure::invalid("undeclared.personal", description));
        }
        if !protects(self.unknown_text) {
            return Err(Failure::invalid("undeclared.unknown_text", description));
        }
        if !protects(self.not_personal) && self.not_personal != Action::Clear {
            let description = "one of: clear, seal, drop, reject";
            return Err(Failure::invalid("undeclared.not_personal", description));
        }
        Ok(())
    }
}

impl Default for UndeclaredPolicy {
    fn default() -> Self {
        Self { personal: Action::Seal, unknown_text: Action::Seal, not_personal: Action::Clear }
    }
}

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
        let fields = policy.fields.into_iter().map(FieldPolicy::try_from);
        Self::new(
            fields.collect::<Result<_, _>>()?,
            undeclared,
            Action::from_wire(flagged).unwrap_or(Action::Seal),
        )
    }
}

impl TryFrom<vault::FieldPolicy> for FieldPolicy {
    type Error = Failure;

    fn try_from(field: vault::FieldPolicy) -> Result<Self, Failure> {
        let unknown = |what: &str| Failure::invalid("fields", format!("unknown {what}"));
        let info_type = match field.info_type.as_str() {
            "" => None,
            text => Some(InfoType::from_text(text).ok_or_else(|| unknown("info type"))?),
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

/// Declares the fields that are made as copies, clear and of no type; refuses what says otherwise.
fn declare_copies(fields: &mut Vec<FieldPolicy>) -> Result<(), Failure> {
    let mut copies = HashSet::new();
    let made = fields.iter().filter_map(|field| Some((&field.name, field.redacted_copy.clone()?)));
    for (of, copy) in made.map(|(of, copy)| (of.clone(), copy)).collect::<Vec<_>>() {
        let refused = |description| {
            let failure = Failure::invalid("redacted_copy", description);
            Err(failure.below(&format!("fields.{of}")))
        };
        if !copies.insert(copy.clone()) {
            return refused("another field has a copy of that name");
        }
        let plain = FieldPolicy::new(copy, Action::Clear);
        match fields.iter().find(|field| field.name == plain.name) {
            None => fields.push(plain),
            Some(declared) if *declared == plain => {}
            Some(_) => return refused("that field is declared otherwise; a copy is clear"),
        }
    }
    Ok(())
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
            info_type: field.info_type.map_or_else(String::new, |t| t.as_str().to_owned()),
            action: vault::Action::from(field.action) as i32,
            data_class: class as i32,
            search: field.search.map(Into::into),
            surrogate: field.surrogate.map(Into::into),
            mask: field.mask.map(Into::into),
            redacted_copy: field.redacted_copy.as_ref().map_or("", FieldName::as_str).to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(name: &str, action: Action) -> FieldPolicy {
        let name = FieldName::parse(name).unwrap();
        FieldPolicy { info_type: Some(InfoType::IbanCode), ..FieldPolicy::new(name, action) }
    }

    #[test]
    fn a_declaration_covers_what_lies_below_unless_it_makes_readable() {
        let field = |name, action| FieldPolicy::new(FieldName::parse(name).unwrap(), action);
        let fields = [("a", Action::Seal), ("/a/b", Action::Clear), ("/a/c", Action::Reject)];
        let fields = fields.into_iter().chain([("d", Action::Clear)]);
        let fields = fields.map(|(name, action)| field(name, action)).collect();
        let policy = Policy::new(fields, UndeclaredPolicy::default(), Action::Seal).unwrap();
        let action = |name: &str| {
            let name = FieldName::parse(name).unwrap();
            policy.covering(&name).map(|field| field.action)
        };
        assert_eq!(action("/a/0"), Some(Action::Seal));
        assert_eq!(action("/a/b"), Some(Action::Clear));
        assert_eq!(action("/a/b/0"), Some(Action::Seal));
        assert_eq!(action("/a/c/x/0"), Some(Action::Reject));
        assert_eq!((action("/d/0"), action("ab"), action("a/0")), (None, None, None));
    }

    #[test]
    fn a_policy_survives_the_wire() {
        let fields = vec![declared("a", Action::Seal), declared("b", Action::Clear)];
        let policy = Policy::new(fields, UndeclaredPolicy::default(), Action::Reject).unwrap();
        assert_eq!(Policy::try_from(vault::Policy::from(&policy)).unwrap(), policy);
        assert_eq!(Policy::try_from(vault::Policy::default()).unwrap(), Policy::default());
    }

    #[test]
    fn what_is_wrong_with_a_field_is_told_with_its_path() {
        let field = FieldPolicy::new(FieldName::parse("a.b").unwrap(), Action::Tokenize);
        let refused = Policy::new(vec![field], UndeclaredPolicy::default(), Action::Seal);
        let failure = refused.unwrap_err();
        assert_eq!(failure.violations()[0].field, "fields.a.b.info_type");
    }

    #[test]
    fn a_field_that_is_tokenized_gives_random_surrogates_unless_the_policy_says_otherwise() {
        let fields = vec![declared("a", Action::Tokenize)];
        let policy = Policy::new(fields, UndeclaredPolicy::default(), Action::Seal).unwrap();
        assert_eq!(policy.fields()[0].surrogate, Some(SurrogateForm::default()));
        assert_eq!(Policy::try_from(vault::Policy::from(&policy)).unwrap(), policy);
    }

    fn note(name: &str, copy: &str) -> FieldPolicy {
        FieldPolicy {
            info_type: Some(InfoType::FreeText),
            redacted_copy: Some(FieldName::parse(copy).unwrap()),
            ..FieldPolicy::new(FieldName::parse(name).unwrap(), Action::Seal)
        }
    }

    fn policy(fields: Vec<FieldPolicy>) -> Result<Policy, Failure> {
        Policy::new(fields, UndeclaredPolicy::default(), Action::Seal)
    }

    #[test]
    fn a_redacted_copy_is_declared_clear_by_itself() {
        let made = policy(vec![note("note", "copy")]).unwrap();
        let copy = made.field(&FieldName::parse("copy").unwrap()).unwrap();
        assert_eq!((copy.action, copy.info_type), (Action::Clear, None));
        assert_eq!(Policy::try_from(vault::Policy::from(&made)).unwrap(), made);
        let declared = vec![note("note", "copy"), copy.clone()];
        assert_eq!(policy(declared).unwrap(), made);
    }

    #[test]
    fn a_redacted_copy_that_is_declared_otherwise_is_refused() {
        let wrong = |fields| policy(fields).unwrap_err().violations()[0].field.clone();
        for (other, of) in [
            (declared("copy", Action::Clear), "note"),
            (FieldPolicy::new(FieldName::parse("copy").unwrap(), Action::Seal), "note"),
            (note("other", "copy"), "other"),
        ] {
            let expected = format!("fields.{of}.redacted_copy");
            assert_eq!(wrong(vec![note("note", "copy"), other]), expected);
        }
        assert_eq!(wrong(vec![note("note", "note")]), "fields.note.redacted_copy");
    }

    #[test]
    fn a_field_declared_twice_is_refused() {
        let fields = vec![declared("a", Action::Seal), declared("a", Action::Clear)];
        assert!(Policy::new(fields, UndeclaredPolicy::default(), Action::Seal).is_err());
    }

    #[test]
    fn unknown_text_never_stays_clear() {
        let undeclared =
            UndeclaredPolicy { unknown_text: Action::Clear, ..UndeclaredPolicy::default() };
        assert!(Policy::new(Vec::new(), undeclared, Action::Seal).is_err());
    }
}
