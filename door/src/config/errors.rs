use core::cell::RefCell;
use core::fmt;
use std::path::{Path, PathBuf};

use super::NamedFiles;

/// Every mistake of a configuration file, one a line: `file:line: dotted.path: what is wrong`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    file: PathBuf,
    mistakes: Vec<Mistake>,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, counted from 1; none when the file as a whole is meant.
    pub line: Option<usize>,
    /// The dotted path of the key; empty when the file as a whole is meant.
    pub path: String,
    /// What is wrong; it repeats no value.
    pub what: String,
}

impl ConfigErrors {
    /// A file that cannot be used at all.
    pub(super) fn of_file(file: &Path, what: String) -> Self {
        let mistake = Mistake { line: None, path: String::new(), what };
        Self { file: file.to_owned(), mistakes: vec![mistake] }
    }

    /// The mistakes, in the order of the file.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// How many there are; at least one.
    #[must_use]
    pub fn count(&self) -> usize {
        self.mistakes.len()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.mistakes.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", self.file.display())?;
            if let Some(line) = mistake.line {
                write!(f, ":{line}")?;
            }
            if !mistake.path.is_empty() {
                write!(f, ": {}", mistake.path)?;
            }
            write!(f, ": {}", mistake.what)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Where mistakes are noted while a file is read.
#[derive(Debug)]
pub(super) struct Notes<'a> {
    file: &'a Path,
    text: &'a str,
    mistakes: RefCell<Vec<Mistake>>,
    files: RefCell<NamedFiles>,
}

impl<'a> Notes<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, mistakes: RefCell::default(), files: RefCell::default() }
    }

    /// Notes a mistake at a dotted path, and at the line of a byte offset.
    pub(super) fn note(&self, path: &str, offset: Option<usize>, what: &str) {
        self.mistakes.borrow_mut().push(Mistake {
            line: offset.map(|offset| self.line_of(offset)),
            path: path.to_owned(),
            what: what.to_owned(),
        });
    }

    /// Notes the files of a table.
    pub(super) fn name_files(&self, name: impl FnOnce(&mut NamedFiles)) {
        name(&mut self.files.borrow_mut());
    }

    /// The files named so far.
    pub(super) fn take_files(&self) -> NamedFiles {
        self.files.take()
    }

    /// A path as the file means it.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }

    pub(super) fn into_errors(self) -> ConfigErrors {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|mistake| mistake.line);
        ConfigErrors { file: self.file.to_owned(), mistakes }
    }

    /// What was built, when there is no mistake.
    pub(super) fn into_result<T>(self, built: Option<T>) -> Result<T, ConfigErrors> {
        match built {
            Some(built) if self.mistakes.borrow().is_empty() => Ok(built),
            Some(_) => Err(self.into_errors()),
            None => {
                if self.mistakes.borrow().is_empty() {
                    self.note("", None, "is not complete");
                }
                Err(self.into_errors())
            }
        }
    }

    pub(super) fn line_of(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().iter().take(offset);
        1 + before.filter(|&&byte| byte == b'\n').count()
    }
}
