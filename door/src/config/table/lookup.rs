//! Finding a key, and noting what is wrong with it.

use core::ops::RangeInclusive;

use toml::Spanned;
use toml::de::DeValue;

use super::Table;

/// What became of a key.
pub(super) enum Found<T> {
    Absent,
    Wrong,
    Read(T),
}

impl<'a> Table<'a> {
    pub(in crate::config) fn note_unknown_keys(&self) {
        for key in self.entries.keys() {
            let name: &str = key.get_ref();
            if !self.asked.contains(name) {
                let what = self.unknown_key();
                self.notes.note(&self.path_of(name), Some(key.span().start), &what);
            }
        }
    }

    fn unknown_key(&self) -> String {
        let known: Vec<&str> = self.asked.iter().map(String::as_str).collect();
        format!("unknown key; known here: {}", known.join(", "))
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            return key.to_owned();
        }
        format!("{}.{key}", self.path)
    }

    pub(super) fn get(&mut self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.insert(key.to_owned());
        self.entries.get(key)
    }

    pub(super) fn find<T>(
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

    pub(super) fn find_text<T>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Found<T> {
        self.find(key, expected, |value| value.as_str().and_then(parse))
    }

    pub(super) fn find_integer(&mut self, key: &str, range: &RangeInclusive<u64>) -> Found<u64> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.find(key, &expected, |value| {
            let integer = value.as_integer()?;
            let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok()?;
            range.contains(&number).then_some(number)
        })
    }

    pub(super) fn required<T>(&self, key: &str, found: Found<T>) -> Option<T> {
        if matches!(found, Found::Absent) {
            self.notes.note(&self.path_of(key), Some(self.offset), "is missing");
        }
        found.optional()?
    }

    pub(super) fn note_expected(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) {
        let what = format!("expected {expected}");
        self.notes.note(&self.path_of(key), Some(start(value)), &what);
    }
}

impl<T> Found<T> {
    pub(super) fn or(self, default: T) -> Option<T> {
        match self {
            Self::Absent => Some(default),
            Self::Wrong => None,
            Self::Read(read) => Some(read),
        }
    }

    pub(super) fn optional(self) -> Option<Option<T>> {
        match self {
            Self::Absent => Some(None),
            Self::Wrong => None,
            Self::Read(read) => Some(Some(read)),
        }
    }
}

pub(super) fn start(value: &Spanned<DeValue<'_>>) -> usize {
    value.span().start
}
