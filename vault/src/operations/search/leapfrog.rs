//! Finds the ids that stand under several entries at once, by leaping from one sorted list of ids to
//! the next.
//!
//! It promises that the work of one call is bounded however long the lists are, and that what comes
//! after it begins where it stopped. It relies on ids having ASCII characters only.

use std::collections::VecDeque;

use tresor_proto::RecordId;

use crate::{
    blind_index::IndexEntry,
    error::VaultError,
    store::{Keyspace, ScanRange, Store},
};

/// Ids read at once.
const PAGE_IDS: usize = 64;
/// Reads of one call: its work has an end.
const READS_MAX: usize = 256;

/// The lists of all terms.
pub(super) struct Leapfrog<'a> {
    store: &'a dyn Store,
    terms: Vec<Vec<IdList>>,
    reads_left: usize,
}

/// The ids under one entry, as far as they are read.
struct IdList {
    prefix: Vec<u8>,
    ids: VecDeque<RecordId>,
    is_read_to_end: bool,
}

/// Where a leap ends.
pub(super) enum Leap {
    /// An id that stands under an entry of each term.
    Found(RecordId),
    /// There is none any more.
    End,
    /// Nothing up to this id, and the work of the call is done.
    Tired(Option<RecordId>),
}

impl<'a> Leapfrog<'a> {
    /// The lists of terms, each of which has an entry under each version of its key, older ones first.
    pub(super) fn new<'e>(
        store: &'a dyn Store,
        terms: impl IntoIterator<Item = &'e [IndexEntry]>,
    ) -> Self {
        let terms = terms.into_iter().map(|entries| entries.iter().map(IdList::new).collect());
        Self { store, terms: terms.collect(), reads_left: READS_MAX }
    }

    /// The next id after `after`.
    pub(super) async fn next(&mut self, after: Option<&RecordId>) -> Result<Leap, VaultError> {
        let mut bound = after.map_or_else(Vec::new, |id| id.as_str().as_bytes().to_vec());
        let mut passed = after.cloned();
        loop {
            let mut firsts = Vec::with_capacity(self.terms.len());
            for at in 0..self.terms.len() {
                if self.reads_left == 0 {
                    return Ok(Leap::Tired(passed));
                }
                let Some(first) = self.first_of(at, &bound).await? else {
                    return Ok(Leap::End);
                };
                firsts.push(first);
            }
            let (lowest, highest) = (firsts.iter().min(), firsts.iter().max());
            let Some(highest) = highest else { return Ok(Leap::End) };
            if lowest == Some(highest) {
                return Ok(Leap::Found(highest.clone()));
            }
            bound = before(highest);
            passed = lowest.cloned();
        }
    }

    /// The first id above `bound` under an entry of one term.
    async fn first_of(&mut self, at: usize, bound: &[u8]) -> Result<Option<RecordId>, VaultError> {
        let mut first: Option<RecordId> = None;
        let reads_left = self.reads_left;
        for list in self.terms.get_mut(at).into_iter().flatten() {
            if self.reads_left < reads_left {
                // What has left an older list since is in a newer one, if that is read after it.
                list.forget();
            }
            let found = list.first(self.store, bound, &mut self.reads_left).await?;
            first = first.into_iter().chain(found).min();
        }
        Ok(first)
    }
}

impl IdList {
    fn new(entry: &IndexEntry) -> Self {
        Self { prefix: entry.as_bytes().to_vec(), ids: VecDeque::new(), is_read_to_end: false }
    }

    /// Is to be read anew.
    fn forget(&mut self) {
        self.ids.clear();
        self.is_read_to_end = false;
    }

    /// The first id above `bound`, which never goes back.
    async fn first(
        &mut self,
        store: &dyn Store,
        bound: &[u8],
        reads_left: &mut usize,
    ) -> Result<Option<RecordId>, VaultError> {
        while self.ids.front().is_some_and(|id| id.as_str().as_bytes() <= bound) {
            self.ids.pop_front();
        }
        if self.ids.is_empty() && !self.is_read_to_end {
            *reads_left = reads_left.saturating_sub(1);
            let (keyspace, prefix) = (Keyspace::Index, self.prefix.clone());
            let after = Some([&prefix, bound].concat());
            let rows = store.scan(ScanRange { keyspace, prefix, after }, PAGE_IDS).await?;
            self.is_read_to_end = rows.len() < PAGE_IDS;
            let id = |key: &[u8]| {
                let id = key.get(self.prefix.len()..).map(core::str::from_utf8);
                let id = id.and_then(Result::ok).and_then(|id| RecordId::parse(id).ok());
                id.ok_or(VaultError::Integrity)
            };
            self.ids = rows.iter().map(|row| id(&row.key)).collect::<Result<_, VaultError>>()?;
        }
        Ok(self.ids.front().cloned())
    }
}

/// A bound that an id is the first above: no id has a byte of all ones.
fn before(id: &RecordId) -> Vec<u8> {
    let mut bytes = id.as_str().as_bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last = last.saturating_sub(1);
    }
    bytes.push(0xFF);
    bytes
}
