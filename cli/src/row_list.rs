//! What is written down of an upload's rows: never their values, only line, id and reason.
//!
//! It promises that an upload which goes on finds its lists as they were after the last row that is
//! known to be acknowledged, and that a link put in the place of the refused rows leads nowhere. It
//! relies on the order of the rows.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{BufRead as _, BufReader, BufWriter, ErrorKind, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;
use serde_json::{Value, json};

use crate::{error::CliError, transfer::RowResult};

/// What is written down of an upload's rows.
pub(crate) struct RowLists {
    pub(crate) rejects: RowList,
    pub(crate) results: Option<RowList>,
}

impl RowLists {
    /// Writes a row down.
    pub(crate) fn add(&mut self, row: &RowResult) -> Result<(), CliError> {
        if row.problem.is_some() {
            self.rejects.add(row)?;
        }
        self.results.as_mut().map_or(Ok(()), |results| results.add(row))
    }

    /// Brings the lists of an upload that has come so far into the state they had then.
    pub(crate) fn go_on_after(&mut self, rows: u64) -> Result<(), CliError> {
        self.rejects.go_on_after(rows)?;
        self.results.as_mut().map_or(Ok(()), |results| results.go_on_after(rows))
    }

    /// Hands everything to the system.
    pub(crate) fn flush(&mut self) -> Result<(), CliError> {
        self.rejects.flush()?;
        self.results.as_mut().map_or(Ok(()), RowList::flush)
    }

    /// Gives the file of the refused rows, if there are any.
    pub(crate) fn finish(self) -> Result<Option<PathBuf>, CliError> {
        self.results.map(RowList::finish).transpose()?;
        self.rejects.finish()
    }
}

/// A file with a line for each of some rows, made with the first of them.
pub(crate) struct RowList {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    /// Whether the user has named it: then it may be a link, a pipe or a terminal.
    is_named: bool,
}

impl RowList {
    /// A list where the user wants it.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path, file: None, is_named: true }
    }

    /// The list of refused rows of a file.
    pub(crate) fn of_rejects(file: &Path) -> Self {
        Self { path: beside(file, ".rejects.ndjson"), file: None, is_named: false }
    }

    /// The list of what a command other than an upload refuses of a file: each has one of its own.
    pub(crate) fn of_rejects_by(command: &str, file: &Path) -> Self {
        let path = beside(file, &format!(".{command}.rejects.ndjson"));
        Self { path, file: None, is_named: false }
    }

    /// Where it is, or will be with its first row.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a row down.
    pub(crate) fn add(&mut self, row: &RowResult) -> Result<(), CliError> {
        let mut entry = match &row.problem_document {
            Some(problem) => json!({ "row": row.row, "line": row.line, "problem": problem }),
            None => json!({ "row": row.row, "line": row.line, "id": row.id }),
        };
        if row.superseded {
            entry["superseded"] = true.into();
        }
        if let Some(verdicts) = &row.verdicts {
            entry["verdicts"] = verdicts.clone();
        }
        self.write(&entry)
    }

    /// Writes an entry down, which names its row.
    pub(crate) fn write(&mut self, entry: &Value) -> Result<(), CliError> {
        let path = self.path.clone();
        let failed = |error: std::io::Error| CliError::file("write", &path, &error);
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(self.create()?)),
        };
        writeln!(file, "{entry}").map_err(failed)
    }

    /// Keeps the entries of the first `rows` rows, and goes on behind them. Without any, the list of
    /// an earlier upload is taken away.
    pub(crate) fn go_on_after(&mut self, rows: u64) -> Result<(), CliError> {
        let path = self.path.clone();
        let failed = |error: std::io::Error| CliError::file("write", &path, &error);
        let file = match self.options().read(true).write(true).open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            // A link is taken away, never followed.
            Err(_) if !self.is_named && rows == 0 => {
                return std::fs::remove_file(&self.path).map_err(failed);
            }
            file => file.map_err(failed)?,
        };
        if file.metadata().map_err(failed)?.is_file() {
            self.lock(&file)?;
            let kept_bytes = bytes_of_rows(&file, rows).map_err(failed)?;
            file.set_len(kept_bytes).map_err(failed)?;
            if kept_bytes == 0 {
                return std::fs::remove_file(&self.path).map_err(failed);
            }
            (&file).seek(SeekFrom::End(0)).map_err(failed)?;
        }
        self.file = Some(BufWriter::new(file));
        Ok(())
    }

    /// Makes the file; `go_on_after` has taken an earlier one away.
    fn create(&self) -> Result<File, CliError> {
        let failed = |error: std::io::Error| CliError::file("write", &self.path, &error);
        let mut options = self.options();
        let options = options.write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&self.path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_file() {
            self.lock(&file)?;
            file.set_len(0).map_err(failed)?;
        }
        Ok(file)
    }

    /// Keeps others off the list.
    fn lock(&self, file: &File) -> Result<(), CliError> {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let message = format!("another run writes {}", self.path.display());
                Err(CliError::failed(message).advise("let it end first, or name another list"))
            }
            // Some file systems know no locks.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
        }
    }

    fn options(&self) -> OpenOptions {
        let mut options = File::options();
        if !self.is_named {
            options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
        }
        options
    }

    /// Hands everything to the system.
    pub(crate) fn flush(&mut self) -> Result<(), CliError> {
        let flushed = self.file.as_mut().map_or(Ok(()), BufWriter::flush);
        flushed.map_err(|error| CliError::file("write", &self.path, &error))
    }

    /// Gives its file, if there are any rows.
    pub(crate) fn finish(mut self) -> Result<Option<PathBuf>, CliError> {
        self.flush()?;
        Ok(self.file.map(|_| self.path))
    }
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// How many bytes of a list tell of its first `rows` rows; a last line that was cut off does not.
fn bytes_of_rows(list: &File, rows: u64) -> std::io::Result<u64> {
    let (mut list, mut line, mut bytes) = (BufReader::new(list), Vec::new(), 0);
    loop {
        line.clear();
        let read = list.read_until(b'\n', &mut line)?;
        let entry: Option<Value> = serde_json::from_slice(&line).ok();
        let row = entry.and_then(|entry| entry["row"].as_u64());
        if !line.ends_with(b"\n") || row.is_none_or(|row| row > rows) {
            return Ok(bytes);
        }
        bytes += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "a.csv.rejects.ndjson";

    fn rejected() -> RowResult {
        rejected_row(2)
    }

    fn rejected_row(row: u64) -> RowResult {
        let problem = json!({ "code": "invalid_request", "title": "invalid request" });
        RowResult {
            row,
            line: Some(row + 1),
            superseded: false,
            id: None,
            pseudonymous: None,
            verdicts: None,
            key_versions: Default::default(),
            problem: serde_json::from_value(problem.clone()).ok(),
            problem_document: Some(problem),
        }
    }

    #[test]
    fn refused_rows_are_listed_beside_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let mut rejects = RowList::of_rejects(&directory.path().join("a.csv"));
        rejects.add(&rejected()).unwrap();
        let path = rejects.finish().unwrap().unwrap();
        assert_eq!(path, directory.path().join(LIST));
        let text = std::fs::read_to_string(path).unwrap();
        let entry: Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!((&entry["line"], &entry["row"]), (&json!(3), &json!(2)));
        assert_eq!(entry["problem"]["code"], "invalid_request");
    }

    #[test]
    fn verdicts_are_written_down_with_the_row_they_are_of() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rows.ndjson");
        let mut results = RowList::at(path.clone());
        let stored = r#"{"row":1,"line":2,"id":"a","verdicts":[{"code":"value"}]}"#;
        results.add(&serde_json::from_str(stored).unwrap()).unwrap();
        let verdicts = Some(json!([{ "code": "prose" }]));
        results.add(&RowResult { verdicts, ..rejected() }).unwrap();
        results.finish().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let codes = text.lines().map(|line| {
            let entry: Value = serde_json::from_str(line).unwrap();
            entry["verdicts"][0]["code"].as_str().unwrap().to_owned()
        });
        assert_eq!(codes.collect::<Vec<_>>(), ["value", "prose"]);
    }

    #[test]
    fn without_refused_rows_there_is_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let rejects = RowList::of_rejects(&directory.path().join("a.csv"));
        assert_eq!(rejects.finish().unwrap(), None);
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_list_goes_on_behind_the_rows_that_are_known() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.csv");
        let mut first = RowList::of_rejects(&path);
        for row in [2, 5, 9] {
            first.add(&rejected_row(row)).unwrap();
        }
        let list = first.finish().unwrap().unwrap();
        let mut cut_off = File::options().append(true).open(&list).unwrap();
        cut_off.write_all(b"{\"row\":7").unwrap();
        let mut second = RowList::of_rejects(&path);
        second.go_on_after(7).unwrap();
        second.add(&rejected_row(9)).unwrap();
        second.finish().unwrap();
        let text = std::fs::read_to_string(&list).unwrap();
        let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        assert_eq!(rows.map(|entry| entry["row"].clone()).collect::<Vec<_>>(), [2, 5, 9]);
        let mut anew = RowList::of_rejects(&path);
        anew.go_on_after(0).unwrap();
        assert!(!list.exists(), "a new upload has no list before its first refused row");
    }

    #[test]
    fn a_link_in_the_place_of_the_refused_rows_is_never_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (path, other) = (directory.path().join("a.csv"), directory.path().join("other"));
        std::fs::write(&other, "kept").unwrap();
        let mut rejects = RowList::of_rejects(&path);
        let link = || std::os::unix::fs::symlink(&other, directory.path().join(LIST)).unwrap();
        link();
        assert!(rejects.go_on_after(3).is_err());
        rejects.go_on_after(0).unwrap();
        link();
        assert!(rejects.add(&rejected()).is_err());
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "kept");
    }

    #[test]
    fn two_runs_do_not_write_one_list() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.csv");
        let list = || RowList::of_rejects_by("tokenize", &path);
        let mut first = list();
        first.add(&rejected()).unwrap();
        assert!(list().go_on_after(0).is_err());
        assert!(list().add(&rejected()).is_err());
        let kept = first.finish().unwrap().unwrap();
        assert_eq!(kept, directory.path().join("a.csv.tokenize.rejects.ndjson"));
        assert_eq!(std::fs::read_to_string(kept).unwrap().lines().count(), 1);
        list().go_on_after(9).unwrap();
    }

    #[test]
    fn results_may_go_to_what_is_no_file() {
        let mut results = RowList::at("/dev/null".into());
        results.go_on_after(0).unwrap();
        results.add(&rejected()).unwrap();
        assert!(results.finish().unwrap().is_some());
    }
}
