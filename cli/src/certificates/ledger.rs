//! What the authority has issued, and what it has revoked: `issued.ndjson` in its directory, a line
//! a certificate.
//!
//! It is replaced as a whole, under a lock, so that two commands at once lose nothing and a crash
//! leaves the old one or the new one. It holds no secret.

use std::{
    fs::File,
    net::IpAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Branch;
use crate::{error::CliError, private_file::replace};

const FILE: &str = "issued.ndjson";
const LOCK: &str = "lock";

/// A certificate that was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Issued {
    /// Its serial number, hex.
    pub(crate) serial: String,
    /// Whom it names: its URI.
    pub(crate) name: String,
    /// The name of its files.
    pub(crate) file: String,
    pub(crate) branch: Branch,
    pub(crate) dns_names: Vec<String>,
    pub(crate) addresses: Vec<IpAddr>,
    /// SHA-256 of its DER, hex.
    pub(crate) certificate_digest: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) not_before: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) not_after: OffsetDateTime,
    /// When it was revoked.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) revoked: Option<OffsetDateTime>,
}

/// How a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    Valid,
    Expired,
    Revoked,
}

/// The list, while nobody else changes it.
pub(crate) struct Ledger {
    path: PathBuf,
    issued: Vec<Issued>,
    /// Held until it is dropped.
    _lock: File,
}

impl Issued {
    /// How it stands at a time.
    pub(crate) fn standing(&self, now: OffsetDateTime) -> Standing {
        match self.revoked {
            Some(_) => Standing::Revoked,
            None if self.not_after < now => Standing::Expired,
            None => Standing::Valid,
        }
    }

    /// Whether somebody means it: by URI, name of its files, or serial number.
    pub(crate) fn is_meant_by(&self, text: &str) -> bool {
        [&self.name, &self.file, &self.serial].into_iter().any(|known| known == text)
    }
}

impl Ledger {
    /// Makes the list of a new authority.
    pub(super) fn create(directory: &Path) -> Result<(), CliError> {
        replace(&directory.join(FILE), b"")
    }

    /// Opens the list, and waits until nobody else does.
    pub(super) fn open(directory: &Path) -> Result<Self, CliError> {
        let lock = directory.join(LOCK);
        let failed = |error| CliError::file("lock", &lock, &error);
        let file = File::options().create(true).append(true).open(&lock).map_err(failed)?;
        file.lock().map_err(failed)?;
        let path = directory.join(FILE);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| CliError::file("read", &path, &error))?;
        let issued = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        let damaged = |_| CliError::failed(format!("{} is damaged", path.display()));
        let issued = issued.map_err(damaged)?;
        Ok(Self { path, issued, _lock: file })
    }

    /// What was issued, oldest first.
    pub(crate) fn issued(&self) -> &[Issued] {
        &self.issued
    }

    /// Adds a certificate.
    pub(super) fn add(&mut self, issued: Issued) -> Result<(), CliError> {
        self.issued.push(issued);
        self.write()
    }

    /// Marks certificates as revoked, by their serial numbers.
    pub(super) fn revoke(&mut self, serials: &[&str], now: OffsetDateTime) -> Result<(), CliError> {
        for issued in &mut self.issued {
            if issued.revoked.is_none() && serials.contains(&issued.serial.as_str()) {
                issued.revoked = Some(now);
            }
        }
        self.write()
    }

    fn write(&self) -> Result<(), CliError> {
        let unwritable = |_| CliError::failed("the list of certificates cannot be encoded");
        let lines = self.issued.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
        let text: String = lines.map_err(unwritable)?.iter().map(|l| format!("{l}\n")).collect();
        replace(&self.path, text.as_bytes())
    }
}
