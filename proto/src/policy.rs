mod wire;

use std::collections::HashSet;

use crate::{
    Action, DataClass, Failure, FieldName, InfoType, InfoTypes, Mask, SearchIndex, SurrogateForm,
    field_name::enclosing, limits::POLICY_FIELDS_MAX,
};

/// A collection's screening policy: what happens to each field. The vault's, fetched by the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    info_types: InfoTypes,
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
    /// Puts a policy together that defines no info types.
    ///
    /// # Errors
    /// Those of [`Self::defining`].
    pub fn new(
        fields: Vec<FieldPolicy>,
        undeclared: UndeclaredPolicy,
        declared_clear_but_personal: Action,
    ) -> Result<Self, Failure> {
        Self::defining(InfoTypes::default(), fields, undeclared, declared_clear_but_personal)
    }

    /// Puts a policy together.
    ///
    /// # Errors
    /// `invalid_request` when a field is declared twice or of an info type that is not defined, an
    /// action is not allowed where it stands, or there are more than 1,024 fields.
    pub fn defining(
        info_types: InfoTypes,
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
            let checked = check_info_type(&info_types, field).and_then(|()| field.check());
            checked.map_err(|failure| failure.below(&format!("fields.{}", field.name)))?;
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
        Ok(Self { info_types, fields, undeclared, declared_clear_but_personal })
    }

    /// The info types it defines.
    #[must_use]
    pub fn info_types(&self) -> &InfoTypes {
        &self.info_types
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
            info_types: InfoTypes::default(),
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

/// Refuses a field of a custom info type that is not defined beside it.
fn check_info_type(info_types: &InfoTypes, field: &FieldPolicy) -> Result<(), Failure> {
    if field.info_type.is_none_or(|info_type| info_types.known(info_type) == Some(info_type)) {
        return Ok(());
    }
    Err(Failure::invalid(
        "info_type",
        "the policy defines no info type of that name under info_types",
    ))
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

#[cfg(test)]
mod tests;
