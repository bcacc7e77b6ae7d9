//! What is written down of an upload's rows: never their values, only line, id and reason.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use serde_json::json;

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
}

impl RowList {
    /// A list at a path.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// The list of refused rows.
    pub(crate) fn of_rejects(file: &Path) -> Self {
        let mut path = file.as_os_str().to_owned();
        path.push(".rejects.ndjson");
        Self::at(path.into())
    }

    /// Writes a row down.
    pub(crate) fn add(&mut self, row: &RowResult) -> Result<(), CliError> {
        let entry = match &row.problem_document {
            Some(problem) => json!({ "row": row.row, "line": row.line, "problem": problem }),
            None => json!({ "row": row.row, "line": row.line, "id": row.id }),
        };
        let path = self.path.clone();
        let failed = |error: std::io::Error| CliError::file("write", &path, &error);
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(create(&self.path).map_err(failed)?)),
        };
        writeln!(file, "{entry}").map_err(failed)
    }

    /// Gives its file, if there are any rows.
    pub(crate) fn finish(self) -> Result<Option<PathBuf>, CliError> {
        let Some(mut file) = self.file else {
            return Ok(None);
        };
        file.flush().map_err(|error| CliError::file("write", &self.path, &error))?;
        Ok(Some(self.path))
    }
}

/// Replaces the list of an earlier upload of the same file.
fn create(path: &Path) -> std::io::Result<File> {
    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected() -> RowResult {
        let problem = json!({ "code": "invalid_request", "title": "invalid request" });
        RowResult {
            row: 2,
            line: Some(3),
            id: None,
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
        assert_eq!(path, directory.path().join("a.csv.rejects.ndjson"));
        let text = std::fs::read_to_string(path).unwrap();
        let entry: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!((&entry["line"], &entry["row"]), (&json!(3), &json!(2)));
        assert_eq!(entry["problem"]["code"], "invalid_request");
    }

    #[test]
    fn without_refused_rows_there_is_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let rejects = RowList::of_rejects(&directory.path().join("a.csv"));
        assert_eq!(rejects.finish().unwrap(), None);
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }
}
