//! One round of a put: the changes so far, and the rows they lead to.
//!
//! A record that comes twice in a batch is sealed over its own earlier self, so that the last one
//! stays and none is refused.

use std::collections::HashMap;

use tresor_proto::{RecordId, storage};

use super::exchange::{self, Listed};
use crate::{
    operations::sight::Sight,
    store::{Change, RowDigest},
    surrogate::holders::HolderEnd,
};

/// Bytes of old rows that one application to the store touches at most, or little more: a store
/// holds them until it has synced.
const OLD_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What a record is, as far as replacing it goes.
#[derive(Clone, Debug)]
pub(super) struct Previous {
    pub(super) created_ms: u64,
    pub(super) revision: u64,
    pub(super) digest: RowDigest,
    pub(super) index_entries: Vec<Vec<u8>>,
    pub(super) surrogates: Vec<Listed>,
    pub(super) end: HolderEnd,
}

impl Previous {
    /// What a row is of which this is the message.
    pub(super) fn of(message: storage::Record, digest: RowDigest) -> Self {
        let surrogates = exchange::listed(&message);
        let end = HolderEnd::of(message.expires_ms);
        let storage::Record { created_ms, revision, index_entries, .. } = message;
        Self { created_ms, revision, digest, index_entries, surrogates, end }
    }
}

/// The changes of a round that are not applied yet.
#[derive(Default)]
pub(super) struct Round {
    changes: Vec<Change>,
    sealed: HashMap<RecordId, Previous>,
    old_bytes: usize,
    /// The rows of surrogates, as the changes before leave them.
    pub(super) sight: Sight,
    /// Applied with the others; nobody waits for what becomes of them.
    aside: Vec<Change>,
}

impl Round {
    /// A round that does changes on the side.
    pub(super) fn with_aside(aside: Vec<Change>) -> Self {
        Self { aside, ..Self::default() }
    }

    /// What a record will be once the changes before are applied, if they touch it.
    pub(super) fn previous(&self, id: &RecordId) -> Option<&Previous> {
        self.sealed.get(id)
    }

    /// Adds the change that makes a record `next`, over a row of `old_bytes`.
    pub(super) fn push(&mut self, id: &RecordId, change: Change, next: Previous, old_bytes: usize) {
        self.changes.push(change);
        self.sealed.insert(id.clone(), next);
        self.old_bytes += old_bytes;
    }

    /// Adds the change that makes sure of an answer given before.
    pub(super) fn confirm(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Whether the changes are to be applied before more are added.
    pub(super) fn is_full(&self) -> bool {
        self.old_bytes >= OLD_BYTES_MAX
    }

    /// The changes, to be applied now: those of the items in order, then those on the side.
    pub(super) fn take(&mut self) -> Vec<Change> {
        self.sealed.clear();
        self.sight.clear();
        self.old_bytes = 0;
        let mut changes = core::mem::take(&mut self.changes);
        changes.append(&mut self.aside);
        changes
    }
}
