//! Where passwords are hashed: two threads of their own, and a bounded number of places to wait.
//!
//! It promises that a storm of logins takes 128 MiB and two cores at most, that no tenant takes more
//! than a few of the places, and that a place is taken until the hash is done, whether or not its
//! caller still waits. It relies on the threads of [`KeyWorker`], which wipe their stacks.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tresor_proto::{RefusalReason, TenantId};

use crate::{error::VaultError, key_worker::KeyWorker};

/// Hashes at once, 64 MiB each.
const THREADS: usize = 2;
/// Places: at work, and 32 waiting, which is a few seconds of work.
const PLACES_MAX: usize = THREADS + 32;
/// Places one tenant may have, so that a storm on one leaves places for the others.
const TENANT_PLACES_MAX: usize = 4;

/// The threads and the places before them.
#[derive(Debug)]
pub(crate) struct PasswordDesk {
    worker: KeyWorker,
    taken: Arc<Taken>,
}

/// Places taken, by tenant.
#[derive(Debug, Default)]
struct Taken(Mutex<HashMap<TenantId, usize>>);

/// A place, given back when it is dropped.
struct Place {
    tenant: TenantId,
    taken: Arc<Taken>,
}

impl PasswordDesk {
    /// Starts the threads.
    pub(crate) fn start() -> Result<Self, VaultError> {
        Ok(Self { worker: KeyWorker::start(THREADS)?, taken: Arc::default() })
    }

    /// Runs a hash for a tenant.
    ///
    /// # Errors
    /// `overloaded` when all places, or all of the tenant's, are taken.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        tenant: TenantId,
        hash: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, VaultError> {
        let place = Place::take(&self.taken, tenant).ok_or(RefusalReason::LoginsWaiting)?;
        let work = move || {
            let hashed = hash();
            drop(place);
            hashed
        };
        self.worker.run(work).await
    }

    /// How many are at work or wait.
    pub(crate) fn places_taken(&self) -> usize {
        self.taken.lock().values().sum()
    }

    /// Ends when nothing is left to do.
    pub(crate) async fn settle(&self) {
        self.worker.settle().await;
    }
}

impl Taken {
    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn take(taken: &Arc<Taken>, tenant: TenantId) -> Option<Self> {
        let mut places = taken.lock();
        if places.values().sum::<usize>() >= PLACES_MAX {
            return None;
        }
        let of_tenant = places.entry(tenant).or_default();
        if *of_tenant >= TENANT_PLACES_MAX {
            return None;
        }
        *of_tenant += 1;
        Some(Self { tenant, taken: Arc::clone(taken) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.taken.lock();
        let left = places.remove(&self.tenant).unwrap_or(0).saturating_sub(1);
        if left > 0 {
            places.insert(self.tenant, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use futures_like::{begin, join_all};

    use super::*;

    /// Just enough of futures for these tests.
    mod futures_like {
        use core::{
            future::{Future, poll_fn},
            pin::Pin,
            task::Poll,
        };

        pub(super) async fn begin<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
            poll_fn(|context| {
                Poll::Ready(match future.as_mut().poll(context) {
                    Poll::Ready(output) => Some(output),
                    Poll::Pending => None,
                })
            })
            .await
        }

        pub(super) async fn join_all<F: Future>(futures: Vec<Pin<Box<F>>>) -> Vec<F::Output> {
            let mut outputs = Vec::new();
            for future in futures {
                outputs.push(future.await);
            }
            outputs
        }
    }

    fn tenant(number: usize) -> TenantId {
        TenantId::from_bytes([u8::try_from(number).unwrap(); 16])
    }

    /// What is answered at once.
    async fn asked(desk: &PasswordDesk, number: usize) -> Option<Result<(), VaultError>> {
        begin(Box::pin(desk.run(tenant(number), || ())).as_mut()).await
    }

    #[tokio::test]
    async fn a_storm_on_one_tenant_leaves_places_for_the_others_and_all_have_an_end() {
        let desk = PasswordDesk::start().unwrap();
        let gate = Arc::new(Barrier::new(THREADS + 1));
        let refused = Some(Err(RefusalReason::LoginsWaiting.into()));
        let mut waiting = Vec::new();
        for number in 0..PLACES_MAX {
            let gate = Arc::clone(&gate);
            // The first hold both threads, so that the others wait.
            let hash = move || {
                if number < THREADS {
                    gate.wait();
                }
            };
            let mut run = Box::pin(desk.run(tenant(number / TENANT_PLACES_MAX), hash));
            assert!(begin(run.as_mut()).await.is_none());
            waiting.push(run);
            if number == TENANT_PLACES_MAX - 1 {
                assert_eq!(asked(&desk, 0).await, refused);
            }
        }
        assert_eq!(asked(&desk, 99).await, refused);
        assert_eq!(desk.places_taken(), PLACES_MAX);
        gate.wait();
        assert!(join_all(waiting).await.into_iter().all(|ran| ran.is_ok()));
        desk.settle().await;
        assert_eq!(desk.places_taken(), 0);
        assert_eq!(desk.run(tenant(0), || 1).await, Ok(1));
    }

    #[tokio::test]
    async fn whoever_goes_away_keeps_the_place_until_the_hash_is_done() {
        let desk = PasswordDesk::start().unwrap();
        let gate = Arc::new(Barrier::new(2));
        let held = Arc::clone(&gate);
        let mut run = Box::pin(desk.run(tenant(1), move || {
            held.wait();
        }));
        assert!(begin(run.as_mut()).await.is_none());
        drop(run);
        assert_eq!(desk.places_taken(), 1);
        gate.wait();
        desk.settle().await;
        assert_eq!(desk.places_taken(), 0);
    }
}
