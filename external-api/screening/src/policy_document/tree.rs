//! A YAML document as a tree that knows its places.
//!
//! It promises to keep every key, in order, with line and column, so that unknown ones can be
//! reported. It relies on serde-saphyr, which refuses duplicate keys and bounds depth and size.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::PolicyError;

/// A node of the document.
pub(super) enum Node {
    Nothing,
    Text(String),
    Number(u64),
    Truth(bool),
    Map(Vec<Entry>),
    List(Vec<Node>),
    Other,
}

/// A key and its value.
pub(super) struct Entry {
    key: Spanned<String>,
    value: Spanned<Node>,
}

/// A place in the document, counted from 1.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// Reads a document, which is a mapping.
pub(super) fn read(yaml: &str) -> Result<Vec<Entry>, PolicyError> {
    let root: Spanned<Node> = serde_saphyr::from_str(yaml).map_err(|error| {
        let place = error.location().map_or(Place::WHOLE, Place::from);
        PolicyError::one(place, "", sentence(&error))
    })?;
    match root.value {
        Node::Map(entries) => Ok(entries),
        Node::Nothing => Ok(Vec::new()),
        Node::Text(_) | Node::Number(_) | Node::Truth(_) | Node::List(_) | Node::Other => {
            let place = Place::from(root.referenced);
            Err(PolicyError::one(place, "", "a policy is a mapping"))
        }
    }
}

/// What is wrong with a text that is not YAML. The library's own messages may quote what they found.
#[allow(clippy::wildcard_enum_match_arm, reason = "the library may add variants at any time")]
fn sentence(error: &serde_saphyr::Error) -> &'static str {
    use serde_saphyr::Error;
    match error.without_snippet() {
        Error::DuplicateMappingKey { .. } => "a key stands twice in the same mapping",
        Error::MultipleDocuments { .. } => "a second document begins; a policy is one document",
        Error::UnknownAnchor { .. } => "an alias names an anchor that is not there",
        Error::Eof { .. } => "the document ends in the middle",
        Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::Budget { .. } => "the document is too large, or nested too deep",
        _ => {
            "this is not YAML: a bracket or quote is not closed, a colon is missing, or the line is \
             indented wrongly"
        }
    }
}

impl Entry {
    pub(super) fn key(&self) -> &str {
        &self.key.value
    }

    pub(super) fn node(&self) -> &Node {
        &self.value.value
    }

    pub(super) fn key_place(&self) -> Place {
        Place::from(self.key.referenced)
    }

    pub(super) fn value_place(&self) -> Place {
        Place::from(self.value.referenced)
    }
}

impl Place {
    const WHOLE: Self = Self { line: 0, column: 0 };
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        Self { line: location.line(), column: location.column() }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a mapping or a word")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Node, E> {
        Ok(Node::Truth(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(u64::try_from(number).map_or(Node::Other, Node::Number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry()? {
            entries.push(Entry { key, value });
        }
        Ok(Node::Map(entries))
    }
}
