//! What a policy may say of one field, held against each other.

use crate::{
    Action, Failure, FieldPolicy, InfoType, Reveal,
    surrogate_form::{FEW_VALUES, NOT_CUSTOM},
};

impl FieldPolicy {
    /// Checks what is said of the field against each other.
    ///
    /// # Errors
    /// `invalid_request` with what is wrong, each under the key of the policy document it belongs
    /// to.
    pub fn check(&self) -> Result<(), Failure> {
        let mut wrong = Vec::new();
        if self.action == Action::Tokenize {
            self.check_tokenized(&mut wrong);
        } else if self.surrogate.is_some() {
            wrong.push(("action", "only a field that is tokenized gives surrogates"));
        }
        let is_sealed = matches!(self.action, Action::Seal | Action::Tokenize);
        if self.mask.is_some() && !is_sealed {
            wrong.push(("mask", "only a field that is sealed or tokenized has a mask"));
        }
        let is_sealed_text =
            self.action == Action::Seal && self.info_type == Some(InfoType::FreeText);
        if self.redacted_copy.is_some() && !is_sealed_text {
            let description = "only a field of the info type FREE_TEXT that is sealed has one";
            wrong.push(("redacted_copy", description));
        }
        if let Some(search) = self.search {
            if !is_sealed {
                wrong.push(("searchable", "only a field that is sealed or tokenized has an index"));
            } else if let (false, Some(description)) = (search.is_forced(), self.why_few_values()) {
                wrong.push(("searchable", description));
            }
        }
        let Some((key, description)) = wrong.first() else { return Ok(()) };
        let failure = Failure::invalid(key, *description);
        let rest = wrong.iter().skip(1);
        Err(rest
            .fold(failure, |failure, (key, description)| failure.with_violation(key, *description)))
    }

    /// Why an onlooker of the database may tell values by how often they come, if he may.
    fn why_few_values(&self) -> Option<&'static str> {
        match self.info_type.map(InfoType::has_few_values) {
            Some(false) => None,
            Some(true) => Some(
                "values of this info type are so few that an onlooker of the database tells them \
                 by their frequencies; forced: true makes the index anyway",
            ),
            None => Some(
                "without an info type nobody knows whether values are so few that an onlooker of \
                 the database tells them by their frequencies; declare one, FREE_TEXT if none \
                 fits, or say forced: true",
            ),
        }
    }

    fn check_tokenized(&self, wrong: &mut Vec<(&str, &str)>) {
        let Some(info_type) = self.info_type else {
            wrong.push(("info_type", "a field that is tokenized has one; FREE_TEXT if none fits"));
            return;
        };
        if self.data_class.is_some_and(|class| class != info_type.class()) {
            wrong.push(("class", "a surrogate is of the class of its info type"));
        }
        let form = self.surrogate.unwrap_or_default();
        if form.tells(info_type) {
            wrong.push(("tokenize", FEW_VALUES));
        }
        if form.kind.format().is_some() && info_type.custom().is_some() {
            wrong.push(("tokenize", NOT_CUSTOM));
        }
        if form.kind.format().is_some() && form.reveal != Reveal::Plain {
            let description = "nothing is kept of a record's format-preserving surrogate, so that \
                               how much it shows cannot be bound; choose another kind";
            wrong.push(("tokenize", description));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        DataClass, FieldName, Mask, SearchIndex, SurrogateForm, SurrogateFormat, SurrogateKind,
    };

    fn field(action: Action, info_type: Option<InfoType>) -> FieldPolicy {
        FieldPolicy { info_type, ..FieldPolicy::new(FieldName::parse("a").unwrap(), action) }
    }

    fn wrong(field: &FieldPolicy) -> Vec<String> {
        let failure = field.check().err();
        let violations = failure.iter().flat_map(|failure| failure.violations().to_vec());
        violations.map(|violation| violation.field).collect()
    }

    #[test]
    fn what_is_tokenized_has_an_info_type_and_its_class() {
        let none = field(Action::Tokenize, None);
        assert_eq!(wrong(&none), ["info_type"]);
        let mut iban = field(Action::Tokenize, Some(InfoType::IbanCode));
        for (class, expected) in [(DataClass::Financial, &[][..]), (DataClass::Other, &["class"])] {
            iban.data_class = Some(class);
            assert_eq!(wrong(&iban), expected);
        }
    }

    #[test]
    fn what_a_format_preserving_surrogate_shows_is_not_bound() {
        for (reveal, expected) in [(Reveal::Plain, &[][..]), (Reveal::Masked, &["tokenize"])] {
            let kind = SurrogateKind::FormatPreserving(SurrogateFormat::Digits);
            let mut field = field(Action::Tokenize, Some(InfoType::MeterId));
            field.surrogate = Some(SurrogateForm { kind, reveal, ..SurrogateForm::default() });
            assert_eq!(wrong(&field), expected);
        }
    }

    #[test]
    fn few_values_are_tokenized_alike_only_when_that_is_forced() {
        let preserving = SurrogateKind::FormatPreserving(SurrogateFormat::Alphanumeric);
        for (info_type, kind, is_forced, expected) in [
            (InfoType::Gender, SurrogateKind::Deterministic, false, &["tokenize"][..]),
            (InfoType::Gender, SurrogateKind::Deterministic, true, &[]),
            (InfoType::Gender, preserving, false, &["tokenize"]),
            (InfoType::Gender, preserving, true, &[]),
            (InfoType::Gender, SurrogateKind::Random, false, &[]),
            (InfoType::LastName, SurrogateKind::Deterministic, false, &[]),
        ] {
            let mut field = field(Action::Tokenize, Some(info_type));
            let form = SurrogateForm { kind, is_forced, ..SurrogateForm::default() };
            field.surrogate = Some(form);
            assert_eq!(wrong(&field), expected, "{info_type} {kind:?}");
        }
    }

    #[test]
    fn only_what_is_tokenized_gives_surrogates() {
        for action in Action::ALL {
            let surrogate = Some(SurrogateForm::default());
            let field = FieldPolicy { surrogate, ..field(action, Some(InfoType::IbanCode)) };
            let expected = if action == Action::Tokenize { &[][..] } else { &["action"] };
            assert_eq!(wrong(&field), expected, "{action:?}");
        }
    }

    #[test]
    fn only_what_is_sealed_has_a_mask_or_an_index() {
        for action in Action::ALL {
            let mut field = field(action, Some(InfoType::IbanCode));
            field.mask = Some(Mask::new(1, 2).unwrap());
            field.search = Some(SearchIndex::default());
            let is_sealed = matches!(action, Action::Seal | Action::Tokenize);
            let expected = if is_sealed { &[][..] } else { &["mask", "searchable"] };
            assert_eq!(wrong(&field), expected, "{action:?}");
        }
    }

    #[test]
    fn only_a_sealed_text_has_a_redacted_copy() {
        for action in Action::ALL {
            for info_type in [InfoType::FreeText, InfoType::City] {
                let mut field = field(action, Some(info_type));
                field.redacted_copy = FieldName::parse("copy").ok();
                let is_wrong = wrong(&field).contains(&"redacted_copy".to_owned());
                let is_sealed_text = action == Action::Seal && info_type == InfoType::FreeText;
                assert_eq!(is_wrong, !is_sealed_text, "{action:?} {info_type:?}");
            }
        }
    }

    #[test]
    fn few_values_are_searchable_only_when_that_is_forced() {
        for (info_type, is_forced, expected) in [
            (Some(InfoType::Gender), false, &["searchable"][..]),
            (Some(InfoType::Gender), true, &[]),
            (Some(InfoType::LastName), false, &[]),
            (None, false, &["searchable"]),
            (None, true, &[]),
        ] {
            let mut field = field(Action::Seal, info_type);
            field.search = Some(SearchIndex::new(128, is_forced).unwrap());
            assert_eq!(wrong(&field), expected, "{info_type:?}");
        }
    }
}
