use core::ops::RangeInclusive;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::errors::Notes;

/// One table of the file. Each getter notes its mistake and then returns `None`.
#[derive(Debug)]
pub struct Table<'a> {
    entries: &'a DeTable<'a>,
    path: String,
    offset: usize,
    asked: BTreeSet<String>,
    notes: &'a Notes<'a>,
}

/// What became of a key.
enum Found<T> {
    Absent,
    Wrong,
    Read(T),
}

impl<'a> Table<'a> {
    pub(super) fn new(
        entries: &'a DeTable<'a>,
        path: String,
        offset: usize,
        notes: &'a Notes<'a>,
    ) -> Self {
        Self {
            entries,
            path,
            offset,
            asked: BTreeSet::new(),
            notes,
        }
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

    /// A socket address, `ip:port`.
    pub fn socket_address(&mut self, key: &str) -> Option<SocketAddr> {
        self.parsed(key, "an address of the form ip:port", socket_address)
    }

    /// A socket address, or `default` when the key is absent.
    pub fn socket_address_or(&mut self, key: &str, default: SocketAddr) -> Option<SocketAddr> {
        self.parsed_or(
            key,
            "an address of the form ip:port",
            socket_address,
            default,
        )
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

    /// A list of texts, each understood by `parse`; empty when the key is absent.
    pub fn list<T>(
        &mut self,
        key: &str,
        expected: &str,
        mut parse: impl FnMut(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(items) = self.items(key)? else {
            return Some(Vec::new());
        };
        let mut read = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            match item.get_ref().as_str().and_then(&mut parse) {
                Some(value) => read.push(value),
                None => self.note_expected(&format!("{key}[{at}]"), item, expected),
            }
        }
        (read.len() == items.len()).then_some(read)
    }

    /// A sub-table.
    pub fn table<T>(
        &mut self,
        key: &str,
        build: impl FnOnce(&mut Table<'_>) -> Option<T>,
    ) -> Option<T> {
        let found = self.find_table(key, build);
        self.required(key, found)
    }

    /// A sub-table; when it is absent, as if it were there and empty.
    pub fn table_or_empty<T>(
        &mut self,
        key: &str,
        build: impl FnOnce(&mut Table<'_>) -> Option<T>,
    ) -> Option<T> {
        if self.entries.contains_key(key) {
            return self.find_table(key, build).optional()?;
        }
        let empty = DeTable::new();
        build(&mut Table::new(
            &empty,
            self.path_of(key),
            self.offset,
            self.notes,
        ))
    }

    /// A sub-table, `Some(None)` when it is absent.
    pub fn optional_table<T>(
        &mut self,
        key: &str,
        build: impl FnOnce(&mut Table<'_>) -> Option<T>,
    ) -> Option<Option<T>> {
        self.find_table(key, build).optional()
    }

    /// A list of sub-tables (`[[key]]`); empty when the key is absent.
    pub fn tables<T>(
        &mut self,
        key: &str,
        mut build: impl FnMut(&mut Table<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(items) = self.items(key)? else {
            return Some(Vec::new());
        };
        let mut built = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            built.extend(self.build_sub_table(&format!("{key}[{at}]"), item, &mut build));
        }
        (built.len() == items.len()).then_some(built)
    }

    /// Notes a mistake of the caller's own finding at `key`; `what` must not repeat a value.
    pub fn mistake(&mut self, key: &str, what: &str) {
        let offset = self.entries.get(key).map_or(self.offset, start);
        self.notes.note(&self.path_of(key), Some(offset), what);
    }

    pub(super) fn note_unknown_keys(&self) {
        for key in self.entries.keys() {
            let name: &str = key.get_ref();
            if !self.asked.contains(name) {
                let what = self.unknown_key();
                self.notes
                    .note(&self.path_of(name), Some(key.span().start), &what);
            }
        }
    }

    fn unknown_key(&self) -> String {
        let known: Vec<&str> = self.asked.iter().map(String::as_str).collect();
        format!("unknown key; known here: {}", known.join(", "))
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            return key.to_owned();
        }
        format!("{}.{key}", self.path)
    }

    fn get(&mut self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.insert(key.to_owned());
        self.entries.get(key)
    }

    fn find<T>(
        &mut self,
        key: &str,
        expected: &str,
        read: impl FnOnce(&DeValue<'_>) -> Option<T>,
    ) -> Found<T> {
        let Some(value) = self.get(key) else {
            return Found::Absent;
        };
        match read(value.get_ref()) {
            Some(read) => Found::Read(read),
            None => {
                self.note_expected(key, value, expected);
                Found::Wrong
            }
        }
    }

    fn find_text<T>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Found<T> {
        self.find(key, expected, |value| value.as_str().and_then(parse))
    }

    fn find_integer(&mut self, key: &str, range: &RangeInclusive<u64>) -> Found<u64> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.find(key, &expected, |value| {
            let integer = value.as_integer()?;
            let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok()?;
            range.contains(&number).then_some(number)
        })
    }

    fn find_table<T>(
        &mut self,
        key: &str,
        build: impl FnOnce(&mut Table<'_>) -> Option<T>,
    ) -> Found<T> {
        let Some(value) = self.get(key) else {
            return Found::Absent;
        };
        match self.build_sub_table(key, value, build) {
            Some(built) => Found::Read(built),
            None => Found::Wrong,
        }
    }

    fn build_sub_table<T>(
        &self,
        key: &str,
        value: &'a Spanned<DeValue<'a>>,
        build: impl FnOnce(&mut Table<'_>) -> Option<T>,
    ) -> Option<T> {
        let Some(entries) = value.get_ref().as_table() else {
            self.note_expected(key, value, "a table");
            return None;
        };
        let mut table = Table::new(entries, self.path_of(key), start(value), self.notes);
        let built = build(&mut table);
        table.note_unknown_keys();
        built
    }

    /// The items of a list; `Some(None)` when the key is absent.
    fn items(&mut self, key: &str) -> Option<Option<&'a [Spanned<DeValue<'a>>]>> {
        let Some(value) = self.get(key) else {
            return Some(None);
        };
        match value.get_ref().as_array() {
            Some(items) => Some(Some(items)),
            None => {
                self.note_expected(key, value, "a list");
                None
            }
        }
    }

    fn required<T>(&self, key: &str, found: Found<T>) -> Option<T> {
        if matches!(found, Found::Absent) {
            self.notes
                .note(&self.path_of(key), Some(self.offset), "is missing");
        }
        found.optional()?
    }

    fn note_expected(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) {
        let what = format!("expected {expected}");
        self.notes
            .note(&self.path_of(key), Some(start(value)), &what);
    }
}

impl<T> Found<T> {
    fn or(self, default: T) -> Option<T> {
        match self {
            Self::Absent => Some(default),
            Self::Wrong => None,
            Self::Read(read) => Some(read),
        }
    }

    fn optional(self) -> Option<Option<T>> {
        match self {
            Self::Absent => Some(None),
            Self::Wrong => None,
            Self::Read(read) => Some(Some(read)),
        }
    }
}

fn start(value: &Spanned<DeValue<'_>>) -> usize {
    value.span().start
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
