//! All tenants' databases of one process, opened when they are asked for.
//!
//! Each is opened once and by one owner; when too many are open, those least recently used are
//! closed in the background, never while somebody uses them. A quarantine is remembered until it is
//! lifted; other processes are kept off by the lock in each directory.

mod removal;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tresor_proto::TenantId;

use super::database;
use super::engine_store::EngineStore;
use super::quarantine::QuarantineFlag;
use super::row_cache::RowCache;
use super::{Existence, Store, StoreEngine, StoreError};

/// The databases of all tenants.
pub struct Stores {
    root: PathBuf,
    engine: StoreEngine,
    open_max: usize,
    cache: Arc<RowCache>,
    tenants: Arc<Mutex<Tenants>>,
}

#[derive(Default)]
struct Tenants {
    by_id: HashMap<TenantId, Tenant>,
    open: HashSet<TenantId>,
    uses: u64,
    is_closed: bool,
}

/// What is known of one tenant's database.
#[derive(Clone)]
struct Tenant {
    place: Place,
    quarantine: QuarantineFlag,
    last_use: u64,
}

impl Tenant {
    fn new(tenant_id: TenantId) -> Self {
        let quarantine = QuarantineFlag::of(tenant_id.to_string());
        Self { place: Place::default(), quarantine, last_use: 0 }
    }
}

/// Where an open store is kept. Held locked while it is opened or closed, so that neither happens
/// twice at once.
type Place = Arc<AsyncMutex<Option<Arc<EngineStore>>>>;
type LockedPlace = OwnedMutexGuard<Option<Arc<EngineStore>>>;

impl Stores {
    /// Databases that stay open unless a deployment says otherwise: each costs a few megabytes.
    pub const OPEN_MAX_DEFAULT: usize = 128;

    /// The databases in `<root>/<tenant id>`, at most `open_max` of them open while not in use.
    #[must_use]
    pub fn new(root: PathBuf, engine: StoreEngine, open_max: usize) -> Self {
        Self { root, engine, open_max, cache: RowCache::new(), tenants: Arc::default() }
    }

    /// The database of a tenant, opened if it is not.
    ///
    /// # Errors
    /// Those of [`open_database`](super::open_database); [`StoreError::Quarantined`] without
    /// another try once it was; [`StoreError::Closed`] after [`Self::close_all`].
    pub async fn tenant(
        &self,
        tenant_id: TenantId,
        existence: Existence,
    ) -> Result<Arc<dyn Store>, StoreError> {
        let tenant = self.use_tenant(tenant_id)?;
        let place = Arc::clone(&tenant.place).lock_owned().await;
        if tenant.quarantine.is_raised() {
            self.tenants().open.remove(&tenant_id);
            close_in_background(place);
            return Err(StoreError::Quarantined);
        }
        match place.as_ref() {
            Some(store) => Ok(Arc::clone(store) as Arc<dyn Store>),
            None => self.open(tenant_id, tenant.quarantine, place, existence).await,
        }
    }

    /// Whether the database of a tenant is quarantined.
    #[must_use]
    pub fn is_quarantined(&self, tenant_id: TenantId) -> bool {
        let tenants = self.tenants();
        tenants.by_id.get(&tenant_id).is_some_and(|it| it.quarantine.is_raised())
    }

    /// Every tenant whose database is quarantined.
    #[must_use]
    pub fn quarantined(&self) -> Vec<TenantId> {
        let tenants = self.tenants();
        let quarantined = tenants.by_id.iter().filter(|(_, it)| it.quarantine.is_raised());
        quarantined.map(|(tenant_id, _)| *tenant_id).collect()
    }

    /// Forgets a quarantine after an operator's repair: the next use opens and checks anew.
    pub async fn lift_quarantine(&self, tenant_id: TenantId) {
        let Some(tenant) = self.tenants().by_id.get(&tenant_id).cloned() else {
            return;
        };
        let mut place = tenant.place.lock().await;
        self.tenants().open.remove(&tenant_id);
        if let Some(store) = place.take() {
            // What is wrong with it is known already.
            let _ = store.close().await;
        }
        tenant.quarantine.lift();
    }

    /// How many databases are open.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.tenants().open.len()
    }

    /// Closes everything, also what is in use, and opens nothing any more.
    ///
    /// # Errors
    /// The first [`StoreError`] of a store that could not be synced; the others are closed too.
    pub async fn close_all(&self) -> Result<(), StoreError> {
        let known: Vec<Tenant> = {
            let mut tenants = self.tenants();
            tenants.is_closed = true;
            tenants.open.clear();
            tenants.by_id.values().cloned().collect()
        };
        let mut closed = Ok(());
        for tenant in known {
            let store = tenant.place.lock().await.take();
            let this = match store {
                Some(store) => store.close().await,
                None => Ok(()),
            };
            closed = closed.and(this);
        }
        closed
    }

    /// Opens in a task of its own, so that a caller who goes away does not leave a database half
    /// opened and locked.
    async fn open(
        &self,
        tenant_id: TenantId,
        quarantine: QuarantineFlag,
        mut place: LockedPlace,
        existence: Existence,
    ) -> Result<Arc<dyn Store>, StoreError> {
        let directory = self.root.join(tenant_id.to_string());
        let (engine, open_max) = (self.engine, self.open_max);
        let (cache, tenants) = (Arc::clone(&self.cache), Arc::clone(&self.tenants));
        let open = move || database::open(engine, &directory, existence, &cache);
        let opening = tokio::spawn(async move {
            let store = EngineStore::open(open, quarantine).await?;
            let store = Arc::new(store);
            *place = Some(Arc::clone(&store));
            drop(place);
            note_open(&tenants, tenant_id);
            // What is in memory would be lost.
            if engine != StoreEngine::Memory {
                close_surplus(&tenants, open_max);
            }
            Ok(store as Arc<dyn Store>)
        });
        opening.await.map_err(|_| StoreError::Closed)?
    }

    fn use_tenant(&self, tenant_id: TenantId) -> Result<Tenant, StoreError> {
        let mut tenants = self.tenants();
        if tenants.is_closed {
            return Err(StoreError::Closed);
        }
        tenants.uses += 1;
        let last_use = tenants.uses;
        let tenant = tenants.by_id.entry(tenant_id).or_insert_with(|| Tenant::new(tenant_id));
        tenant.last_use = last_use;
        Ok(tenant.clone())
    }

    fn tenants(&self) -> MutexGuard<'_, Tenants> {
        lock(&self.tenants)
    }
}

fn lock(tenants: &Mutex<Tenants>) -> MutexGuard<'_, Tenants> {
    tenants.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note_open(tenants: &Mutex<Tenants>, tenant_id: TenantId) {
    lock(tenants).open.insert(tenant_id);
}

/// Closes the least recently used of the open databases that nobody uses, until `open_max` are left.
fn close_surplus(tenants: &Mutex<Tenants>, open_max: usize) {
    let mut tenants = lock(tenants);
    let mut by_use: Vec<_> = tenants
        .open
        .iter()
        .filter_map(|tenant_id| tenants.by_id.get(tenant_id).map(|it| (it.last_use, *tenant_id)))
        .collect();
    by_use.sort_unstable();
    for (_, tenant_id) in by_use {
        if tenants.open.len() <= open_max {
            return;
        }
        let place = tenants.by_id.get(&tenant_id).and_then(|tenant| unused(&tenant.place));
        if let Some(place) = place {
            tenants.open.remove(&tenant_id);
            close_in_background(place);
        }
    }
}

/// The place, if nobody opens, closes or uses its store. While it is locked nobody can begin to: the
/// only other handles are the users', and there are none.
fn unused(place: &Place) -> Option<LockedPlace> {
    let place = Arc::clone(place).try_lock_owned().ok()?;
    let is_unused = place.as_ref().is_none_or(|store| Arc::strong_count(store) == 1);
    is_unused.then_some(place)
}

/// Closes what is in a place; whoever wants to open it again waits until that is done.
fn close_in_background(mut place: LockedPlace) {
    if let Some(store) = place.take() {
        tokio::spawn(async move {
            // A failed last sync is remembered by the store's quarantine flag.
            let _ = store.close().await;
            drop(place);
        });
    }
}
