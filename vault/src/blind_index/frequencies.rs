//! How often the entries of a blind index come, and what that tells.
//!
//! It promises bounded memory however many entries there are: it is given them in their order, and
//! keeps a count for each frequency, of which there are at most as many as the square root of twice
//! the entries. It relies on no key, as an onlooker of the database has none.

use std::collections::BTreeMap;

/// Counts entries that come in their order.
#[derive(Debug)]
pub(crate) struct Frequencies {
    current: Vec<u8>,
    count: u64,
    /// How many different entries come so often.
    entries_by_count: BTreeMap<u64, u64>,
    /// For each number of bytes, from 1, how many different entries begin with the same ones.
    cuts: Vec<Cut>,
}

/// What cutting the entries to some bytes would do.
#[derive(Clone, Copy, Debug, Default)]
struct Cut {
    distinct: u64,
    fewest: Option<u64>,
}

/// What the entries of an index tell by how often they come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct IndexFrequencies {
    /// How many there are.
    pub entries: u64,
    /// How many of them are different.
    pub distinct: u64,
    /// How many are the most frequent one.
    pub most_frequent: u64,
    /// The entropy of one, in bits.
    pub entropy_bits: f64,
    /// How many different ones come as often as no other.
    pub told: u64,
    /// In how many records those are.
    pub told_records: u64,
    /// The most bits with which each hides among as many others as asked; 0 when none do.
    pub advised_bits: u16,
}

impl Frequencies {
    /// Of an index with entries of so many bytes.
    pub(crate) fn new(entry_bytes: usize) -> Self {
        Self {
            current: Vec::new(),
            count: 0,
            entries_by_count: BTreeMap::new(),
            cuts: vec![Cut::default(); entry_bytes],
        }
    }

    /// Bytes of an entry.
    pub(crate) fn entry_bytes(&self) -> usize {
        self.cuts.len()
    }

    /// Counts the next entry, which is not less than the one before.
    pub(crate) fn add(&mut self, entry: &[u8]) {
        if self.count > 0 && self.current == entry {
            self.count += 1;
            return;
        }
        let is_first = self.count == 0;
        self.close();
        let common = self.current.iter().zip(entry).take_while(|(old, new)| old == new).count();
        for (bytes, cut) in (1..).zip(&mut self.cuts) {
            if is_first || bytes <= common {
                cut.distinct += 1;
            } else {
                cut.close();
            }
        }
        self.current = entry.to_vec();
        self.count = 1;
    }

    /// What was counted, with the advice for hiding among so many others.
    pub(crate) fn finish(mut self, hidden_among: u64) -> IndexFrequencies {
        self.close();
        for cut in &mut self.cuts {
            cut.close();
        }
        let counts = self.entries_by_count.iter();
        let entries: u64 = counts.clone().map(|(count, entries)| count * entries).sum();
        let told = counts.clone().filter(|(_, entries)| **entries == 1);
        let hides = |cut: &Cut| entries > 0 && cut.fewest.is_some_and(|few| few > hidden_among);
        let advised_bytes = self.cuts.iter().rposition(hides).map_or(0, |at| at + 1);
        IndexFrequencies {
            entries,
            distinct: counts.clone().map(|(_, entries)| entries).sum(),
            most_frequent: self.entries_by_count.last_key_value().map_or(0, |(count, _)| *count),
            entropy_bits: entropy_bits(entries, counts),
            told: told.clone().count() as u64,
            told_records: told.map(|(count, _)| count).sum(),
            advised_bits: u16::try_from(advised_bytes * 8).unwrap_or_default(),
        }
    }

    fn close(&mut self) {
        if self.count > 0 {
            *self.entries_by_count.entry(self.count).or_default() += 1;
            self.count = 0;
        }
    }
}

impl Cut {
    fn close(&mut self) {
        if self.distinct > 0 {
            self.fewest = Some(self.fewest.map_or(self.distinct, |few| few.min(self.distinct)));
        }
        self.distinct = 1;
    }
}

/// The entropy of an entry: how unsure one is which it is before looking.
#[allow(clippy::cast_precision_loss, reason = "an estimate for people, not a count")]
fn entropy_bits<'a>(entries: u64, counts: impl Iterator<Item = (&'a u64, &'a u64)>) -> f64 {
    let total = entries as f64;
    let part = |(count, different): (&u64, &u64)| {
        let share = *count as f64 / total;
        -(*different as f64) * share * share.log2()
    };
    counts.map(part).sum::<f64>().max(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(entries: &[[u8; 2]], hidden_among: u64) -> IndexFrequencies {
        let mut sorted = entries.to_vec();
        sorted.sort_unstable();
        let mut frequencies = Frequencies::new(2);
        sorted.iter().for_each(|entry| frequencies.add(entry));
        frequencies.finish(hidden_among)
    }

    #[test]
    fn nothing_tells_nothing() {
        assert_eq!(of(&[], 0), IndexFrequencies::default());
    }

    #[test]
    fn what_comes_as_often_as_no_other_is_told() {
        let entries = [[1, 1], [1, 1], [1, 1], [1, 2], [2, 1]];
        let told = of(&entries, 1);
        let counted = (told.entries, told.distinct, told.most_frequent);
        assert_eq!(counted, (5, 3, 3));
        assert_eq!((told.told, told.told_records), (1, 3), "three times comes one only");
        assert!((told.entropy_bits - 1.370_95).abs() < 0.000_1, "{}", told.entropy_bits);
        assert_eq!(told.advised_bits, 0, "[2, 1] hides among none");
    }

    #[test]
    fn the_advice_is_the_longest_cut_that_hides() {
        let entries: Vec<_> = (0..3).flat_map(|a| (0..4).map(move |b| [a, b])).collect();
        for (hidden_among, advised) in [(0, 16), (3, 8), (4, 0)] {
            assert_eq!(of(&entries, hidden_among).advised_bits, advised, "{hidden_among}");
        }
    }

    proptest! {
        #[test]
        fn it_counts_what_a_map_counts(
            entries in proptest::collection::vec([0u8..3, 0u8..3], 1..60), hidden_among in 0u64..4,
        ) {
            let mut counts = BTreeMap::<[u8; 2], u64>::new();
            let mut beginnings = BTreeMap::<u8, std::collections::BTreeSet<[u8; 2]>>::new();
            for entry in &entries {
                *counts.entry(*entry).or_default() += 1;
                beginnings.entry(entry[0]).or_default().insert(*entry);
            }
            let is_alone = |count: u64| counts.values().filter(|it| **it == count).count() == 1;
            let alone: Vec<u64> = counts.values().copied().filter(|it| is_alone(*it)).collect();
            let fewest = beginnings.values().map(|it| it.len() as u64).min().unwrap();
            let told = of(&entries, hidden_among);
            prop_assert_eq!(told.entries, entries.len() as u64);
            prop_assert_eq!(told.distinct, counts.len() as u64);
            prop_assert_eq!(told.most_frequent, *counts.values().max().unwrap());
            prop_assert_eq!((told.told, told.told_records), (alone.len() as u64, alone.iter().sum()));
            let advised = match hidden_among {
                0 => 16,
                _ if fewest > hidden_among => 8,
                _ => 0,
            };
            prop_assert_eq!(told.advised_bits, advised);
        }
    }
}
