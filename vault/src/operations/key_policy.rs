//! The policy of keys: how old they may become and how much they may seal; and the marks it sets.
//!
//! It promises that a data key that is due is marked once, and that it steps aside for operators:
//! it takes the lease that they take, for one tenant at a time. It relies on customers to make the
//! new keys; cipher keys it only shows as due, since replacing one makes backups of keyrings old.

use std::collections::HashSet;

use tresor_proto::{DataClass, TenantId, TenantName, storage::RotationReason};

use super::{
    key_version::{KeyDue, KeyKind, KeyState, KeyVersion},
    mark_data_keys::RotationRequest,
};
use crate::{
    access::OperatorPermit, error::VaultError, reencryption, registry::TenantRecord, vault::Vault,
};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// Tenants that are looked at, at once.
const PAGE_TENANTS: usize = 100;
/// Operations that are looked through.
const OPEN_MAX: usize = 10_000;
/// What operators are told meanwhile.
const WORK: &str = "marking data keys that are due";

/// A class of a tenant, and the epoch below which nothing is to be left.
type Target = (TenantId, DataClass, u32);

/// How old keys may become and how much they may seal, before they are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// The age of a cipher key at most, milliseconds.
    pub cipher_age_ms_max: u64,
    /// The age of a data key at most, milliseconds.
    pub data_age_ms_max: u64,
    /// The age of an identifier key at most, milliseconds.
    pub identifier_age_ms_max: u64,
    /// Groups sealed under a data key at most.
    pub data_seals_max: u64,
    /// Whether data keys that are due are marked without an operator.
    pub is_automatic: bool,
    /// Of what is marked without an operator: how long the older keys are kept once nothing hangs
    /// on them, milliseconds.
    pub destroy_after_ms: u64,
}

impl Default for KeyPolicy {
    /// 90 days for cipher keys, 365 for data keys, 2³² groups; identifier keys stay. What is marked
    /// without an operator is kept for 30 days.
    fn default() -> Self {
        Self {
            cipher_age_ms_max: 90 * DAY_MS,
            data_age_ms_max: 365 * DAY_MS,
            identifier_age_ms_max: u64::MAX,
            data_seals_max: 1 << 32,
            is_automatic: true,
            destroy_after_ms: 30 * DAY_MS,
        }
    }
}

impl KeyPolicy {
    /// Why a key is due, if it is; only what is in use can be.
    pub(super) fn due(&self, key: &KeyVersion, now_ms: u64) -> Option<KeyDue> {
        let age_ms_max = match key.kind {
            KeyKind::Cipher => self.cipher_age_ms_max,
            KeyKind::Data => self.data_age_ms_max,
            KeyKind::Identifier => self.identifier_age_ms_max,
            KeyKind::Root | KeyKind::Pepper | KeyKind::SystemMetadata | KeyKind::Metadata => {
                return None;
            }
        };
        if key.state != KeyState::Active {
            return None;
        }
        let is_old =
            key.created_ms.is_some_and(|created_ms| now_ms.saturating_sub(created_ms) > age_ms_max);
        let is_worn = key.seals.is_some_and(|seals| seals > self.data_seals_max);
        is_worn.then_some(KeyDue::Seals).or(is_old.then_some(KeyDue::Age))
    }
}

impl Vault {
    /// Marks the data keys that the policy says are due, and gives how many. The process calls it
    /// now and then.
    ///
    /// # Errors
    /// `conflict` while an operator changes keys: what is left is for the next time.
    pub async fn mark_keys_by_policy(&self) -> Result<usize, VaultError> {
        if !self.key_policy().is_automatic {
            return Ok(0);
        }
        let under_way = self.targets_under_way().await?;
        let mut marked = 0;
        let mut after: Option<TenantName> = None;
        loop {
            let tenants = self.registry().tenants(after.as_ref(), PAGE_TENANTS).await?;
            let Some(last) = tenants.last() else { return Ok(marked) };
            after = Some(last.name.clone());
            for tenant in &tenants {
                marked += self.mark_tenant_by_policy(tenant, &under_way).await?;
            }
        }
    }

    /// What re-encryptions are registered for that may go on.
    async fn targets_under_way(&self) -> Result<HashSet<Target>, VaultError> {
        let mut found = HashSet::new();
        let mut records = self.registry().operations(false, None, OPEN_MAX).await?;
        records.retain(|record| reencryption::is_reencryption(&record.row));
        for record in records {
            let tenant = reencryption::tenant_of(&record.row)?;
            let targets = reencryption::targets(&record.row.targets)?.into_iter();
            found.extend(targets.map(|(class, epoch)| (tenant, class, epoch)));
        }
        Ok(found)
    }

    async fn mark_tenant_by_policy(
        &self,
        tenant: &TenantRecord,
        under_way: &HashSet<Target>,
    ) -> Result<usize, VaultError> {
        // Who has not enrolled has no keys; a damaged keyring was told of when it was found.
        let Ok(keyring) = self.enrolled_keyring(tenant.id).await else { return Ok(0) };
        let keys = self.key_versions(&keyring, None)?;
        // A mark of ours without its operation was cut off in between.
        let is_cared_for = |class: &DataClass| {
            keyring.keyring.rotation_mark(*class).is_some_and(|mark| {
                let target = (tenant.id, *class, mark.epoch.saturating_add(1));
                mark.reason != RotationReason::Policy || under_way.contains(&target)
            })
        };
        let due = keys.iter().filter(|key| key.kind == KeyKind::Data && key.due.is_some());
        let classes: Vec<_> =
            due.filter_map(|key| key.class).filter(|class| !is_cared_for(class)).collect();
        if classes.is_empty() {
            return Ok(0);
        }
        let request = RotationRequest {
            classes,
            is_compromised: false,
            rate_max: 0,
            destroy_after_ms: self.key_policy().destroy_after_ms,
            is_dry_run: false,
        };
        let work = self.begin_key_work(OperatorPermit::of_policy()?, WORK).await?;
        let by = (work.permit(), RotationReason::Policy);
        match self.mark_tenant(by, tenant.id, &request).await {
            Ok(rotation) => Ok(rotation.marks.len()),
            Err(error) => {
                let code = error.code().as_str();
                tracing::warn!(tenant = %tenant.id, code, "data keys are due and cannot be marked");
                Ok(0)
            }
        }
    }
}

#[cfg(test)]
mod tests;
