//! An attack, and what the thief got.

use serde_json::{Value, json};
use tresor_proto::ErrorCode;

use super::{
    disk_search::{Findings, Needles},
    stage::OnDisk,
};
use crate::error::CliError;

/// One attack, or one control that has to succeed.
#[derive(Clone, Debug)]
pub(crate) struct Attack {
    /// What was tried.
    pub(crate) what: String,
    /// What the thief had.
    pub(crate) with: &'static str,
    /// What he got, in words.
    pub(crate) got: String,
    /// The code of the refusal.
    pub(crate) code: Option<ErrorCode>,
    /// Whether he got nothing.
    pub(crate) is_refused: bool,
}

impl Attack {
    /// What an attempt through a door came to: any answer at all is a success for the thief.
    pub(crate) fn through_door<T>(
        what: impl Into<String>,
        with: &'static str,
        answer: Result<T, CliError>,
    ) -> Self {
        let (got, code, is_refused) = match answer {
            Ok(_) => ("the record".to_owned(), None, false),
            Err(error) => match error.code() {
                Some(code) => (code.title().to_owned(), Some(code), true),
                None => (error.to_string(), None, true),
            },
        };
        Self { what: what.into(), with, got, code, is_refused }
    }

    /// As JSON.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "what": self.what,
            "with": self.with,
            "got": self.got,
            "code": self.code.map(ErrorCode::as_str),
            "refused": self.is_refused,
        })
    }
}

/// Searches the tenant's database, then the whole data directory.
pub(crate) fn search(
    needles: &Needles,
    on_disk: &impl OnDisk,
    when: &str,
    attacks: &mut Vec<Attack>,
) -> Result<Findings, CliError> {
    let database = needles.search(&on_disk.database())?;
    let everything = needles.search(&on_disk.data_dir())?;
    let places = [("the tenant's database", &database), ("the whole data directory", &everything)];
    for (place, findings) in places {
        attacks.push(Attack {
            what: format!("search {place} {when}"),
            with: "the disk",
            got: format!("{} values in {} files", findings.hits, findings.files),
            code: None,
            is_refused: findings.hits == 0,
        });
    }
    // The database lies in the data directory: its findings are in `everything` already.
    Ok(everything)
}
