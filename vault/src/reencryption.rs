//! Long work on a tenant's records. Behind a rotation of data keys: everything that hangs on older
//! epochs is sealed under the newest, then the older keys are destroyed. The same for identifier keys,
//! which have an operation of their own. And the building of blind indexes over records that were
//! there before.
//!
//! It promises that an older key is destroyed only after a whole scan, begun when no write under it
//! was taken any more, found nothing that hangs on it; and that it goes on where it was after a
//! pause, a restart or a kill. Its state is a row of the registry, written after each page; the keys
//! it works with are lent by the customer, in memory, with an end.

mod ending;
mod indexing;
mod lazy;
mod pace;
mod reindex;
mod rekeyer;
mod rekeying;
mod reseal;
mod scan;
mod step;

use std::time::Duration;

pub(crate) use ending::{LastLooks, destroy_ms};
pub(crate) use indexing::is_about_indexes;
pub(crate) use lazy::LazyQueue;
pub(crate) use pace::Paces;
pub(crate) use rekeying::is_about_identifiers;
pub(crate) use step::{begin, tenant_of};
use tresor_proto::{
    DataClass,
    storage::{OperationKind, OperationRow, OperationTarget},
};

use crate::{error::VaultError, vault::Vault};

/// Operations worked on at once, a page each in turn.
const OPEN_MAX: usize = 10_000;

impl Vault {
    /// Goes on with tenants' deletions, then takes each operation that may go on one page further. Gives when to go on: `None` when
    /// there is nothing left to do now. The process calls it again and again.
    ///
    /// # Errors
    /// Those of the registry.
    pub async fn work_once(&self) -> Result<Option<Duration>, VaultError> {
        self.go_on_deleting().await?;
        let mut next = self.reseal_read().await.then_some(Duration::ZERO);
        for record in self.registry().operations(false, None, OPEN_MAX).await? {
            let pause = self.paces().pause(record.id);
            let pause = match pause {
                Some(pause) => Some(pause),
                None => self.step_or_tell(&record).await,
            };
            next = next.into_iter().chain(pause).min();
        }
        Ok(next)
    }
}

/// Whether an operation seals anew what hangs on older data keys.
pub(crate) fn is_reencryption(row: &OperationRow) -> bool {
    row.kind() == OperationKind::Unspecified
}

/// The classes and epochs of an operation's targets.
pub(crate) fn targets(row: &[OperationTarget]) -> Result<Vec<(DataClass, u32)>, VaultError> {
    let target = |target: &OperationTarget| {
        let class = DataClass::from_code(target.data_class).ok_or(VaultError::Integrity)?;
        Ok((class, target.epoch))
    };
    row.iter().map(target).collect()
}
