//! What the process does by itself: forgets idle keys, does long work, marks keys that are due, tries
//! seals again.
//!
//! It promises to hold the vault only while it is at something, so that it can be locked; what fails
//! is told and tried again.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};
use tresor_proto::ErrorCode;

use crate::lockable::LockableVault;

/// How often idle keys are forgotten.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Groups sealed under a tenant's keys that are counted in memory only: a 4,096th of the 2^32
/// after which a data key is due.
const SEALS_UNWRITTEN_MIN: u64 = 1 << 20;
/// How often it is looked whether there are more.
const SEAL_COUNTS_INTERVAL: Duration = Duration::from_secs(600);
/// How often it is looked for long work.
const WORK_INTERVAL: Duration = Duration::from_secs(1);

/// Does all of it, for ever.
pub(crate) async fn keep_house(vault: &LockableVault, policy_interval: Duration) {
    tokio::join!(
        sweep(vault),
        vault.keep_unlocking(),
        vault.keep_checking(),
        keep_seal_counts(vault),
        keep_policy(vault, policy_interval),
        work(vault),
    );
}

/// Ticks now and then, never to catch up.
fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Does the vault's long work, for ever. Between two steps nothing is held, so that the vault can
/// be locked.
async fn work(vault: &LockableVault) {
    loop {
        let pause = match vault.vault() {
            Ok(vault) => vault.work_once().await.map_err(|error| error.code()),
            Err(_) => Ok(None),
        };
        let tell = |code: &ErrorCode| {
            tracing::warn!(code = code.as_str(), "long operations cannot be read now");
        };
        let pause = pause.inspect_err(tell).ok().flatten();
        tokio::time::sleep(pause.unwrap_or(WORK_INTERVAL)).await;
    }
}

/// Forgets idle keys, for ever.
async fn sweep(vault: &LockableVault) {
    let mut interval = every(SWEEP_INTERVAL);
    loop {
        interval.tick().await;
        if let Ok(vault) = vault.vault() {
            vault.sweep();
        }
    }
}

/// Writes down now and then how much was sealed, for ever.
async fn keep_seal_counts(vault: &LockableVault) {
    let mut interval = every(SEAL_COUNTS_INTERVAL);
    loop {
        interval.tick().await;
        if let Ok(vault) = vault.vault() {
            vault.keep_seal_counts(SEALS_UNWRITTEN_MIN).await;
        }
    }
}

/// Marks now and then the keys that are due, for ever.
async fn keep_policy(vault: &LockableVault, period: Duration) {
    let mut interval = every(period);
    loop {
        interval.tick().await;
        if let Ok(vault) = vault.vault() {
            match vault.mark_keys_by_policy().await.map_err(|error| error.code()) {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "data keys are due by policy, and marked"),
                // An operator changes keys: the next look finds what is left.
                Err(code) => tracing::info!(code = code.as_str(), "keys are not marked now"),
            }
        }
    }
}
