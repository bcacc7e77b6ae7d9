//! A vault that is opened and locked at will, its time in the test's hand, its root key under a seal
//! that costs nothing.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tresor_proto::{
    AddressList, ClientName, CollectionName, CustomerToken, EnrolmentCode, PasswordRule, Policy,
    ServiceName, TenantId, TenantName, TenantRef,
};
use tresor_vault::{
    Caller, CredentialSeal, Enrolled, NewTenant, OperatorPermit, Permit, Role, Seal, SealError,
    SealId, Seals, SecretSource, Settings, TokenVerb, Vault, VaultError, VaultPlace, clock::Clock,
    store::StoreEngine,
};
use zeroize::Zeroizing;

/// Time that the test moves.
struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The secret of the seal.
struct Credential;

impl SecretSource for Credential {
    fn read(&self) -> Result<Zeroizing<Vec<u8>>, SealError> {
        Ok(Zeroizing::new(vec![7; 32]))
    }
}

/// The vault.
pub(crate) struct World {
    directory: tempfile::TempDir,
    engine: StoreEngine,
    clock: Arc<TestClock>,
    place: Option<Arc<VaultPlace>>,
    vault: Option<Vault>,
    tenants: usize,
}

pub(crate) fn customers() -> CollectionName {
    CollectionName::parse("customers").unwrap()
}

/// A directory in memory where the system has one: it is answers that are compared, not disks.
fn memory_directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn operator() -> Caller {
    Caller::Service { name: ServiceName::parse("operator").unwrap(), role: Role::Operator }
}

fn client(tenant: TenantId) -> Caller {
    Caller::Client {
        tenant,
        client: ClientName::parse("planner").unwrap(),
        certificate_digest: [7; 32],
        source_address: "127.0.0.1".parse().unwrap(),
        session: None,
    }
}

impl World {
    pub(crate) async fn build(engine: StoreEngine) -> Self {
        let directory = memory_directory();
        let clock = Arc::new(TestClock(AtomicU64::new(1_800_000_000_000)));
        let mut world = Self { directory, engine, clock, place: None, vault: None, tenants: 0 };
        world.take_place();
        world.unlock().await;
        world
    }

    fn take_place(&mut self) {
        let mut settings = Settings::new(self.directory.path().join("data"));
        settings.engine = self.engine;
        settings.clock = self.clock.clone();
        let seal: Arc<dyn Seal> = Arc::new(CredentialSeal::new(Arc::new(Credential)));
        let seals = Seals::new(vec![(SealId::parse("machine").unwrap(), seal)]);
        self.place = Some(Arc::new(VaultPlace::take(settings, seals).unwrap()));
    }

    async fn unlock(&mut self) {
        self.vault = Some(self.place.as_ref().unwrap().unlock().await.unwrap());
    }

    pub(crate) fn vault(&self) -> &Vault {
        self.vault.as_ref().unwrap()
    }

    pub(crate) async fn lock_and_unlock(&mut self) {
        self.vault.take().unwrap().close().await.unwrap();
        self.unlock().await;
    }

    pub(crate) async fn restart(&mut self) {
        self.vault.take().unwrap().close().await.unwrap();
        self.place = None;
        self.take_place();
        self.unlock().await;
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    pub(crate) fn advance(&self, ms: u64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
        self.vault().sweep();
    }

    pub(crate) fn operator_permit(&self) -> OperatorPermit {
        self.vault().permit_operator(&operator()).unwrap()
    }

    /// Registers a tenant.
    pub(crate) async fn create_tenant(&mut self) -> (TenantId, EnrolmentCode) {
        self.tenants += 1;
        let name = TenantName::parse(&format!("t-{}", self.tenants)).unwrap();
        let allowed_addresses = AddressList::parse(&["127.0.0.0/8"]).unwrap();
        let password_rule = PasswordRule::NotRequired;
        let new = NewTenant { name, allowed_addresses, password_rule };
        let permit = self.operator_permit();
        let created = self.vault().create_tenant(&permit, new).await.unwrap();
        (created.tenant.id, created.code)
    }

    pub(crate) async fn enrol(
        &self,
        tenant: TenantId,
        code: &EnrolmentCode,
    ) -> Result<Enrolled, VaultError> {
        let permit = self.vault().permit_enrol(&client(tenant), &TenantRef::Id(tenant)).await?;
        self.vault().enrol(permit, code).await
    }

    pub(crate) async fn put_collection(&self, tenant: TenantId) {
        let (permit, tenant) = (self.operator_permit(), TenantRef::Id(tenant));
        let put = self.vault().put_collection(&permit, &tenant, customers(), Policy::default());
        put.await.unwrap();
    }

    pub(crate) async fn permit<V: TokenVerb>(
        &self,
        tenant: TenantId,
        customer_token: &CustomerToken,
    ) -> Result<Permit<V>, VaultError> {
        self.vault().permit(&client(tenant), &TenantRef::Id(tenant), customer_token).await
    }
}
