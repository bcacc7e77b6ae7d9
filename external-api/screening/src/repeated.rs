//! Verdicts on values that come again: columns of states, tariffs, towns or last names say the same
//! words over and over.
//!
//! It promises that what is recalled is what would be said anew, fixed memory for each column, and to
//! hold no value: only digests under a key that is made with it and goes with it. It relies on a
//! verdict depending on the field and the value alone, and on no two values of a column having the
//! same 64 bits of SipHash, which of 10^19 pairs one has.

use std::hash::{BuildHasher as _, RandomState};

use crate::Verdict;

/// Values of a column that are remembered.
const SLOTS: usize = 1 << 10;

/// What a slot holds in its low byte that holds nothing. The number of a slot tells more bits of a
/// digest than that byte takes away.
const NOTHING: u8 = u8::MAX;

/// Bytes of the longest value that is remembered.
const BYTES_MAX: usize = 64;

/// Records before anything is remembered: for a few it is not worth the memory.
const RECORDS_MIN: usize = 32;

/// How often a column is asked before it is judged, how often that must help, and how many values
/// of it pass unasked when it does not.
const ASKED: u16 = 64;
const HELPED_MIN: u16 = 12;
const UNASKED: u16 = 2_048;

/// What is remembered of a file's columns.
#[derive(Clone, Default)]
pub(crate) struct Repeated {
    key: RandomState,
    columns: Vec<Column>,
    records: usize,
}

/// What is remembered of a column.
#[derive(Clone)]
struct Column {
    /// Digests, the low byte of which is the number of a verdict.
    slots: Box<[u64]>,
    /// What has been said, each once.
    verdicts: Vec<Verdict>,
    asked: u16,
    helped: u16,
    unasked: u16,
}

/// What is known of a value.
pub(crate) enum Recalled {
    /// What was said of it before.
    Verdict(Verdict),
    /// Nothing; where what is said of it now is to be kept.
    Nothing(Option<Digest>),
}

/// The digest of a value of a column.
#[derive(Clone, Copy)]
pub(crate) struct Digest {
    column: usize,
    digest: u64,
}

impl core::fmt::Debug for Repeated {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Repeated")
    }
}

impl Repeated {
    /// Makes ready for the next record.
    pub(crate) fn begin(&mut self, fields: usize) {
        self.records = self.records.saturating_add(1);
        if self.records == RECORDS_MIN {
            self.columns.resize_with(fields, Column::new);
        }
    }

    /// Forgets everything: the fields are others from now on.
    pub(crate) fn forget(&mut self) {
        self.columns.clear();
        self.records = 0;
    }

    /// What was said of a value of a column.
    pub(crate) fn recall(&mut self, index: usize, text: &str) -> Recalled {
        let column = self.columns.get_mut(index).filter(|_| text.len() <= BYTES_MAX);
        let Some(column) = column else {
            return Recalled::Nothing(None);
        };
        if !column.is_asked() {
            return Recalled::Nothing(None);
        }
        let digest = self.key.hash_one(text);
        match column.verdict(digest) {
            Some(verdict) => {
                column.helped += 1;
                Recalled::Verdict(verdict)
            }
            None => Recalled::Nothing(Some(Digest { column: index, digest })),
        }
    }

    /// Keeps what is said of a value.
    pub(crate) fn keep(&mut self, of: Digest, verdict: Verdict) {
        if let Some(column) = self.columns.get_mut(of.column) {
            column.keep(of.digest, verdict);
        }
    }
}

impl Column {
    fn new() -> Self {
        let slots = vec![u64::from(NOTHING); SLOTS].into_boxed_slice();
        Self { slots, verdicts: Vec::new(), asked: 0, helped: 0, unasked: 0 }
    }

    fn verdict(&self, digest: u64) -> Option<Verdict> {
        let kept = self.slots.get(slot_of(digest))?;
        let [number, ..] = kept.to_le_bytes();
        let is_same = (kept ^ digest) >> u8::BITS == 0;
        self.verdicts.get(usize::from(number)).filter(|_| is_same).copied()
    }

    fn keep(&mut self, digest: u64, verdict: Verdict) {
        let known = self.verdicts.iter().position(|known| *known == verdict);
        let number = known.unwrap_or(self.verdicts.len());
        let number = u8::try_from(number).ok().filter(|number| *number < NOTHING);
        let slot = self.slots.get_mut(slot_of(digest)).zip(number);
        let Some((slot, number)) = slot else { return };
        if known.is_none() {
            self.verdicts.push(verdict);
        }
        *slot = (digest & !u64::from(u8::MAX)) | u64::from(number);
    }

    /// Whether it is worth asking, as far as can be told from the last times.
    fn is_asked(&mut self) -> bool {
        if self.unasked > 0 {
            self.unasked -= 1;
            return false;
        }
        self.asked += 1;
        if self.asked == ASKED {
            self.unasked = if self.helped < HELPED_MIN { UNASKED } else { 0 };
            (self.asked, self.helped) = (0, 0);
        }
        true
    }
}

fn slot_of(digest: u64) -> usize {
    usize::try_from(digest % SLOTS as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests;
