//! Makes one answer of what all rules found.
//!
//! It promises findings in order that do not overlap: where two do, the one that is surer gives the
//! type, then the longer one, and the place is that of both. It relies on the ranks that rules give.

use std::mem;

use super::{Candidate, prose::Prose, repetition};

/// Resolves candidates in place.
pub(super) fn resolve(
    prose: &Prose<'_>,
    candidates: &mut Vec<Candidate>,
    known: &mut Vec<(u64, usize)>,
) {
    if candidates.is_empty() {
        return;
    }
    settle(candidates);
    let found = candidates.len();
    repetition::find(prose, candidates, known);
    if candidates.len() > found {
        settle(candidates);
    }
}

/// Sorts, and unites what overlaps.
fn settle(candidates: &mut Vec<Candidate>) {
    candidates.sort_unstable_by_key(|candidate| (candidate.start, candidate.end));
    candidates.dedup_by(|next, kept| {
        let overlaps = next.start < kept.end;
        if overlaps {
            unite(kept, next);
        }
        overlaps
    });
}

/// Takes `other` into `kept`.
fn unite(kept: &mut Candidate, other: &mut Candidate) {
    let weight = |candidate: &Candidate| (candidate.rank, candidate.end - candidate.start);
    if weight(other) > weight(kept) {
        mem::swap(kept, other);
    }
    kept.start = kept.start.min(other.start);
    kept.end = kept.end.max(other.end);
}
