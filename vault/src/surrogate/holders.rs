//! Who holds a deterministic surrogate: how many fields of records, and until when.
//!
//! It promises that a surrogate does not end before the last record that holds it. It may end later:
//! the count keeps the latest end there was, and not whose it was, as long as anything holds it that
//! ends; and a record that could not be read counts for ever. It relies on the MAC of the count's row
//! alone.

use tresor_proto::storage::SurrogateCount;

/// When a record that holds a surrogate ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HolderEnd {
    /// When it is deleted.
    Never,
    /// At a time, milliseconds since the epoch.
    At(u64),
    /// Its row does not authenticate, so that it cannot be told.
    Unknown,
}

impl HolderEnd {
    /// The end of a record by what its row says, where 0 is never.
    pub(crate) fn of(expires_ms: u64) -> Self {
        if expires_ms == 0 { Self::Never } else { Self::At(expires_ms) }
    }
}

/// The count of one that is made for a record's field, before that is counted.
pub(crate) const NOBODY: SurrogateCount =
    SurrogateCount { uses: 0, references: 0, is_pinned: false, lasting: 0, ends_ms: 0 };

/// Counts one field more.
pub(crate) fn add(count: &mut SurrogateCount, end: HolderEnd) {
    count.references = count.references.saturating_add(1);
    match end {
        HolderEnd::Never | HolderEnd::Unknown => count.lasting = count.lasting.saturating_add(1),
        HolderEnd::At(end_ms) => count.ends_ms = count.ends_ms.max(end_ms),
    }
}

/// Counts one field less.
pub(crate) fn remove(count: &mut SurrogateCount, end: HolderEnd) {
    count.references = count.references.saturating_sub(1);
    if end == HolderEnd::Never {
        count.lasting = count.lasting.saturating_sub(1);
    }
    count.lasting = count.lasting.min(count.references);
    if count.lasting == count.references {
        count.ends_ms = 0;
    }
}

/// Whether a record holds it that has not ended, as far as is counted.
pub(crate) fn is_held(count: &SurrogateCount, now_ms: u64) -> bool {
    count.references > 0 && (count.lasting > 0 || count.ends_ms > now_ms)
}

/// When it ends, milliseconds since the epoch; `None` as long as something holds it that does not.
pub(crate) fn end_ms(count: &SurrogateCount) -> Option<u64> {
    (!count.is_pinned && count.lasting == 0).then_some(count.ends_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Random, cases};

    const ENDS: [HolderEnd; 4] =
        [HolderEnd::Never, HolderEnd::At(10), HolderEnd::At(20), HolderEnd::At(30)];

    /// When the last of some holders ends.
    fn last(holders: &[HolderEnd]) -> Option<u64> {
        let end = |holder: &HolderEnd| match holder {
            HolderEnd::At(end_ms) => Some(*end_ms),
            HolderEnd::Never | HolderEnd::Unknown => None,
        };
        holders.iter().map(end).try_fold(0, |last, end| Some(last.max(end?)))
    }

    #[test]
    fn whoever_comes_and_goes_it_never_ends_before_its_last_holder() {
        let mut random = Random::of_this_run();
        for _ in 0..cases(300, 30_000) {
            let (mut count, mut holders) = (NOBODY, Vec::new());
            for _ in 0..12 {
                if holders.is_empty() || random.below(3) > 0 {
                    let end = ENDS[random.below(ENDS.len())];
                    add(&mut count, end);
                    holders.push(end);
                } else {
                    let end = holders.swap_remove(random.below(holders.len()));
                    let is_damaged = random.below(4) == 0;
                    remove(&mut count, if is_damaged { HolderEnd::Unknown } else { end });
                }
                assert_eq!(count.references, holders.len() as u64);
                let (told, needed) = (end_ms(&count), last(&holders));
                let is_late_enough = told.is_none_or(|end| needed.is_some_and(|it| it <= end));
                assert!(is_late_enough, "{told:?} for {holders:?}");
            }
        }
    }

    #[test]
    fn it_ends_with_the_last_and_begins_anew_with_the_next() {
        let mut count = NOBODY;
        for end in [HolderEnd::At(20), HolderEnd::At(10), HolderEnd::Never] {
            add(&mut count, end);
        }
        assert_eq!(end_ms(&count), None);
        remove(&mut count, HolderEnd::Never);
        assert_eq!(end_ms(&count), Some(20));
        add(&mut count, HolderEnd::At(30));
        assert_eq!(end_ms(&count), Some(30));
        let pinned = SurrogateCount { is_pinned: true, ..count };
        assert_eq!(end_ms(&pinned), None);
    }

    #[test]
    fn what_was_there_before_all_others_went_does_not_count_for_those_that_come() {
        let mut count = NOBODY;
        add(&mut count, HolderEnd::At(30));
        add(&mut count, HolderEnd::Never);
        remove(&mut count, HolderEnd::At(30));
        add(&mut count, HolderEnd::At(10));
        remove(&mut count, HolderEnd::Never);
        assert_eq!(end_ms(&count), Some(10));
    }
}
