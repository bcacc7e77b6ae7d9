//! Permits, and the checks that make them.

use std::{marker::PhantomData, sync::Arc};

use tresor_proto::{
    AddressList, CustomerToken, RefusalReason as Reason, ServiceName, TenantId, TenantLimits,
    TenantRef, TokenOperation as Operation,
};

use super::{Caller, Role, TokenVerb};
use crate::{
    crypto_error::CryptoError,
    customer_token_entry::{self, CustomerTokenEntry},
    error::VaultError,
    key::{Pepper, RequestKey, TokenAuthKey, TokenWrapKey},
    keyring::LoadedKeyring,
    registry::{Enrolment, TenantRecord},
    unlocked::Holder,
    vault::Vault,
};

/// The proof that a caller may do `V` for one tenant, with a customer token.
pub struct Permit<V> {
    tenant: TenantId,
    holder: Arc<TokenHolder>,
    verb: PhantomData<V>,
}

/// The proof that a caller may enrol a tenant, which has not enrolled yet.
pub struct EnrolPermit {
    record: TenantRecord,
}

/// The proof that a caller may see a tenant's collections and policies, and whom it lets in.
#[derive(Debug)]
pub struct PolicyPermit {
    tenant: TenantId,
    allowed_addresses: AddressList,
    limits: TenantLimits,
}

/// The proof that a caller is an operator.
#[derive(Debug)]
pub struct OperatorPermit {
    name: ServiceName,
}

/// A verified customer token: which entry of which keyring, and what is derived from it.
pub(crate) struct TokenHolder {
    keyring: Arc<LoadedKeyring>,
    entry: usize,
    keys: Arc<TokenKeys>,
}

/// What is derived from a customer token.
struct TokenKeys {
    auth_key: TokenAuthKey,
    wrap_key: TokenWrapKey,
}

impl<V> Permit<V> {
    /// The tenant it is for.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub(crate) fn holder(&self) -> &Arc<TokenHolder> {
        &self.holder
    }
}

impl<V> core::fmt::Debug for Permit<V> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Permit({})", self.tenant)
    }
}

impl EnrolPermit {
    pub(crate) fn record(&self) -> &TenantRecord {
        &self.record
    }
}

impl core::fmt::Debug for EnrolPermit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "EnrolPermit({})", self.record.id)
    }
}

impl PolicyPermit {
    /// The tenant it is for.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Where the tenant's clients may come from.
    #[must_use]
    pub fn allowed_addresses(&self) -> &AddressList {
        &self.allowed_addresses
    }

    /// How much the tenant may ask for.
    #[must_use]
    pub fn limits(&self) -> TenantLimits {
        self.limits
    }
}

impl OperatorPermit {
    /// Permits an operator's work; it takes no vault, since he works on locked ones too.
    ///
    /// # Errors
    /// `forbidden` to everyone else.
    pub fn of(caller: &Caller) -> Result<Self, VaultError> {
        match caller {
            Caller::Service { name, role: Role::Operator } => Ok(Self { name: name.clone() }),
            Caller::Service { .. } => Err(Reason::NotForServices.into()),
            Caller::Client { .. } => Err(Reason::NotForClients.into()),
        }
    }

    /// The vault's own, for what its policy of keys does without an operator.
    pub(crate) fn of_policy() -> Result<Self, VaultError> {
        let name = ServiceName::parse("key-policy").ok_or(VaultError::Internal)?;
        Ok(Self { name })
    }

    /// Which operator.
    #[must_use]
    pub fn name(&self) -> &ServiceName {
        &self.name
    }
}

impl TokenHolder {
    pub(crate) fn keyring(&self) -> &LoadedKeyring {
        &self.keyring
    }

    /// Whether the customer token may do an operation.
    pub(crate) fn may(&self, operation: Operation) -> bool {
        self.may_any(operation as u32)
    }

    fn may_any(&self, operation_bits: u32) -> bool {
        self.entry().is_some_and(|entry| entry.bounds.operations.has_any(operation_bits))
    }

    /// Its view for opening slots.
    pub(crate) fn holder(&self) -> Option<Holder<'_>> {
        let (keyring, wrap_key) = (self.keyring.as_ref(), &self.keys.wrap_key);
        self.entry().map(|entry| Holder { keyring, entry, wrap_key })
    }

    /// The key that marks its requests.
    pub(crate) fn request_key(&self) -> Result<RequestKey, CryptoError> {
        customer_token_entry::request_key(&self.keys.auth_key)
    }

    /// The same customer token under a newer keyring, if it still works there.
    pub(crate) fn renewed(
        &self,
        keyring: Arc<LoadedKeyring>,
        now_ms: u64,
    ) -> Result<Self, VaultError> {
        let id = self.entry().ok_or(VaultError::Internal)?.bounds.id;
        let mut entries = keyring.keyring.customer_tokens.iter();
        let is_kept = |entry: &CustomerTokenEntry| entry.bounds.id == id && entry.works_at(now_ms);
        let entry = entries.position(is_kept).ok_or(Reason::CustomerTokenEnded)?;
        Ok(Self { keyring, entry, keys: Arc::clone(&self.keys) })
    }

    fn entry(&self) -> Option<&CustomerTokenEntry> {
        self.keyring.keyring.customer_tokens.get(self.entry)
    }
}

impl core::fmt::Debug for TokenHolder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TokenHolder")
    }
}

impl Vault {
    /// Permits `V` to a caller who shows a customer token of the tenant.
    ///
    /// # Errors
    /// `unauthenticated` when caller, tenant and customer token do not belong together or the
    /// customer token does not work (any more); `forbidden` when it may not do this.
    pub async fn permit<V: TokenVerb>(
        &self,
        caller: &Caller,
        tenant: &TenantRef,
        customer_token: &CustomerToken,
    ) -> Result<Permit<V>, VaultError> {
        let record = self.admit(caller, tenant).await?;
        if !V::IS_FOR_SERVICES && matches!(caller, Caller::Service { .. }) {
            return Err(Reason::NotForServices.into());
        }
        if matches!(record.enrolment, Enrolment::Open { .. }) {
            return Err(Reason::TenantNotEnrolled.into());
        }
        let keyring = self.keyring(record.id).await?;
        let check = TokenCheck {
            pepper: self.keyrings().pepper(),
            now_ms: self.clock().now_ms(),
            certificate_digest: caller.certificate_digest(),
        };
        let holder = check.verify(keyring, customer_token)?;
        if !holder.may_any(V::OPERATION_BITS) {
            return Err(Reason::CustomerTokenLacksOperation.into());
        }
        Ok(Permit { tenant: record.id, holder: Arc::new(holder), verb: PhantomData })
    }

    /// Permits enrolment to a client of a tenant that has not enrolled yet.
    ///
    /// # Errors
    /// `unauthenticated` when caller and tenant do not belong together, `forbidden` to services,
    /// `already_exists` once enrolled.
    pub async fn permit_enrol(
        &self,
        caller: &Caller,
        tenant: &TenantRef,
    ) -> Result<EnrolPermit, VaultError> {
        if matches!(caller, Caller::Service { .. }) {
            return Err(Reason::NotForServices.into());
        }
        let record = self.admit(caller, tenant).await?;
        match record.enrolment {
            Enrolment::Done { .. } => Err(VaultError::AlreadyExists),
            Enrolment::Open { .. } => Ok(EnrolPermit { record }),
        }
    }

    /// Permits a look at a tenant's policies to its clients, its services and operators.
    ///
    /// # Errors
    /// `unauthenticated` when caller and tenant do not belong together.
    pub async fn permit_policy(
        &self,
        caller: &Caller,
        tenant: &TenantRef,
    ) -> Result<PolicyPermit, VaultError> {
        let record = match caller {
            Caller::Service { role: Role::Operator, .. } => {
                self.registry().tenant(tenant).await?.ok_or(VaultError::NotFound)?
            }
            Caller::Service { .. } | Caller::Client { .. } => self.admit(caller, tenant).await?,
        };
        let TenantRecord { id: tenant, allowed_addresses, limits, .. } = record;
        Ok(PolicyPermit { tenant, allowed_addresses, limits })
    }

    /// Permits an operator's work.
    ///
    /// # Errors
    /// `forbidden` to everyone else.
    pub fn permit_operator(&self, caller: &Caller) -> Result<OperatorPermit, VaultError> {
        OperatorPermit::of(caller)
    }

    /// Finds the tenant of a request and checks that the caller belongs to it and comes from an
    /// allowed address.
    async fn admit(&self, caller: &Caller, tenant: &TenantRef) -> Result<TenantRecord, VaultError> {
        let record = self.registry().tenant(tenant).await?.ok_or(Reason::TenantUnknown)?;
        let refusal = match caller {
            Caller::Service { role: Role::Operator, .. } => Some(Reason::NotForOperators),
            Caller::Service { role: Role::Service(tenants), .. } => {
                (!tenants.contains(&record.id)).then_some(Reason::TenantNotGranted)
            }
            Caller::Client { tenant, .. } if *tenant != record.id => Some(Reason::TenantMismatch),
            Caller::Client { source_address, .. } => {
                let is_allowed = record.allowed_addresses.allows(*source_address);
                (!is_allowed).then_some(Reason::AddressNotAllowed)
            }
        };
        refusal.map_or(Ok(record), |reason| Err(reason.into()))
    }
}

/// What a customer token is checked against, on every call.
struct TokenCheck<'a> {
    pepper: &'a Pepper,
    now_ms: u64,
    certificate_digest: Option<&'a [u8; 32]>,
}

impl TokenCheck<'_> {
    fn verify(
        &self,
        keyring: Arc<LoadedKeyring>,
        customer_token: &CustomerToken,
    ) -> Result<TokenHolder, VaultError> {
        let tenant = keyring.keyring.tenant;
        let entries = &keyring.keyring.customer_tokens;
        let named = entries.iter().position(|entry| entry.bounds.id == customer_token.id());
        let index = named.ok_or(Reason::CustomerTokenUnknown)?;
        let entry = entries.get(index).ok_or(VaultError::Internal)?;
        let verified = entry.verify(tenant, customer_token, self.pepper);
        let verified = verified.map_err(|CryptoError| VaultError::Internal)?;
        let auth_key = verified.ok_or(Reason::CustomerTokenWrong)?;
        if !entry.works_at(self.now_ms) {
            return Err(Reason::CustomerTokenEnded.into());
        }
        if !entry.works_from(self.certificate_digest) {
            return Err(Reason::CustomerTokenBoundElsewhere.into());
        }
        let wrap_key = customer_token_entry::wrap_key(tenant, customer_token);
        let wrap_key = wrap_key.map_err(|CryptoError| VaultError::Internal)?;
        Ok(TokenHolder { keyring, entry: index, keys: Arc::new(TokenKeys { auth_key, wrap_key }) })
    }
}
