//! How far an exchange has come, kept beside the file it writes until it is done.
//!
//! It promises that an exchange is gone on with only when file, flags and server are the same, and
//! that no value is written down. It relies on the idempotency keys that are made of the one kept
//! here.

use std::{
    fs::File,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tresor_proto::IdempotencyKey;

use crate::{
    error::CliError,
    key_versions::KeyVersions,
    transfer::{Extent, FileMark, START_OVER, write_whole},
};

/// The version of what is written.
const VERSION: u32 = 1;
/// Bytes of a progress file; what is longer is none.
const PROGRESS_BYTES_MAX: u64 = 64 * 1024;

/// How far an exchange has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    version: u32,
    pub(crate) task: Task,
    /// When the surrogates expire, counted from the beginning.
    pub(crate) expires: Option<String>,
    /// Begins the names of all batches.
    pub(crate) idempotency_key: String,
    /// Rows that are done, all of them from the first on.
    pub(crate) rows: u64,
    pub(crate) traded: u64,
    pub(crate) rejected: u64,
    /// By info type, of which key the surrogates are that are written.
    #[serde(default, skip_serializing_if = "KeyVersions::is_empty")]
    pub(crate) key_versions: KeyVersions,
    /// How much is written, once something is.
    pub(crate) extent: Option<Extent>,
}

/// What is exchanged for what, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Task {
    pub(crate) file: FileMark,
    pub(crate) server: String,
    pub(crate) tenant: Option<String>,
    /// The flags that matter.
    pub(crate) flags: Value,
}

impl Kept {
    /// An exchange of which nothing is done yet.
    pub(crate) fn begin(task: Task, expires: Option<String>) -> Self {
        Self {
            version: VERSION,
            task,
            expires,
            idempotency_key: uuid::Uuid::new_v4().to_string(),
            rows: 0,
            traded: 0,
            rejected: 0,
            key_versions: KeyVersions::default(),
            extent: None,
        }
    }

    /// The place of the progress of what is written to `out`.
    pub(crate) fn path_beside(out: &Path) -> PathBuf {
        let mut path = out.as_os_str().to_owned();
        path.push(".tresor-progress");
        path.into()
    }

    /// What was kept of an exchange that was not done; `None` when there is nothing.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>, CliError> {
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|error| CliError::file("read", path, &error))?,
        };
        let kept: Option<Self> = serde_json::from_reader(file.take(PROGRESS_BYTES_MAX)).ok();
        let is_sound = |kept: &Self| {
            kept.version == VERSION && IdempotencyKey::parse(&kept.idempotency_key).is_ok()
        };
        let kept = kept.filter(is_sound).ok_or_else(|| {
            let message = format!("{} is not the progress of this", path.display());
            CliError::failed(message).advise(START_OVER)
        })?;
        Ok(Some(kept))
    }

    /// Itself, when it is of this task.
    pub(crate) fn continued(self, task: &Task) -> Result<Self, CliError> {
        if self.task == *task {
            return Ok(self);
        }
        let message = if self.task.file == task.file {
            "another run with other flags, or for another server or tenant, broke off"
        } else {
            "the file has changed since the run that broke off"
        };
        Err(CliError::failed(format!("{message} after row {}", self.rows)).advise(START_OVER))
    }

    /// Writes it down, whole or not at all.
    pub(crate) fn save(&self, path: &Path) -> Result<(), CliError> {
        write_whole(path, &serde_json::to_vec(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn task(flags: &Value, content: &str) -> Task {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        Task {
            file: FileMark::of(file.path()).unwrap(),
            server: "https://localhost:8443".to_owned(),
            tenant: None,
            flags: flags.clone(),
        }
    }

    #[test]
    fn what_is_kept_is_read_back_and_gone_on_with_for_the_same_task_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = Kept::path_beside(&directory.path().join("out.csv"));
        assert_eq!(Kept::load(&path).unwrap(), None);
        let ours = task(&json!({ "kind": "random" }), "Erika\n");
        let mut kept = Kept::begin(ours.clone(), Some("2100-01-01T00:00:00Z".to_owned()));
        (kept.rows, kept.extent) = (1_000, Some(Extent { bytes: 26_000, ..Extent::default() }));
        kept.key_versions.take("METER_ID", 3).unwrap();
        kept.save(&path).unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("Erika"));
        let read = Kept::load(&path).unwrap().unwrap();
        assert_eq!(read, kept);
        assert!(read.clone().continued(&ours).is_ok());
        for (flags, content, why) in [
            (json!({ "kind": "deterministic" }), "Erika\n", "other flags"),
            (json!({ "kind": "random" }), "Erica\n", "has changed"),
        ] {
            let refusal = read.clone().continued(&task(&flags, content)).unwrap_err();
            assert!(refusal.to_string().contains(why), "{refusal}");
            assert!(refusal.advice().unwrap().contains("--restart"));
        }
        std::fs::write(&path, "{}").unwrap();
        assert!(Kept::load(&path).is_err());
    }
}
