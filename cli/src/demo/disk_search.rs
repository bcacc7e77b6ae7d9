//! Searches files for values, in every form a careless program might have left them in.
//!
//! It promises to find every occurrence of every value in raw, base64 (three alignments, both
//! alphabets), hexadecimal and UTF-16 form, in one pass and bounded memory. A hundred thousand values make a
//! million needles: an automaton over them takes gigabytes, so heads of six bytes are looked up in
//! a filter and a sorted table instead, and only then compared whole.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use walkdir::WalkDir;

use crate::error::CliError;

/// Values shorter than this occur by chance.
pub(crate) const VALUE_BYTES_MIN: usize = HEAD_BYTES;
const HEAD_BYTES: usize = 6;
const HEAD_MASK: u64 = (1 << (8 * HEAD_BYTES)) - 1;
const CHUNK_BYTES: usize = 4 * 1024 * 1024;
/// 8 MiB of filter let one byte in seventy through with a million needles.
const FILTER_BITS: u32 = 26;

/// Values to search for.
pub(crate) struct Needles {
    bytes: Vec<u8>,
    needles: Vec<Needle>,
    /// Heads with the needle they begin, sorted.
    heads: Vec<(u64, u32)>,
    filter: Vec<u64>,
    longest: usize,
}

#[derive(Clone, Copy)]
struct Needle {
    start: usize,
    end: usize,
    value: u32,
    form: Form,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// As it is.
    Raw,
    /// Base64.
    Base64,
    /// Hexadecimal.
    Hex,
    /// UTF-16.
    Utf16,
}

/// What a search found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    /// Occurrences.
    pub(crate) hits: u64,
    /// Occurrences by file and form.
    pub(crate) places: BTreeMap<(PathBuf, Form), u64>,
    /// Files read.
    pub(crate) files: u64,
    /// Bytes read.
    pub(crate) bytes: u64,
}

impl Form {
    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Base64 => "base64",
            Self::Hex => "hexadecimal",
            Self::Utf16 => "UTF-16",
        }
    }
}

impl Needles {
    /// The values in every form.
    pub(crate) fn in_all_forms<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut needles = Self::empty();
        for (value, bytes) in (0u32..).zip(values) {
            needles.add(value, Form::Raw, bytes);
            needles.add_hex(value, bytes);
            needles.add_base64(value, bytes);
            if let Ok(text) = str::from_utf8(bytes) {
                needles.add_utf16(value, text);
            }
        }
        needles.sorted()
    }

    /// The values as they are.
    pub(crate) fn as_they_are<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut needles = Self::empty();
        for (value, text) in (0u32..).zip(values) {
            needles.add(value, Form::Raw, text.as_bytes());
        }
        needles.sorted()
    }

    fn empty() -> Self {
        let filter = vec![0; 1 << (FILTER_BITS - 6)];
        Self { bytes: Vec::new(), needles: Vec::new(), heads: Vec::new(), filter, longest: 0 }
    }

    /// Adds a needle; what is shorter than a head is left out.
    fn add(&mut self, value: u32, form: Form, bytes: &[u8]) {
        let Some(head) = bytes.first_chunk::<HEAD_BYTES>() else { return };
        let head = head.iter().fold(0, |head, byte| head << 8 | u64::from(*byte));
        let Ok(number) = u32::try_from(self.needles.len()) else { return };
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.needles.push(Needle { start, end: self.bytes.len(), value, form });
        self.heads.push((head, number));
        let (word, bit) = filter_place(head);
        self.filter[word] |= bit;
        self.longest = self.longest.max(bytes.len());
    }

    fn add_hex(&mut self, value: u32, bytes: &[u8]) {
        let (lower, upper) = (hex::encode(bytes), hex::encode_upper(bytes));
        self.add(value, Form::Hex, lower.as_bytes());
        if upper != lower {
            self.add(value, Form::Hex, upper.as_bytes());
        }
    }

    fn add_utf16(&mut self, value: u32, text: &str) {
        for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let bytes = text.encode_utf16().flat_map(to_bytes).collect::<Vec<_>>();
            self.add(value, Form::Utf16, &bytes);
        }
    }

    fn add_base64(&mut self, value: u32, bytes: &[u8]) {
        for alignment in 0..3 {
            let standard = base64_core(&STANDARD_NO_PAD, bytes, alignment);
            let url_safe = base64_core(&URL_SAFE_NO_PAD, bytes, alignment);
            self.add(value, Form::Base64, standard.as_bytes());
            if url_safe != standard {
                self.add(value, Form::Base64, url_safe.as_bytes());
            }
        }
    }

    fn sorted(mut self) -> Self {
        self.heads.sort_unstable();
        self
    }

    /// Calls `found` for every occurrence that ends after the first `known` bytes: which value, in
    /// which form.
    fn scan(&self, haystack: &[u8], known: usize, found: &mut dyn FnMut(u32, Form)) {
        let mut head = 0;
        for (end, byte) in haystack.iter().enumerate() {
            head = (head << 8 | u64::from(*byte)) & HEAD_MASK;
            let (word, bit) = filter_place(head);
            if self.filter[word] & bit == 0 || end + 1 < HEAD_BYTES {
                continue;
            }
            let at = end + 1 - HEAD_BYTES;
            let first = self.heads.partition_point(|(other, _)| *other < head);
            for (_, number) in self.heads[first..].iter().take_while(|(other, _)| *other == head) {
                let needle = self.needles[*number as usize];
                let bytes = &self.bytes[needle.start..needle.end];
                if haystack[at..].starts_with(bytes) && at + bytes.len() > known {
                    found(needle.value, needle.form);
                }
            }
        }
    }

    /// Which values occur in a text; `seen` has a place for each.
    pub(crate) fn mark(&self, text: &str, seen: &mut [bool]) {
        self.scan(text.as_bytes(), 0, &mut |value, _| {
            if let Some(seen) = seen.get_mut(value as usize) {
                *seen = true;
            }
        });
    }

    /// Searches a file, or all files below a directory.
    pub(crate) fn search(&self, path: &Path) -> Result<Findings, CliError> {
        let mut findings = Findings::default();
        for entry in WalkDir::new(path) {
            let entry = entry
                .map_err(|_| CliError::failed(format!("cannot look through {}", path.display())))?;
            if entry.file_type().is_file() {
                self.search_file(entry.path(), &mut findings)?;
            }
        }
        Ok(findings)
    }

    /// Reads in chunks; what may be the beginning of an occurrence is carried into the next.
    fn search_file(&self, path: &Path, findings: &mut Findings) -> Result<(), CliError> {
        let failed = |error: std::io::Error| CliError::file("read", path, &error);
        let mut file = match File::open(path) {
            // A running database renames and removes its files.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            opened => opened.map_err(failed)?,
        };
        findings.files += 1;
        let mut buffer = Vec::with_capacity(CHUNK_BYTES + self.longest);
        loop {
            let known = buffer.len();
            let chunk = u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX);
            let read = file.by_ref().take(chunk).read_to_end(&mut buffer).map_err(failed)?;
            if read == 0 {
                return Ok(());
            }
            findings.bytes += read as u64;
            self.scan(&buffer, known, &mut |_, form| {
                findings.hits += 1;
                *findings.places.entry((path.to_owned(), form)).or_default() += 1;
            });
            let carried = buffer.len().min(self.longest.saturating_sub(1));
            buffer.drain(..buffer.len() - carried);
        }
    }
}

impl Findings {
    /// Adds what another search found.
    pub(crate) fn merge(&mut self, other: Self) {
        self.hits += other.hits;
        self.files += other.files;
        self.bytes += other.bytes;
        for (place, hits) in other.places {
            *self.places.entry(place).or_default() += hits;
        }
    }
}

fn filter_place(head: u64) -> (usize, u64) {
    let place = head.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - FILTER_BITS);
    ((place >> 6) as usize & ((1 << (FILTER_BITS - 6)) - 1), 1 << (place & 63))
}

/// The characters of a base64 text that are the value's alone when `alignment` bytes of others
/// stand before it in its first group of three.
fn base64_core(engine: &impl base64::Engine, value: &[u8], alignment: usize) -> String {
    let mut bytes = vec![0; alignment];
    bytes.extend_from_slice(value);
    let text = engine.encode(&bytes);
    let foreign_at_start = [0, 2, 3][alignment];
    let foreign_at_end = usize::from(!bytes.len().is_multiple_of(3));
    text[foreign_at_start..text.len() - foreign_at_end].to_owned()
}

#[cfg(test)]
mod tests;
