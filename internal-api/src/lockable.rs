//! The vault as it is locked and unlocked while the process runs.
//!
//! It promises that while it is locked there is no key in memory: the vault, which holds them all, is
//! gone, so are the connections that values and customer tokens came over, and every call is answered
//! `locked`. A seal that was away is tried again, an operator's
//! lock stays until he unlocks. It relies on everybody who has a vault to give it back soon after
//! it was locked.

use core::{
    future::Future,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::sync::Arc;

use tokio::{sync::watch, time::Instant};
use tresor_door::OpenConnections;
use tresor_proto::{ErrorCode, Failure};
use tresor_vault::{OpenError, SealReport, Vault, VaultError, VaultPlace};

/// The first pause before a seal that was away is tried again, and the longest.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// How often the seals are asked how they are.
const CHECK_INTERVAL: Duration = Duration::from_secs(30);
/// How long calls under way may keep the keys of a vault that is being locked.
const LOCK_MAX: Duration = Duration::from_secs(10);
/// How long the answers of calls that the lock has ended have to get out.
const ANSWERS: Duration = Duration::from_millis(100);
/// How long connections may take to end.
const CUT_MAX: Duration = Duration::from_secs(2);
/// How often it is looked whether they are gone.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// The vault of this process, locked or not.
pub(crate) struct LockableVault {
    place: Arc<VaultPlace>,
    state: watch::Sender<LockState>,
    /// Whether a seal that holds the root key would not open now.
    is_degraded: AtomicBool,
    /// Those that customer tokens and values come over.
    connections: OpenConnections,
    /// One at a time locks or unlocks.
    turn: tokio::sync::Mutex<()>,
}

/// Whether the vault is locked, and why.
#[derive(Clone)]
pub(crate) enum LockState {
    /// It serves.
    Unlocked(Arc<Vault>),
    /// An operator has locked it.
    LockedByOperator,
    /// It did not open.
    LockedBy(OpenError),
}

impl LockState {
    /// Whether it is locked.
    pub(crate) fn is_locked(&self) -> bool {
        !matches!(self, Self::Unlocked(_))
    }

    /// Whether it may unlock by itself.
    fn may_open_later(&self) -> bool {
        matches!(self, Self::LockedBy(error) if error.is_transient())
    }
}

impl LockableVault {
    /// Unlocks the vault of a place; it stays locked while no seal can be reached. `connections` are
    /// cut when it is locked.
    ///
    /// # Errors
    /// [`OpenError`] when trying again would not help.
    pub(crate) async fn open(
        place: VaultPlace,
        connections: OpenConnections,
    ) -> Result<Self, OpenError> {
        let state = watch::Sender::new(LockState::LockedByOperator);
        let lockable = Self {
            place: Arc::new(place),
            state,
            is_degraded: AtomicBool::new(false),
            connections,
            turn: tokio::sync::Mutex::default(),
        };
        match lockable.unlock().await {
            Err(error) if !error.is_transient() => Err(error),
            Ok(()) | Err(_) => Ok(lockable),
        }
    }

    /// The vault.
    ///
    /// # Errors
    /// `locked`.
    pub(crate) fn vault(&self) -> Result<Arc<Vault>, Failure> {
        match &*self.state.borrow() {
            LockState::Unlocked(vault) => Ok(Arc::clone(vault)),
            LockState::LockedByOperator | LockState::LockedBy(_) => Err(ErrorCode::Locked.into()),
        }
    }

    /// What it is now, and what it becomes.
    pub(crate) fn watch(&self) -> watch::Receiver<LockState> {
        self.state.subscribe()
    }

    /// Unlocks it through any seal, at an operator's word.
    ///
    /// # Errors
    /// [`OpenError`]; it stays locked.
    pub(crate) async fn unlock(&self) -> Result<(), OpenError> {
        self.place.forgive_seals();
        self.unlock_when(LockState::is_locked).await
    }

    async fn unlock_when(&self, wanted: impl Fn(&LockState) -> bool) -> Result<(), OpenError> {
        let _turn = self.turn.lock().await;
        if !wanted(&self.state.borrow()) {
            return Ok(());
        }
        match self.place.unlock().await {
            Ok(vault) => {
                tracing::info!("the vault is unlocked");
                self.state.send_replace(LockState::Unlocked(Arc::new(vault)));
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "the vault stays locked");
                self.state.send_replace(LockState::LockedBy(error.clone()));
                Err(error)
            }
        }
    }

    /// Tries again whenever a seal is away, with growing pauses, for ever.
    pub(crate) async fn keep_unlocking(&self) {
        let mut states = self.state.subscribe();
        let mut pause = RETRY_MIN;
        loop {
            let is_wanted = states.wait_for(LockState::may_open_later).await.is_ok();
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RETRY_MAX);
            if is_wanted && self.unlock_when(LockState::may_open_later).await.is_ok() {
                pause = RETRY_MIN;
            }
        }
    }

    /// Asks the seals how they are, every now and then, for ever.
    pub(crate) async fn keep_checking(&self) {
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            // What cannot be asked is no news; the next round comes.
            let _ = self.check_seals().await;
        }
    }

    /// Asks the seals how they are.
    ///
    /// # Errors
    /// `storage_unavailable` when they do not answer in time.
    async fn check_seals(&self) -> Result<Vec<SealReport>, VaultError> {
        self.place.check_seals().await.inspect(|reports| self.see(reports))
    }

    /// Lets every seal open.
    ///
    /// # Errors
    /// `storage_unavailable` when they do not answer in time.
    pub(crate) async fn try_seals(&self) -> Result<Vec<SealReport>, VaultError> {
        self.place.try_seals().await.inspect(|reports| self.see(reports))
    }

    fn see(&self, reports: &[SealReport]) {
        let is_degraded = reports.iter().any(|report| report.problem.is_some());
        if self.is_degraded.swap(is_degraded, Ordering::Relaxed) != is_degraded {
            tracing::warn!(is_degraded, "a seal has gone, or all are back");
        }
    }

    /// Whether a seal was away when they were last asked.
    pub(crate) fn is_degraded(&self) -> bool {
        self.is_degraded.load(Ordering::Relaxed)
    }

    /// Locks it and wipes all keys: waits for the calls under way, then drops the vault.
    ///
    /// # Errors
    /// `deadline_exceeded` when some of them do not end: it is locked, and they wipe what they
    /// hold when they do.
    pub(crate) async fn lock(&self) -> Result<(), Failure> {
        let _turn = self.turn.lock().await;
        let LockState::Unlocked(vault) = self.state.send_replace(LockState::LockedByOperator)
        else {
            return Ok(());
        };
        let is_alone = wait_until_alone(&vault).await;
        if let Err(error) = vault.close().await {
            tracing::warn!(%error, "a database did not close cleanly");
        }
        drop(vault);
        // What calls that the lock has ended are answered is to get out first.
        tokio::time::sleep(ANSWERS).await;
        if tokio::time::timeout(CUT_MAX, self.connections.cut_all()).await.is_err() {
            tracing::warn!("connections are still open after the lock");
        }
        tracing::info!("the vault is locked");
        let slow =
            || Failure::new(ErrorCode::DeadlineExceeded, "locked; calls under way hold keys");
        is_alone.then_some(()).ok_or_else(slow)
    }

    /// Closes it for good.
    ///
    /// # Errors
    /// [`VaultError`] when a last sync failed.
    pub(crate) async fn close(&self) -> Result<(), VaultError> {
        let _turn = self.turn.lock().await;
        match self.state.send_replace(LockState::LockedByOperator) {
            LockState::Unlocked(vault) => vault.close().await,
            LockState::LockedByOperator | LockState::LockedBy(_) => Ok(()),
        }
    }
}

/// Ends when a vault that is unlocked now is locked; never, when it is locked now.
pub(crate) fn locked(
    mut states: watch::Receiver<LockState>,
) -> impl Future<Output = ()> + Send + 'static {
    let is_locked = states.borrow_and_update().is_locked();
    async move {
        if is_locked || states.wait_for(LockState::is_locked).await.is_err() {
            core::future::pending::<()>().await;
        }
    }
}

/// Whether all others who have the vault give it back in time.
async fn wait_until_alone(vault: &Arc<Vault>) -> bool {
    let end = Instant::now() + LOCK_MAX;
    while Arc::strong_count(vault) > 1 && Instant::now() < end {
        tokio::time::sleep(LOCK_POLL).await;
    }
    Arc::strong_count(vault) == 1
}

#[cfg(test)]
mod tests;
