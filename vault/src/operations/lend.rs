//! A customer lends a customer token to long work: its slots are opened now, and what stays is the
//! class keys, in memory, with an end.

use std::{collections::BTreeSet, sync::Arc};

use tresor_proto::{DataClass, Failure, RefusalReason, TenantId, TenantRef};

use super::key_operations::KeyOperation;
use crate::{
    access::{Lend, Permit, TokenHolder},
    crypto_error::CryptoError,
    error::VaultError,
    key::ClassKey,
    loans::Loan,
    reencryption,
    vault::Vault,
};

/// The longest that keys are lent: a day.
const LIFETIME_MAX_MS: u64 = 24 * 60 * 60 * 1_000;
/// Operations that are looked through.
const OPEN_MAX: usize = 10_000;

/// What is to be lent.
#[derive(Clone, Debug)]
pub struct LoanRequest {
    /// The classes; all that the customer token opens when empty.
    pub classes: Vec<DataClass>,
    /// For how long, milliseconds.
    pub lifetime_ms: u64,
    /// Only say what would be lent.
    pub is_dry_run: bool,
}

/// What was lent.
#[derive(Clone, Debug)]
pub struct Lent {
    /// The classes.
    pub classes: Vec<DataClass>,
    /// When the loan ends, milliseconds since the epoch.
    pub ends_ms: u64,
    /// The operations that need no other classes, as they are now.
    pub operations: Vec<KeyOperation>,
}

impl Vault {
    /// Lends classes to long work. Data keys of these classes that are due are replaced first.
    ///
    /// # Errors
    /// `invalid_request` for a lifetime of nothing or over a day; `wrong_key` for a class that the
    /// customer token does not open; `unauthenticated` when the tenant is suspended meanwhile; those
    /// of the keyring.
    pub async fn lend(
        &self,
        permit: &Permit<Lend>,
        request: &LoanRequest,
    ) -> Result<Lent, VaultError> {
        let LoanRequest { classes: named, lifetime_ms, is_dry_run } = request;
        if !(1..=LIFETIME_MAX_MS).contains(lifetime_ms) {
            return Err(Failure::invalid("lifetime", "from a second to 24 hours").into());
        }
        let classes = if named.is_empty() { &DataClass::ALL[..] } else { named };
        let classes: BTreeSet<_> = classes.iter().copied().collect();
        let holder = match is_dry_run {
            true => self.renewed(permit.holder()).await?,
            false => self.writing_holder(permit.holder(), &classes).await?,
        };
        let wanted = classes.len();
        let opened = self.open_classes(&holder, classes).await?;
        if !named.is_empty() && opened.len() < wanted {
            return Err(VaultError::WrongKey);
        }
        let ends_ms = self.clock().now_ms().saturating_add(*lifetime_ms);
        let customer_token = holder.holder().ok_or(VaultError::Internal)?.entry.bounds.id;
        let lent: Vec<_> = opened.iter().map(|(class, _)| *class).collect();
        if !is_dry_run {
            for (class, class_key) in opened {
                let loan = Loan { class_key, customer_token, ends_ms };
                self.loans().take(permit.tenant(), class, loan);
            }
            self.give_back_if_suspended(permit.tenant()).await?;
            tracing::info!(tenant = %permit.tenant(), count = lent.len(), "class keys are lent");
        }
        let operations = self.operations_for(permit, &lent).await?;
        Ok(Lent { classes: lent, ends_ms, operations })
    }

    /// Gives back what was lent just now when the tenant was suspended meanwhile: that had forgotten
    /// only what was there.
    async fn give_back_if_suspended(&self, tenant: TenantId) -> Result<(), VaultError> {
        let record = self.registry().tenant(&TenantRef::Id(tenant)).await;
        let standing = record.map(|found| found.map(|record| record.standing.refusal()));
        let refusal = match standing {
            Ok(Some(None)) => return Ok(()),
            Ok(Some(Some(reason))) => reason.into(),
            Ok(None) => RefusalReason::TenantUnknown.into(),
            Err(error) => error,
        };
        self.loans().forget_tenant(tenant);
        Err(refusal)
    }

    /// The class keys out of their slots; those the customer token does not open are left out.
    async fn open_classes(
        &self,
        holder: &Arc<TokenHolder>,
        classes: BTreeSet<DataClass>,
    ) -> Result<Vec<(DataClass, ClassKey)>, VaultError> {
        let holder = Arc::clone(holder);
        let open = move || {
            let slots = holder.holder().ok_or(CryptoError)?;
            let open = |class| Ok(slots.class_key(class)?.map(|key| (class, key)));
            let opened = classes.into_iter().map(open).collect::<Result<Vec<_>, CryptoError>>()?;
            Ok(opened.into_iter().flatten().collect())
        };
        let opened = self.key_worker().run(open).await?;
        opened.map_err(|CryptoError| VaultError::Integrity)
    }

    /// The operations of the tenant that need no other classes.
    async fn operations_for(
        &self,
        permit: &Permit<Lend>,
        lent: &[DataClass],
    ) -> Result<Vec<KeyOperation>, VaultError> {
        let mut found = Vec::new();
        for record in self.registry().operations(false, None, OPEN_MAX).await? {
            let targets = reencryption::targets(&record.row.targets)?;
            let is_of_tenant = reencryption::tenant_of(&record.row)? == permit.tenant();
            if is_of_tenant && targets.iter().all(|(class, _)| lent.contains(class)) {
                found.push(self.show_operation(&record).await?);
            }
        }
        Ok(found)
    }
}
