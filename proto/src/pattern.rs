//! The pattern of a custom info type: what its values look like, as a regular expression.
//!
//! It promises time linear in the value, one step a byte, and bounded memory: a pattern is an automaton
//! without a stack, and one that would not be small is refused. It stands for whole values, and for
//! ASCII only, so that nothing that matches begins or ends inside of a character. It relies on
//! regex-automata for the automaton.

mod matcher;

use std::sync::{Arc, OnceLock};

use crate::Failure;

pub use matcher::Matcher;

/// Bytes of the longest pattern.
const PATTERN_BYTES_MAX: usize = 256;

/// A regular expression that whole values match. Its automaton is made when it is first needed.
#[derive(Clone)]
pub struct Pattern {
    text: Arc<str>,
    matcher: Arc<OnceLock<Result<Matcher, Failure>>>,
}

impl Pattern {
    /// Takes a pattern, which [`Self::matcher`] checks.
    ///
    /// # Errors
    /// `invalid_request` for one that is empty, over 256 bytes, or of more than printable ASCII.
    pub fn new(text: &str) -> Result<Self, Failure> {
        let is_printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !(1..=PATTERN_BYTES_MAX).contains(&text.len()) || !is_printable {
            let description = "a pattern is 1 to 256 bytes of printable ASCII";
            return Err(Failure::invalid("pattern", description));
        }
        Ok(Self { text: text.into(), matcher: Arc::default() })
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What matches values.
    ///
    /// # Errors
    /// `invalid_request` for one that is no regular expression, not of whole values, matches what is
    /// empty or not ASCII, or needs too large an automaton.
    pub fn matcher(&self) -> Result<&Matcher, Failure> {
        let made = self.matcher.get_or_init(|| Matcher::compile(&self.text));
        made.as_ref().map_err(Clone::clone)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl core::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

#[cfg(test)]
mod tests;
