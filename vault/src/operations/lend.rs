//! A customer lends a customer token to long work: its slots are opened now, and what stays is the
//! class keys, in memory, with an end.

use std::collections::BTreeSet;

use tresor_proto::{DataClass, Failure};
use uuid::Uuid;

use crate::{
    access::{Lend, Permit},
    crypto_error::CryptoError,
    error::VaultError,
    loans::Loan,
    reencryption,
    vault::Vault,
};

/// The longest that keys are lent: a day.
const LIFETIME_MAX_MS: u64 = 24 * 60 * 60 * 1_000;
/// Operations that are looked through.
const OPEN_MAX: usize = 10_000;

/// What was lent.
#[derive(Clone, Debug)]
pub struct Lent {
    /// The classes.
    pub classes: Vec<DataClass>,
    /// When the loan ends, milliseconds since the epoch.
    pub ends_ms: u64,
    /// The operations that can go on now.
    pub operations: Vec<Uuid>,
}

impl Vault {
    /// Lends classes to long work; all that the customer token opens when none are named. Data keys
    /// of these classes that are due are replaced first.
    ///
    /// # Errors
    /// `invalid_request` for a lifetime of nothing or over a day; `wrong_key` for a class that the
    /// customer token does not open; those of the keyring.
    pub async fn lend(
        &self,
        permit: &Permit<Lend>,
        classes: &[DataClass],
        lifetime_ms: u64,
    ) -> Result<Lent, VaultError> {
        if !(1..=LIFETIME_MAX_MS).contains(&lifetime_ms) {
            return Err(Failure::invalid("lifetime", "from a second to 24 hours").into());
        }
        let named = if classes.is_empty() { &DataClass::ALL[..] } else { classes };
        let wanted: BTreeSet<_> = named.iter().copied().collect();
        let holder = self.writing_holder(permit.holder(), &wanted).await?;
        let open = {
            let holder = holder.clone();
            move || {
                let slots = holder.holder().ok_or(CryptoError)?;
                let open = |class| Ok((class, slots.class_key(class)?));
                wanted.into_iter().map(open).collect::<Result<Vec<_>, CryptoError>>()
            }
        };
        let opened = self.key_worker().run(open).await?;
        let opened = opened.map_err(|CryptoError| VaultError::Integrity)?;
        if !classes.is_empty() && opened.iter().any(|(_, key)| key.is_none()) {
            return Err(VaultError::WrongKey);
        }
        let ends_ms = self.clock().now_ms().saturating_add(lifetime_ms);
        let customer_token = holder.holder().ok_or(VaultError::Internal)?.entry.bounds.id;
        let mut lent = Vec::new();
        for (class, class_key) in opened {
            if let Some(class_key) = class_key {
                let loan = Loan { class_key, customer_token, ends_ms };
                self.loans().take(permit.tenant(), class, loan);
                lent.push(class);
            }
        }
        let operations = self.operations_for(permit, &lent).await?;
        tracing::info!(tenant = %permit.tenant(), count = lent.len(), "class keys are lent");
        Ok(Lent { classes: lent, ends_ms, operations })
    }

    /// The operations of the tenant that need no other classes.
    async fn operations_for(
        &self,
        permit: &Permit<Lend>,
        lent: &[DataClass],
    ) -> Result<Vec<Uuid>, VaultError> {
        let mut found = Vec::new();
        for record in self.registry().operations(false, None, OPEN_MAX).await? {
            let targets = reencryption::targets(&record.row.targets)?;
            let is_of_tenant = reencryption::tenant_of(&record.row)? == permit.tenant();
            if is_of_tenant && targets.iter().all(|(class, _)| lent.contains(class)) {
                found.push(record.id);
            }
        }
        Ok(found)
    }
}
