//! Who may end which customer token, and which are not ended without a confirmation.
//!
//! It promises that none ends what it could not have issued, so that one for a class cannot end
//! those of the others, nor their recovery. It relies on its caller to have verified who asks.

use tresor_proto::{CustomerTokenId, DataClass, ErrorCode, Failure, RefusalReason, TokenOperation};

use super::TenantKeyring;
use crate::{customer_token_entry::CustomerTokenEntry, error::VaultError};

/// Only who could have issued one with its classes and operations ends it; itself, everyone.
pub(super) fn check_may_end(
    asking: &CustomerTokenEntry,
    entry: &CustomerTokenEntry,
) -> Result<(), VaultError> {
    let opens_as_much = entry.classes().all(|class| asking.slot(class).is_some());
    let may_as_much = asking.bounds.operations.grantable().contains(entry.bounds.operations);
    if asking.bounds.id == entry.bounds.id || (opens_as_much && may_as_much) {
        return Ok(());
    }
    let description = "opens or may do more than the customer token that asks";
    Err(Failure::from(RefusalReason::CustomerTokenLacksOperation)
        .with_violation("id", description)
        .into())
}

/// As for ending it; one that is bound to a certificate makes none that works elsewhere.
pub(super) fn check_may_replace(
    asking: &CustomerTokenEntry,
    entry: &CustomerTokenEntry,
) -> Result<(), VaultError> {
    check_may_end(asking, entry)?;
    let own = asking.bounds.bound_certificate;
    if own.is_none() || own == entry.bounds.bound_certificate {
        return Ok(());
    }
    let description = "not bound to the certificate of the customer token that asks";
    Err(Failure::from(RefusalReason::CustomerTokenLacksOperation)
        .with_violation("id", description)
        .into())
}

impl TenantKeyring {
    /// Refuses one that is needed to read a class or to recover.
    pub(super) fn check_is_not_needed(
        &self,
        id: CustomerTokenId,
        now_ms: u64,
    ) -> Result<(), VaultError> {
        let needed = self.classes_only_read_with(id, now_ms)?;
        if !needed.is_empty() {
            return Err(unconfirmed(&needed));
        }
        if self.is_last_recovery(self.entry(id)?, now_ms) {
            let message = "no other recovery token works as long; confirm with the tenant's name";
            let description = "the last recovery token";
            let failure = Failure::new(ErrorCode::Conflict, message);
            return Err(failure.with_violation("confirmation", description).into());
        }
        Ok(())
    }

    /// The classes that nobody can read for as long once a customer token has ended. A recovery
    /// token reads nothing, but is needed where nothing else does.
    pub(super) fn classes_only_read_with(
        &self,
        id: CustomerTokenId,
        now_ms: u64,
    ) -> Result<Vec<DataClass>, VaultError> {
        let entry = self.entry(id)?;
        if !entry.works_at(now_ms) || !(reads(entry) || recovers(entry)) {
            return Ok(Vec::new());
        }
        let others: Vec<_> = self.lasting(entry, now_ms).filter(|other| reads(other)).collect();
        let classes = entry.slots.iter().map(|slot| slot.class);
        let is_needed = |class: &DataClass| others.iter().all(|other| other.slot(*class).is_none());
        Ok(classes.filter(is_needed).collect())
    }

    fn is_last_recovery(&self, entry: &CustomerTokenEntry, now_ms: u64) -> bool {
        entry.works_at(now_ms) && recovers(entry) && !self.lasting(entry, now_ms).any(recovers)
    }

    /// The others that work, and for as long.
    fn lasting<'a>(
        &'a self,
        entry: &'a CustomerTokenEntry,
        now_ms: u64,
    ) -> impl Iterator<Item = &'a CustomerTokenEntry> {
        let lasts = |other: &CustomerTokenEntry| match (other.ends_ms(), entry.ends_ms()) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(other), Some(own)) => other >= own,
        };
        let others = self.customer_tokens.iter().filter(|other| other.bounds.id != entry.bounds.id);
        others.filter(move |other| other.works_at(now_ms) && lasts(other))
    }
}

fn reads(entry: &CustomerTokenEntry) -> bool {
    let reading = TokenOperation::ReadMasked as u32 | TokenOperation::ReadPlain as u32;
    entry.bounds.operations.has_any(reading)
}

fn recovers(entry: &CustomerTokenEntry) -> bool {
    entry.bounds.operations.has_any(TokenOperation::Recover as u32)
}

fn unconfirmed(classes: &[DataClass]) -> VaultError {
    let names: Vec<_> = classes.iter().map(|class| class.as_str()).collect();
    let names = names.join(", ");
    let message = "no other customer token reads this as long; confirm with the tenant's name";
    let description = format!("no other customer token reads as long: {names}");
    Failure::new(ErrorCode::Conflict, message).with_violation("confirmation", description).into()
}
