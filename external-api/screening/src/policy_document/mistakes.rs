//! The mistakes of a policy document, each with its place.
//!
//! It promises that no mistake hides another: reading goes on after each. It relies on the places
//! the tree has kept.

use tresor_proto::Failure;

use super::tree::{Entry, Node, Place};

/// A policy document that cannot be used, with everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.lines())]
pub struct PolicyError {
    mistakes: Vec<Mistake>,
}

/// One mistake of a policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Line, from 1; 0 when it belongs to the document as a whole.
    pub line: u64,
    /// Column, from 1; 0 when it belongs to the document as a whole.
    pub column: u64,
    /// Dotted path of the key; empty when the document is not YAML.
    pub path: String,
    /// What is wrong.
    pub description: String,
}

impl PolicyError {
    /// The mistakes, in the order of the document.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    pub(super) fn from_failure(failure: &Failure) -> Self {
        let mistakes = failure.violations().iter().map(|violation| Mistake {
            line: 0,
            column: 0,
            path: violation.field.clone(),
            description: violation.description.clone(),
        });
        Self { mistakes: mistakes.collect() }
    }

    pub(super) fn one(place: Place, path: &str, description: &str) -> Self {
        let mut mistakes = Mistakes::default();
        mistakes.add(place, path, description);
        Self { mistakes: mistakes.0 }
    }

    fn lines(&self) -> String {
        let lines: Vec<String> = self.mistakes.iter().map(Mistake::to_string).collect();
        lines.join("\n")
    }
}

impl core::fmt::Display for Mistake {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, column {}: ", self.line, self.column)?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.description)
    }
}

/// The mistakes found so far.
#[derive(Default)]
pub(super) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub(super) fn add(&mut self, place: Place, path: &str, description: &str) {
        self.0.push(Mistake {
            line: place.line,
            column: place.column,
            path: path.to_owned(),
            description: description.to_owned(),
        });
    }

    /// Adds what a check of our own found at fault.
    pub(super) fn add_failure(&mut self, place: Place, path: &str, failure: &Failure) {
        for violation in failure.violations() {
            self.add(place, path, &violation.description);
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn unknown_key(&mut self, entry: &Entry, path: &str, known: &str) {
        let description = format!("unknown key, known are {known}");
        self.add(entry.key_place(), path, &description);
    }

    /// The entries of a mapping; nothing is an empty one.
    pub(super) fn mapping<'a>(&mut self, entry: &'a Entry, path: &str) -> &'a [Entry] {
        match entry.node() {
            Node::Map(entries) => entries,
            Node::Nothing => &[],
            Node::Text(_) | Node::Number(_) | Node::Truth(_) | Node::List(_) | Node::Other => {
                self.add(entry.value_place(), path, "must be a mapping");
                &[]
            }
        }
    }

    pub(super) fn into_result(self) -> Result<(), PolicyError> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(PolicyError { mistakes: self.0 })
    }
}
