//! Permits, and the checks that make them.
//!
//! Each is a proof with private fields, made here only: of the tenant a caller belongs to, of the
//! address, of the user who logged in, and of the customer token. They rely on the door for a
//! certificate that was verified.

use std::{marker::PhantomData, net::IpAddr, sync::Arc};

use tresor_proto::{
    AddressList, CustomerToken, CustomerTokenId, PasswordRule, RefusalReason as Reason, TenantId,
    TenantLimits, TenantName, TenantRef, TenantRole, TenantRoles, UserName,
};

use super::{
    Caller, Role, TokenVerb, session_check::SessionTime, token_holder::TokenCheck,
    token_holder::TokenHolder,
};
use crate::{
    error::VaultError,
    registry::{Enrolment, TenantRecord},
    vault::Vault,
};

/// Who may make a tenant's keys.
const ENROLS: TenantRoles = TenantRoles::of(&[TenantRole::Admin]);

/// The proof that a caller may do `V` for one tenant, with a customer token.
pub struct Permit<V> {
    tenant: TenantId,
    limits: TenantLimits,
    user: Option<UserName>,
    holder: Arc<TokenHolder>,
    verb: PhantomData<V>,
}

/// The proof that a caller may enrol a tenant, which has not enrolled yet.
pub struct EnrolPermit {
    record: TenantRecord,
}

/// The proof that a call's user was let in when it began: the session may end while it goes on.
#[derive(Debug)]
pub struct UnderWay {
    tenant: TenantId,
}

/// The proof that a caller may see a tenant's collections and policies.
#[derive(Debug)]
pub struct PolicyPermit {
    tenant: TenantId,
}

/// The proof that a caller belongs to a tenant and comes from where it may; nobody has logged in.
#[derive(Debug)]
pub struct AdmissionPermit {
    allowed_addresses: AddressList,
    password_rule: PasswordRule,
    limits: TenantLimits,
}

/// The proof that a client of a tenant may try a password.
#[derive(Debug)]
pub struct LoginPermit {
    tenant: TenantId,
    tenant_name: TenantName,
    certificate_digest: [u8; 32],
    source_address: IpAddr,
}

impl<V> Permit<V> {
    /// The tenant it is for.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// How much the tenant may ask for.
    #[must_use]
    pub fn limits(&self) -> &TenantLimits {
        &self.limits
    }

    /// Which customer token was shown.
    #[must_use]
    pub fn customer_token_id(&self) -> Option<CustomerTokenId> {
        self.holder.customer_token_id()
    }

    /// The user who logged in; `None` for a service, and where nobody has to.
    #[must_use]
    pub fn user(&self) -> Option<&UserName> {
        self.user.as_ref()
    }

    /// What lets the call go on when the session ends.
    #[must_use]
    pub fn under_way(&self) -> UnderWay {
        UnderWay { tenant: self.tenant }
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
}

impl AdmissionPermit {
    /// Where the tenant's clients may come from.
    #[must_use]
    pub fn allowed_addresses(&self) -> &AddressList {
        &self.allowed_addresses
    }

    /// Whether they show a password.
    #[must_use]
    pub fn password_rule(&self) -> PasswordRule {
        self.password_rule
    }

    /// How much the tenant may ask for.
    #[must_use]
    pub fn limits(&self) -> TenantLimits {
        self.limits
    }
}

impl LoginPermit {
    pub(crate) fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub(crate) fn tenant_name(&self) -> &TenantName {
        &self.tenant_name
    }

    pub(crate) fn certificate_digest(&self) -> [u8; 32] {
        self.certificate_digest
    }

    pub(crate) fn source_address(&self) -> IpAddr {
        self.source_address
    }
}

impl Vault {
    /// Permits `V` to a caller who shows a customer token of the tenant, and the session of a user
    /// with a role for it.
    ///
    /// # Errors
    /// `unauthenticated` when caller, tenant, user and customer token do not belong together or the
    /// session or customer token does not work (any more); `forbidden` when one may not do this.
    pub async fn permit<V: TokenVerb>(
        &self,
        caller: &Caller,
        tenant: &TenantRef,
        customer_token: &CustomerToken,
    ) -> Result<Permit<V>, VaultError> {
        let record = self.admit(caller, tenant).await?;
        let user = self.user_for(&record, caller, V::ROLES, SessionTime::Counts).await?;
        self.permit_token(record, caller, user, customer_token).await
    }

    /// Permits the next part of a call that is under way: checks everything again but whether the
    /// session has ended meanwhile.
    ///
    /// # Errors
    /// As [`Vault::permit`].
    pub async fn permit_next<V: TokenVerb>(
        &self,
        under_way: &UnderWay,
        caller: &Caller,
        tenant: &TenantRef,
        customer_token: &CustomerToken,
    ) -> Result<Permit<V>, VaultError> {
        let record = self.admit(caller, tenant).await?;
        if record.id != under_way.tenant {
            return Err(VaultError::Internal);
        }
        let user = self.user_for(&record, caller, V::ROLES, SessionTime::Counted).await?;
        self.permit_token(record, caller, user, customer_token).await
    }

    async fn permit_token<V: TokenVerb>(
        &self,
        record: TenantRecord,
        caller: &Caller,
        user: Option<UserName>,
        customer_token: &CustomerToken,
    ) -> Result<Permit<V>, VaultError> {
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
        let (tenant, limits) = (record.id, record.limits);
        Ok(Permit { tenant, limits, user, holder: Arc::new(holder), verb: PhantomData })
    }

    /// Permits enrolment to a client of a tenant that has not enrolled yet, with the session of one
    /// of its admins.
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
        self.user_for(&record, caller, ENROLS, SessionTime::Counts).await?;
        match record.enrolment {
            Enrolment::Done { .. } => Err(VaultError::AlreadyExists),
            Enrolment::Open { .. } => Ok(EnrolPermit { record }),
        }
    }

    /// Permits a look at a tenant's policies to its clients with the session of any user, to its
    /// services and to operators.
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
            Caller::Service { .. } | Caller::Client { .. } => {
                let record = self.admit(caller, tenant).await?;
                self.user_for(&record, caller, TenantRoles::ANY, SessionTime::Counts).await?;
                record
            }
        };
        Ok(PolicyPermit { tenant: record.id })
    }

    /// Tells what a tenant's clients are measured by, before anybody has logged in; whoever shows a
    /// session learns whether it goes on.
    ///
    /// # Errors
    /// `unauthenticated` when caller and tenant do not belong together, or the session has ended.
    pub async fn permit_admission(
        &self,
        caller: &Caller,
        tenant: &TenantRef,
    ) -> Result<AdmissionPermit, VaultError> {
        let record = self.admit(caller, tenant).await?;
        if matches!(caller, Caller::Client { session: Some(_), .. }) {
            self.user_for(&record, caller, TenantRoles::ANY, SessionTime::Counts).await?;
        }
        let TenantRecord { allowed_addresses, password_rule, limits, .. } = record;
        Ok(AdmissionPermit { allowed_addresses, password_rule, limits })
    }

    /// Permits a client of a tenant to try a password.
    ///
    /// # Errors
    /// `unauthenticated` when caller and tenant do not belong together, `forbidden` to services.
    pub async fn permit_login(
        &self,
        caller: &Caller,
        tenant: &TenantRef,
    ) -> Result<LoginPermit, VaultError> {
        let Caller::Client { certificate_digest, source_address, .. } = caller else {
            return Err(Reason::NotForServices.into());
        };
        let record = self.admit(caller, tenant).await?;
        Ok(LoginPermit {
            tenant: record.id,
            tenant_name: record.name,
            certificate_digest: *certificate_digest,
            source_address: *source_address,
        })
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
        // After the caller is known to be the tenant's: what it is told is the same either way.
        let refusal = refusal.or_else(|| record.standing.refusal());
        refusal.map_or(Ok(record), |reason| Err(reason.into()))
    }
}
