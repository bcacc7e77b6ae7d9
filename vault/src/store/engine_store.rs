//! The asynchronous [`Store`] over any engine.
//!
//! Reads run on the runtime's blocking threads, unless all rows are at hand, writes on the
//! committer's thread. Once an engine
//! call answers [`StoreError::Quarantined`], every later call does, until the database is opened
//! again; the store relies on the engine for everything else.

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use super::committer::{QUEUE_CALLERS_MAX, Request, Submission};
use super::database::{self, Existence, StoreEngine};
use super::engine::{Engine, KeyRange, guarded};
use super::quarantine::QuarantineFlag;
use super::row_cache::RowCache;
use super::{
    Change, KEY_BYTES_MAX, Outcome, Precondition, ROW_BYTES_MAX, ScanRange, Store, StoreError,
    StoreKey, StoreRow, Write, committer,
};

/// Opens the database in `directory`, or makes it there.
///
/// # Errors
/// [`StoreError::InUse`], [`StoreError::Quarantined`] for a database that is missing or damaged,
/// [`StoreError::Unavailable`].
pub async fn open_database(
    engine: StoreEngine,
    directory: PathBuf,
    existence: Existence,
) -> Result<Arc<dyn Store>, StoreError> {
    let quarantine = QuarantineFlag::of("registry".to_owned());
    let open = move || database::open(engine, &directory, existence, &RowCache::new());
    Ok(Arc::new(EngineStore::open(open, quarantine).await?))
}

/// How long a caller waits for the committer. A sync that takes longer has met a dead disk, or an
/// engine whose own threads have died without a word, which sled's can.
const PATIENCE: Duration = Duration::from_secs(120);

/// A store over one engine.
pub(super) struct EngineStore {
    shared: Arc<Shared>,
    patience: Duration,
    requests: mpsc::Sender<Request>,
}

/// What readers and the committer share.
pub(super) struct Shared {
    engine: RwLock<Option<Box<dyn Engine>>>,
    is_closed: AtomicBool,
    quarantine: QuarantineFlag,
}

impl EngineStore {
    pub(super) async fn open(
        open: impl FnOnce() -> Result<Box<dyn Engine>, StoreError> + Send + 'static,
        quarantine: QuarantineFlag,
    ) -> Result<Self, StoreError> {
        let open = tokio::task::spawn_blocking(|| guarded(open));
        // The task never panics; it is lost only when the runtime ends.
        let opened = open.await.map_err(|_| StoreError::Closed)?;
        if matches!(opened, Err(StoreError::Quarantined)) {
            quarantine.raise();
        }
        Self::start(opened?, quarantine)
    }

    /// Starts the committer of an engine.
    fn start(engine: Box<dyn Engine>, quarantine: QuarantineFlag) -> Result<Self, StoreError> {
        let engine = RwLock::new(Some(engine));
        let shared = Shared { engine, is_closed: AtomicBool::new(false), quarantine };
        let shared = Arc::new(shared);
        let (requests, queue) = mpsc::channel(QUEUE_CALLERS_MAX);
        let served = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("store-committer".to_owned())
            .spawn(move || committer::run(&served, queue))
            .map_err(|_| StoreError::Unavailable)?;
        Ok(Self { shared, patience: PATIENCE, requests })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&dyn Engine) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.shared.standing()?;
        let shared = Arc::clone(&self.shared);
        let task = tokio::task::spawn_blocking(move || shared.with_engine(call));
        task.await.map_err(|_| StoreError::Closed)?
    }

    async fn ask<T>(
        &self,
        request: Request,
        reply: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let answered = tokio::time::timeout(self.patience, async {
            self.requests.send(request).await.ok()?;
            reply.await.ok()
        });
        match answered.await {
            Ok(Some(answer)) => answer,
            // Not taken, or dropped unanswered: the store was closed by a request before this one.
            Ok(None) => Err(self.shared.standing().err().unwrap_or(StoreError::Closed)),
            Err(_) => {
                self.shared.quarantine.raise();
                Err(StoreError::Quarantined)
            }
        }
    }
}

#[async_trait]
impl Store for EngineStore {
    async fn read(&self, keys: Vec<StoreKey>) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        keys.iter().try_for_each(|key| check_key(&key.key))?;
        let keys: Vec<_> = keys.into_iter().map(StoreKey::into_engine_key).collect();
        match self.shared.read_at_hand(&keys)? {
            Some(rows) => Ok(rows),
            None => self.blocking(move |engine| engine.read(&keys)).await,
        }
    }

    async fn scan(&self, range: ScanRange, limit: usize) -> Result<Vec<StoreRow>, StoreError> {
        check_key(&range.prefix)?;
        range.after.as_deref().map_or(Ok(()), check_key)?;
        self.blocking(move |engine| {
            let mut rows = engine.scan(&KeyRange::new(&range), limit)?;
            // The caller knows the keyspace: its byte goes.
            rows.iter_mut().for_each(|row| drop(row.key.drain(..1)));
            Ok(rows)
        })
        .await
    }

    async fn apply(&self, changes: Vec<Change>) -> Result<Vec<Outcome>, StoreError> {
        self.shared.standing()?;
        changes.iter().try_for_each(check_change)?;
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Apply(Submission { changes, reply }), answer).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Close(reply), answer).await
    }
}

impl Shared {
    /// Calls the engine, remembering a quarantine.
    pub(super) fn with_engine<T>(
        &self,
        call: impl FnOnce(&dyn Engine) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.standing()?;
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        let engine = engine.as_deref().ok_or(StoreError::Closed)?;
        let answer = guarded(|| call(engine));
        self.remember(&answer);
        answer
    }

    /// What the engine has at hand; nothing while it is being closed.
    fn read_at_hand(&self, keys: &[Vec<u8>]) -> Result<Option<Vec<Option<Vec<u8>>>>, StoreError> {
        self.standing()?;
        let engine = self.engine.try_read().ok();
        Ok(engine.and_then(|engine| engine.as_deref()?.read_at_hand(keys)))
    }

    /// Waits for readers, then closes the engine. A quarantined one is only let go of: a sync that
    /// answers `Ok` after a failed one proves nothing, so it must not be marked as closed in order.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        self.is_closed.store(true, Ordering::Release);
        let engine = self.engine.write().unwrap_or_else(PoisonError::into_inner).take();
        let is_quarantined = self.is_quarantined();
        let closed = guarded(|| match engine {
            Some(engine) if !is_quarantined => engine.close(),
            _ => Err(StoreError::Closed),
        });
        self.remember(&closed);
        if self.is_quarantined() { Err(StoreError::Quarantined) } else { closed }
    }

    fn standing(&self) -> Result<(), StoreError> {
        match (self.is_quarantined(), self.is_closed.load(Ordering::Acquire)) {
            (true, _) => Err(StoreError::Quarantined),
            (false, true) => Err(StoreError::Closed),
            (false, false) => Ok(()),
        }
    }

    fn is_quarantined(&self) -> bool {
        self.quarantine.is_raised()
    }

    fn remember<T>(&self, answer: &Result<T, StoreError>) {
        if matches!(answer, Err(StoreError::Quarantined)) {
            self.quarantine.raise();
        }
    }
}

fn check_change(change: &Change) -> Result<(), StoreError> {
    for precondition in &change.preconditions {
        let (Precondition::Absent(key)
        | Precondition::Present(key)
        | Precondition::Unchanged(key, _)) = precondition;
        check_key(&key.key)?;
    }
    change.writes.iter().try_for_each(|write| match write {
        Write::Put(_, value) if value.len() > ROW_BYTES_MAX => Err(StoreError::TooLarge),
        Write::Put(key, _) | Write::Remove(key) => check_key(&key.key),
    })
}

fn check_key(key: &[u8]) -> Result<(), StoreError> {
    if key.len() > KEY_BYTES_MAX { Err(StoreError::TooLarge) } else { Ok(()) }
}
