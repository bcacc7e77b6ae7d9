//! What screening is given and what it says: a value in, a verdict out.
//!
//! A verdict never contains the value, so it may be logged and shown. It relies on the taxonomy of
//! `tresor-proto` for its words.

use tresor_proto::{Action, Content, ContentType, DataClass, InfoType};

use crate::Evidence;

/// A value to screen.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// Text.
    Text(&'a str),
    /// The literal of a JSON scalar or of an empty container.
    Json(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
}

/// What screening decided of one field, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// What the value is, when that is known.
    pub info_type: Option<InfoType>,
    /// The class it is locked with; `None` when it is stored clear.
    pub class: Option<DataClass>,
    /// How sure the decision is, from 0 to 1.
    pub confidence: f32,
    /// Which stage decided.
    pub source: Source,
    /// The rule, checksum or hint that decided; never the value.
    pub evidence: Evidence,
    /// What happens to the field.
    pub action: Action,
}

/// What was found inside of a free text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextFinding {
    /// Which of the record's values it is in.
    pub field: usize,
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends, in bytes.
    pub end: usize,
    /// What it is.
    pub info_type: InfoType,
    /// How sure that is, from 0 to 1.
    pub confidence: f32,
    /// The rule that found it; never the text.
    pub evidence: Evidence,
}

/// The stage that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The collection's policy.
    Declared,
    /// The field's name.
    FieldName,
    /// The value's shape or checksum.
    Value,
    /// Earlier values of the same column.
    Column,
    /// The text as a whole.
    Text,
}

impl Verdict {
    /// Whether the policy says clear and the value is personal, and it stays clear all the same.
    #[must_use]
    pub fn is_flagged(&self) -> bool {
        self.action == Action::Clear && matches!(self.evidence, Evidence::DeclaredClear { .. })
    }
}

impl Source {
    /// Its name in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::FieldName => "field_name",
            Self::Value => "value",
            Self::Column => "column",
            Self::Text => "text",
        }
    }
}

impl core::fmt::Display for Source {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'a> From<&'a Content> for Value<'a> {
    fn from(content: &'a Content) -> Self {
        match (content.content_type(), content.as_text()) {
            (ContentType::Text, Some(text)) => Self::Text(text),
            (ContentType::Json, Some(literal)) => Self::Json(literal),
            (ContentType::Text | ContentType::Json | ContentType::Binary, _) => {
                Self::Binary(content.as_bytes())
            }
        }
    }
}

impl core::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Value")
    }
}
