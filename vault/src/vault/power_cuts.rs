//! Power cuts from a vault's first start on, through registrations, enrolments and records.

mod deletion;
mod indexes;
mod rekeying;
mod root_rotation;
mod rotation;
mod surrogates;
mod uploads;

use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
};

use prost::Message;
use tresor_proto::{
    AddressList, ClientName, CollectionName, Content, CustomerToken, DataClass, EnrolmentCode,
    FieldName, IdempotencyKey, PasswordRule, Policy, RecordId, Reveal, ServiceName, TenantId,
    TenantName, TenantRef,
};
use zeroize::Zeroizing;

use crate::{
    Caller, CredentialSeal, Destination, ItemKey, NewField, NewRecord, NewTenant, OperatorPermit,
    Read, RevealedRecord, Role, Seal, SealError, SealId, Seals, SecretSource, Settings, Shown,
    StoredRecord, Treatment, Vault, VaultError, VaultPlace, View, Write,
    power_cut::{Random, Recording, cuts, recorded_program, say},
    row::RowPlace,
    store::{Keyspace, ScanRange, StoreEngine, StoreKey, StoreRow},
};

const WRITER: &str = "vault::power_cuts::the_writer_of_a_vault";
const TENANTS: usize = 4;
/// Fields of different classes, so that a record has several groups.
const CLASSES: [DataClass; 3] = [DataClass::Identity, DataClass::Contact, DataClass::Financial];
/// Cuts of one recording.
const CUTS: usize = 25;
/// Two seals, which unlock without the work of a passphrase.
const SEALS: [&str; 2] = ["one", "other"];

struct SealSecret;

impl SecretSource for SealSecret {
    fn read(&self) -> Result<Zeroizing<Vec<u8>>, SealError> {
        Ok(Zeroizing::new(vec![1; 32]))
    }
}

async fn open(place: &Path, engine: &str) -> Vault {
    let mut settings = Settings::new(place.join("var/data"));
    settings.engine = if engine == "Sled" { StoreEngine::Sled } else { StoreEngine::Redb };
    let seal = |id: &str| -> (SealId, Arc<dyn Seal>) {
        (SealId::parse(id).unwrap(), Arc::new(CredentialSeal::new(Arc::new(SealSecret))))
    };
    let place = VaultPlace::take(settings, Seals::new(SEALS.map(seal).into())).unwrap();
    Arc::new(place).unlock().await.unwrap()
}

fn operator(vault: &Vault) -> OperatorPermit {
    let name = ServiceName::parse("operator").unwrap();
    vault.permit_operator(&Caller::Service { name, role: Role::Operator }).unwrap()
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

fn customers() -> CollectionName {
    CollectionName::parse("customers").unwrap()
}

fn value(tenant: TenantId, class: DataClass) -> String {
    format!("{class:?} of {tenant}")
}

async fn register(vault: &Vault, number: usize) -> (TenantId, EnrolmentCode) {
    let permit = operator(vault);
    let name = TenantName::parse(&format!("tenant-{number}")).unwrap();
    let allowed_addresses = AddressList::parse(&["127.0.0.0/8"]).unwrap();
    let password_rule = PasswordRule::NotRequired;
    let new = NewTenant { name, allowed_addresses, password_rule };
    let created = vault.create_tenant(&permit, new).await.unwrap();
    let tenant = TenantRef::Id(created.tenant.id);
    vault.put_collection(&permit, &tenant, customers(), Policy::default()).await.unwrap();
    (created.tenant.id, created.code)
}

async fn enrol(
    vault: &Vault,
    tenant: TenantId,
    code: &EnrolmentCode,
) -> Result<CustomerToken, VaultError> {
    let permit = vault.permit_enrol(&client(tenant), &TenantRef::Id(tenant)).await?;
    Ok(vault.enrol(permit, code).await?.customer_token)
}

/// Stores a record, under an idempotency key that is always the same and an id the vault makes.
async fn store(vault: &Vault, tenant: TenantId, customer_token: &CustomerToken) -> StoredRecord {
    let (caller, reference) = (client(tenant), TenantRef::Id(tenant));
    let permit = vault.permit::<Write>(&caller, &reference, customer_token).await.unwrap();
    let field = |class: DataClass| NewField {
        name: FieldName::parse(&format!("{class:?}")).unwrap(),
        content: Content::text(&value(tenant, class)).unwrap(),
        treatment: Treatment::Seal { info_type: None, class },
    };
    let idempotency_key = Arc::new(IdempotencyKey::parse("first").unwrap());
    let item_key = ItemKey { idempotency_key, ordinal: 1 };
    let record = NewRecord::new(None, CLASSES.map(field).into());
    let record = record.map(|record| record.with_item_key(Some(item_key)));
    let destination =
        Destination { collection: customers(), policy_version: Some(1), has_masks: false };
    let mut stored = vault.put(&permit, &destination, vec![record]).await.unwrap();
    stored.remove(0).unwrap()
}

/// The ids of all records, each of which is whole.
async fn read(vault: &Vault, tenant: TenantId, customer_token: &CustomerToken) -> Vec<RecordId> {
    let (caller, reference) = (client(tenant), TenantRef::Id(tenant));
    let permit = vault.permit::<Read>(&caller, &reference, customer_token).await.unwrap();
    let view = View { collection: customers(), reveal: Reveal::Plain, fields: Vec::new() };
    let page = vault.list(&permit, &view, None, 10).await.unwrap();
    let whole = page.items.into_iter().map(|(id, record)| {
        assert_whole(&record.unwrap(), tenant);
        id
    });
    whole.collect()
}

fn assert_whole(record: &RevealedRecord, tenant: TenantId) {
    let plain = record.fields.iter().map(|field| {
        let Shown::Plain(content) = &field.shown else { panic!("a field is not plain") };
        content.as_text().unwrap_or_default().to_owned()
    });
    assert_eq!(plain.collect::<Vec<_>>(), CLASSES.map(|class| value(tenant, class)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_writer_of_a_vault() {
    let other = tempfile::tempdir().unwrap();
    let (place, engine) = recorded_program().unwrap_or((other.path().into(), "Sled".to_owned()));
    let vault = open(&place, &engine).await;
    say("open");
    for number in 0..TENANTS {
        let (tenant, code) = register(&vault, number).await;
        say(&format!("registered {tenant} {}", code.expose_text().as_str()));
        let customer_token = enrol(&vault, tenant, &code).await.unwrap();
        say(&format!("enrolled {tenant} {}", customer_token.expose_text().as_str()));
        let stored = store(&vault, tenant, &customer_token).await;
        say(&format!("stored {tenant} {}", stored.id));
        assert_eq!(read(&vault, tenant, &customer_token).await, [stored.id]);
    }
    vault.close().await.unwrap();
}

/// Opens what remains. What was said must be so; what was under way is done, or can be done now.
async fn check(place: PathBuf, engine: &'static str, said: Vec<String>) {
    let vault = open(&place, engine).await;
    let words = |line: &'_ String| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let said: Vec<_> = said.iter().map(words).collect();
    let find = |what: &str, tenant: &str| said.iter().find(|it| it[0] == what && it[1] == tenant);
    for line in said.iter().filter(|line| line[0] == "registered") {
        let tenant = TenantId::parse(&line[1]).unwrap();
        let customer_token = match find("enrolled", &line[1]) {
            Some(enrolled) => CustomerToken::parse(&enrolled[2]).unwrap(),
            None => match enrol(&vault, tenant, &EnrolmentCode::parse(&line[2]).unwrap()).await {
                Err(VaultError::AlreadyExists) => continue,
                enrolled => enrolled.unwrap(),
            },
        };
        let found = read(&vault, tenant, &customer_token).await;
        if let Some(stored) = find("stored", &line[1]) {
            assert_eq!(found, [RecordId::parse(&stored[2]).unwrap()], "{tenant} lost its record");
        }
        // Record and answer are both there, or neither is.
        let stored = store(&vault, tenant, &customer_token).await;
        assert_eq!(stored.is_replayed, !found.is_empty());
        assert!(found.iter().all(|id| *id == stored.id));
        assert_eq!(read(&vault, tenant, &customer_token).await, [stored.id]);
    }
    vault.close().await.unwrap();
}

/// The rows of a keyspace whose keys begin with `prefix`.
async fn rows(
    vault: &Vault,
    tenant: TenantId,
    (keyspace, prefix): (Keyspace, &[u8]),
) -> Vec<StoreRow> {
    let range = ScanRange { keyspace, prefix: prefix.to_vec(), after: None };
    vault.store(tenant).await.unwrap().scan(range, 1_000).await.unwrap()
}

/// What those rows hold, each of which is whole.
async fn messages<M: Message + Default>(
    vault: &Vault,
    tenant: TenantId,
    (keyspace, prefix): (Keyspace, &[u8]),
) -> Vec<(StoreKey, M)> {
    let keyring = vault.keyring(tenant).await.unwrap();
    let message = |row: StoreRow| {
        let key = StoreKey::new(keyspace, row.key);
        let message = keyring.rows.decode(RowPlace { tenant, key: &key }, &row.value).unwrap();
        let message = M::decode(message).unwrap();
        (key, message)
    };
    rows(vault, tenant, (keyspace, prefix)).await.into_iter().map(message).collect()
}

/// Records a writer, a test of this program, and lets `check` look at what remains after each cut.
fn survives<F: Future<Output = ()> + Send + 'static>(
    writer: &str,
    engine: &'static str,
    check: impl Fn(PathBuf, &'static str, Vec<String>) -> F,
) {
    let mut random = Random::of_this_run();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let recording = Recording::of(writer, engine);
    recording.cut(cuts(CUTS), &mut random, |remains| {
        let checked = check(remains.place.clone(), engine, remains.said.to_vec());
        let checked = runtime.block_on(runtime.spawn(checked));
        checked.unwrap_or_else(|error| panic!("{}: {error}", remains.cut));
    });
}

#[test]
fn a_vault_on_sled_survives_power_cuts_from_its_first_start_on() {
    survives(WRITER, "Sled", check);
}

#[test]
fn a_vault_on_redb_survives_power_cuts_from_its_first_start_on() {
    survives(WRITER, "Redb", check);
}
