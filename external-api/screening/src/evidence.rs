//! Why a verdict is what it is, in words a person can check.
//!
//! It names the rule, the checksum or the word of the field's name, never the value; all of it is
//! static text or a few small numbers, so that a verdict costs no allocation. It relies on nothing.

/// The rule, checksum or hint behind a verdict. `Display` writes one short line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// The collection's policy says so.
    Declared,
    /// The policy says clear, the value is personal.
    DeclaredClear {
        /// What the value satisfies.
        rule: Rule,
    },
    /// A word of the field's name; no rule speaks about the value.
    FieldName {
        /// The word, as the lexicon writes it.
        word: &'static str,
    },
    /// A word of the field's name, and a value that satisfies the rule of that type.
    FieldNameAndValue {
        /// The word, as the lexicon writes it.
        word: &'static str,
        /// What the value satisfies.
        rule: Rule,
    },
    /// A word of the field's name, and a value that fails the rule of that type.
    FieldNameDespiteValue {
        /// The word, as the lexicon writes it.
        word: &'static str,
    },
    /// The value alone.
    Value {
        /// What the value satisfies.
        rule: Rule,
    },
    /// A word before the value in a text, and the rule of the type it names.
    WordBefore {
        /// The word, as the lexicon writes it.
        word: &'static str,
        /// What the value satisfies.
        rule: Rule,
    },
    /// What was found inside of the value, which is a text; the surest of it.
    InText {
        /// What that satisfies.
        rule: Rule,
    },
    /// The value alone: it cannot be personal.
    NotPersonal {
        /// What it is instead.
        kind: &'static str,
    },
    /// A technical field name, and a value that fits it.
    Technical {
        /// The word, as the lexicon writes it.
        word: &'static str,
        /// What the value is.
        kind: &'static str,
    },
    /// The values of a column together: of so many of a hundred it is said.
    Column {
        /// How many of a hundred values have a type of that kind.
        percent: u8,
    },
    /// Words that read like prose.
    Prose,
    /// Text of which nothing is known.
    UnknownText,
    /// A number long enough to be somebody's.
    LongNumber,
    /// Bytes, which are not looked into.
    Bytes,
    /// There is no value.
    Empty,
}

/// A rule that a value satisfies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// A rule that one text describes.
    Named(&'static str),
    /// An IBAN: the length of its country, and ISO 7064 mod 97-10.
    Iban {
        /// ISO 3166 code of its country.
        country: [u8; 2],
        /// Characters, without spaces.
        length: u8,
    },
}

impl Evidence {
    /// The codes of all verdicts, as they are documented.
    pub const CODES: [&str; 16] = [
        "declared",
        "declared_clear_but_personal",
        "field_name",
        "field_name_and_value",
        "field_name_despite_value",
        "value",
        "word_before",
        "in_text",
        "not_personal",
        "technical_name",
        "column",
        "prose",
        "unknown_text",
        "long_number",
        "bytes",
        "empty",
    ];

    /// The kind of reason in one word, for programs; it stays what it is when texts change.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::DeclaredClear { .. } => "declared_clear_but_personal",
            Self::FieldName { .. } => "field_name",
            Self::FieldNameAndValue { .. } => "field_name_and_value",
            Self::FieldNameDespiteValue { .. } => "field_name_despite_value",
            Self::Value { .. } => "value",
            Self::WordBefore { .. } => "word_before",
            Self::InText { .. } => "in_text",
            Self::NotPersonal { .. } => "not_personal",
            Self::Technical { .. } => "technical_name",
            Self::Column { .. } => "column",
            Self::Prose => "prose",
            Self::UnknownText => "unknown_text",
            Self::LongNumber => "long_number",
            Self::Bytes => "bytes",
            Self::Empty => "empty",
        }
    }

    /// The rule that the value satisfies, when one does.
    pub(crate) fn rule(self) -> Option<Rule> {
        match self {
            Self::DeclaredClear { rule }
            | Self::FieldNameAndValue { rule, .. }
            | Self::Value { rule }
            | Self::WordBefore { rule, .. }
            | Self::InText { rule } => Some(rule),
            Self::Declared
            | Self::FieldName { .. }
            | Self::FieldNameDespiteValue { .. }
            | Self::NotPersonal { .. }
            | Self::Technical { .. }
            | Self::Prose
            | Self::UnknownText
            | Self::LongNumber
            | Self::Bytes
            | Self::Column { .. }
            | Self::Empty => None,
        }
    }
}

impl core::fmt::Display for Evidence {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Declared => f.write_str("declared by the policy"),
            Self::DeclaredClear { rule } => write!(f, "declared clear, but {rule}"),
            Self::FieldName { word } => write!(f, "field name: {word}"),
            Self::FieldNameAndValue { word, rule } => write!(f, "field name: {word}; {rule}"),
            Self::FieldNameDespiteValue { word } => {
                write!(f, "field name: {word}; the value does not validate")
            }
            Self::Value { rule } => write!(f, "{rule}"),
            Self::WordBefore { word, rule } => write!(f, "word before it: {word}; {rule}"),
            Self::InText { rule } => write!(f, "in the text: {rule}"),
            Self::NotPersonal { kind } => write!(f, "not personal: {kind}"),
            Self::Technical { word, kind } => write!(f, "field name: {word}; {kind}"),
            Self::Column { percent } => write!(f, "the column: {percent} of 100 values"),
            Self::Prose => f.write_str("prose: two or more words"),
            Self::UnknownText => f.write_str("text nobody declared"),
            Self::LongNumber => f.write_str("a number of eight or more digits nobody declared"),
            Self::Bytes => f.write_str("bytes nobody declared"),
            Self::Empty => f.write_str("no value"),
        }
    }
}

impl core::fmt::Display for Rule {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Named(text) => f.write_str(text),
            Self::Iban { country, length } => {
                let [first, second] = country.map(char::from);
                write!(f, "iban: mod-97 ok, length {first}{second} {length}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_code_of_its_own() {
        let (rule, word) = (Rule::Named("rule"), "word");
        let reasons = [
            Evidence::Declared,
            Evidence::DeclaredClear { rule },
            Evidence::FieldName { word },
            Evidence::FieldNameAndValue { word, rule },
            Evidence::FieldNameDespiteValue { word },
            Evidence::Value { rule },
            Evidence::WordBefore { word, rule },
            Evidence::InText { rule },
            Evidence::NotPersonal { kind: word },
            Evidence::Technical { word, kind: word },
            Evidence::Column { percent: 50 },
            Evidence::Prose,
            Evidence::UnknownText,
            Evidence::LongNumber,
            Evidence::Bytes,
            Evidence::Empty,
        ];
        assert_eq!(reasons.map(Evidence::code), Evidence::CODES);
    }
}
