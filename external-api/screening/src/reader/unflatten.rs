//! Rebuilds JSON from fields: the way back from `flatten`.
//!
//! It promises to give back what was flattened, and never to fail: names that are no pointers, or
//! contradict each other, stay top-level keys. It relies on nothing but the names.

use serde_json::{Map, Number, Value};
use tresor_proto::{Content, ContentType, FieldName, limits::RECORD_FIELDS_MAX};

/// Rebuilds a record as JSON. A value that is absent, because it is withheld or redacted, is null.
#[must_use]
pub fn unflatten<'a>(
    names: impl IntoIterator<Item = &'a FieldName>,
    values: impl IntoIterator<Item = Option<&'a Content>>,
) -> Value {
    let mut root = Vec::new();
    for (name, value) in names.into_iter().zip(values) {
        let value = value.map_or(Value::Null, to_json);
        let inserted = match keys(name.as_str()) {
            Some(keys) => insert(&mut root, &keys, value),
            None => Err(value),
        };
        if let Err(value) = inserted {
            root.push((name.as_str().to_owned(), Node::Leaf(value)));
        }
    }
    object(root)
}

/// A value as JSON: text as a string, a literal as it was written, bytes as an array of numbers.
#[must_use]
pub fn to_json(content: &Content) -> Value {
    let text = content.as_text().unwrap_or_default();
    match content.content_type() {
        ContentType::Text => Value::from(text),
        // Parsing a number would rewrite its exponent; that it is one was checked when it came in.
        ContentType::Json
            if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) =>
        {
            Value::Number(Number::from_string_unchecked(text.to_owned()))
        }
        ContentType::Json => serde_json::from_str(text).unwrap_or_default(),
        ContentType::Binary => Value::from(content.as_bytes()),
    }
}

/// The place in an array that a key means: canonical, and below what a record can hold.
pub(super) fn index_of(key: &str) -> Option<usize> {
    let index = key.parse::<usize>().ok()?;
    (index < RECORD_FIELDS_MAX && index.to_string() == key).then_some(index)
}

/// The keys on the way to a field, outermost first; `None` when its name is no pointer.
fn keys(name: &str) -> Option<Vec<String>> {
    let Some(pointer) = name.strip_prefix('/') else {
        return Some(vec![name.to_owned()]);
    };
    pointer.split('/').map(unescape).collect()
}

/// Reads a reference token (RFC 6901 §4).
fn unescape(token: &str) -> Option<String> {
    let is_escape = |part: &str| part.starts_with(['0', '1']);
    let is_valid = token.split('~').skip(1).all(is_escape);
    is_valid.then(|| token.replace("~1", "/").replace("~0", "~"))
}

/// A value, or what is below a name.
enum Node {
    Leaf(Value),
    Branch { is_object: bool, below: Below },
}

type Below = Vec<(String, Node)>;

/// Puts a value where `keys` lead; gives it back when something else stands there.
fn insert(below: &mut Below, keys: &[String], value: Value) -> Result<(), Value> {
    let Some((key, rest)) = keys.split_first() else {
        return Err(value);
    };
    let Some(at) = below.iter().position(|(name, _)| name == key) else {
        below.push((key.clone(), Node::new(rest, value)));
        return Ok(());
    };
    match below.get_mut(at).and_then(|(_, node)| node.branch()) {
        Some(below) if !rest.is_empty() => insert(below, rest, value),
        _ => Err(value),
    }
}

impl Node {
    /// A value under the keys that lead to it.
    fn new(keys: &[String], value: Value) -> Self {
        keys.iter().rfold(Self::Leaf(value), |node, key| Self::Branch {
            is_object: false,
            below: vec![(key.clone(), node)],
        })
    }

    /// What is below it. An empty object (or null, when it is not shown) with something below it
    /// is the announcement that flattening makes of an object that looks like an array.
    fn branch(&mut self) -> Option<&mut Below> {
        if let Self::Leaf(value) = self {
            let is_announcement = value.is_null() || value.as_object().is_some_and(Map::is_empty);
            if !is_announcement {
                return None;
            }
            let (is_object, below) = (true, Vec::new());
            *self = Self::Branch { is_object, below };
        }
        match self {
            Self::Branch { below, .. } => Some(below),
            Self::Leaf(_) => None,
        }
    }

    fn into_json(self) -> Value {
        match self {
            Self::Leaf(value) => value,
            Self::Branch { is_object, below } => {
                let places = below.iter().map(|(key, _)| index_of(key)).collect();
                match places {
                    Some(places) if !is_object => array(places, below),
                    _ => object(below),
                }
            }
        }
    }
}

fn object(below: Below) -> Value {
    let member = |(key, node): (String, Node)| (key, node.into_json());
    Value::Object(below.into_iter().map(member).collect())
}

/// An array; places whose fields are gone, since screening dropped them, are null.
fn array(places: Vec<usize>, below: Below) -> Value {
    let length = places.iter().max().map_or(0, |last| last + 1);
    let mut elements = vec![Value::Null; length];
    for (place, (_, node)) in places.into_iter().zip(below) {
        if let Some(element) = elements.get_mut(place) {
            *element = node.into_json();
        }
    }
    Value::Array(elements)
}
