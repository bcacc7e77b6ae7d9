//! What earlier values of a column were, for streams that never end.
//!
//! It promises fixed memory, however many columns and values there are, and an event when a column
//! begins to hold something else. It never changes a verdict: what happens to a value depends on its
//! record alone, so that a record sent again is the same request.

mod votes;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use tresor_proto::{FieldName, InfoType};

use crate::{Evidence, Verdict};
use votes::Votes;

/// Columns that may share a set; the least seen of them makes room for a new one.
const SET_COLUMNS: usize = 4;

/// Sets of columns: 4,096 columns in 750 KiB.
const SETS: usize = 1_024;

/// What is remembered of columns.
#[derive(Clone, Debug)]
pub struct ColumnMemory {
    columns: Vec<Remembered>,
}

/// Which column of which collection of which tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnKey(u64);

/// A column holds something else than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drift {
    /// What its values were; `None` when they were of no type.
    pub from: Option<InfoType>,
    /// What its values are now.
    pub to: Option<InfoType>,
}

/// One column; a key of 0 is none.
#[derive(Clone, Copy, Debug, Default)]
struct Remembered {
    key: u64,
    settling: Settling,
}

/// What the values of one column agree on, if they do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settling {
    votes: Votes,
    settled: Option<Option<InfoType>>,
}

impl Settling {
    /// Counts a verdict; gives an event when the column has become another.
    pub(crate) fn observe(&mut self, verdict: &Verdict) -> Option<Drift> {
        if verdict.evidence == Evidence::Empty {
            return None;
        }
        self.votes.add(verdict.info_type);
        let now = self.votes.leader()?;
        let before = self.settled.replace(now)?;
        (before != now).then_some(Drift { from: before, to: now })
    }
}

impl ColumnKey {
    /// The key of a field.
    #[must_use]
    pub fn of(tenant: &str, collection: &str, field: &FieldName) -> Self {
        // Two columns that share a key would be taken for one: that is a wrong event, never a wrong
        // verdict, so a plain hash is enough.
        let mut hasher = DefaultHasher::new();
        (tenant, collection, field.as_str()).hash(&mut hasher);
        Self(hasher.finish().max(1))
    }
}

impl Default for ColumnMemory {
    fn default() -> Self {
        Self { columns: vec![Remembered::default(); SETS * SET_COLUMNS] }
    }
}

impl ColumnMemory {
    /// Counts a verdict; gives an event when the column has become another.
    pub fn observe(&mut self, column: ColumnKey, verdict: &Verdict) -> Option<Drift> {
        self.slot(column)?.settling.observe(verdict)
    }

    /// What the values of a column mostly are; `None` while too few of them agree.
    #[must_use]
    pub fn settled(&self, column: ColumnKey) -> Option<Option<InfoType>> {
        let found = self.set(column).find(|remembered| remembered.key == column.0)?;
        found.settling.settled
    }

    fn range(column: ColumnKey) -> core::ops::Range<usize> {
        let sets = u64::try_from(SETS).unwrap_or(1);
        let set = usize::try_from(column.0 % sets).unwrap_or_default();
        set * SET_COLUMNS..(set + 1) * SET_COLUMNS
    }

    fn set(&self, column: ColumnKey) -> impl Iterator<Item = &Remembered> {
        self.columns.get(Self::range(column)).unwrap_or_default().iter()
    }

    /// The place of a column, of which the least seen one of its set makes room.
    fn slot(&mut self, column: ColumnKey) -> Option<&mut Remembered> {
        let set = self.columns.get_mut(Self::range(column))?;
        let known = set.iter().position(|remembered| remembered.key == column.0);
        let least =
            || (0..set.len()).min_by_key(|index| set.get(*index).map(|r| r.settling.votes.total()));
        let index = known.or_else(least)?;
        let slot = set.get_mut(index)?;
        if slot.key != column.0 {
            *slot = Remembered { key: column.0, ..Remembered::default() };
        }
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use tresor_proto::{Action, DataClass};

    use super::*;
    use crate::Source;

    fn verdict(info_type: Option<InfoType>) -> Verdict {
        Verdict {
            info_type,
            class: Some(DataClass::Other),
            confidence: 0.7,
            source: Source::Value,
            evidence: Evidence::UnknownText,
            action: Action::Seal,
        }
    }

    fn key(field: usize) -> ColumnKey {
        ColumnKey::of("acme", "customers", &FieldName::parse(&format!("f{field}")).unwrap())
    }

    fn observe(
        memory: &mut ColumnMemory,
        column: ColumnKey,
        info_type: Option<InfoType>,
        count: usize,
    ) -> Vec<Drift> {
        let verdict = verdict(info_type);
        (0..count).filter_map(|_| memory.observe(column, &verdict)).collect()
    }

    #[test]
    fn a_column_that_becomes_another_says_so_once() {
        let mut memory = ColumnMemory::default();
        let column = key(1);
        let (phone, email) = (Some(InfoType::PhoneNumber), Some(InfoType::EmailAddress));
        assert_eq!(observe(&mut memory, column, phone, 10_000), []);
        assert_eq!(memory.settled(column), Some(phone));
        assert_eq!(observe(&mut memory, column, email, 20), [], "a few others are no drift");
        let drift = Drift { from: phone, to: email };
        assert_eq!(observe(&mut memory, column, email, 10_000), [drift]);
        assert_eq!(memory.settled(column), Some(email));
    }

    #[test]
    fn few_values_and_mixed_columns_settle_on_nothing() {
        let mut memory = ColumnMemory::default();
        assert_eq!(observe(&mut memory, key(1), Some(InfoType::City), 8), []);
        assert_eq!(memory.settled(key(1)), None);
        for info_type in InfoType::ALL.iter().cycle().take(10_000) {
            assert_eq!(memory.observe(key(2), &verdict(Some(*info_type))), None);
        }
        assert_eq!(memory.settled(key(2)), None);
        let empty = Verdict { evidence: Evidence::Empty, ..verdict(None) };
        assert!((0..100).all(|_| memory.observe(key(3), &empty).is_none()));
        assert_eq!(memory.settled(key(3)), None);
    }

    #[test]
    fn columns_without_end_take_no_more_memory_and_forget_the_least_seen() {
        let mut memory = ColumnMemory::default();
        let before = memory.columns.capacity();
        observe(&mut memory, key(0), Some(InfoType::City), 100);
        for field in 1..20_000 {
            observe(&mut memory, key(field), None, 1);
        }
        assert_eq!(memory.columns.capacity(), before);
        assert_eq!(memory.settled(key(0)), Some(Some(InfoType::City)));
    }
}
