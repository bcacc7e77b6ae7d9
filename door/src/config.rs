//! Configuration files: TOML, read by a reader that reports every mistake at once.
//!
//! It promises that a file is taken whole or not at all, that each mistake is named by line and
//! dotted path, and that no value is ever repeated. It relies on the caller to ask for every key
//! first and to use `?` only at the end:
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
//! Every getter returns `None` after noting a mistake; a key nobody asked for is a mistake too.

use std::path::Path;

use toml::de::DeTable;

use crate::private_file::read_trusted_file;
use crate::{DoorError, TlsFiles, TrustFiles};

mod errors;
mod table;
#[cfg(test)]
mod tests;

use errors::Notes;
pub use errors::{ConfigErrors, Mistake};
pub use table::Table;

/// Bytes of a configuration file.
const CONFIG_BYTES_MAX: u64 = 1024 * 1024;

/// Files that a table names, and where the table stands.
#[derive(Clone, Debug)]
pub struct Named<F> {
    /// The dotted path of the table.
    pub path: String,
    /// The line it begins on.
    pub line: usize,
    /// The files.
    pub files: F,
}

/// The files of certificates that a configuration names in tables that are complete.
#[derive(Clone, Debug, Default)]
pub struct NamedFiles {
    /// What is shown to peers.
    pub tls: Vec<Named<TlsFiles>>,
    /// Whose certificates are taken.
    pub trust: Vec<Named<TrustFiles>>,
}

/// What a look at a configuration file finds, whether it is right or not.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The mistakes, in the order of the file.
    pub mistakes: Vec<Mistake>,
    /// The files of certificates.
    pub files: NamedFiles,
}

/// Reads the file at `path`. Relative paths in it are relative to its directory.
///
/// # Errors
/// Every mistake of the file; that it cannot be read, or that everybody can write it.
pub fn read<T>(
    path: &Path,
    build: impl FnOnce(&mut Table<'_>) -> Option<T>,
) -> Result<T, ConfigErrors> {
    read_and_name(path, build).0
}

/// Reads the file at `path` as [`read`] does, for whoever wants to know all about it.
pub fn inspect<T>(path: &Path, build: impl FnOnce(&mut Table<'_>) -> Option<T>) -> Inspection {
    let (read, files) = read_and_name(path, build);
    let mistakes = read.err().map(|errors| errors.mistakes().to_vec()).unwrap_or_default();
    Inspection { mistakes, files }
}

/// Reads `text` as if it stood in the file at `path`, which need not exist.
///
/// # Errors
/// Every mistake of the text.
pub fn parse<T>(
    path: &Path,
    text: &str,
    build: impl FnOnce(&mut Table<'_>) -> Option<T>,
) -> Result<T, ConfigErrors> {
    parse_and_name(path, text, build).0
}

type Naming<T> = (Result<T, ConfigErrors>, NamedFiles);

fn read_and_name<T>(path: &Path, build: impl FnOnce(&mut Table<'_>) -> Option<T>) -> Naming<T> {
    let refused = |what: String| (Err(ConfigErrors::of_file(path, what)), NamedFiles::default());
    match read_trusted_file(path, CONFIG_BYTES_MAX).map(String::from_utf8) {
        Ok(Ok(text)) => parse_and_name(path, &text, build),
        Ok(Err(_)) => refused("is not text in UTF-8".to_owned()),
        Err(error) => refused(refusal(path, &error)),
    }
}

fn parse_and_name<T>(
    path: &Path,
    text: &str,
    build: impl FnOnce(&mut Table<'_>) -> Option<T>,
) -> Naming<T> {
    let notes = Notes::new(path, text);
    let (document, faults) = DeTable::parse_recoverable(text);
    if !faults.is_empty() {
        for fault in &faults {
            let offset = fault.span().map(|span| span.start);
            notes.note("", offset, fault.message());
        }
        // What could be recovered would only raise mistakes that are none.
        return (Err(notes.into_errors()), NamedFiles::default());
    }
    let mut root = Table::new(document.get_ref(), String::new(), 0, &notes);
    let built = build(&mut root);
    root.note_unknown_keys();
    let files = notes.take_files();
    (notes.into_result(built), files)
}

/// What is wrong with a file, without its name, which the report begins with.
fn refusal(path: &Path, error: &DoorError) -> String {
    let text = error.to_string();
    let name = format!("{}: ", path.display());
    text.strip_prefix(&name).unwrap_or(&text).to_owned()
}
