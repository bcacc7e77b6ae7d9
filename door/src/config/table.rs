use core::ops::RangeInclusive;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use toml::de::{DeTable, DeValue};

use super::Named;
use super::errors::Notes;
use crate::{TlsFiles, TrustFiles};

mod lookup;
mod nested;

use lookup::start;

/// One table of the file. Each getter notes its mistake and then returns `None`.
#[derive(Debug)]
pub struct Table<'a> {
    entries: &'a DeTable<'a>,
    path: String,
    offset: usize,
    asked: BTreeSet<String>,
    notes: &'a Notes<'a>,
}

impl<'a> Table<'a> {
    pub(super) fn new(
        entries: &'a DeTable<'a>,
        path: String,
        offset: usize,
        notes: &'a Notes<'a>,
    ) -> Self {
        Self { entries, path, offset, asked: BTreeSet::new(), notes }
    }

    /// Whether there is such a key.
    pub fn has(&mut self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// A text, not empty.
    pub fn text(&mut self, key: &str) -> Option<String> {
        self.parsed(key, "a text that is not empty", text)
    }

    /// A text, or `default` when the key is absent.
    pub fn text_or(&mut self, key: &str, default: &str) -> Option<String> {
        self.parsed_or(key, "a text that is not empty", text, default.to_owned())
    }

    /// A text, `Some(None)` when the key is absent.
    pub fn optional_text(&mut self, key: &str) -> Option<Option<String>> {
        self.optional_parsed(key, "a text that is not empty", text)
    }

    /// A path; a relative one is relative to the file's directory.
    pub fn path(&mut self, key: &str) -> Option<PathBuf> {
        let path = self.parsed(key, "a path", text)?;
        Some(self.notes.resolve(&path))
    }

    /// A path, or `default` when the key is absent.
    pub fn path_or(&mut self, key: &str, default: &str) -> Option<PathBuf> {
        let path = self.parsed_or(key, "a path", text, default.to_owned())?;
        Some(self.notes.resolve(&path))
    }

    /// A path, `Some(None)` when the key is absent.
    pub fn optional_path(&mut self, key: &str) -> Option<Option<PathBuf>> {
        let path = self.optional_parsed(key, "a path", text)?;
        Some(path.map(|path| self.notes.resolve(&path)))
    }

    /// A list of paths; empty when the key is absent.
    pub fn paths(&mut self, key: &str, paths_max: usize) -> Option<Vec<PathBuf>> {
        let resolve = |path: &str| text(path).map(|path| self.notes.resolve(&path));
        let paths = self.list(key, "a path", resolve)?;
        if paths.len() > paths_max {
            self.mistake(key, "has too many entries");
        }
        Some(paths)
    }

    /// A socket address, `ip:port`.
    pub fn socket_address(&mut self, key: &str) -> Option<SocketAddr> {
        self.parsed(key, "an address of the form ip:port", socket_address)
    }

    /// A socket address, or `default` when the key is absent.
    pub fn socket_address_or(&mut self, key: &str, default: SocketAddr) -> Option<SocketAddr> {
        self.parsed_or(key, "an address of the form ip:port", socket_address, default)
    }

    /// A socket address, `Some(None)` when the key is absent.
    pub fn optional_socket_address(&mut self, key: &str) -> Option<Option<SocketAddr>> {
        self.optional_parsed(key, "an address of the form ip:port", socket_address)
    }

    /// A whole number in `range`.
    pub fn integer(&mut self, key: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let found = self.find_integer(key, &range);
        self.required(key, found)
    }

    /// A whole number in `range`, or `default` when the key is absent.
    pub fn integer_or(
        &mut self,
        key: &str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> Option<u64> {
        self.find_integer(key, &range).or(default)
    }

    /// `true` or `false`, or `default` when the key is absent.
    pub fn boolean_or(&mut self, key: &str, default: bool) -> Option<bool> {
        let read = |value: &DeValue<'_>| value.as_bool();
        self.find(key, "true or false", read).or(default)
    }

    /// One of some names.
    pub fn one_of<T: Clone>(&mut self, key: &str, names: &[(&str, T)]) -> Option<T> {
        self.parsed(key, &expected_names(names), |text| named(names, text))
    }

    /// One of some names, or `default` when the key is absent.
    pub fn one_of_or<T: Clone>(&mut self, key: &str, names: &[(&str, T)], default: T) -> Option<T> {
        let expected = expected_names(names);
        self.parsed_or(key, &expected, |text| named(names, text), default)
    }

    /// A text that `parse` understands; `expected` says what it should be ("a tenant id").
    pub fn parsed<T>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let found = self.find_text(key, expected, parse);
        self.required(key, found)
    }

    /// The same, or `default` when the key is absent.
    pub fn parsed_or<T>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        default: T,
    ) -> Option<T> {
        self.find_text(key, expected, parse).or(default)
    }

    /// The same, `Some(None)` when the key is absent.
    pub fn optional_parsed<T>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        self.find_text(key, expected, parse).optional()
    }

    /// Notes the files that this table names.
    pub(crate) fn name_tls_files(&self, files: &TlsFiles) {
        self.notes.name_files(|named| named.tls.push(self.named(files)));
    }

    /// The same for the files of authorities.
    pub(crate) fn name_trust_files(&self, files: &TrustFiles) {
        self.notes.name_files(|named| named.trust.push(self.named(files)));
    }

    fn named<F: Clone>(&self, files: &F) -> Named<F> {
        let line = self.notes.line_of(self.offset);
        Named { path: self.path.clone(), line, files: files.clone() }
    }

    /// Notes a mistake of the caller's own finding at `key`; `what` must not repeat a value.
    pub fn mistake(&mut self, key: &str, what: &str) {
        let offset = self.entries.get(key).map_or(self.offset, start);
        self.notes.note(&self.path_of(key), Some(offset), what);
    }
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn socket_address(text: &str) -> Option<SocketAddr> {
    text.parse().ok()
}

fn named<T: Clone>(names: &[(&str, T)], text: &str) -> Option<T> {
    let (_, value) = names.iter().find(|(name, _)| *name == text)?;
    Some(value.clone())
}

fn expected_names<T>(names: &[(&str, T)]) -> String {
    let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
    format!("one of {}", names.join(", "))
}
