use std::sync::atomic::AtomicU32;

use tresor_proto::{Secret, storage::seal_entry::Provider};
use tresor_vault::{
    Passphrase, Seal, SealError, SealId, Seals, Settings, entropy::Entropy, store::StoreEngine,
};

use super::*;

/// A passphrase seal that is away for a number of calls.
struct Flaky {
    away: AtomicU32,
    error: SealError,
    inner: tresor_vault::PassphraseSeal,
}

impl Flaky {
    fn new(away: u32, error: SealError) -> Self {
        let passphrase = zeroize::Zeroizing::new(b"a passphrase of tests".to_vec());
        let inner = Passphrase::new(passphrase).unwrap().into_seal();
        Self { away: AtomicU32::new(away), error, inner }
    }

    fn come(&self) -> Result<(), SealError> {
        let less = |left: u32| left.checked_sub(1);
        match self.away.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less) {
            Ok(_) => Err(self.error),
            Err(_) => Ok(()),
        }
    }
}

impl Seal for Flaky {
    fn provider(&self) -> &'static str {
        "flaky"
    }

    fn make(
        &self,
        id: &SealId,
        entropy: &dyn Entropy,
    ) -> Result<(Secret<32>, Provider), SealError> {
        self.come()?;
        self.inner.make(id, entropy)
    }

    fn key(&self, id: &SealId, kept: &Provider) -> Result<Secret<32>, SealError> {
        self.come()?;
        self.inner.key(id, kept)
    }
}

async fn open(
    directory: &tempfile::TempDir,
    away: u32,
    error: SealError,
) -> Result<LockableVault, OpenError> {
    let mut settings = Settings::new(directory.path().join("data"));
    settings.engine = StoreEngine::Redb;
    let seal: Arc<dyn Seal> = Arc::new(Flaky::new(away, error));
    let place = VaultPlace::take(settings, Seals::new(vec![(SealId::passphrase(), seal)])).unwrap();
    LockableVault::open(place, OpenConnections::default()).await
}

/// Retries until the vault is unlocked.
async fn until_unlocked(vault: &LockableVault) {
    let mut states = vault.watch();
    tokio::select! {
        unlocked = states.wait_for(|state| !state.is_locked()) => drop(unlocked.unwrap()),
        () = vault.keep_unlocking() => {}
    }
}

#[tokio::test]
async fn a_vault_whose_seal_is_away_starts_locked_and_unlocks_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    // At the first start the seal is away twice; the vault is made at the third attempt.
    let vault = open(&directory, 2, SealError::Unreachable).await.unwrap();
    assert_eq!(vault.vault().err().unwrap().code(), ErrorCode::Locked);
    until_unlocked(&vault).await;
    assert!(vault.vault().is_ok());
    vault.close().await.unwrap();
    drop(vault);
    // And one that exists is opened.
    let vault = open(&directory, 1, SealError::Unreachable).await.unwrap();
    assert!(vault.vault().is_err());
    until_unlocked(&vault).await;
    vault.close().await.unwrap();
}

#[tokio::test]
async fn a_vault_whose_seal_refuses_does_not_start() {
    let directory = tempfile::tempdir().unwrap();
    let error = open(&directory, 1, SealError::Refused).await.err().unwrap();
    assert!(!error.is_transient(), "{error}");
}

#[tokio::test]
async fn an_operators_lock_stays() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(&directory, 0, SealError::Unreachable).await.unwrap();
    let locked = locked(vault.watch());
    vault.lock().await.unwrap();
    locked.await;
    assert!(!vault.watch().borrow().may_open_later());
    vault.unlock_when(LockState::may_open_later).await.unwrap();
    assert!(vault.vault().is_err(), "only the operator unlocks");
    vault.unlock().await.unwrap();
    assert!(vault.vault().is_ok());
    vault.close().await.unwrap();
}

#[tokio::test]
async fn a_call_that_keeps_the_vault_is_told_of() {
    let directory = tempfile::tempdir().unwrap();
    let vault = open(&directory, 0, SealError::Unreachable).await.unwrap();
    let kept = vault.vault().unwrap();
    // From here on nobody waits but the lock.
    tokio::time::pause();
    assert_eq!(vault.lock().await.unwrap_err().code(), ErrorCode::DeadlineExceeded);
    assert!(vault.vault().is_err(), "it is locked all the same");
    tokio::time::resume();
    drop(kept);
    vault.close().await.unwrap();
}
