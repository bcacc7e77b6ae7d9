//! One key is not enough: whoever has the customer token alone, or all keys of the server alone, or a
//! wrong pair, opens nothing.

use std::sync::Arc;

use prost::Message as _;
use tresor_proto::{
    CustomerToken, CustomerTokenKind, DataClass, InfoType, Secret, TenantId, storage,
};

use super::{KeyringFiles, Keyrings, LoadedKeyring, NewCustomerToken, StolenRow, Theft};
use crate::{
    access::{IssueTokens, ManageTokens},
    crypto_error::CryptoError,
    customer_token_entry,
    entropy::SystemEntropy,
    house::{House, customers, id, passphrase, sealed},
    key::{CipherKey, ClassKey, DataKey, Key, RootKey, TokenWrapKey},
    operations::enrol::generate,
    random::{Random, cases},
    sealed_group::{self, FieldToSeal, GroupPlace, RecordPlace},
    slot::SlotHolder,
    store::{Keyspace, StoreEngine, StoreKey},
    unlocked::{Holder, UnlockedCache},
};

const TENANTS: [TenantId; 2] = [TenantId::from_bytes([7; 16]), TenantId::from_bytes([8; 16])];
const ROOT: [u8; 32] = [1; 32];

/// A tenant with everything it has.
struct Household {
    loaded: Arc<LoadedKeyring>,
    customer_token: CustomerToken,
    group: storage::SealedGroup,
}

impl Household {
    fn found(tenant: TenantId, keyrings: &Keyrings) -> Self {
        let entropy = SystemEntropy::default();
        let (customer_token, keyring) = generate(tenant, 1, keyrings.pepper(), &entropy).unwrap();
        let loaded = keyrings.write(keyring, 0).unwrap();
        let wrap_key = customer_token_entry::wrap_key(tenant, &customer_token).unwrap();
        let entry = &loaded.keyring.customer_tokens[0];
        let holder = Holder { keyring: &loaded, entry, wrap_key: &wrap_key };
        let class = DataClass::Identity;
        let unlocked = UnlockedCache::default().unlock(holder, [class], 1).unwrap();
        let (epoch, key) = unlocked.class(class).unwrap().newest().unwrap();
        let (collection, record) = (customers(), id("r1"));
        let record = RecordPlace { tenant, collection: &collection, record: &record };
        let place = GroupPlace { record, class, epoch, erasure_bucket: 0 };
        let field = sealed("name", InfoType::PersonName, "Anna");
        let (name, content) = (&field.name, &field.content);
        let fields = [FieldToSeal { position: 0, name, info_type: None, content }];
        let group = sealed_group::seal(key, &place, [5; 24], &fields).unwrap();
        Self { loaded, customer_token, group }
    }

    fn tenant(&self) -> TenantId {
        self.loaded.keyring.tenant
    }

    fn wrap_key(&self) -> [u8; 32] {
        let key = customer_token_entry::wrap_key(self.tenant(), &self.customer_token).unwrap();
        *key.expose_secret()
    }

    fn cipher_key(&self) -> [u8; 32] {
        *self.loaded.keyring.cipher_keys[0].key.expose_secret()
    }

    /// What a pair of keys opens of the slot of one class.
    fn slot(&self, wrap: [u8; 32], cipher: [u8; 32], at: usize) -> Result<ClassKey, CryptoError> {
        let entry = &self.loaded.keyring.customer_tokens[0];
        let holder = SlotHolder { tenant: self.tenant(), bounds: &entry.bounds };
        let wrap_key = TokenWrapKey::from_slice(&wrap).unwrap();
        let cipher_key = CipherKey::from_slice(&cipher).unwrap();
        entry.slots[at].unlock(holder, &wrap_key, &cipher_key)
    }

    /// How many locks a key opens that is not meant for them: all data keys, and the sealed group.
    fn opened_by(&self, key: [u8; 32]) -> usize {
        let class_key = ClassKey::from_slice(&key).unwrap();
        let keys = self.loaded.keyring.data_keys.iter();
        let opened = keys.filter(|data| data.unwrap(self.tenant(), &class_key).is_ok()).count();
        let (collection, record) = (customers(), id("r1"));
        let record =
            RecordPlace { tenant: self.tenant(), collection: &collection, record: &record };
        let place = GroupPlace { record, class: DataClass::Identity, epoch: 1, erasure_bucket: 0 };
        let data_key = DataKey::from_slice(&key).unwrap();
        opened + usize::from(sealed_group::open(&data_key, place, &self.group).is_ok())
    }
}

fn households() -> (tempfile::TempDir, [Household; 2]) {
    let directory = tempfile::tempdir().unwrap();
    let files = KeyringFiles::new(directory.path()).unwrap();
    let root = RootKey::from_slice(&ROOT).unwrap();
    let keyrings = Keyrings::create(files, root, Arc::new(SystemEntropy::default())).unwrap();
    let households = TENANTS.map(|tenant| Household::found(tenant, &keyrings));
    (directory, households)
}

/// Random bytes, or one of `known` as it is, or with one bit changed.
fn guess(random: &mut Random, known: &[[u8; 32]]) -> [u8; 32] {
    let mut key = *random.pick(known);
    match random.below(3) {
        0 => key.copy_from_slice(&random.bytes(32)),
        1 => key[random.below(32)] ^= 1 << random.below(8),
        _ => {}
    }
    key
}

#[test]
fn no_wrong_pair_of_keys_opens_anything() {
    let (_directory, [mine, theirs]) = households();
    let right = (mine.wrap_key(), mine.cipher_key());
    let classes = DataClass::ALL.len();
    for at in 0..classes {
        assert!(mine.slot(right.0, right.1, at).is_ok(), "the right pair opens");
    }
    // What the holder of the token knows, and what the holder of the whole server knows.
    let customers = [right.0, *mine.customer_token.expose_secret(), theirs.wrap_key(), [0; 32]];
    let servers = [right.1, ROOT, theirs.cipher_key(), [0; 32]];
    let mut random = Random::of_this_run();
    let (mut tried, mut opened) = (0, 0);
    while tried < cases(12_000, 500_000) {
        let pair = match random.below(3) {
            // The customer token alone.
            0 => (guess(&mut random, &customers), guess(&mut random, &customers)),
            // Every key of the server alone.
            1 => (guess(&mut random, &servers), guess(&mut random, &servers)),
            // A pair of which one is wrong.
            _ => (guess(&mut random, &customers), guess(&mut random, &servers)),
        };
        if pair == right {
            continue;
        }
        tried += 1;
        let at = random.below(classes);
        opened += usize::from(mine.slot(pair.0, pair.1, at).is_ok());
        opened += usize::from(mine.slot(pair.1, pair.0, at).is_ok());
        if tried % 16 == 0 {
            opened += mine.opened_by(pair.0) + mine.opened_by(pair.1);
        }
    }
    assert_eq!(opened, 0, "of {tried} pairs");
}

/// The stolen row of a house, in a theft of its whole disk.
async fn theft(house: &House, customer_token: Option<&CustomerToken>) -> super::Loot {
    let key = StoreKey::new(Keyspace::Records, "customers\0r1");
    let store = house.vault().store(house.tenant).await.unwrap();
    let bytes = store.read(vec![key]).await.unwrap().remove(0).unwrap();
    let theft =
        Theft { data_dir: house.vault().data_dir(), passphrase: &passphrase(), customer_token };
    let (collection, record) = (&customers(), &id("r1"));
    let row = StolenRow { tenant: house.tenant, collection, record, bytes: &bytes };
    theft.attempt(row).unwrap()
}

#[tokio::test]
async fn the_thief_of_the_whole_disk_opens_nothing_without_the_customer_token() {
    let house = House::build(StoreEngine::Memory).await;
    let fields = vec![
        sealed("name", InfoType::PersonName, "Anna"),
        sealed("mail", InfoType::EmailAddress, "anna@example.org"),
    ];
    house.put(Some("r1"), fields).await.unwrap();
    let classes = DataClass::ALL.len();
    let other = house.enrol_another("other-tenant").await;
    let secret = Secret::from_slice(house.customer_token.expose_secret()).unwrap();
    let other_id =
        CustomerToken::new(house.customer_token.kind(), other.customer_token.id(), secret);
    for customer_token in [None, Some(&other.customer_token), Some(&other_id)] {
        let loot = theft(&house, customer_token).await;
        // Those of the customer token and those of the recovery token.
        assert_eq!((loot.slots, loot.outer_locks_opened), (2 * classes, 2 * classes));
        assert_eq!((loot.slots_opened, loot.data_keys_opened, loot.groups_opened), (0, 0, 0));
        assert!(loot.attempts > classes * 10, "{}", loot.attempts);
    }
    for customer_token in [&house.customer_token, &house.recovery_token] {
        let loot = theft(&house, Some(customer_token)).await;
        assert_eq!((loot.slots_opened, loot.data_keys_opened), (classes, classes));
        assert_eq!((loot.groups, loot.groups_opened), (2, 2), "the attempts are real");
    }
}

#[tokio::test]
async fn the_thief_with_a_customer_token_of_one_class_opens_no_other() {
    let house = House::build(StoreEngine::Memory).await;
    let fields = vec![
        sealed("name", InfoType::PersonName, "Anna"),
        sealed("mail", InfoType::EmailAddress, "anna@example.org"),
    ];
    house.put(Some("r1"), fields).await.unwrap();
    let order = NewCustomerToken {
        classes: Some(vec![DataClass::Contact]),
        kind: CustomerTokenKind::Admin,
        ..NewCustomerToken::recovery()
    };
    let permit = house.permit::<IssueTokens>().await;
    let issued = house.vault().issue_customer_token(&permit, order).await.unwrap();
    let loot = theft(&house, Some(&issued.customer_token)).await;
    assert_eq!((loot.cipher_keys, loot.outer_locks_opened), (1, 2 * DataClass::ALL.len() + 1));
    assert_eq!((loot.slots_opened, loot.data_keys_opened), (1, 1), "whatever operations it has");
    assert_eq!((loot.groups, loot.groups_opened), (2, 1));
}

#[tokio::test]
async fn the_thief_with_the_whole_disk_and_a_revoked_customer_token_opens_nothing() {
    let house = House::build(StoreEngine::Memory).await;
    house.put(Some("r1"), vec![sealed("name", InfoType::PersonName, "Anna")]).await.unwrap();
    let permit = house.permit::<IssueTokens>().await;
    let issue = async |order| house.vault().issue_customer_token(&permit, order).await.unwrap();
    let admin =
        || NewCustomerToken { kind: CustomerTokenKind::Admin, ..NewCustomerToken::recovery() };
    let (revoked, replaced) = (issue(admin()).await, issue(admin()).await);
    for stolen in [&revoked, &replaced] {
        let loot = theft(&house, Some(&stolen.customer_token)).await;
        assert_eq!(loot.groups_opened, 1, "the attempts are real");
    }
    let permit = house.permit::<ManageTokens>().await;
    house.vault().revoke_customer_token(&permit, revoked.view.id, "").await.unwrap();
    house.vault().rotate_customer_token(&permit, replaced.view.id, 0).await.unwrap();
    for stolen in [&revoked, &replaced] {
        let loot = theft(&house, Some(&stolen.customer_token)).await;
        assert_eq!((loot.slots_opened, loot.data_keys_opened, loot.groups_opened), (0, 0, 0));
    }
}

#[test]
fn no_keyring_holds_a_key_that_opens_a_slot() {
    let (directory, [mine, _]) = households();
    let files = KeyringFiles::new(directory.path()).unwrap();
    let body = mine.loaded.keyring.to_body();
    let system = super::file_format::decode(
        crate::aad::Purpose::SystemBody,
        TenantId::from_bytes([0; 16]),
        &RootKey::from_slice(&ROOT).unwrap(),
        &super::read_file(&files.system_keyring()).unwrap().unwrap(),
    );
    let right = (mine.wrap_key(), mine.cipher_key());
    let has = |bytes: &[u8], key: &[u8; 32]| bytes.windows(32).any(|window| window == key);
    let class_key = mine.slot(right.0, right.1, 0).unwrap();
    for secret in [&right.0, mine.customer_token.expose_secret(), class_key.expose_secret()] {
        assert!(!has(&body, secret) && !has(&system.as_ref().unwrap().1, secret));
    }
    assert!(has(&body, &right.1), "the search finds what is there");
    assert!(storage::TenantKeyring::decode(&body[..]).is_ok());
}
