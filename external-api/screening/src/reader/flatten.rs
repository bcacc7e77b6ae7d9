//! Flattens a JSON object into fields: a top-level key is its own name, a nested value is named by
//! its RFC 6901 pointer.
//!
//! It promises that [`unflatten`](super::unflatten()) gives the same object back, numbers by their
//! literal. It relies on `serde_json`'s raw values, which leave every literal as it was written.

use std::{collections::HashSet, sync::Arc};

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
        let raw = serde_json::from_str::<&RawValue>(text).map_err(|_| RowError::NotJson)?;
        let mut fields = Fields::default();
        for (key, value) in members(raw)? {
            fields.add(&top_level_name(&key), value, 1)?;
        }
        if fields.names.is_empty() {
            return Err(RowError::NoFields);
        }
        check_size(&fields.names, &fields.values)?;
        Ok(Record { names: self.shared(fields.names), values: fields.values })
    }

    fn shared(&mut self, names: Vec<FieldName>) -> Arc<[FieldName]> {
        if *self.names != *names {
            self.names = names.into();
        }
        Arc::clone(&self.names)
    }
}

/// The name of a top-level key: a pointer only where the key itself could be read as one.
pub(super) fn top_level_name(key: &str) -> String {
    if key.is_empty() || key.starts_with('/') { child(String::new(), key) } else { key.to_owned() }
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

#[derive(Default)]
struct Fields {
    names: Vec<FieldName>,
    seen: HashSet<FieldName>,
    values: Vec<Content>,
}

impl Fields {
    /// Adds a value found at `depth` under `name`, and what is below it.
    fn add(&mut self, name: &str, value: &RawValue, depth: usize) -> Result<(), RowError> {
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'"') => {
                let text = serde_json::from_str::<String>(text).map_err(|_| RowError::NotJson)?;
                self.push(name, ContentType::Text, text.into_bytes())
            }
            Some(b'{' | b'[') if depth == DEPTH_MAX => Err(RowError::TooDeep),
            Some(b'{') => {
                let below = members(value)?;
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
                let keyed = (0usize..).map(|at| at.to_string()).zip(below).collect();
                self.add_all(&pointer_of(name, depth), keyed, depth)
            }
            _ => self.push(name, ContentType::Json, text.as_bytes().to_vec()),
        }
    }

    fn add_all(
        &mut self,
        pointer: &str,
        below: Vec<(String, &RawValue)>,
        depth: usize,
    ) -> Result<(), RowError> {
        for (key, value) in below {
            self.add(&child(pointer.to_owned(), &key), value, depth + 1)?;
        }
        Ok(())
    }

    fn push(&mut self, name: &str, kind: ContentType, bytes: Vec<u8>) -> Result<(), RowError> {
        if self.names.len() == RECORD_FIELDS_MAX {
            return Err(RowError::TooManyFields);
        }
        let name = FieldName::parse(name).map_err(|_| RowError::FieldName)?;
        // Before anything that could name it.
        if is_personal_itself(&name) {
            return Err(RowError::PersonalName { position: self.names.len() + 1 });
        }
        // Two keys may be different as written and the same in NFC.
        if !self.seen.insert(name.clone()) {
            return Err(RowError::DuplicateKey);
        }
        self.values.push(content(&name, kind, bytes)?);
        self.names.push(name);
        Ok(())
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

/// The members of an object, in their order, each key once.
fn members(object: &RawValue) -> Result<Vec<(String, &RawValue)>, RowError> {
    let Members(members) = serde_json::from_str(object.get()).map_err(|_| RowError::NotJson)?;
    let mut keys = HashSet::new();
    if !members.iter().all(|(key, _)| keys.insert(key.as_str())) {
        return Err(RowError::DuplicateKey);
    }
    Ok(members)
}

/// The elements of an array; more than any record holds are refused here.
fn elements(array: &RawValue) -> Result<Vec<&RawValue>, RowError> {
    let Elements(elements) = serde_json::from_str(array.get()).map_err(|_| RowError::NotJson)?;
    if elements.len() > RECORD_FIELDS_MAX {
        return Err(RowError::TooManyFields);
    }
    Ok(elements)
}

struct Members<'a>(Vec<(String, &'a RawValue)>);
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
