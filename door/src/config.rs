//! Configuration files: TOML, read by a reader that reports every mistake at once.
//!
//! ```no_run
//! # use tresor_door::{TlsFiles, config};
//! # struct Config { listen: std::net::SocketAddr, tls: TlsFiles, workers: u64 }
//! let config = config::read(std::path::Path::new("edge.toml"), |root| {
//!     let listen = root.socket_address("listen");
//!     let tls = root.table("tls", TlsFiles::read);
//!     let workers = root.integer_or("workers", 1..=64, 4);
//!     Some(Config { listen: listen?, tls: tls?, workers: workers? })
//! });
//! ```
//! Ask for every key first, use `?` only at the end: then all mistakes are found. Every getter
//! returns `None` after noting a mistake. A key nobody asked for is a mistake. Relative paths are
//! relative to the file's directory.

use core::fmt;
use core::marker::PhantomData;
use core::ops::RangeInclusive;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Every mistake of a configuration file, one a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors;

impl fmt::Display for ConfigErrors {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

impl std::error::Error for ConfigErrors {}

/// One table of the file.
#[derive(Debug)]
pub struct Table<'a>(PhantomData<&'a ()>);

/// Reads `path`.
pub fn read<T>(
    _path: &Path,
    _build: impl FnOnce(&mut Table<'_>) -> Option<T>,
) -> Result<T, ConfigErrors> {
    todo!()
}

#[allow(clippy::needless_pass_by_value, reason = "x")]
impl Table<'_> {
    /// A text.
    pub fn text(&mut self, _key: &str) -> Option<String> {
        todo!()
    }
    /// A text, or `default` when the key is absent.
    pub fn text_or(&mut self, _key: &str, _default: &str) -> Option<String> {
        todo!()
    }
    /// A text, `Some(None)` when the key is absent.
    pub fn optional_text(&mut self, _key: &str) -> Option<Option<String>> {
        todo!()
    }
    /// A path.
    pub fn path(&mut self, _key: &str) -> Option<PathBuf> {
        todo!()
    }
    /// A path, `Some(None)` when the key is absent.
    pub fn optional_path(&mut self, _key: &str) -> Option<Option<PathBuf>> {
        todo!()
    }
    /// A socket address, `ip:port`.
    pub fn socket_address(&mut self, _key: &str) -> Option<SocketAddr> {
        todo!()
    }
    /// A socket address, `Some(None)` when the key is absent.
    pub fn optional_socket_address(&mut self, _key: &str) -> Option<Option<SocketAddr>> {
        todo!()
    }
    /// A whole number in `range`.
    pub fn integer(&mut self, _key: &str, _range: RangeInclusive<u64>) -> Option<u64> {
        todo!()
    }
    /// A whole number in `range`, or `default` when the key is absent.
    pub fn integer_or(
        &mut self,
        _key: &str,
        _range: RangeInclusive<u64>,
        _default: u64,
    ) -> Option<u64> {
        todo!()
    }
    /// `true` or `false`, or `default` when the key is absent.
    pub fn boolean_or(&mut self, _key: &str, _default: bool) -> Option<bool> {
        todo!()
    }
    /// One of some names.
    pub fn one_of<T: Clone>(&mut self, _key: &str, _names: &[(&str, T)]) -> Option<T> {
        todo!()
    }
    /// One of some names, or `default` when the key is absent.
    pub fn one_of_or<T: Clone>(
        &mut self,
        _key: &str,
        _names: &[(&str, T)],
        _default: T,
    ) -> Option<T> {
        todo!()
    }
    /// A text that `parse` understands; `expected` says what it should be ("a tenant id").
    pub fn parsed<T>(
        &mut self,
        _key: &str,
        _expected: &str,
        _parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        todo!()
    }
    /// The same, or `default` when the key is absent.
    pub fn parsed_or<T>(
        &mut self,
        _key: &str,
        _expected: &str,
        _parse: impl FnOnce(&str) -> Option<T>,
        _default: T,
    ) -> Option<T> {
        todo!()
    }
    /// A list of texts, each understood by `parse`; empty when the key is absent.
    pub fn list<T>(
        &mut self,
        _key: &str,
        _expected: &str,
        _parse: impl FnMut(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        todo!()
    }
    /// A sub-table.
    pub fn table<T>(
        &mut self,
        _key: &str,
        _build: impl FnOnce(&mut Table<'_>) -> Option<T>,
    ) -> Option<T> {
        todo!()
    }
    /// A sub-table; when it is absent, as if it were empty (every key its default).
    pub fn table_or_empty<T>(
        &mut self,
        _key: &str,
        _build: impl FnOnce(&mut Table<'_>) -> Option<T>,
    ) -> Option<T> {
        todo!()
    }
    /// A sub-table, `Some(None)` when it is absent.
    pub fn optional_table<T>(
        &mut self,
        _key: &str,
        _build: impl FnOnce(&mut Table<'_>) -> Option<T>,
    ) -> Option<Option<T>> {
        todo!()
    }
    /// A list of sub-tables (`[[key]]`); empty when the key is absent.
    pub fn tables<T>(
        &mut self,
        _key: &str,
        _build: impl FnMut(&mut Table<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        todo!()
    }
    /// Notes a mistake of the caller's own finding at `key`.
    pub fn mistake(&mut self, _key: &str, _what: &str) {
        todo!()
    }
}
