//! Writes a policy as a document.
//!
//! It promises that `parse(write(policy))` gives the same policy. It relies on serde-saphyr to quote
//! field names that are not plain YAML.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_saphyr::{FlowMap, SingleQuoted};
use tresor_proto::{
    Action, DataClass, FieldPolicy, InfoType, InfoTypeDefinition, Mask, Policy, Reveal,
    SearchIndex, SurrogateForm, SurrogateFormat, UndeclaredPolicy,
};

use super::{field::EXACT, info_type::INFO_TYPES};

/// Writes a policy as a document.
#[must_use]
pub fn write(policy: &Policy) -> String {
    serde_saphyr::to_string(&Document(policy)).unwrap_or_default()
}

/// Writes what a policy says of a field, on one line.
#[must_use]
pub fn write_field(field: &FieldPolicy) -> String {
    let written = serde_saphyr::to_string(&FlowMap(Field(field))).unwrap_or_default();
    written.trim_end().to_owned()
}

struct Document<'a>(&'a Policy);

struct Definitions<'a>(&'a [InfoTypeDefinition]);

struct Definition<'a>(&'a InfoTypeDefinition);

struct Fields<'a>(&'a [FieldPolicy]);

struct Field<'a>(&'a FieldPolicy);

struct Form(SurrogateForm);

struct Search(SearchIndex);

struct Kept(Mask);

struct Undeclared(UndeclaredPolicy);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let info_types = self.0.info_types().definitions();
        if !info_types.is_empty() {
            map.serialize_entry(INFO_TYPES, &Definitions(info_types))?;
        }
        if !self.0.fields().is_empty() {
            map.serialize_entry("fields", &Fields(self.0.fields()))?;
        }
        map.serialize_entry("undeclared", &FlowMap(Undeclared(self.0.undeclared)))?;
        let flagged = match self.0.declared_clear_but_personal {
            Action::Clear => super::FLAG,
            other @ (Action::Seal | Action::Tokenize | Action::Drop | Action::Reject) => {
                other.as_str()
            }
        };
        map.serialize_entry("declared_clear_but_personal", flagged)?;
        map.end()
    }
}

impl Serialize for Definitions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = self.0.iter();
        let entries = entries.map(|it| (it.info_type.as_str(), FlowMap(Definition(it))));
        serializer.collect_map(entries)
    }
}

impl Serialize for Definition<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let InfoTypeDefinition { info_type, words, pattern, checksum, mask } = self.0;
        let mut map = serializer.serialize_map(None)?;
        if !words.is_empty() {
            map.serialize_entry("words", words)?;
        }
        if let Some(pattern) = pattern {
            map.serialize_entry("pattern", &SingleQuoted(pattern.as_str()))?;
        }
        if let Some(checksum) = checksum {
            map.serialize_entry("checksum", checksum.as_str())?;
        }
        map.serialize_entry("class", info_type.class().as_str())?;
        if let Some(mask) = mask {
            map.serialize_entry("mask", &FlowMap(Kept(*mask)))?;
        }
        map.end()
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = self.0.iter();
        serializer.collect_map(entries.map(|field| (field.name.as_str(), FlowMap(Field(field)))))
    }
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(info_type) = self.0.info_type.as_ref().map(InfoType::as_str) {
            map.serialize_entry("info_type", info_type)?;
        }
        if let Some(class) = self.0.data_class.map(DataClass::as_str) {
            map.serialize_entry("class", class)?;
        }
        match self.0.surrogate.map(Form) {
            Some(form) => match form.word(self.0.info_type) {
                Some(word) => map.serialize_entry("tokenize", word)?,
                None => map.serialize_entry("tokenize", &FlowMap(form))?,
            },
            None => map.serialize_entry("action", self.0.action.as_str())?,
        }
        match self.0.search {
            Some(search) if search == SearchIndex::default() => {
                map.serialize_entry("searchable", EXACT)?;
            }
            Some(search) => map.serialize_entry("searchable", &FlowMap(Search(search)))?,
            None => {}
        }
        if let Some(mask) = self.0.mask {
            map.serialize_entry("mask", &FlowMap(Kept(mask)))?;
        }
        if let Some(copy) = &self.0.redacted_copy {
            map.serialize_entry("redacted_copy", copy.as_str())?;
        }
        map.end()
    }
}

impl Form {
    /// The kind alone, when it says everything.
    fn word(&self, info_type: Option<InfoType>) -> Option<&'static str> {
        let Self(SurrogateForm { kind, reveal, is_forced }) = self;
        let by_type = info_type.and_then(|info_type| SurrogateFormat::of(info_type).ok());
        let is_told = kind.format().is_none() || kind.format() == by_type;
        (is_told && *reveal == Reveal::Plain && !is_forced).then(|| kind.as_str())
    }
}

impl Serialize for Form {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", self.0.kind.as_str())?;
        if let Some(format) = self.0.kind.format() {
            map.serialize_entry("format", format.as_str())?;
        }
        map.serialize_entry("reveal", self.0.reveal.as_str())?;
        if self.0.is_forced {
            map.serialize_entry("forced", &true)?;
        }
        map.end()
    }
}

impl Serialize for Search {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("bits", &self.0.bits())?;
        map.serialize_entry("forced", &self.0.is_forced())?;
        map.end()
    }
}

impl Serialize for Kept {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("keep_first", &self.0.keep_first())?;
        map.serialize_entry("keep_last", &self.0.keep_last())?;
        map.end()
    }
}

impl Serialize for Undeclared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("personal", self.0.personal.as_str())?;
        map.serialize_entry("unknown_text", self.0.unknown_text.as_str())?;
        map.serialize_entry("not_personal", self.0.not_personal.as_str())?;
        map.end()
    }
}
