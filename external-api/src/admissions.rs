//! What each tenant's clients are measured by, asked of the vault and remembered for a moment.
//!
//! It promises that the source address of every request is measured, by a list at most a second
//! old, and counted, before the vault is asked too; and that the vault is asked by one request of a
//! tenant at a time, and by one client that it refused once a second. What is remembered is the
//! list, how often who may ask, whether a password is required, and for that second a refusal, never
//! that somebody was let in. It relies on the vault, which refuses a client from elsewhere and one
//! without a password too, and remembers nothing.

use core::{net::IpAddr, time::Duration};
use std::{sync::Arc, time::Instant};

use quick_cache::sync::Cache;
use tokio::sync::Mutex;
use tresor_proto::{
    AddressList, ErrorCode, Failure, RefusalReason, TenantId, TenantLimits,
    vault::{self, IntrospectRequest},
};

use crate::{
    pace::Pace,
    vault::{Vault, malformed},
    visitor::Visitor,
};

const TENANTS_MAX: usize = 4_096;
const REFUSALS_MAX: usize = 65_536;
const AGE_MAX: Duration = Duration::from_secs(1);

/// What clients are measured by, by tenant.
pub(crate) struct Admissions {
    vault: Vault,
    cache: Cache<TenantId, Arc<Measure>>,
    /// Held by the request of a tenant that asks the vault; the others wait for its answer.
    asking: Cache<TenantId, Arc<Mutex<()>>>,
    refused: Cache<Client, Refused>,
    pace: Pace,
}

/// Whom the vault refuses: a client's certificate may be revoked, its address not allowed, and the
/// tenant's other clients come in all the same.
type Client = (TenantId, Vec<u8>, IpAddr);

/// That the vault refused a client, and when.
#[derive(Clone)]
struct Refused {
    told: Instant,
    failure: Failure,
}

/// What a tenant's clients are measured by, as it was when it was asked for.
struct Measure {
    fetched: Instant,
    addresses: AddressList,
    is_password_required: bool,
    limits: TenantLimits,
    /// The same with every default filled in, as the vault tells them.
    told_limits: vault::TenantLimits,
}

/// That a client may come from where it does.
pub(crate) struct Admission {
    /// Whether it has to show a user and a password.
    pub(crate) is_password_required: bool,
}

impl Admissions {
    /// None yet; they are fetched from `vault`.
    pub(crate) fn new(vault: Vault) -> Self {
        Self {
            vault,
            cache: Cache::new(TENANTS_MAX),
            asking: Cache::new(TENANTS_MAX),
            refused: Cache::new(REFUSALS_MAX),
            pace: Pace::default(),
        }
    }

    /// Lets a visitor in that comes from where its tenant's clients may, or not.
    ///
    /// # Errors
    /// `unauthenticated` when it may not come from there, or is nobody's client; `rate_limited`.
    pub(crate) async fn admit(&self, visitor: &Visitor) -> Result<Admission, Failure> {
        let (tenant, address) = (visitor.tenant(), visitor.source_address());
        let measure = match self.fresh(tenant) {
            Some(measure) => {
                // Who comes from elsewhere uses up nothing of those who may come.
                measure.check(address)?;
                self.pace.count(tenant, address, &measure.limits)?;
                measure
            }
            None => {
                let limits = self.cache.peek(&tenant).map(|measure| measure.limits);
                self.pace.count(tenant, address, &limits.unwrap_or_default())?;
                let measure = self.fetch(visitor).await?;
                measure.check(address)?;
                measure
            }
        };
        Ok(Admission { is_password_required: measure.is_password_required })
    }

    /// Whether clients of `tenant` have to show a user and a password, as far as is known.
    pub(crate) fn is_password_required(&self, tenant: TenantId) -> bool {
        self.cache.peek(&tenant).is_some_and(|measure| measure.is_password_required)
    }

    /// How much a tenant may ask for, as far as is known.
    pub(crate) fn limits(&self, tenant: TenantId) -> Option<vault::TenantLimits> {
        self.cache.peek(&tenant).map(|measure| measure.told_limits)
    }

    fn fresh(&self, tenant: TenantId) -> Option<Arc<Measure>> {
        self.cache.get(&tenant).filter(|measure| measure.fetched.elapsed() < AGE_MAX)
    }

    /// What the vault says, to this visitor or to one it came at once with.
    async fn fetch(&self, visitor: &Visitor) -> Result<Arc<Measure>, Failure> {
        let tenant = visitor.tenant();
        let asking =
            self.asking.get_or_insert_with(&tenant, || Ok::<_, Failure>(Arc::default()))?;
        let _turn = asking.lock().await;
        if let Some(measure) = self.fresh(tenant) {
            return Ok(measure);
        }
        let client = (tenant, visitor.certificate_digest().to_vec(), visitor.source_address());
        match self.refused.get(&client) {
            Some(refused) if refused.told.elapsed() < AGE_MAX => return Err(refused.failure),
            Some(_) | None => {}
        }
        let asked = self.ask(visitor).await;
        if let Err(failure) = &asked
            && failure.code() == ErrorCode::Unauthenticated
        {
            let refused = Refused { told: Instant::now(), failure: failure.clone() };
            self.refused.insert(client, refused);
        }
        asked
    }

    async fn ask(&self, visitor: &Visitor) -> Result<Arc<Measure>, Failure> {
        let request = IntrospectRequest { context: Some(visitor.context(None)) };
        let told = self.vault.introspect(request).await?;
        let measure = Arc::new(Measure {
            fetched: Instant::now(),
            addresses: AddressList::parse(&told.allowed_addresses).map_err(|_| malformed())?,
            is_password_required: told.password_required,
            limits: TenantLimits::from_wire(told.limits.as_ref()).map_err(|_| malformed())?,
            told_limits: told.limits.unwrap_or_default(),
        });
        self.cache.insert(visitor.tenant(), Arc::clone(&measure));
        Ok(measure)
    }
}

impl Measure {
    fn check(&self, address: IpAddr) -> Result<(), Failure> {
        if self.addresses.allows(address) {
            return Ok(());
        }
        Err(RefusalReason::AddressNotAllowed.into())
    }
}
