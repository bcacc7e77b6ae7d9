//! The lease on key work: one operator at a time changes keys.
//!
//! It is a row, so that whoever comes second is told who is at it and since when; its number, the
//! fence, only ever grows, and whoever holds an older one can renew nothing. A lease ends when it is
//! dropped, or unused for a while; that of a process that is gone is void, since a data directory
//! is held by one process.

use std::sync::{Arc, Mutex, PoisonError};

use tresor_proto::{ErrorCode, Failure, storage};

use super::Registry;
use crate::{
    error::VaultError,
    store::{Keyspace, Precondition, StoreKey},
};

/// Milliseconds a lease holds without being renewed: far longer than one turn of key work.
const LEASE_MS: u64 = 60_000;

/// The leases of this process: the fence of the one that is held, and the turn to take one. Without
/// turns, whoever read the row before it counts as held could take it a second time.
#[derive(Clone, Debug, Default)]
pub(super) struct Held(Arc<Mutex<Option<u64>>>, Arc<tokio::sync::Mutex<()>>);

/// The proof that nobody else changes keys.
#[derive(Debug)]
pub(crate) struct KeyLease {
    row: storage::KeyLeaseRow,
    held: Held,
}

impl Registry {
    /// Takes the lease for `work`.
    ///
    /// # Errors
    /// `conflict`, with the name of who has it.
    pub(crate) async fn take_key_lease(
        &self,
        holder: &str,
        work: &str,
        now_ms: u64,
    ) -> Result<KeyLease, VaultError> {
        let _turn = self.held.1.lock().await;
        let found = self.read::<storage::KeyLeaseRow>(lease_key()).await?;
        let (fence, precondition) = match found {
            None => (1, Precondition::Absent(lease_key())),
            Some(row) if self.held.holds(row.message.fence) && now_ms < row.message.expires_ms => {
                return Err(taken(&row.message));
            }
            Some(row) => (
                row.message.fence.saturating_add(1),
                Precondition::Unchanged(lease_key(), row.digest),
            ),
        };
        let row = storage::KeyLeaseRow {
            fence,
            holder: holder.to_owned(),
            work: work.to_owned(),
            taken_ms: now_ms,
            expires_ms: now_ms.saturating_add(LEASE_MS),
        };
        self.apply(vec![precondition], vec![self.put(lease_key(), &row)?]).await?;
        self.held.set(fence);
        Ok(KeyLease { row, held: self.held.clone() })
    }

    /// Keeps the lease for a while longer, once half of it is over.
    ///
    /// # Errors
    /// `conflict` when it ran out and somebody else has taken it.
    pub(crate) async fn renew_key_lease(
        &self,
        lease: &mut KeyLease,
        now_ms: u64,
    ) -> Result<(), VaultError> {
        let half_over_ms = lease.row.expires_ms.saturating_sub(LEASE_MS / 2);
        if self.held.holds(lease.row.fence) && now_ms < half_over_ms {
            return Ok(());
        }
        let found = self.read::<storage::KeyLeaseRow>(lease_key()).await?;
        let found = found.ok_or(VaultError::Integrity)?;
        if found.message.fence != lease.row.fence {
            return Err(taken(&found.message));
        }
        lease.row.expires_ms = now_ms.saturating_add(LEASE_MS);
        let unchanged = Precondition::Unchanged(lease_key(), found.digest);
        self.apply(vec![unchanged], vec![self.put(lease_key(), &lease.row)?]).await
    }
}

impl Held {
    fn holds(&self, fence: u64) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) == Some(fence)
    }

    fn set(&self, fence: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fence);
    }
}

impl Drop for KeyLease {
    fn drop(&mut self) {
        let mut held = self.held.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *held == Some(self.row.fence) {
            *held = None;
        }
    }
}

fn taken(row: &storage::KeyLeaseRow) -> VaultError {
    let storage::KeyLeaseRow { holder, work, taken_ms, .. } = row;
    let since = prost_types::Timestamp {
        seconds: i64::try_from(taken_ms / 1_000).unwrap_or(i64::MAX),
        nanos: 0,
    };
    let told = format!("{holder} is at it since {since}: {work}; try again when that has ended");
    Failure::new(ErrorCode::Conflict, told).into()
}

fn lease_key() -> StoreKey {
    StoreKey::new(Keyspace::KeyLease, *b"keys")
}
