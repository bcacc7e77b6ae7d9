//! The same file with surrogates and masks in the place of personal data, written while the
//! original is uploaded.
//!
//! It promises that records are in the order of the original, and that an upload which goes on
//! continues it where the last row was known to be acknowledged. It writes what the answers say and
//! nothing of the original but the header of a CSV, with the first record for what is added to it. It relies on a draft for its name.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Media, draft::Draft, layout::Layout};
use crate::error::CliError;

/// The file as far as it is written.
#[derive(Debug)]
pub(crate) struct Pseudonymous {
    path: PathBuf,
    layout: Layout,
    /// `None` once it has its final name.
    draft: Option<Draft>,
    extent: Extent,
}

/// How much of the file is written; kept with the progress of the upload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extent {
    pub(crate) bytes: u64,
    pub(crate) records: u64,
    /// How many columns the records of a CSV have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) columns: Option<usize>,
    /// Whether it only lacks its final name.
    pub(crate) is_whole: bool,
}

/// The place of a file as an absolute path, so that it stays the same whatever the directory is.
pub(crate) fn place_of(path: &Path) -> Result<PathBuf, CliError> {
    let packed =
        ["gz", "zst"].into_iter().any(|packed| path.extension().is_some_and(|e| e == packed));
    if packed {
        return Err(CliError::usage("--out is written unpacked; give it a name that says so"));
    }
    std::path::absolute(path).map_err(|error| CliError::file("write", path, &error))
}

impl Pseudonymous {
    /// Begins the file, laid out like `original`.
    pub(crate) async fn begin(
        path: PathBuf,
        original: &Path,
        media: Media,
    ) -> Result<Self, CliError> {
        Self::begin_laid_out(path, Layout::of(original, media).await?)
    }

    /// Begins a file.
    pub(crate) fn begin_laid_out(path: PathBuf, layout: Layout) -> Result<Self, CliError> {
        let draft = Some(Draft::begin(&path)?);
        Ok(Self { path, layout, draft, extent: Extent::default() })
    }

    /// Goes on with a file of which `extent` is known to be written.
    pub(crate) async fn go_on(
        path: PathBuf,
        original: &Path,
        media: Media,
        extent: Extent,
    ) -> Result<Self, CliError> {
        Self::go_on_laid_out(path, Layout::of(original, media).await?, extent)
    }

    /// The same with a layout that is known.
    pub(crate) fn go_on_laid_out(
        path: PathBuf,
        mut layout: Layout,
        extent: Extent,
    ) -> Result<Self, CliError> {
        let draft = Draft::go_on(&path, extent)?;
        if let Some(columns) = extent.columns {
            layout.go_on_with(columns);
        }
        Ok(Self { path, layout, draft, extent })
    }

    /// How many records it has.
    pub(crate) fn records(&self) -> u64 {
        self.extent.records
    }

    /// Where it will be.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the next record.
    pub(crate) fn add(&mut self, record: Option<&Map<String, Value>>) -> Result<(), CliError> {
        let is_first = self.extent.records == 0;
        let text = record.and_then(|record| {
            if is_first {
                self.layout.widen(record)?;
            }
            self.layout.record(record, is_first)
        });
        let text = text.ok_or_else(|| {
            CliError::failed("the server's answer does not say what stands in for a stored row")
        })?;
        self.add_text(&text)
    }

    /// Writes the next record as it is.
    pub(crate) fn add_text(&mut self, text: &[u8]) -> Result<(), CliError> {
        self.open()?;
        self.write(text)?;
        self.extent.records += 1;
        Ok(())
    }

    /// Hands what is written to the disk, and tells how much that is.
    pub(crate) fn sync(&mut self) -> Result<Extent, CliError> {
        let synced = self.draft.as_mut().map_or(Ok(()), Draft::sync);
        synced.map_err(|error| self.failed(&error))?;
        Ok(self.extent)
    }

    /// Writes the end, after which it only lacks its final name.
    pub(crate) fn complete(&mut self) -> Result<Extent, CliError> {
        if !self.extent.is_whole {
            self.open()?;
            self.write(self.layout.closing())?;
            self.extent.is_whole = true;
        }
        self.sync()
    }

    /// Writes what stands before the first record, once.
    fn open(&mut self) -> Result<(), CliError> {
        if self.extent.bytes > 0 {
            return Ok(());
        }
        self.extent.columns = self.layout.columns();
        let opening = self.layout.opening().to_vec();
        self.write(&opening)
    }

    /// Gives it its final name.
    pub(crate) fn name(&mut self) -> Result<(), CliError> {
        self.draft.take().map_or(Ok(()), Draft::name)
    }

    /// Takes away what is written.
    pub(crate) fn discard(&mut self) {
        if let Some(draft) = self.draft.take() {
            draft.discard();
        }
    }

    fn write(&mut self, text: &[u8]) -> Result<(), CliError> {
        let written = match &mut self.draft {
            Some(draft) => draft.write(text),
            None => Err(ErrorKind::ReadOnlyFilesystem.into()),
        };
        written.map_err(|error| self.failed(&error))?;
        self.extent.bytes += text.len() as u64;
        Ok(())
    }

    fn failed(&self, error: &std::io::Error) -> CliError {
        CliError::file("write", &self.path, error)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MEDIA: Media = Media { content_type: "application/json", encoding: None };

    fn place() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let original = directory.path().join("a.json");
        std::fs::write(&original, "[{\"name\":\"Erika\"}]").unwrap();
        let out = directory.path().join("out.json");
        (directory, original, out)
    }

    fn draft_of(out: &Path) -> PathBuf {
        out.with_extension("json.tresor-part")
    }

    fn add(file: &mut Pseudonymous, number: u64) {
        file.add(json!({ "name": number }).as_object()).unwrap();
    }

    fn numbers(path: &Path) -> Vec<Value> {
        let records: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        records.into_iter().map(|record| record["name"].clone()).collect()
    }

    #[tokio::test]
    async fn the_final_name_appears_when_the_file_is_whole() {
        let (_directory, original, out) = place();
        let mut file = Pseudonymous::begin(out.clone(), &original, MEDIA).await.unwrap();
        add(&mut file, 1);
        file.complete().unwrap();
        assert!(!out.exists());
        file.name().unwrap();
        assert_eq!(numbers(&out), [1]);
        assert!(!draft_of(&out).exists());
        let refusal = Pseudonymous::begin(out, &original, MEDIA).await.unwrap_err();
        assert!(refusal.to_string().contains("is there already"), "{refusal}");
    }

    #[tokio::test]
    async fn it_goes_on_behind_what_was_known_to_be_written() {
        let (_directory, original, out) = place();
        let mut first = Pseudonymous::begin(out.clone(), &original, MEDIA).await.unwrap();
        add(&mut first, 1);
        let known = first.sync().unwrap();
        add(&mut first, 2);
        first.sync().unwrap();
        drop(first);
        let mut second = Pseudonymous::go_on(out.clone(), &original, MEDIA, known).await.unwrap();
        add(&mut second, 3);
        second.complete().unwrap();
        second.name().unwrap();
        assert_eq!(numbers(&out), [1, 3]);
    }

    #[tokio::test]
    async fn it_may_end_before_or_after_it_has_its_name() {
        let (_directory, original, out) = place();
        let mut file = Pseudonymous::begin(out.clone(), &original, MEDIA).await.unwrap();
        let whole = file.complete().unwrap();
        drop(file);
        for _ in 0..2 {
            let again = Pseudonymous::go_on(out.clone(), &original, MEDIA, whole).await;
            let mut again = again.unwrap();
            assert_eq!(again.complete().unwrap(), whole);
            again.name().unwrap();
            assert_eq!(numbers(&out), [0; 0]);
        }
    }

    #[tokio::test]
    async fn what_was_shortened_or_is_a_link_is_not_gone_on_with() {
        let (_directory, original, out) = place();
        let extent = Extent { bytes: 99, ..Extent::default() };
        std::fs::write(draft_of(&out), "[").unwrap();
        let refusal = Pseudonymous::go_on(out.clone(), &original, MEDIA, extent).await.unwrap_err();
        assert!(refusal.to_string().contains("shortened"), "{refusal}");
        std::fs::remove_file(draft_of(&out)).unwrap();
        std::os::unix::fs::symlink(&original, draft_of(&out)).unwrap();
        assert!(Pseudonymous::begin(out, &original, MEDIA).await.is_err());
        assert!(std::fs::read_to_string(&original).unwrap().contains("Erika"));
    }

    #[test]
    fn a_name_that_says_packed_is_refused() {
        assert!(place_of(Path::new("a.csv.gz")).is_err());
        assert!(place_of(Path::new("a.csv")).unwrap().is_absolute());
    }
}
