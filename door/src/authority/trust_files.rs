use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::anchors;
use crate::DoorError;
use crate::config::Table;

/// Files of revocation lists at most.
const REVOCATION_LISTS_MAX: usize = 16;

/// The files that say whose certificates are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustFiles {
    /// The authorities that issue the certificates, PEM.
    pub authorities: PathBuf,
    /// Certificate revocation lists of those authorities, PEM (RFC 5280 §5). With one, every
    /// authority needs one.
    pub revocation_lists: Vec<PathBuf>,
    /// Certificates refused whatever the lists say: a SHA-256 fingerprint a line, in hex.
    pub denied_certificates: Option<PathBuf>,
}

/// What tells that files were written or exchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamps(Vec<Option<[i128; 4]>>);

impl TrustFiles {
    /// Authorities that revoke nothing.
    #[must_use]
    pub fn new(authorities: PathBuf) -> Self {
        Self { authorities, revocation_lists: Vec::new(), denied_certificates: None }
    }

    /// Reads the keys `authorities`, `revocation_lists`, `denied_certificates` of a table.
    #[must_use]
    pub fn read(table: &mut Table<'_>) -> Option<Self> {
        let authorities = table.path("authorities");
        let revocation_lists = table.paths("revocation_lists", REVOCATION_LISTS_MAX);
        let denied_certificates = table.optional_path("denied_certificates");
        let files = Self {
            authorities: authorities?,
            revocation_lists: revocation_lists?,
            denied_certificates: denied_certificates?,
        };
        table.name_trust_files(&files);
        Some(files)
    }

    /// What is wrong with the files, and the key of the configuration that names the one at fault.
    #[must_use]
    pub fn fault(&self) -> Option<(&'static str, DoorError)> {
        let fault = anchors::load_files(self).err()?;
        let at_fault = fault.file().map(Path::to_owned);
        let key = match at_fault {
            Some(path) if self.revocation_lists.contains(&path) => "revocation_lists",
            path if path.is_some() && path == self.denied_certificates => "denied_certificates",
            Some(_) | None => "authorities",
        };
        Some((key, fault))
    }

    /// The same of a table that may leave them out as a whole.
    #[must_use]
    pub fn read_optional(table: &mut Table<'_>) -> Option<Option<Self>> {
        if table.optional_path("authorities")?.is_some() {
            return Self::read(table).map(Some);
        }
        for key in ["revocation_lists", "denied_certificates"] {
            if table.has(key) {
                table.mistake(key, "needs `authorities` beside it");
            }
        }
        Some(None)
    }

    /// How the files are now; a file that is not there has none.
    pub(super) fn stamps(&self) -> Stamps {
        let paths = [&self.authorities].into_iter().chain(&self.revocation_lists);
        Stamps(paths.chain(&self.denied_certificates).map(|path| stamp(path)).collect())
    }
}

fn stamp(path: &Path) -> Option<[i128; 4]> {
    let metadata = std::fs::metadata(path).ok()?;
    let changed = i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
    let size = i128::from(metadata.size());
    Some([i128::from(metadata.dev()), i128::from(metadata.ino()), changed, size])
}
