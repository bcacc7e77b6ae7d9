//! Flattens a JSON object into fields: a top-level key is its own name, a nested value is named by
//! its RFC 6901 pointer.
//!
//! It promises that [`unflatten`](super::unflatten()) gives the same object back, numbers by their
//! literal. It relies on `serde_json`'s raw values, which leave every literal as it was written.

use std::{borrow::Cow, collections::HashSet, sync::Arc};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use tresor_proto::{
    Content, ContentType, FieldName,
    limits::{RECORD_FIELDS_MAX, VALUE_BYTES_MAX},
};

use super::{Record, RowError, check_size, unflatten::index_of};
use crate::telling_name::is_personal_itself;

/// How deep objects and arrays may be nested, the record counted as 1: what recursion costs.
const DEPTH_MAX: usize = 16;

/// Makes records of JSON texts; remembers the last names, since rows mostly share them.
#[derive(Default)]
pub(super) struct Flattener {
    names: Arc<[FieldName]>,
}

impl Flattener {
    /// Makes a record of one JSON object.
    pub(super) fn record(&mut self, text: &[u8]) -> Result<Record, RowError> {
        let text = core::str::from_utf8(text).map_err(|_| RowError::NotUtf8)?;
        if !text.trim_ascii_start().starts_with('{') {
            return Err(RowError::NotAnObject);
        }
        let mut fields = Fields::after(&self.names);
        for (key, value) in members(text)? {
            fields.add(&top_level_name(&key), value, 1)?;
        }
        let Fields { own_names, values, .. } = fields;
        if values.is_empty() {
            return Err(RowError::NoFields);
        }
        if let Some(names) = own_names {
            self.names = names.ordered.into();
        } else if values.len() < self.names.len() {
            self.names = self.names.iter().take(values.len()).cloned().collect();
        }
        check_size(&self.names, &values)?;
        Ok(Record { names: Arc::clone(&self.names), values })
    }
}

/// The name of a top-level key: a pointer only where the key itself could be read as one.
pub(super) fn top_level_name(key: &str) -> Cow<'_, str> {
    let is_like_pointer = key.is_empty() || key.starts_with('/');
    if is_like_pointer { child(String::new(), key).into() } else { key.into() }
}

/// Appends a key to a pointer (RFC 6901 §3).
fn child(mut pointer: String, key: &str) -> String {
    pointer.push('/');
    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
    pointer
}

/// The pointer of a top-level name, to which the keys below it are appended.
fn pointer_of(name: &str, depth: usize) -> String {
    if depth == 1 && !name.starts_with('/') { child(String::new(), name) } else { name.to_owned() }
}

/// The fields of a record. As long as it goes on as the last one did, their names are that one's,
/// which need no second look.
struct Fields<'a> {
    last_names: &'a [FieldName],
    own_names: Option<Names>,
    values: Vec<Content>,
}

/// Names, each once.
struct Names {
    ordered: Vec<FieldName>,
    seen: HashSet<FieldName>,
}

impl<'a> Fields<'a> {
    fn after(last_names: &'a [FieldName]) -> Self {
        Self { last_names, own_names: None, values: Vec::with_capacity(last_names.len()) }
    }

    /// Adds a value found at `depth` under `name`, and what is below it.
    fn add(&mut self, name: &str, value: &RawValue, depth: usize) -> Result<(), RowError> {
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'"') => {
                let text = unquoted(value)?.into_owned();
                self.push(name, ContentType::Text, text.into_bytes())
            }
            Some(b'{' | b'[') if depth == DEPTH_MAX => Err(RowError::TooDeep),
            Some(b'{') => {
                let below = members(text)?;
                // An object that would be taken for an array is announced as an object.
                if below.iter().all(|(key, _)| index_of(key).is_some()) {
                    self.push(name, ContentType::Json, b"{}".to_vec())?;
                }
                self.add_all(&pointer_of(name, depth), below, depth)
            }
            Some(b'[') => {
                let below = elements(value)?;
                if below.is_empty() {
                    return self.push(name, ContentType::Json, b"[]".to_vec());
                }
                let keyed = (0usize..).map(|at| at.to_string().into()).zip(below).collect();
                self.add_all(&pointer_of(name, depth), keyed, depth)
            }
            _ => self.push(name, ContentType::Json, text.as_bytes().to_vec()),
        }
    }

    fn add_all(
        &mut self,
        pointer: &str,
        below: Vec<(Cow<'_, str>, &RawValue)>,
        depth: usize,
    ) -> Result<(), RowError> {
        for (key, value) in below {
            self.add(&child(pointer.to_owned(), &key), value, depth + 1)?;
        }
        Ok(())
    }

    fn push(&mut self, name: &str, kind: ContentType, bytes: Vec<u8>) -> Result<(), RowError> {
        let at = self.values.len();
        if at == RECORD_FIELDS_MAX {
            return Err(RowError::TooManyFields);
        }
        let known = self.last_names.get(at).filter(|known| known.as_str() == name);
        let value = match known.filter(|_| self.own_names.is_none()) {
            Some(name) => content(name, kind, bytes)?,
            None => content(&self.add_name(name)?, kind, bytes)?,
        };
        self.values.push(value);
        Ok(())
    }

    /// Goes on with a name of its own.
    fn add_name(&mut self, name: &str) -> Result<FieldName, RowError> {
        let before = self.last_names.get(..self.values.len()).unwrap_or_default();
        self.own_names.get_or_insert_with(|| Names::from(before)).add(name)
    }
}

impl Names {
    fn add(&mut self, name: &str) -> Result<FieldName, RowError> {
        let name = FieldName::parse(name).map_err(|_| RowError::FieldName)?;
        // Before anything that could name it.
        if is_personal_itself(&name) {
            return Err(RowError::PersonalName { position: self.ordered.len() + 1 });
        }
        // Two keys may be different as written and the same in NFC.
        if !self.seen.insert(name.clone()) {
            return Err(RowError::DuplicateKey);
        }
        self.ordered.push(name.clone());
        Ok(name)
    }
}

impl From<&[FieldName]> for Names {
    fn from(names: &[FieldName]) -> Self {
        Self { ordered: names.to_vec(), seen: names.iter().cloned().collect() }
    }
}

/// Makes a value, refusing what is over the limit and the NUL character.
pub(super) fn content(
    name: &FieldName,
    kind: ContentType,
    bytes: Vec<u8>,
) -> Result<Content, RowError> {
    if bytes.len() > VALUE_BYTES_MAX {
        return Err(RowError::ValueTooLarge(name.clone()));
    }
    if bytes.contains(&0) {
        return Err(RowError::Nul(name.clone()));
    }
    Content::new(kind, bytes).map_err(|_| RowError::NotUtf8)
}

/// The members of an object, in their order.
///
/// Of two with one key only the second may be refused, as a field whose name is taken: where the names
/// below them could differ, they are refused here.
fn members(object: &str) -> Result<Vec<(Cow<'_, str>, &RawValue)>, RowError> {
    let Members(members) = serde_json::from_str(object).map_err(|_| RowError::NotJson)?;
    let members = members.into_iter().map(|(key, value)| Ok((unquoted(key)?, value)));
    let members = members.collect::<Result<Vec<_>, RowError>>()?;
    let mut keys = HashSet::new();
    let is_nested = members.iter().any(|(_, value)| value.get().starts_with(['{', '[']));
    if is_nested && !members.iter().all(|(key, _)| keys.insert(key.as_ref())) {
        return Err(RowError::DuplicateKey);
    }
    Ok(members)
}

/// The text of a string.
fn unquoted(string: &RawValue) -> Result<Cow<'_, str>, RowError> {
    let quoted = string.get();
    let plain = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match plain.filter(|text| !text.contains('\\')) {
        Some(text) => Ok(text.into()),
        None => serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| RowError::NotJson),
    }
}

/// The elements of an array; more than any record holds are refused here.
fn elements(array: &RawValue) -> Result<Vec<&RawValue>, RowError> {
    let Elements(elements) = serde_json::from_str(array.get()).map_err(|_| RowError::NotJson)?;
    if elements.len() > RECORD_FIELDS_MAX {
        return Err(RowError::TooManyFields);
    }
    Ok(elements)
}

/// Keys and values.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);
struct Elements<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

impl<'de> Deserialize<'de> for Elements<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests;
