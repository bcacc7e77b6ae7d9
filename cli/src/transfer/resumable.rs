//! Uploads that go on where they broke off: within one run, and from one run to the next.
//!
//! It promises that every row is stored once and listed once, however often the connection breaks
//! or the process is killed. It relies on the idempotency key for rows that were stored without
//! being acknowledged, and on the table of errors for what may pass by itself.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::Serialize;
use tresor_proto::{CustomerToken, ErrorCode};

use super::{
    Checkpoint, Event, Part, Pseudonymous, RowResult, Summary, Upload, checkpoint::FieldCounts,
    policy_version, upload,
};
use crate::{
    error::CliError,
    https::Https,
    key_versions::{KeyVersions, is_of_another_key},
    output::{Output, counted},
    progress::Progress,
    retrying::{Patience, pauses},
    row_list::RowLists,
};

/// How often progress is written down.
const SAVE_INTERVAL: Duration = Duration::from_millis(100);

/// An upload that can be gone on with.
pub(crate) struct Resumable<'a> {
    pub(crate) https: &'a Https,
    pub(crate) customer_token: &'a CustomerToken,
    pub(crate) upload: Upload<'a>,
    /// How often to try again without a row being acknowledged in between.
    pub(crate) retries: usize,
    pub(crate) output: &'a Output,
    pub(crate) ledger: Ledger,
}

/// What is known of the rows of an upload.
pub(crate) struct Ledger {
    /// How far it has come.
    pub(crate) checkpoint: Checkpoint,
    /// Where that is kept; a file that cannot be read twice has no such place.
    pub(crate) path: Option<PathBuf>,
    /// Refused rows, and results.
    pub(crate) lists: RowLists,
    /// The same file with surrogates and masks, when it is wanted.
    pub(crate) pseudonymous: Option<Pseudonymous>,
    /// What is shown meanwhile.
    pub(crate) progress: Progress,
    /// When it was last kept.
    pub(crate) saved: Instant,
}

/// What an upload has come to, all its parts together.
#[derive(Debug, Serialize)]
pub(crate) struct Totals {
    /// Whether the whole file was read.
    pub(crate) complete: bool,
    /// Records stored.
    pub(crate) accepted: u64,
    /// Rows refused.
    pub(crate) rejected: u64,
    /// Those of the stored records that were replaced by a later row of the same id, or since.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) superseded: u64,
    /// Fields sealed; unknown once a part has broken off without a summary. So the next two.
    pub(crate) fields_sealed: Option<u64>,
    /// Fields stored readable.
    pub(crate) fields_clear: Option<u64>,
    /// Fields not stored.
    pub(crate) fields_dropped: Option<u64>,
    /// Fields sealed for which there is a surrogate.
    pub(crate) fields_tokenized: Option<u64>,
    /// Fields stored readable though they look personal: the policy only flags them.
    pub(crate) fields_flagged: Option<u64>,
    /// The row behind which this run went on.
    pub(crate) resumed_after_row: Option<u64>,
    /// Where lines and reasons of refused rows are.
    pub(crate) rejects_file: Option<PathBuf>,
    /// Where the pseudonymous file is, once it is whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pseudonymous_file: Option<PathBuf>,
    /// How many records are in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pseudonymous_records: Option<u64>,
    /// By field, the version of the key that made the format-preserving surrogates in it.
    #[serde(skip_serializing_if = "KeyVersions::is_empty")]
    pub(crate) key_versions: KeyVersions,
}

impl Resumable<'_> {
    /// Uploads until the file is through, or until trying again is of no use. What the upload has
    /// come to is given in both cases.
    pub(crate) async fn run(mut self) -> Result<(Totals, Result<(), CliError>), CliError> {
        let begun_at = self.ledger.checkpoint.rows;
        if let Err(error) = self.ledger.save() {
            self.output.note(format!("{error}: if this upload breaks off, it cannot go on there"));
            self.ledger.path = None;
        }
        let end = self.attempts().await.and_then(|()| self.ledger.complete());
        self.ledger.progress.finish();
        let end = match end {
            Ok(()) => {
                self.ledger.forget();
                Ok(())
            }
            Err(error) => Err(self.ledger.parting(error, self.upload.file)),
        };
        Ok((self.ledger.totals(begun_at, end.is_ok())?, end))
    }

    async fn attempts(&mut self) -> Result<(), CliError> {
        let (mut left, mut patience) = (pauses(self.retries), Patience::default());
        loop {
            let rows = self.ledger.checkpoint.rows;
            let error = match self.attempt(&mut patience).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            self.ledger.save()?;
            if self.ledger.checkpoint.rows > rows {
                left = pauses(self.retries);
                patience.answered();
            }
            let Some(pause) = patience.pause(&error, &mut left) else { return Err(error) };
            let note = format!("{error}; trying again in {:.1} s", pause.as_secs_f32());
            self.ledger.progress.suspended(|| self.output.note(note));
            tokio::time::sleep(pause).await;
        }
    }

    /// Sends what is left of the file.
    async fn attempt(&mut self, patience: &mut Patience) -> Result<(), CliError> {
        let rows = self.ledger.checkpoint.rows;
        let Some(part) = Part::behind(rows, self.upload.file, self.upload.media).await? else {
            return Ok(());
        };
        if self.ledger.pin(self.https, &self.upload).await? {
            patience.answered();
        }
        let idempotency_key = Some(self.ledger.checkpoint.idempotency_key.clone());
        let policy_version = self.ledger.checkpoint.policy_version;
        let sent = Upload { part, idempotency_key, policy_version, ..self.upload.clone() };
        self.ledger.progress.begin(part);
        // What became of the fields of this part its summary tells: a run that is killed knows no more.
        let fields = self.ledger.checkpoint.fields.take();
        let ledger = &mut self.ledger;
        let mut observe = |event| ledger.observe(event, part);
        let ended = upload(self.https, self.customer_token, &sent, &mut observe).await;
        if ended.is_ok() || self.ledger.checkpoint.rows == rows {
            self.ledger.checkpoint.fields = fields;
        }
        let summary = ended?;
        self.ledger.add_fields(&summary);
        match summary.problem {
            Some(problem) => Err(problem.into_error()),
            None if !summary.complete => Err(CliError::failed("the upload broke off").passing()),
            None => Ok(()),
        }
    }
}

impl Ledger {
    /// Holds a pseudonymous file to the version of the policy that is there before its first row: what
    /// stands for a field is the policy's, and of two policies a file would be of no use. Tells whether
    /// the server was asked, and answered.
    async fn pin(&mut self, https: &Https, upload: &Upload<'_>) -> Result<bool, CliError> {
        if self.pseudonymous.is_none() || self.checkpoint.policy_version.is_some() {
            return Ok(false);
        }
        let version = policy_version(https, upload.collection).await?;
        self.checkpoint.policy_version = Some(version);
        self.save().map(|()| true)
    }

    fn observe(&mut self, event: Event, part: Part) -> Result<(), CliError> {
        self.progress.advance(&event);
        let Event::Row(mut row) = event else { return Ok(()) };
        if let Some(error) = passing_problem(&row) {
            return Err(error);
        }
        if row.row != self.checkpoint.rows + 1 {
            return Err(CliError::failed("the server's answer leaves out a row"));
        }
        if self.pseudonymous.is_some() {
            self.checkpoint.key_versions.take_all(&row.key_versions)?;
        }
        row.line = row.line.map(|line| part.line_in_file(line));
        self.checkpoint.rows = row.row;
        match &row.problem {
            None => self.checkpoint.accepted += 1,
            Some(_) => self.checkpoint.rejected += 1,
        }
        self.checkpoint.superseded += u64::from(row.superseded);
        self.lists.add(&row)?;
        let is_left_out = row.problem.is_some() || row.superseded;
        if let Some(pseudonymous) = self.pseudonymous.as_mut().filter(|_| !is_left_out) {
            pseudonymous.add(row.pseudonymous.as_ref())?;
        }
        if self.saved.elapsed() > SAVE_INTERVAL { self.save() } else { Ok(()) }
    }

    fn add_fields(&mut self, summary: &Summary) {
        self.checkpoint.fields = self.checkpoint.fields.map(|fields| FieldCounts {
            sealed: fields.sealed.saturating_add(summary.fields_sealed),
            clear: fields.clear.saturating_add(summary.fields_clear),
            dropped: fields.dropped.saturating_add(summary.fields_dropped),
            tokenized: fields.tokenized.saturating_add(summary.fields_tokenized),
            flagged: fields.flagged.saturating_add(summary.fields_flagged),
        });
    }

    /// Keeps what is known; the files first, so that no row is missing from them afterwards.
    fn save(&mut self) -> Result<(), CliError> {
        self.lists.flush()?;
        self.checkpoint.extent = self.pseudonymous.as_mut().map(Pseudonymous::sync).transpose()?;
        self.keep()
    }

    /// Gives the pseudonymous file its name, in a way that can be gone on with at any point.
    fn complete(&mut self) -> Result<(), CliError> {
        let Some(pseudonymous) = &mut self.pseudonymous else { return Ok(()) };
        self.checkpoint.extent = Some(pseudonymous.complete()?);
        self.keep()?;
        self.pseudonymous.as_mut().map_or(Ok(()), Pseudonymous::name)
    }

    fn keep(&mut self) -> Result<(), CliError> {
        self.saved = Instant::now();
        self.path.as_deref().map_or(Ok(()), |path| self.checkpoint.save(path))
    }

    fn forget(&self) {
        if let Some(path) = &self.path {
            // A file left behind says that all rows are stored; the next upload finds out.
            let _ = std::fs::remove_file(path);
        }
    }

    /// What to do after the last attempt.
    fn parting(&mut self, error: CliError, file: &Path) -> CliError {
        let rows = self.checkpoint.rows;
        if self.path.is_none() {
            return error.advise(format!(
                "{} are stored; the rest is not known to be",
                counted(rows, "row")
            ));
        }
        let is_whole = self.checkpoint.extent.is_some_and(|extent| extent.is_whole);
        if rows == 0 && !is_whole && (error.is_unsent() || !error.may_pass()) {
            self.forget();
            if let Some(pseudonymous) = &mut self.pseudonymous {
                pseudonymous.discard();
            }
            return error;
        }
        if let Some(advice) = advice_to_restart(&error, rows) {
            return error.advise(advice);
        }
        let again = format!(
            "the same command goes on after row {rows} of {}, and stores nothing twice",
            file.display()
        );
        match error.advice().filter(|_| !error.may_pass()).map(str::to_owned) {
            Some(advice) => error.advise(format!("{advice}\n  → then {again}")),
            None => error.advise(again),
        }
    }

    fn totals(self, begun_at: u64, complete: bool) -> Result<Totals, CliError> {
        let Checkpoint { accepted, rejected, superseded, fields, key_versions, .. } =
            self.checkpoint;
        let whole = self.pseudonymous.as_ref().filter(|_| complete);
        Ok(Totals {
            complete,
            accepted,
            rejected,
            superseded,
            fields_sealed: fields.map(|fields| fields.sealed),
            fields_clear: fields.map(|fields| fields.clear),
            fields_dropped: fields.map(|fields| fields.dropped),
            fields_tokenized: fields.map(|fields| fields.tokenized),
            fields_flagged: fields.map(|fields| fields.flagged),
            resumed_after_row: (begun_at > 0).then_some(begun_at),
            rejects_file: self.lists.finish()?,
            pseudonymous_file: whole.map(|file| file.path().to_owned()),
            pseudonymous_records: whole.map(Pseudonymous::records),
            key_versions,
        })
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Whether rows would have to be stored under another version of the policy.
fn is_of_another_policy(error: &CliError) -> bool {
    error.violations().iter().any(|violation| violation.field == "policy_version")
}

/// What to do when a copy cannot be gone on with, since what comes would be of another policy or key.
fn advice_to_restart(error: &CliError, rows: u64) -> Option<String> {
    let rows = counted(rows, "row");
    let (kept, restart) = if is_of_another_policy(error) {
        let kept = format!(
            "the first {rows} are stored under the policy as it was, and the copy of them is kept"
        );
        (kept, "under the policy as it is now, and writes the copy anew")
    } else if is_of_another_key(error) {
        let kept = format!(
            "the copy of the first {rows} has surrogates of the older key and is kept; rows behind \
             them may be stored, too"
        );
        (kept, "and writes the copy anew with those of the newer key")
    } else {
        return None;
    };
    Some(format!(
        "{kept}. --restart uploads the file again {restart}; without --id-field the rows that are \
         stored would be there twice"
    ))
}

/// Why a row was not stored, when that may pass by itself: an overload, or another change to the
/// same record. A key that was used for another record will not.
fn passing_problem(row: &RowResult) -> Option<CliError> {
    let problem = row.problem.clone()?;
    let is_key_reused = problem.violations.iter().any(|v| v.field == "idempotency_key");
    let error = problem.into_error();
    let is_conflict = error.code() == Some(ErrorCode::Conflict) && !is_key_reused;
    if is_conflict {
        return Some(error.passing());
    }
    error.may_pass().then_some(error)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(problem: &serde_json::Value) -> RowResult {
        serde_json::from_value(json!({ "row": 1, "line": 2, "problem": problem })).unwrap()
    }

    #[test]
    fn a_row_is_refused_only_by_what_will_not_pass() {
        for code in ["overloaded", "storage_unavailable", "locked", "deadline_exceeded", "conflict"]
        {
            assert!(passing_problem(&row(&json!({ "code": code }))).unwrap().may_pass(), "{code}");
        }
        let reused = [json!({ "field": "idempotency_key", "description": "used for another" })];
        for problem in [
            json!({ "code": "invalid_request" }),
            json!({ "code": "wrong_key" }),
            json!({ "code": "rejected_by_policy" }),
            json!({ "code": "conflict", "violations": reused }),
        ] {
            assert!(passing_problem(&row(&problem)).is_none(), "{problem}");
        }
        assert!(passing_problem(&row(&serde_json::Value::Null)).is_none(), "a stored row");
    }
}
