//! Turns of writers that count in the same rows.
//!
//! It promises that those of one tenant in this process wait for each other instead of getting in
//! each other's way; what is right does not hang on it, since every change says what it saw.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OwnedMutexGuard;
use tresor_proto::TenantId;

/// The turns of all tenants.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<TenantId, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// Waits for the turn of a tenant's writers.
    pub(crate) async fn take(&self, tenant: TenantId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody waits for a turn that only this map knows.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(turns.entry(tenant).or_default())
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn only_those_of_one_tenant_wait_for_each_other() {
        let turns = Turns::default();
        let [one, other] = [1, 2].map(|byte| TenantId::from_bytes([byte; 16]));
        let held = turns.take(one).await;
        let _free = turns.take(other).await;
        let mut next = Box::pin(turns.take(one));
        let mut context = Context::from_waker(Waker::noop());
        assert!(next.as_mut().poll(&mut context).is_pending());
        drop(held);
        let _now = next.await;
    }
}
