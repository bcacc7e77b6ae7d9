//! Lists and tables inside a table.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Table;
use super::lookup::{Found, start};

impl<'a> Table<'a> {
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
        build(&mut Table::new(&empty, self.path_of(key), self.offset, self.notes))
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

    /// All sub-tables that were not asked for yet, with their names, in the order of the file.
    pub fn named_tables<T>(
        &mut self,
        mut build: impl FnMut(&str, &mut Table<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let is_asked = |name: &str| self.asked.contains(name);
        let found = self.entries.iter().filter(|(key, value)| {
            value.get_ref().as_table().is_some() && !is_asked(key.get_ref())
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|(key, _)| key.span().start);
        let mut built = Vec::with_capacity(found.len());
        for (key, value) in &found {
            let name: &str = key.get_ref();
            self.asked.insert(name.to_owned());
            built.extend(self.build_sub_table(name, value, |table| build(name, table)));
        }
        (built.len() == found.len()).then_some(built)
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
}
