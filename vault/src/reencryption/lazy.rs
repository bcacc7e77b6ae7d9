//! Seals records and surrogates anew that a customer has just read, beside the answer.
//!
//! It promises that no read waits for it or fails by it: what does not fit in the queue is left to
//! the long work. A queued entry holds no key; the keys are looked up where requests keep them, and
//! where they are gone by then, nothing is done.

use std::sync::PoisonError;

use tresor_proto::{CustomerTokenId, DataClass, TenantId, TokenOperation};

use super::scan::{RowWork, WorkKeys};
use crate::{
    access::TokenHolder,
    error::VaultError,
    operations::{Reader, record_key},
    store::StoreKey,
    vault::Vault,
};

/// Reads whose records wait to be sealed anew: beyond that, they are left to the long work.
const QUEUE_READS_MAX: usize = 64;

/// Rows that were read and have groups under older keys.
#[derive(Debug)]
pub(crate) struct LazyQueue {
    reads: async_channel::Sender<OutdatedRead>,
    queue: async_channel::Receiver<OutdatedRead>,
}

#[derive(Debug)]
struct OutdatedRead {
    tenant: TenantId,
    keys: Vec<StoreKey>,
    customer_token: CustomerTokenId,
    sequence: u64,
}

impl Default for LazyQueue {
    fn default() -> Self {
        let (reads, queue) = async_channel::bounded(QUEUE_READS_MAX);
        Self { reads, queue }
    }
}

impl Vault {
    /// Queues what a reader found under older keys, when its customer token may write.
    pub(crate) fn reseal_later(&self, reader: Reader) {
        let ids = reader.outdated.into_inner().unwrap_or_else(PoisonError::into_inner);
        let keys = ids.iter().map(|id| record_key(&reader.view.collection, id)).collect();
        self.queue_rows(&reader.holder, keys, TokenOperation::Write);
    }

    /// Queues what was found under older keys, when the customer token may do what makes such rows.
    pub(crate) fn queue_rows(
        &self,
        holder: &TokenHolder,
        keys: Vec<StoreKey>,
        needed: TokenOperation,
    ) {
        let holder = holder.holder().filter(|_| holder.may(needed));
        let Some(holder) = holder.filter(|_| !keys.is_empty()) else {
            return;
        };
        let read = OutdatedRead {
            tenant: holder.keyring.keyring.tenant,
            keys,
            customer_token: holder.entry.bounds.id,
            sequence: holder.keyring.sequence,
        };
        // What finds no place is left to the long work.
        let _ = self.lazy().reads.try_send(read);
    }

    /// Seals the records of one read anew; whether there was one.
    pub(super) async fn reseal_read(&self) -> bool {
        let Ok(read) = self.lazy().queue.try_recv() else {
            return false;
        };
        if let Err(error) = self.reseal_outdated(&read).await {
            let code = error.code().as_str();
            tracing::debug!(tenant = %read.tenant, code, "records were not sealed anew");
        }
        true
    }

    async fn reseal_outdated(&self, read: &OutdatedRead) -> Result<(), VaultError> {
        let now_ms = self.clock().now_ms();
        let place = (read.tenant, read.sequence);
        let peek = |class| {
            let keys = self.unlocked_cache().peek(place, read.customer_token, class, now_ms)?;
            Some((class, keys))
        };
        let keys = DataClass::ALL.into_iter().filter_map(peek).collect();
        let store = self.store(read.tenant).await?;
        let rows = store.read(read.keys.clone()).await?;
        let there = read.keys.iter().cloned().zip(rows).filter_map(|(key, row)| Some((key, row?)));
        let place = (read.tenant, store.as_ref());
        let work = RowWork::Reseal(WorkKeys::Unlocked(keys));
        self.work_page(place, &work, there.collect()).await?;
        Ok(())
    }
}
