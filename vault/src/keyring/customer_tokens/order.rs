//! What a customer asks of a new customer token, and what it gets: never more than the issuer has.

use tresor_proto::{
    CustomerTokenId, CustomerTokenKind, CustomerTokenName, DataClass, ErrorCode, Failure,
    OperationSet, RefusalReason,
};

use crate::{
    customer_token_entry::{CustomerTokenEntry, TokenBounds},
    error::VaultError,
};

/// What a customer asks for.
#[derive(Clone, Debug)]
pub struct NewCustomerToken {
    /// What it is for.
    pub kind: CustomerTokenKind,
    /// What its customer calls it.
    pub name: CustomerTokenName,
    /// The classes it opens; all of the issuer's when `None`.
    pub classes: Option<Vec<DataClass>>,
    /// What it may do; what is usual for its kind when `None`.
    pub operations: Option<OperationSet>,
    /// When it stops working, 0 for never; when the issuer does when `None`.
    pub expires_ms: Option<u64>,
    /// SHA-256 of the certificate it is bound to; the issuer's when `None`.
    pub bound_certificate: Option<[u8; 32]>,
}

impl NewCustomerToken {
    /// The recovery token of a tenant.
    pub(crate) fn recovery() -> Self {
        Self {
            kind: CustomerTokenKind::Recovery,
            name: CustomerTokenName::default(),
            classes: None,
            operations: None,
            expires_ms: None,
            bound_certificate: None,
        }
    }

    /// Another one like an entry.
    pub(super) fn like(entry: &CustomerTokenEntry) -> Self {
        Self {
            kind: entry.bounds.kind,
            name: entry.name.clone(),
            classes: Some(entry.slots.iter().map(|slot| slot.class).collect()),
            operations: Some(entry.bounds.operations),
            expires_ms: Some(entry.bounds.expires_ms),
            bound_certificate: entry.bounds.bound_certificate,
        }
    }

    /// The bounds it gets from an issuer, within the issuer's, and until `limit_ms` at most; 0 for
    /// no limit.
    pub(super) fn bounds(
        &self,
        id: CustomerTokenId,
        (issuer, limit_ms): (&TokenBounds, u64),
        now_ms: u64,
    ) -> Result<TokenBounds, VaultError> {
        let grantable = issuer.operations.grantable();
        let usual = || OperationSet::usual(self.kind).intersection(grantable);
        let operations = self.operations.unwrap_or_else(usual);
        if !grantable.contains(operations) {
            let failure = Failure::from(RefusalReason::CustomerTokenLacksOperation);
            let description = "more than the customer token that asks may do";
            return Err(failure.with_violation("operations", description).into());
        }
        if !operations.suits(self.kind) {
            let description = "not for a customer token of this kind";
            return Err(Failure::invalid("operations", description).into());
        }
        Ok(TokenBounds {
            id,
            kind: self.kind,
            operations,
            expires_ms: self.expires_ms(limit_ms, now_ms)?,
            bound_certificate: self.binding(issuer)?,
        })
    }

    /// One that is bound issues none that works elsewhere.
    fn binding(&self, issuer: &TokenBounds) -> Result<Option<[u8; 32]>, VaultError> {
        let binding = self.bound_certificate.or(issuer.bound_certificate);
        if issuer.bound_certificate.is_some() && binding != issuer.bound_certificate {
            let failure = Failure::from(RefusalReason::CustomerTokenLacksOperation);
            let description = "not that of the customer token that asks";
            return Err(failure.with_violation("bound_certificate", description).into());
        }
        Ok(binding)
    }

    fn expires_ms(&self, limit_ms: u64, now_ms: u64) -> Result<u64, VaultError> {
        let expires_ms = self.expires_ms.unwrap_or(limit_ms);
        let invalid = |description: &str| Err(Failure::invalid("expires", description).into());
        if expires_ms != 0 && expires_ms <= now_ms {
            return invalid("is over");
        }
        if limit_ms != 0 && (expires_ms == 0 || expires_ms > limit_ms) {
            return invalid("later than that of the customer token that asks");
        }
        Ok(expires_ms)
    }

    /// The classes it gets from an issuer; a recovery token gets them all.
    pub(super) fn classes(
        &self,
        issuer: &CustomerTokenEntry,
    ) -> Result<Vec<DataClass>, VaultError> {
        let is_asked = |class: &DataClass| match &self.classes {
            Some(classes) => classes.contains(class),
            None => issuer.slot(*class).is_some(),
        };
        let classes: Vec<_> = DataClass::ALL.into_iter().filter(is_asked).collect();
        if self.kind == CustomerTokenKind::Recovery && classes.len() < DataClass::ALL.len() {
            let failure = Failure::from(ErrorCode::WrongKey);
            return Err(failure.with_violation("classes", "a recovery token opens all").into());
        }
        Ok(classes)
    }
}
