//! How far an upload has come, kept beside its file until it is done.
//!
//! It promises that an upload is gone on with only when file and destination are the same, and
//! that no value is written down. It relies on the idempotency key, under which the external API
//! recognises rows that were stored although nobody was told.

use std::{
    fs::File,
    io::{ErrorKind, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tresor_proto::IdempotencyKey;

use super::pseudonymous::Extent;
use crate::{error::CliError, key_versions::KeyVersions};

/// The version of what is written.
const VERSION: u32 = 1;
/// Bytes of a progress file; what is longer is none.
const PROGRESS_BYTES_MAX: u64 = 64 * 1024;
/// Seconds the vault remembers an idempotency key for.
const REMEMBERED_SECONDS: i64 = 24 * 60 * 60;
/// What to do when it cannot be gone on with.
pub(crate) const START_OVER: &str = "--restart starts over; what was stored before stays stored";

/// How far an upload has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checkpoint {
    version: u32,
    file: FileMark,
    destination: Destination,
    /// Names the upload, whatever parts it is sent in.
    pub(crate) idempotency_key: String,
    /// Rows acknowledged, all of them from the first on.
    pub(crate) rows: u64,
    /// How many of them were stored.
    pub(crate) accepted: u64,
    /// How many of them were refused.
    pub(crate) rejected: u64,
    /// How many of the stored ones were replaced by a later row of the same id, or since.
    #[serde(default)]
    pub(crate) superseded: u64,
    /// What became of the fields; `None` once it is not known of some rows.
    pub(crate) fields: Option<FieldCounts>,
    /// The version of the policy under which all rows are stored, when there is a pseudonymous file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy_version: Option<u64>,
    /// By field, of which key the surrogates are that are in the pseudonymous file.
    #[serde(default, skip_serializing_if = "KeyVersions::is_empty")]
    pub(crate) key_versions: KeyVersions,
    /// How much of the pseudonymous file is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) extent: Option<Extent>,
    saved_unix_seconds: i64,
}

/// What tells whether a file is still the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileMark {
    bytes: u64,
    sha256: String,
}

/// Where the records of an upload go, and as what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Destination {
    /// The external API.
    pub(crate) server: String,
    /// The tenant, as the certificate names it.
    pub(crate) tenant: Option<String>,
    /// The collection.
    pub(crate) collection: String,
    /// The type of the file.
    pub(crate) content_type: String,
    /// The field whose value becomes the record's id.
    pub(crate) id_field: Option<String>,
    /// Where the pseudonymous file will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) out: Option<PathBuf>,
}

/// Fields by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldCounts {
    pub(crate) sealed: u64,
    pub(crate) clear: u64,
    pub(crate) dropped: u64,
    #[serde(default)]
    pub(crate) tokenized: u64,
    #[serde(default)]
    pub(crate) flagged: u64,
}

impl FileMark {
    /// The mark of a file.
    pub(crate) fn of(path: &Path) -> Result<Self, CliError> {
        let failed = |error: std::io::Error| CliError::file("read", path, &error);
        let mut file = File::open(path).map_err(failed)?;
        let mut digest = Context::new(&SHA256);
        let mut chunk = vec![0; 64 * 1024];
        let mut bytes = 0;
        loop {
            let read = file.read(&mut chunk).map_err(failed)?;
            if read == 0 {
                return Ok(Self { bytes, sha256: hex::encode(digest.finish()) });
            }
            digest.update(chunk.get(..read).unwrap_or_default());
            bytes += read as u64;
        }
    }
}

impl Checkpoint {
    /// An upload of which nothing is sent yet.
    pub(crate) fn begin(file: FileMark, destination: Destination) -> Self {
        Self {
            version: VERSION,
            file,
            destination,
            idempotency_key: uuid::Uuid::new_v4().to_string(),
            rows: 0,
            accepted: 0,
            rejected: 0,
            superseded: 0,
            fields: Some(FieldCounts::default()),
            policy_version: None,
            key_versions: KeyVersions::default(),
            extent: None,
            saved_unix_seconds: 0,
        }
    }

    /// The place of the progress file of `file`.
    pub(crate) fn path_beside(file: &Path) -> PathBuf {
        let mut path = file.as_os_str().to_owned();
        path.push(".tresor-progress");
        path.into()
    }

    /// What was kept of an upload that was not done; `None` when there is nothing.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>, CliError> {
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|error| CliError::file("read", path, &error))?,
        };
        let kept: Option<Self> = serde_json::from_reader(file.take(PROGRESS_BYTES_MAX)).ok();
        let kept = kept.filter(Self::is_sound).ok_or_else(|| {
            let message = format!("{} is not the progress of an upload", path.display());
            CliError::failed(message).advise(START_OVER)
        })?;
        Ok(Some(kept))
    }

    /// Whether it can be what was kept: somebody else may have written there.
    fn is_sound(&self) -> bool {
        self.version == VERSION
            && self.accepted.checked_add(self.rejected) == Some(self.rows)
            && IdempotencyKey::parse(&self.idempotency_key).is_ok()
    }

    /// Itself, when it is of this file and for this destination.
    pub(crate) fn continued(
        self,
        path: &Path,
        file: &FileMark,
        destination: &Destination,
    ) -> Result<Self, CliError> {
        let (name, rows) = (path.display(), self.rows);
        if self.file != *file {
            let message = format!("{name} has changed since its upload broke off after row {rows}");
            return Err(CliError::failed(message).advise(START_OVER));
        }
        if self.destination != *destination {
            let Destination { server, collection, .. } = &self.destination;
            let message = format!(
                "another upload of {name} broke off after row {rows}: to the collection \
                 {collection} at {server}, or with other flags or another certificate"
            );
            let advice = format!("finish that one first, as it was begun; {START_OVER}");
            return Err(CliError::failed(message).advise(advice));
        }
        Ok(self)
    }

    /// Whether the vault may have forgotten what it stored last.
    pub(crate) fn is_forgotten(&self) -> bool {
        let age = OffsetDateTime::now_utc().unix_timestamp() - self.saved_unix_seconds;
        age > REMEMBERED_SECONDS
    }

    /// Writes it down, whole or not at all.
    pub(crate) fn save(&mut self, path: &Path) -> Result<(), CliError> {
        self.saved_unix_seconds = OffsetDateTime::now_utc().unix_timestamp();
        write_whole(path, &serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Writes a small file for its owner only, whole or not at all.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), CliError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let write = || -> std::io::Result<()> {
        // What stands there is a draft of ours that was cut off, or a link to somewhere else.
        let _ = std::fs::remove_file(&beside);
        let mut options = File::options();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|error| CliError::file("write", path, &error))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn destination(collection: &str) -> Destination {
        Destination {
            server: "https://localhost:8443".to_owned(),
            tenant: None,
            collection: collection.to_owned(),
            content_type: "text/csv".to_owned(),
            id_field: None,
            out: None,
        }
    }

    fn file(content: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.csv");
        std::fs::write(&path, content).unwrap();
        (directory, path)
    }

    #[test]
    fn what_is_kept_is_for_its_owner_and_read_back() {
        let (_directory, path) = file("name\nErika\n");
        let mark = FileMark::of(&path).unwrap();
        let progress = Checkpoint::path_beside(&path);
        assert_eq!(Checkpoint::load(&progress).unwrap(), None);
        let mut begun = Checkpoint::begin(mark.clone(), destination("customers"));
        (begun.rows, begun.accepted) = (1, 1);
        begun.key_versions.take("phone", 3).unwrap();
        begun.save(&progress).unwrap();
        let mode = progress.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let kept = Checkpoint::load(&progress).unwrap().unwrap();
        assert_eq!(kept, begun);
        assert!(!kept.is_forgotten());
        assert!(kept.continued(&path, &mark, &destination("customers")).is_ok());
        let text = std::fs::read_to_string(&progress).unwrap();
        assert!(!text.contains("Erika"));
    }

    #[test]
    fn a_changed_file_and_another_destination_are_refused() {
        let (_directory, path) = file("name\nErika\n");
        let mark = FileMark::of(&path).unwrap();
        let begun = Checkpoint::begin(mark.clone(), destination("customers"));
        let refusal = begun.clone().continued(&path, &mark, &destination("others")).unwrap_err();
        assert!(refusal.to_string().contains("collection customers"), "{refusal}");
        std::fs::write(&path, "name\nErica\n").unwrap();
        let changed = FileMark::of(&path).unwrap();
        let refusal = begun.continued(&path, &changed, &destination("customers")).unwrap_err();
        assert!(refusal.to_string().contains("has changed"), "{refusal}");
        assert!(refusal.advice().unwrap().contains("--restart"));
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_a_beginning() {
        let (_directory, path) = file("{\"version\":1}");
        assert!(Checkpoint::load(&path).unwrap_err().advice().unwrap().contains("--restart"));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let (_directory, path) = file("name\nErika\n");
        let begin = || Checkpoint::begin(FileMark::default(), destination("customers"));
        let edits: [fn(&mut Checkpoint); 4] = [
            |kept| kept.version += 1,
            |kept| kept.rows = 1,
            |kept| (kept.accepted, kept.rejected) = (u64::MAX, 1),
            |kept| kept.idempotency_key = "a\nb".to_owned(),
        ];
        for edit in edits {
            let mut kept = begin();
            edit(&mut kept);
            kept.save(&path).unwrap();
            assert!(Checkpoint::load(&path).is_err(), "{kept:?}");
        }
        begin().save(&path).unwrap();
        assert!(Checkpoint::load(&path).is_ok());
    }

    #[test]
    fn a_link_in_the_place_of_the_draft_is_not_followed() {
        let (directory, path) = file("name\nErika\n");
        let progress = Checkpoint::path_beside(&path);
        let link = directory.path().join("a.csv.tresor-progress.new");
        std::os::unix::fs::symlink(&path, link).unwrap();
        let mark = FileMark::of(&path).unwrap();
        Checkpoint::begin(mark, destination("customers")).save(&progress).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "name\nErika\n");
        assert!(progress.symlink_metadata().unwrap().is_file());
    }
}
