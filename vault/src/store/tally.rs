//! What a database should hold, kept in a row of its own and written in every batch.
//!
//! sled, when it recovers, passes silently over what it cannot read, so rows can go missing without
//! an error; the tally tells. It counts commits and rows and sums a digest of each row, in any
//! order, so it is kept up from what a batch changes, and only checking it needs every row. It is
//! against accidents: whoever can write the rows can write the tally.

use ring::digest::{Context, SHA256};

use super::StoreError;
use super::engine::{Batch, Edit, Engine};

/// Counts over all rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) commits: u64,
    rows: u64,
    sum: u64,
}

impl Tally {
    /// Its engine key; keyspaces begin at 1, so no row has it.
    const KEY: &[u8] = &[0];

    /// The tally of the last commit.
    pub(super) fn read(engine: &dyn Engine) -> Result<Self, StoreError> {
        Self::of(engine.read_one(Self::KEY)?.as_deref())
    }

    fn of(row: Option<&[u8]>) -> Result<Self, StoreError> {
        row.map_or(Ok(Self::default()), |row| Self::parse(row).ok_or(StoreError::Quarantined))
    }

    /// The tally after a batch, put into it.
    pub(super) fn after(engine: &dyn Engine, batch: &mut Batch) -> Result<Self, StoreError> {
        // Read again, not remembered: a commit that answered with an error may have been applied.
        let old = engine.read_one(Self::KEY)?;
        let mut tally = Self::of(old.as_deref())?;
        for (key, edit) in batch.iter() {
            edit.old.iter().for_each(|old| tally.remove(key, old));
            edit.new.iter().for_each(|new| tally.add(key, new));
        }
        tally.commits = tally.commits.wrapping_add(1);
        batch.insert(Self::KEY.to_vec(), Edit { old, new: Some(tally.to_bytes()) });
        Ok(tally)
    }

    /// Reads every row and compares.
    pub(super) fn check(self, engine: &dyn Engine) -> Result<(), StoreError> {
        let mut found = Self { commits: self.commits, ..Self::default() };
        engine.walk(&mut |row| {
            if row.key != Self::KEY {
                found.add(&row.key, &row.value);
            }
        })?;
        if found == self { Ok(()) } else { Err(StoreError::Quarantined) }
    }

    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = self.sum.wrapping_add(digest_of(key, value));
    }

    fn remove(&mut self, key: &[u8], value: &[u8]) {
        self.rows = self.rows.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(digest_of(key, value));
    }

    fn to_bytes(self) -> Vec<u8> {
        [self.commits, self.rows, self.sum].into_iter().flat_map(u64::to_be_bytes).collect()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (commits, rest) = bytes.split_first_chunk()?;
        let (rows, rest) = rest.split_first_chunk()?;
        let sum = rest.try_into().ok()?;
        let [commits, rows, sum] = [*commits, *rows, sum].map(u64::from_be_bytes);
        Some(Self { commits, rows, sum })
    }
}

/// The first 64 bits of a digest of the row, the key's length before it so that the key has an end.
fn digest_of(key: &[u8], value: &[u8]) -> u64 {
    let mut row = Context::new(&SHA256);
    row.update(&u64::try_from(key.len()).unwrap_or(u64::MAX).to_be_bytes());
    row.update(key);
    row.update(value);
    let first = row.finish().as_ref().first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryEngine;

    type Row<'bytes> = (u8, Option<&'bytes [u8]>);

    fn batch(engine: &MemoryEngine, rows: &[Row<'_>]) -> Batch {
        let row = |(key, value): &Row<'_>| {
            let key = vec![1, *key];
            let old = engine.read_one(&key).expect("it reads");
            (key, Edit { old, new: value.map(<[u8]>::to_vec) })
        };
        rows.iter().map(row).collect()
    }

    fn commit(engine: &MemoryEngine, rows: &[Row<'_>]) -> Tally {
        let mut batch = batch(engine, rows);
        let tally = Tally::after(engine, &mut batch).expect("it reads");
        engine.commit(batch).expect("it writes");
        tally
    }

    #[test]
    fn it_follows_every_change() {
        let engine = MemoryEngine::default();
        let empty = Tally::read(&engine).expect("it reads");
        assert_eq!(empty.check(&engine), Ok(()));
        commit(&engine, &[(1, Some(b"a")), (2, Some(b"")), (3, None)]);
        commit(&engine, &[(1, Some(b"b")), (2, None)]);
        let tally = commit(&engine, &[(1, Some(b"b")), (4, Some(b"d"))]);
        assert_eq!((tally.commits, tally.rows), (3, 2));
        assert_eq!(Tally::read(&engine), Ok(tally));
        assert_eq!(tally.check(&engine), Ok(()));
        let none = commit(&engine, &[(1, None), (4, None)]);
        assert_eq!((none.rows, none.sum), (0, 0));
    }

    #[test]
    fn a_lost_an_older_and_a_moved_row_are_noticed() {
        let damages: [&[Row<'_>]; 4] = [
            &[(1, None)],
            &[(1, Some(b"old"))],
            &[(1, Some(b"two")), (2, Some(b"one"))],
            &[(1, None), (3, Some(b"one"))],
        ];
        for damage in damages {
            let engine = MemoryEngine::default();
            let tally = commit(&engine, &[(1, Some(b"one")), (2, Some(b"two"))]);
            engine.commit(batch(&engine, damage)).expect("it writes");
            assert_eq!(tally.check(&engine), Err(StoreError::Quarantined), "{damage:?}");
        }
    }
}
