//! Rows of the registry as they were verified, kept in memory: every call asks for its tenant's
//! row and most for a policy's.
//!
//! It promises never to give a row older than the last change made here, and holds a bounded number
//! of them; it relies on no other process writing to the registry, which its lock sees to. What
//! somebody writes behind the vault's back is met, and refused, when it is read again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::store::{RowDigest, StoreKey};

/// Rows kept at most; when there are more, all are forgotten.
const ROWS_MAX: usize = 8_192;
/// Bytes of their messages at most: a large policy takes some hundred thousand.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// A message whose row was authentic in its place, and the digest of the row.
pub(super) struct Verified {
    pub(super) message: Vec<u8>,
    pub(super) digest: RowDigest,
}

/// The rows kept.
#[derive(Default)]
pub(super) struct VerifiedRows(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// Counts changes, so that a row read before a change is not kept after it.
    changes: u64,
    rows: HashMap<StoreKey, Arc<Verified>>,
    /// Of their messages.
    bytes: usize,
    /// How many changes of a row are under way.
    changing: HashMap<StoreKey, usize>,
}

impl VerifiedRows {
    /// A row, or until when one that is read now may be kept.
    pub(super) fn find(&self, key: &StoreKey) -> Result<Arc<Verified>, u64> {
        let kept = self.kept();
        kept.rows.get(key).cloned().ok_or(kept.changes)
    }

    /// Keeps a row, unless something has changed since it was looked for.
    pub(super) fn keep(&self, key: StoreKey, row: &Arc<Verified>, changes: u64) {
        let mut kept = self.kept();
        if kept.changes != changes || kept.changing.contains_key(&key) {
            return;
        }
        kept.forget(&key);
        let bytes = kept.bytes + row.message.len();
        if kept.rows.len() >= ROWS_MAX || bytes > BYTES_MAX {
            kept.forget_all();
        }
        kept.bytes += row.message.len();
        kept.rows.insert(key, Arc::clone(row));
    }

    /// Forgets rows that are about to be changed; until they are, either may be read.
    pub(super) fn begin_change(&self, keys: &[StoreKey]) {
        let mut kept = self.kept();
        for key in keys {
            kept.forget(key);
            *kept.changing.entry(key.clone()).or_default() += 1;
        }
    }

    /// The change has become one or not.
    pub(super) fn end_change(&self, keys: &[StoreKey]) {
        let mut kept = self.kept();
        kept.changes = kept.changes.wrapping_add(1);
        for key in keys {
            let left = kept.changing.remove(key).unwrap_or(0).saturating_sub(1);
            if left > 0 {
                kept.changing.insert(key.clone(), left);
            }
        }
    }

    /// Forgets everything, for tests that write behind the vault's back.
    #[cfg(test)]
    pub(super) fn forget_all(&self) {
        self.kept().forget_all();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn forget(&mut self, key: &StoreKey) {
        if let Some(row) = self.rows.remove(key) {
            self.bytes -= row.message.len();
        }
    }

    fn forget_all(&mut self) {
        self.rows.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Keyspace;

    fn key(name: &[u8]) -> StoreKey {
        StoreKey::new(Keyspace::Tenants, name)
    }

    fn row(message: &[u8]) -> Arc<Verified> {
        Arc::new(Verified { message: message.to_vec(), digest: RowDigest::of(message) })
    }

    /// Looks for a row, then keeps what was read.
    fn look_and_keep(rows: &VerifiedRows, message: &[u8], meanwhile: impl FnOnce()) {
        let changes = rows.find(&key(b"a")).err().unwrap();
        meanwhile();
        rows.keep(key(b"a"), &row(message), changes);
    }

    fn message(rows: &VerifiedRows) -> Option<Vec<u8>> {
        rows.find(&key(b"a")).ok().map(|row| row.message.clone())
    }

    #[test]
    fn a_row_read_before_a_change_ended_is_not_kept() {
        let (rows, keys) = (VerifiedRows::default(), [key(b"a")]);
        rows.begin_change(&keys);
        look_and_keep(&rows, b"either", || {});
        assert_eq!(message(&rows), None);
        look_and_keep(&rows, b"either", || rows.end_change(&keys));
        assert_eq!(message(&rows), None);
        look_and_keep(&rows, b"new", || {});
        assert_eq!(message(&rows).as_deref(), Some(&b"new"[..]));
        rows.begin_change(&keys);
        rows.begin_change(&keys);
        rows.end_change(&keys);
        look_and_keep(&rows, b"either", || {});
        assert_eq!(message(&rows), None);
    }

    #[test]
    fn their_number_is_bounded() {
        let rows = VerifiedRows::default();
        for number in 0..3 * ROWS_MAX {
            rows.keep(key(&number.to_be_bytes()), &row(b""), 0);
        }
        assert!(rows.kept().rows.len() <= ROWS_MAX);
    }

    #[test]
    fn their_bytes_are_bounded() {
        let (rows, large) = (VerifiedRows::default(), row(&vec![0; BYTES_MAX / 4]));
        for number in 0..6u64 {
            rows.keep(key(&number.to_be_bytes()), &large, 0);
            rows.keep(key(&number.to_be_bytes()), &large, 0);
            let kept = rows.kept();
            let bytes = kept.rows.values().map(|row| row.message.len()).sum::<usize>();
            assert_eq!(bytes, kept.bytes);
            assert!((1..=BYTES_MAX).contains(&bytes), "{bytes}");
        }
        rows.begin_change(&[key(&5u64.to_be_bytes())]);
        let kept = rows.kept();
        assert_eq!(kept.rows.len() * (BYTES_MAX / 4), kept.bytes);
    }
}
