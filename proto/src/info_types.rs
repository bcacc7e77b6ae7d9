//! The info types that a policy defines, each name once.

use std::{collections::HashSet, sync::Arc};

use crate::{Failure, InfoType, InfoTypeDefinition, Mask, limits::POLICY_INFO_TYPES_MAX, vault};

/// The info types that a policy defines beside those of the taxonomy; cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InfoTypes(Arc<[InfoTypeDefinition]>);

impl InfoTypes {
    /// Puts definitions together.
    ///
    /// # Errors
    /// `invalid_request` for more than 32, a name or a word that stands twice, and for what is wrong
    /// with one by itself.
    pub fn new(definitions: Vec<InfoTypeDefinition>) -> Result<Self, Failure> {
        if definitions.len() > POLICY_INFO_TYPES_MAX {
            return Err(Failure::invalid("info_types", "more than 32 info types"));
        }
        let (mut names, mut words) = (HashSet::new(), HashSet::new());
        for definition in &definitions {
            let path = format!("info_types.{}", definition.info_type.as_str());
            definition.check().map_err(|failure| failure.below(&path))?;
            if !names.insert(definition.info_type.as_str()) {
                return Err(Failure::invalid(&path, "is defined twice"));
            }
            if !definition.words.iter().all(|word| words.insert(word.to_lowercase())) {
                let failure = Failure::invalid("words", "a word stands twice");
                return Err(failure.below(&path));
            }
        }
        Ok(Self(definitions.into()))
    }

    /// The definitions, in their order.
    #[must_use]
    pub fn definitions(&self) -> &[InfoTypeDefinition] {
        &self.0
    }

    /// The definition of a name.
    #[must_use]
    pub fn definition(&self, name: &str) -> Option<&InfoTypeDefinition> {
        self.0.iter().find(|definition| definition.info_type.as_str() == name)
    }

    /// The info type of a name: of the taxonomy, or one that is defined here.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<InfoType> {
        let defined = || self.definition(name).map(InfoTypeDefinition::info_type);
        InfoType::from_text(name).or_else(defined)
    }

    /// An info type as it is known here: of the taxonomy, or the one defined by its name, whose class
    /// is the definition's whatever somebody else took it for.
    #[must_use]
    pub fn known(&self, info_type: InfoType) -> Option<InfoType> {
        self.named(info_type.as_str())
    }

    /// The mask that the definition of an info type gives.
    #[must_use]
    pub fn mask(&self, info_type: InfoType) -> Option<Mask> {
        let custom = info_type.custom()?;
        self.definition(custom.as_str())?.mask
    }

    /// Checks the patterns, which takes a while.
    ///
    /// # Errors
    /// `invalid_request` with the reasons.
    pub fn check_patterns(&self) -> Result<(), Failure> {
        self.0.iter().try_for_each(|definition| {
            let path = format!("info_types.{}", definition.info_type.as_str());
            definition.check_pattern().map_err(|failure| failure.below(&path))
        })
    }
}

impl TryFrom<Vec<vault::InfoTypeDefinition>> for InfoTypes {
    type Error = Failure;

    fn try_from(wire: Vec<vault::InfoTypeDefinition>) -> Result<Self, Failure> {
        let definitions = wire.into_iter().map(InfoTypeDefinition::try_from);
        Self::new(definitions.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CustomInfoType, DataClass};

    fn definition(name: &str, word: &str) -> InfoTypeDefinition {
        let info_type = CustomInfoType::new(name, DataClass::Identity).unwrap();
        InfoTypeDefinition { words: vec![word.to_owned()], ..InfoTypeDefinition::new(info_type) }
    }

    #[test]
    fn each_name_and_each_word_stands_once() {
        assert!(InfoTypes::new(vec![definition("A", "one"), definition("B", "two")]).is_ok());
        for (name, word, path) in [("A", "two", "info_types.A"), ("B", "One", "info_types.B.words")]
        {
            let both = vec![definition("A", "one"), definition(name, word)];
            assert_eq!(InfoTypes::new(both).unwrap_err().violations()[0].field, path);
        }
        let letter = |at: u8| char::from(b'A' + at);
        let word = |at: u8| format!("{}{}", letter(at / 16), letter(at % 16));
        let many = |count: u8| (0..count).map(|at| definition(&format!("T{at}"), &word(at)));
        assert!(InfoTypes::new(many(32).collect()).is_ok());
        assert!(InfoTypes::new(many(33).collect()).is_err());
    }

    #[test]
    fn a_name_is_known_when_it_is_defined_or_of_the_taxonomy() {
        let types = InfoTypes::new(vec![definition("A", "one")]).unwrap();
        let other = InfoType::named("A", DataClass::Health).unwrap();
        assert_eq!(types.known(other).map(InfoType::class), Some(DataClass::Identity));
        assert_eq!(types.known(InfoType::IbanCode), Some(InfoType::IbanCode));
        assert_eq!(types.named("B"), None);
    }
}
