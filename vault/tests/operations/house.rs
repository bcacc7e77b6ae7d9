//! A vault in a directory of its own, with one enrolled tenant and a collection.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tresor_proto::{
    AddressList, ClientName, CollectionName, Content, CustomerToken, DataClass, EnrolmentCode,
    Failure, FieldName, InfoType, PasswordRule, Policy, RecordId, Reveal, ServiceName, TenantId,
    TenantName, TenantRef,
};
use tresor_vault::{
    Caller, Delete, Destination, Enrolled, KeyOperation, Lend, Lent, LoanRequest, NewField,
    NewRecord, NewTenant, OpenError, OperatorPermit, Page, Passphrase, Permit, Read, RekeyRequest,
    Rekeying, RevealedField, RevealedRecord, Role, RotationRequest, Settings, Shown, StoredRecord,
    Treatment, Vault, VaultError, View, Write,
    clock::Clock,
    entropy::{Entropy, SystemEntropy},
    store::{
        Change, Existence, Keyspace, ScanRange, StoreEngine, StoreKey, StoreRow, open_database,
    },
};

/// Time that tests move.
pub(crate) struct TestClock {
    now: AtomicU64,
    /// What happens before the time is next told.
    next: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Clock for TestClock {
    fn now_ms(&self) -> u64 {
        let next = self.next.lock().unwrap().take();
        if let Some(happens) = next {
            happens();
        }
        self.now()
    }
}

impl TestClock {
    fn new() -> Self {
        Self { now: AtomicU64::new(1_800_000_000_000), next: Mutex::default() }
    }

    pub(crate) fn now(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    /// Keeps whoever asks for the time next waiting until something has happened.
    pub(crate) fn before_next(&self, happens: impl FnOnce() + Send + 'static) {
        *self.next.lock().unwrap() = Some(Box::new(happens));
    }

    pub(crate) fn advance(&self, ms: u64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn set_back(&self, ms: u64) {
        self.now.fetch_sub(ms, Ordering::SeqCst);
    }
}

/// The vault and what its one customer has.
pub(crate) struct House {
    directory: tempfile::TempDir,
    entropy: Arc<dyn Entropy>,
    engine: StoreEngine,
    vault: Option<Vault>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) tenant: TenantId,
    pub(crate) customer_token: CustomerToken,
    pub(crate) recovery_token: CustomerToken,
}

pub(crate) fn id(text: &str) -> RecordId {
    RecordId::parse(text).unwrap()
}

fn field(name: &str, value: &str, treatment: Treatment) -> NewField {
    let (name, content) = (FieldName::parse(name).unwrap(), Content::text(value).unwrap());
    NewField { name, content, treatment }
}

pub(crate) fn clear(name: &str, value: &str) -> NewField {
    field(name, value, Treatment::Clear)
}

pub(crate) fn sealed(name: &str, info_type: InfoType, value: &str) -> NewField {
    let class = info_type.class();
    field(name, value, Treatment::Seal { info_type: Some(info_type), class })
}

pub(crate) fn text_of(field: &RevealedField) -> Option<String> {
    match &field.shown {
        Shown::Clear(content) | Shown::Plain(content) | Shown::Masked(content) => {
            content.as_text().map(str::to_owned)
        }
        Shown::Redacted | Shown::Withheld => None,
    }
}

pub(crate) fn passphrase() -> Passphrase {
    let passphrase = zeroize::Zeroizing::new(b"a passphrase of tests".to_vec());
    Passphrase::new(passphrase).unwrap()
}

pub(crate) fn customers() -> CollectionName {
    CollectionName::parse("customers").unwrap()
}

/// A customer token of nobody.
fn no_token() -> CustomerToken {
    let text = "trsr_14fhprYCYlTyUewFx_EHaKB2qyjGii2QpQPwpQat5bqPfpaJ2HRtLYCZ2jm4i4ORhGB";
    CustomerToken::parse(text).unwrap()
}

fn record_key(record: &str) -> StoreKey {
    StoreKey::new(Keyspace::Records, format!("customers\0{record}"))
}

impl House {
    pub(crate) async fn build(engine: StoreEngine) -> Self {
        Self::build_with(engine, Arc::new(SystemEntropy::default())).await
    }

    /// A house whose randomness a test watches.
    pub(crate) async fn build_with(engine: StoreEngine, entropy: Arc<dyn Entropy>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::new());
        let place = (directory.path(), engine);
        let vault = open(place, &clock, &entropy).await.unwrap();
        let mut house = Self {
            directory,
            entropy,
            engine,
            vault: Some(vault),
            clock,
            tenant: TenantId::from_bytes([0; 16]),
            customer_token: no_token(),
            recovery_token: no_token(),
        };
        let enrolled = house.enrol_another("stadtwerke").await;
        house.move_to(enrolled).await;
        house
    }

    pub(crate) fn vault(&self) -> &Vault {
        self.vault.as_ref().unwrap()
    }

    pub(crate) async fn reopen(&mut self) {
        self.close().await;
        self.vault = Some(self.try_open().await.unwrap());
    }

    /// Opens the vault that was closed.
    pub(crate) async fn open_again(&mut self) {
        self.vault = Some(self.try_open().await.unwrap());
    }

    pub(crate) async fn close(&mut self) {
        let vault = self.vault.take().unwrap();
        vault.close().await.unwrap();
    }

    pub(crate) async fn try_open(&self) -> Result<Vault, OpenError> {
        open((self.directory.path(), self.engine), &self.clock, &self.entropy).await
    }

    /// A path in the data directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("data").join(name)
    }

    pub(crate) fn operator() -> Caller {
        Caller::Service { name: ServiceName::parse("operator").unwrap(), role: Role::Operator }
    }

    pub(crate) fn service(tenants: Vec<TenantId>) -> Caller {
        let name = ServiceName::parse("billing").unwrap();
        Caller::Service { name, role: Role::Service(tenants) }
    }

    pub(crate) fn client(tenant: TenantId, address: &str) -> Caller {
        Caller::Client {
            tenant,
            client: ClientName::parse("planner").unwrap(),
            certificate_digest: [7; 32],
            source_address: address.parse().unwrap(),
            session: None,
        }
    }

    pub(crate) async fn create_tenant(&self, name: &str) -> (TenantId, EnrolmentCode) {
        self.create_tenant_with(name, PasswordRule::NotRequired).await
    }

    pub(crate) async fn create_tenant_with(
        &self,
        name: &str,
        password_rule: PasswordRule,
    ) -> (TenantId, EnrolmentCode) {
        let permit = self.vault().permit_operator(&Self::operator()).unwrap();
        let name = TenantName::parse(name).unwrap();
        let allowed_addresses = AddressList::parse(&["127.0.0.0/8"]).unwrap();
        let new = NewTenant { name, allowed_addresses, password_rule };
        let created = self.vault().create_tenant(&permit, new).await.unwrap();
        (created.tenant.id, created.code)
    }

    pub(crate) async fn enrol(
        &self,
        tenant: TenantId,
        code: &EnrolmentCode,
    ) -> Result<Enrolled, VaultError> {
        let caller = Self::client(tenant, "127.0.0.1");
        let permit = self.vault().permit_enrol(&caller, &TenantRef::Id(tenant)).await?;
        self.vault().enrol(permit, code).await
    }

    pub(crate) async fn enrol_another(&self, name: &str) -> Enrolled {
        let (tenant, code) = self.create_tenant(name).await;
        self.enrol(tenant, &code).await.unwrap()
    }

    pub(crate) async fn permit_as(&self, caller: &Caller) -> Result<(), VaultError> {
        let tenant = TenantRef::Id(self.tenant);
        let permit = self.vault().permit::<Read>(caller, &tenant, &self.customer_token);
        permit.await.map(|_| ())
    }

    pub(crate) async fn permit_with(
        &self,
        customer_token: &CustomerToken,
    ) -> Result<(), VaultError> {
        self.permit_tenant(self.tenant, customer_token).await
    }

    pub(crate) async fn permit_tenant(
        &self,
        tenant: TenantId,
        customer_token: &CustomerToken,
    ) -> Result<(), VaultError> {
        let caller = Self::client(tenant, "127.0.0.1");
        let tenant = TenantRef::Id(tenant);
        self.vault().permit::<Read>(&caller, &tenant, customer_token).await.map(|_| ())
    }

    pub(crate) async fn permit<V: tresor_vault::TokenVerb>(&self) -> Permit<V> {
        self.try_permit(&self.customer_token).await.unwrap()
    }

    pub(crate) async fn try_permit<V: tresor_vault::TokenVerb>(
        &self,
        customer_token: &CustomerToken,
    ) -> Result<Permit<V>, VaultError> {
        let caller = Self::client(self.tenant, "127.0.0.1");
        let tenant = TenantRef::Id(self.tenant);
        self.vault().permit(&caller, &tenant, customer_token).await
    }

    pub(crate) async fn put_all(
        &self,
        records: Vec<Result<NewRecord, Failure>>,
    ) -> Result<Vec<Result<StoredRecord, VaultError>>, VaultError> {
        let permit = self.permit::<Write>().await;
        let destination =
            Destination { collection: customers(), policy_version: Some(1), has_masks: false };
        self.vault().put(&permit, &destination, records).await
    }

    pub(crate) async fn put(
        &self,
        record: Option<&str>,
        fields: Vec<NewField>,
    ) -> Result<StoredRecord, VaultError> {
        let record = NewRecord::new(record.map(id), fields);
        self.put_all(vec![record]).await?.remove(0)
    }

    pub(crate) fn view(reveal: Reveal) -> View {
        View { collection: customers(), reveal, fields: Vec::new() }
    }

    pub(crate) async fn get(
        &self,
        record: &str,
        reveal: Reveal,
    ) -> Result<RevealedRecord, VaultError> {
        let permit = self.permit::<Read>().await;
        self.vault().get(&permit, &Self::view(reveal), &[id(record)]).await?.remove(0)
    }

    pub(crate) async fn list(
        &self,
        after: Option<&RecordId>,
        limit: usize,
    ) -> Result<Page<(RecordId, Result<RevealedRecord, VaultError>)>, VaultError> {
        let permit = self.permit::<Read>().await;
        self.vault().list(&permit, &Self::view(Reveal::Masked), after, limit).await
    }

    pub(crate) async fn delete(&self, record: &str) -> Result<(), VaultError> {
        self.delete_all(&[id(record)]).await.remove(0)
    }

    pub(crate) async fn delete_all(&self, ids: &[RecordId]) -> Vec<Result<(), VaultError>> {
        let permit = self.permit::<Delete>().await;
        self.vault().delete(&permit, &customers(), ids).await.unwrap()
    }

    pub(crate) fn keyring_path(&self, tenant: TenantId) -> PathBuf {
        self.path("keyrings").join(format!("{tenant}.trk"))
    }

    fn database_path(&self) -> PathBuf {
        self.path("databases").join(self.tenant.to_string())
    }

    /// Makes another enrolled tenant the one that is called for.
    pub(crate) async fn move_to(&mut self, enrolled: Enrolled) {
        self.tenant = enrolled.tenant;
        self.customer_token = enrolled.customer_token;
        self.recovery_token = enrolled.recovery_token;
        let permit = self.vault().permit_operator(&Self::operator()).unwrap();
        let tenant = TenantRef::Id(self.tenant);
        let put = self.vault().put_collection(&permit, &tenant, customers(), Policy::default());
        put.await.unwrap();
    }

    /// A tenant's row of the registry.
    pub(crate) async fn registry_row(&mut self, tenant: TenantId) -> Vec<u8> {
        let key = StoreKey::new(Keyspace::Tenants, tenant.to_bytes());
        self.read_at(self.path("system/db"), key).await
    }

    /// Puts back a tenant's row of the registry.
    pub(crate) async fn overwrite_registry_row(&mut self, tenant: TenantId, row: Vec<u8>) {
        let key = StoreKey::new(Keyspace::Tenants, tenant.to_bytes());
        self.write_at(self.path("system/db"), key, row).await;
    }

    /// The operator marks data keys as due.
    pub(crate) async fn mark(&self, classes: &[DataClass]) -> KeyOperation {
        let request = RotationRequest {
            classes: classes.to_vec(),
            is_compromised: false,
            rate_max: 0,
            destroy_after_ms: 0,
            is_dry_run: false,
        };
        let (permit, tenant) = (self.operator_permit(), TenantRef::Id(self.tenant));
        let marked = self.vault().mark_data_keys_due(&permit, &tenant, &request).await.unwrap();
        self.operation(marked.operation.unwrap()).await
    }

    /// The operator asks for new identifier keys.
    pub(crate) async fn try_rekey(&self, request: &RekeyRequest) -> Result<Rekeying, VaultError> {
        let (permit, tenant) = (self.operator_permit(), TenantRef::Id(self.tenant));
        self.vault().rekey_identifiers(&permit, &tenant, request).await
    }

    /// The operator asks for new identifier keys of all classes.
    pub(crate) async fn rekey(&self) -> KeyOperation {
        let rekeying = self.try_rekey(&RekeyRequest::default()).await.unwrap();
        self.operation(rekeying.operation.unwrap()).await
    }

    pub(crate) async fn operation(&self, id: uuid::Uuid) -> KeyOperation {
        self.vault().key_operation(&self.operator_permit(), id).await.unwrap()
    }

    pub(crate) fn operator_permit(&self) -> OperatorPermit {
        self.vault().permit_operator(&Self::operator()).unwrap()
    }

    /// The customer lends classes for an hour; all when none are named.
    pub(crate) async fn lend(&self, classes: &[DataClass]) -> Lent {
        let permit = self.permit::<Lend>().await;
        self.vault().lend(&permit, &Self::loan(classes)).await.unwrap()
    }

    /// Classes for an hour.
    pub(crate) fn loan(classes: &[DataClass]) -> LoanRequest {
        LoanRequest { classes: classes.to_vec(), lifetime_ms: 3_600_000, is_dry_run: false }
    }

    /// Long work goes on until there is nothing left to do.
    pub(crate) async fn work_off(&self) {
        while self.vault().work_once().await.unwrap().is_some() {}
    }

    /// A row as the thief of the database sees it.
    pub(crate) async fn row(&mut self, record: &str) -> Vec<u8> {
        self.read_at(self.database_path(), record_key(record)).await
    }

    /// Writes a row as a writer of the database would.
    pub(crate) async fn overwrite(&mut self, record: &str, row: Vec<u8>) {
        self.write_at(self.database_path(), record_key(record), row).await;
    }

    /// The answers kept for repeated writes, as the thief of the database sees them.
    pub(crate) async fn answers(&mut self) -> Vec<StoreRow> {
        self.rows_of(Keyspace::Idempotency).await
    }

    /// All rows of a keyspace, as the thief of the database sees them.
    pub(crate) async fn rows_of(&mut self, keyspace: Keyspace) -> Vec<StoreRow> {
        self.close().await;
        let database = self.database_path();
        let store = open_database(self.engine, database, Existence::MustExist).await.unwrap();
        let all = ScanRange { keyspace, prefix: Vec::new(), after: None };
        let rows = store.scan(all, usize::MAX).await.unwrap();
        store.close().await.unwrap();
        self.open_again().await;
        rows
    }

    /// Writes a row as a writer of the database would.
    pub(crate) async fn overwrite_row(&mut self, key: StoreKey, row: Vec<u8>) {
        self.write_at(self.database_path(), key, row).await;
    }

    /// Changes the database as a writer of it would.
    pub(crate) async fn apply(&mut self, change: Change) {
        self.apply_at(self.database_path(), change).await;
    }

    /// Writes an answer as a writer of the database would.
    pub(crate) async fn overwrite_answer(&mut self, answer: StoreRow) {
        let key = StoreKey::new(Keyspace::Idempotency, answer.key);
        self.write_at(self.database_path(), key, answer.value).await;
    }

    async fn read_at(&mut self, database: PathBuf, key: StoreKey) -> Vec<u8> {
        self.close().await;
        let store = open_database(self.engine, database, Existence::MustExist).await.unwrap();
        let row = store.read(vec![key]).await.unwrap().remove(0).unwrap();
        store.close().await.unwrap();
        self.vault = Some(self.try_open().await.unwrap());
        row
    }

    async fn write_at(&mut self, database: PathBuf, key: StoreKey, row: Vec<u8>) {
        let write = tresor_vault::store::Write::Put(key, row);
        self.apply_at(database, Change { preconditions: Vec::new(), writes: vec![write] }).await;
    }

    async fn apply_at(&mut self, database: PathBuf, change: Change) {
        self.close().await;
        let store = open_database(self.engine, database, Existence::MustExist).await.unwrap();
        store.apply(vec![change]).await.unwrap();
        store.close().await.unwrap();
        self.vault = Some(self.try_open().await.unwrap());
    }
}

async fn open(
    (directory, engine): (&Path, StoreEngine),
    clock: &Arc<TestClock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Vault, OpenError> {
    let mut settings = Settings::new(directory.join("data"));
    settings.engine = engine;
    settings.entropy = Arc::clone(entropy);
    settings.clock = clock.clone();
    Vault::open(settings, &passphrase()).await
}
