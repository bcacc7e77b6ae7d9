//! What a policy says of an info type of its own: what its fields are called, and what its values
//! look like.
//!
//! It promises a definition by which a value can be recognised, and within bounds. It relies on the
//! pattern to be checked where a definition is taken, by [`InfoTypeDefinition::check_pattern`].

use crate::{
    Checksum, CustomInfoType, DataClass, Failure, InfoType, Mask, Pattern,
    limits::{INFO_TYPE_WORD_BYTES_MAX, INFO_TYPE_WORDS_MAX},
    vault,
};

/// An info type that a policy defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InfoTypeDefinition {
    /// Its name and class.
    pub info_type: CustomInfoType,
    /// Words and phrases that fields of it are called by.
    pub words: Vec<String>,
    /// What its values look like.
    pub pattern: Option<Pattern>,
    /// What values that match also pass.
    pub checksum: Option<Checksum>,
    /// What a mask shows of them; else that of the class.
    pub mask: Option<Mask>,
}

impl InfoTypeDefinition {
    /// Defines nothing yet of an info type.
    #[must_use]
    pub fn new(info_type: CustomInfoType) -> Self {
        Self { info_type, words: Vec::new(), pattern: None, checksum: None, mask: None }
    }

    /// The info type.
    #[must_use]
    pub fn info_type(&self) -> InfoType {
        InfoType::Custom(self.info_type)
    }

    /// Checks what is said against each other, but for the pattern.
    ///
    /// # Errors
    /// `invalid_request` with the key of the policy document that is at fault.
    pub fn check(&self) -> Result<(), Failure> {
        if self.words.is_empty() && self.pattern.is_none() {
            let description = "words, a pattern, or both: else no value would be of it";
            return Err(Failure::invalid("words", description));
        }
        if self.words.len() > INFO_TYPE_WORDS_MAX {
            return Err(Failure::invalid("words", "at most 16 words"));
        }
        if !self.words.iter().all(|word| is_word(word)) {
            let description =
                "a word has two letters or more, spaces and hyphens, 64 bytes at most";
            return Err(Failure::invalid("words", description));
        }
        if self.checksum.is_some() && self.pattern.is_none() {
            let description = "only values that match a pattern have a checksum";
            return Err(Failure::invalid("checksum", description));
        }
        Ok(())
    }

    /// Checks the pattern, which takes a while.
    ///
    /// # Errors
    /// `invalid_request` with the reason.
    pub fn check_pattern(&self) -> Result<(), Failure> {
        self.pattern.iter().try_for_each(|pattern| pattern.matcher().map(drop))
    }

    /// Whether another of the same name has the same values.
    #[must_use]
    pub fn means_what(&self, other: &Self) -> bool {
        (self.info_type, &self.pattern, self.checksum)
            == (other.info_type, &other.pattern, other.checksum)
    }
}

fn is_word(word: &str) -> bool {
    let fits = |c: char| c.is_alphabetic() || matches!(c, ' ' | '-' | '_');
    word.len() <= INFO_TYPE_WORD_BYTES_MAX
        && word.chars().all(fits)
        && word.chars().filter(|c| c.is_alphabetic()).count() >= 2
}

impl TryFrom<vault::InfoTypeDefinition> for InfoTypeDefinition {
    type Error = Failure;

    fn try_from(wire: vault::InfoTypeDefinition) -> Result<Self, Failure> {
        let unknown = |key: &str| Failure::invalid(key, "unknown").below("info_types");
        let class = DataClass::from_wire(wire.data_class).map_err(|()| unknown("class"))?;
        let checksum = match wire.checksum.as_str() {
            "" => None,
            name => Some(Checksum::from_text(name).ok_or_else(|| unknown("checksum"))?),
        };
        let pattern = (!wire.pattern.is_empty()).then(|| Pattern::new(&wire.pattern));
        Ok(Self {
            info_type: CustomInfoType::new(&wire.name, class.unwrap_or(DataClass::Other))?,
            words: wire.words,
            pattern: pattern.transpose()?,
            checksum,
            mask: wire.mask.map(Mask::try_from).transpose()?,
        })
    }
}

impl From<&InfoTypeDefinition> for vault::InfoTypeDefinition {
    fn from(definition: &InfoTypeDefinition) -> Self {
        let InfoTypeDefinition { info_type, words, pattern, checksum, mask } = definition;
        Self {
            name: info_type.as_str().to_owned(),
            data_class: vault::DataClass::from(info_type.class()) as i32,
            words: words.clone(),
            pattern: pattern.as_ref().map_or("", Pattern::as_str).to_owned(),
            checksum: checksum.map_or("", Checksum::as_str).to_owned(),
            mask: mask.map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(words: &[&str], pattern: Option<&str>) -> InfoTypeDefinition {
        let info_type = CustomInfoType::new("CUSTOMER_NUMBER", DataClass::Other).unwrap();
        InfoTypeDefinition {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            pattern: pattern.map(|pattern| Pattern::new(pattern).unwrap()),
            ..InfoTypeDefinition::new(info_type)
        }
    }

    fn wrong(definition: &InfoTypeDefinition) -> Option<String> {
        let failure = definition.check().err()?;
        Some(failure.violations()[0].field.clone())
    }

    #[test]
    fn it_has_words_or_a_pattern_within_bounds() {
        assert_eq!(wrong(&definition(&["Kundennummer", "customer no"], None)), None);
        assert_eq!(wrong(&definition(&[], Some("K-[0-9]{6}"))), None);
        assert_eq!(wrong(&definition(&[], None)).as_deref(), Some("words"));
        assert_eq!(wrong(&definition(&["word"; 16], None)), None);
        let long = "w".repeat(65);
        for words in
            [&["word"; 17][..], &["", "word"], &["k"], &["K 1"], &["\u{202e}word"], &[&long]]
        {
            assert_eq!(wrong(&definition(words, None)).as_deref(), Some("words"), "{words:?}");
        }
        let checksum = Some(Checksum::Luhn);
        let unmatched = InfoTypeDefinition { checksum, ..definition(&["word"], None) };
        assert_eq!(wrong(&unmatched).as_deref(), Some("checksum"));
    }

    #[test]
    fn it_survives_the_wire() {
        let mut whole = definition(&["kundennummer"], Some("[0-9]{8}"));
        (whole.checksum, whole.mask) = (Some(Checksum::Gs1), Mask::new(0, 2).ok());
        for definition in [whole, definition(&[], Some("K-[0-9]{6}"))] {
            let wire = vault::InfoTypeDefinition::from(&definition);
            assert_eq!(InfoTypeDefinition::try_from(wire.clone()).unwrap(), definition);
            let other = vault::InfoTypeDefinition { checksum: "LUHN".to_owned(), ..wire };
            assert!(InfoTypeDefinition::try_from(other).is_err());
        }
    }
}
