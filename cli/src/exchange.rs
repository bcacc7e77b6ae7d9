//! Files of values for files of surrogates, and back: the same file with other values in their
//! places. Of surrogates for those in their places: a map.
//!
//! It promises order, bounded memory and one batch under way: what is written was answered before.
//! A value that is refused leaves its place empty and is listed by line and reason. An exchange that
//! broke off goes on behind the last batch that was written, under the same idempotency keys; one of
//! which the rest would be made under another key stops.

use std::path::PathBuf;

use serde::Serialize;
use tokio::sync::mpsc::Receiver;

mod answer;
mod batch;
mod desk;
mod kept;
mod outlet;
mod source;

use self::{
    answer::{Answer, Refusal},
    batch::Batch,
    source::Portion,
};
pub(crate) use self::{
    batch::{Column, Entry},
    desk::{Desk, Direction},
    kept::{Kept, Task},
    outlet::Outlet,
    source::{Source, Written},
};
use crate::{
    error::CliError,
    key_versions::{KeyVersions, is_of_another_key},
    output::counted,
    row_list::RowList,
    transfer::Extent,
};

/// An exchange that can be gone on with.
pub(crate) struct Exchange<'a> {
    pub(crate) desk: Desk<'a>,
    pub(crate) outlet: Outlet,
    /// Values that were refused.
    pub(crate) rejects: RowList,
    /// How far it has come, and where that is kept; what cannot be read twice has no such place.
    pub(crate) kept: Kept,
    pub(crate) kept_at: Option<PathBuf>,
}

/// What an exchange has come to.
#[derive(Debug, Serialize)]
pub(crate) struct Totals {
    /// Whether the whole file was read.
    pub(crate) complete: bool,
    /// Values that have others in their places.
    pub(crate) traded: u64,
    /// Values and rows that were refused.
    pub(crate) rejected: u64,
    /// The row behind which this run went on.
    pub(crate) resumed_after_row: Option<u64>,
    /// The file that was written.
    pub(crate) out: Option<PathBuf>,
    /// Where lines and reasons of refused values are.
    pub(crate) rejects_file: Option<PathBuf>,
    /// By info type, the version of the key that made the format-preserving surrogates.
    #[serde(skip_serializing_if = "KeyVersions::is_empty")]
    pub(crate) key_versions: KeyVersions,
}

impl Exchange<'_> {
    /// Exchanges until the file is through. What it has come to is given however it ends.
    pub(crate) async fn run(
        mut self,
        mut portions: Receiver<Portion>,
    ) -> Result<(Totals, Result<(), CliError>), CliError> {
        let begun_at = self.kept.rows;
        let end = match self.exchange_all(&mut portions).await {
            Ok(()) => self.finish(),
            Err(error) => Err(error),
        };
        let end = match end {
            Ok(()) => {
                self.forget();
                Ok(())
            }
            Err(error) => Err(self.parting(error)),
        };
        let totals = Totals {
            complete: end.is_ok(),
            traded: self.kept.traded,
            rejected: self.kept.rejected,
            resumed_after_row: (begun_at > 0).then_some(begun_at),
            out: self.outlet.path().filter(|_| end.is_ok()),
            rejects_file: self.rejects.finish()?,
            key_versions: self.kept.key_versions,
        };
        Ok((totals, end))
    }

    async fn exchange_all(&mut self, portions: &mut Receiver<Portion>) -> Result<(), CliError> {
        while let Some(portion) = portions.recv().await {
            match portion {
                Portion::Rows(batch) => self.exchange(batch).await?,
                Portion::End(end) => return end,
            }
        }
        Err(CliError::failed("the file cannot be read"))
    }

    /// Asks for a batch, and writes what is answered.
    async fn exchange(&mut self, mut batch: Batch) -> Result<(), CliError> {
        let key = format!("{}-{}", self.kept.idempotency_key, batch.first_row());
        let answers = self.desk.trade(&batch.items(), &key).await?;
        for (info_type, version) in batch.key_versions(&answers) {
            self.kept.key_versions.take(info_type, version)?;
        }
        let refused = self.write(&mut batch, answers)?;
        for refusal in &refused {
            self.rejects.write(&refusal.to_json())?;
        }
        self.kept.rows = batch.last_row();
        self.kept.traded += batch.traded();
        self.kept.rejected += refused.len() as u64;
        let extent = self.outlet.flush()?;
        self.keep(extent)
    }

    /// Writes the same rows with what was answered, or what stands in the place of what; gives what
    /// was refused.
    fn write(&mut self, batch: &mut Batch, answers: Vec<Answer>) -> Result<Vec<Refusal>, CliError> {
        if self.desk.direction == Direction::Renew {
            for (old, new) in batch.pairs(&answers) {
                self.outlet.write_pair(old, new)?;
            }
            return batch.put(answers);
        }
        let refused = batch.put(answers)?;
        for entry in &batch.entries {
            self.outlet.write(entry)?;
        }
        Ok(refused)
    }

    /// Gives the file its final name, which it has when nothing is missing.
    fn finish(&mut self) -> Result<(), CliError> {
        let extent = self.outlet.complete()?;
        self.keep(extent)?;
        self.outlet.name()
    }

    /// Keeps how far it has come; what was written first, so that none of it is missing afterwards.
    fn keep(&mut self, extent: Option<Extent>) -> Result<(), CliError> {
        self.rejects.flush()?;
        self.kept.extent = extent;
        self.kept_at.as_deref().map_or(Ok(()), |path| self.kept.save(path))
    }

    fn forget(&self) {
        if let Some(path) = &self.kept_at {
            // A file left behind says that all is done; the next exchange finds out.
            let _ = std::fs::remove_file(path);
        }
    }

    /// What to do after the last attempt.
    fn parting(&mut self, error: CliError) -> CliError {
        if self.kept_at.is_none() {
            return error;
        }
        if self.kept.rows == 0 && !self.kept.extent.is_some_and(|extent| extent.is_whole) {
            self.forget();
            self.outlet.discard();
            return error;
        }
        if is_of_another_key(&error) {
            return error.advise(format!(
                "the first {} are written with surrogates of the older key, and kept as they are. \
                 --restart writes the file anew with those of the newer one",
                counted(self.kept.rows, "row")
            ));
        }
        let again = format!("the same command goes on after row {}", self.kept.rows);
        match error.advice().filter(|_| !error.may_pass()).map(str::to_owned) {
            Some(advice) => error.advise(format!("{advice}\n  → then {again}")),
            None => error.advise(again),
        }
    }
}
