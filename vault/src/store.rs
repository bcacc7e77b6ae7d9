//! Ordered keyspaces of bytes, one database per tenant and one for the registry.
//!
//! A store is untrusted: it sees ciphertext, and everything it returns is verified by its reader.
//! It promises that a [`Change`] is applied whole or not at all, and that [`Store::apply`] returns
//! only when the data survive a power cut.

mod committer;
mod database;
mod directory_lock;
mod durable;
mod engine;
mod engine_store;
mod group;
mod memory;
mod quarantine;
mod redb;
mod row_cache;
mod sled;
mod stores;
mod tally;
mod witness;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod tests;

use async_trait::async_trait;

pub use database::{Existence, StoreEngine};
pub(crate) use durable::{create_directory, sync_directory};
pub use engine_store::open_database;
pub use stores::Stores;

/// Bytes of a key.
pub const KEY_BYTES_MAX: usize = 1_024;
/// Bytes of a value: a record of `RECORD_BYTES_MAX` sealed and padded takes well under half.
pub const ROW_BYTES_MAX: usize = 1024 * 1024;

/// A database of one tenant, or of the registry.
#[async_trait]
pub trait Store: Send + Sync {
    /// Reads values by key; one answer a key, in order.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is read then.
    async fn read(&self, keys: Vec<StoreKey>) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// Reads up to `limit` rows of `range`, in the order of their keys.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is read then.
    async fn scan(&self, range: ScanRange, limit: usize) -> Result<Vec<StoreRow>, StoreError>;

    /// Applies changes in order, each whole or not at all; returns when those applied survive a
    /// power cut. A change sees the effects of those before it.
    ///
    /// # Errors
    /// [`StoreError`]; which changes were applied is unknown then.
    async fn apply(&self, changes: Vec<Change>) -> Result<Vec<Outcome>, StoreError>;

    /// Syncs and closes the database; every later call answers [`StoreError::Closed`].
    ///
    /// # Errors
    /// [`StoreError`] when the last sync fails.
    async fn close(&self) -> Result<(), StoreError>;
}

/// A group of rows of one kind; its number is the first byte of a key at rest and is frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Keyspace {
    /// Sealed records.
    Records = 1,
    /// Surrogates (reserved).
    Surrogates = 2,
    /// Entries of blind indexes.
    Index = 3,
    /// Records by subject (reserved).
    Subject = 4,
    /// Records by expiry (reserved).
    Expiry = 5,
    /// Answers kept for repeated writes.
    Idempotency = 6,
    /// What the database says of itself.
    Meta = 7,
    /// The audit log (reserved).
    Audit = 8,
    /// Registry: tenants by id.
    Tenants = 64,
    /// Registry: tenants by name.
    TenantNames = 65,
    /// Registry: policies of collections.
    Collections = 66,
    /// Registry: long operations.
    Operations = 67,
    /// Registry: who changes keys.
    KeyLease = 68,
    /// Registry: what hangs on the keys of tenants.
    Census = 69,
    /// Registry: users of tenants.
    Users = 70,
    /// Registry: tenants that are being deleted.
    Deletions = 71,
}

/// A key: a keyspace and up to 1,024 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreKey {
    /// Which keyspace.
    pub keyspace: Keyspace,
    /// Which row of it.
    pub key: Vec<u8>,
}

/// A row as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreRow {
    /// Its key within the keyspace.
    pub key: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
}

/// The keys of one keyspace that begin with `prefix` and, if given, come after `after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanRange {
    /// Which keyspace.
    pub keyspace: Keyspace,
    /// What the keys begin with; empty for all.
    pub prefix: Vec<u8>,
    /// Only keys greater than this one.
    pub after: Option<Vec<u8>>,
}

/// One atomic change: applied only when all its preconditions hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// What must hold of the database.
    pub preconditions: Vec<Precondition>,
    /// What is written, in order.
    pub writes: Vec<Write>,
}

impl Change {
    /// This change and one before it, as one.
    pub(crate) fn after(self, mut before: Self) -> Self {
        before.preconditions.extend(self.preconditions);
        before.writes.extend(self.writes);
        before
    }
}

/// What must hold of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// There is no such row.
    Absent(StoreKey),
    /// There is such a row, whatever it holds.
    Present(StoreKey),
    /// The row is exactly what was read.
    Unchanged(StoreKey, RowDigest),
}

/// What a row was when it was read: enough to tell whether it still is, without holding it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowDigest {
    sha256: [u8; 32],
    row_bytes: usize,
}

impl RowDigest {
    /// The digest of a row.
    #[must_use]
    pub fn of(row: &[u8]) -> Self {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, row).as_ref());
        Self { sha256, row_bytes: row.len() }
    }

    /// A text that is another for every row.
    pub(crate) fn to_etag(&self) -> String {
        self.sha256.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// How many bytes the row had.
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    /// Whether it is the digest of `row`.
    #[must_use]
    pub fn is_of(&self, row: &[u8]) -> bool {
        self.row_bytes == row.len() && *self == Self::of(row)
    }
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Sets a row.
    Put(StoreKey, Vec<u8>),
    /// Removes a row, if there is one.
    Remove(StoreKey),
}

impl Write {
    /// The row's key.
    #[must_use]
    pub fn key(&self) -> &StoreKey {
        match self {
            Self::Put(key, _) | Self::Remove(key) => key,
        }
    }
}

/// What became of one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Applied and durable.
    Applied,
    /// Not applied: a precondition does not hold.
    PreconditionFailed,
}

/// Why a store does not answer. Never a value, never a foreign text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A key or value is over what any engine takes.
    #[error("a key or value is too large for the store")]
    TooLarge,
    /// The disk is full or refuses; nothing was applied. May pass.
    #[error("the store cannot write now")]
    Unavailable,
    /// A sync failed, or the file is damaged: not used again until reopened and checked.
    #[error("the store is quarantined")]
    Quarantined,
    /// Another process has the database open.
    #[error("the store is in use by another process")]
    InUse,
    /// The database was made with another engine.
    #[error("the store was made with another engine")]
    OtherEngine,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreKey {
    /// A key of `keyspace`.
    #[must_use]
    pub fn new(keyspace: Keyspace, key: impl Into<Vec<u8>>) -> Self {
        Self { keyspace, key: key.into() }
    }
}
