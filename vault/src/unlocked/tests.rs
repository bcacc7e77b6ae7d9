use tresor_proto::CustomerToken;

use super::*;
use crate::{
    customer_token_entry,
    entropy::SystemEntropy,
    key::{Key, Pepper},
    operations::enrol::generate,
};

const NOW_MS: u64 = 1_800_000_000_000;
const TENANT: TenantId = TenantId::from_bytes([7; 16]);

/// A tenant's keyring and its customer token.
struct Fixture {
    keyring: LoadedKeyring,
    customer_token: CustomerToken,
}

impl Fixture {
    fn new(sequence: u64) -> Self {
        let entropy = SystemEntropy::default();
        let pepper = Pepper::generate(&entropy).unwrap();
        let (customer_token, keyring) = generate(TENANT, NOW_MS, &pepper, &entropy).unwrap();
        let rows = keyring.row_keys().unwrap();
        Self {
            keyring: LoadedKeyring { sequence, keyring, rows, seals: Arc::default() },
            customer_token,
        }
    }

    fn unlock(&self, cache: &UnlockedCache, now_ms: u64) -> Result<Unlocked, CryptoError> {
        let wrap_key = customer_token_entry::wrap_key(TENANT, &self.customer_token)?;
        self.unlock_with(cache, &wrap_key, now_ms)
    }

    fn unlock_with(
        &self,
        cache: &UnlockedCache,
        wrap_key: &TokenWrapKey,
        now_ms: u64,
    ) -> Result<Unlocked, CryptoError> {
        let entry = &self.keyring.keyring.customer_tokens[0];
        let holder = Holder { keyring: &self.keyring, entry, wrap_key };
        cache.unlock(holder, [DataClass::Contact], now_ms)
    }

    fn unlock_classes(&self, cache: &UnlockedCache, classes: &[DataClass]) -> Unlocked {
        let wrap_key = customer_token_entry::wrap_key(TENANT, &self.customer_token).unwrap();
        let entry = &self.keyring.keyring.customer_tokens[0];
        let holder = Holder { keyring: &self.keyring, entry, wrap_key: &wrap_key };
        cache.unlock(holder, classes.iter().copied(), NOW_MS).unwrap()
    }
}

fn kept(cache: &UnlockedCache) -> usize {
    cache.0.lock().unwrap().len()
}

#[test]
fn the_wrong_customer_token_opens_no_slot_and_leaves_nothing_behind() {
    let (fixture, cache) = (Fixture::new(1), UnlockedCache::default());
    let wrong = TokenWrapKey::from_slice(&[9; 32]).unwrap();
    assert!(fixture.unlock_with(&cache, &wrong, NOW_MS).is_err());
    assert_eq!(kept(&cache), 0);
    assert!(fixture.unlock(&cache, NOW_MS).unwrap().class(DataClass::Contact).is_some());
}

#[test]
fn a_key_is_forgotten_when_idle_and_at_the_end_of_its_time() {
    let (fixture, cache) = (Fixture::new(1), UnlockedCache::default());
    fixture.unlock(&cache, NOW_MS).unwrap();
    cache.sweep(NOW_MS + IDLE_MS - 1);
    assert_eq!(kept(&cache), 1);
    cache.sweep(NOW_MS + IDLE_MS);
    assert_eq!(kept(&cache), 0, "idle");
    fixture.unlock(&cache, NOW_MS).unwrap();
    cache.sweep(NOW_MS - 1);
    assert_eq!(kept(&cache), 0, "the clock was set back");
    for step in 0..=LIFETIME_MS / IDLE_MS * 2 {
        fixture.unlock(&cache, NOW_MS + step * IDLE_MS / 2).unwrap();
    }
    let wrong = TokenWrapKey::from_slice(&[9; 32]).unwrap();
    let late = NOW_MS + LIFETIME_MS * 2;
    assert!(fixture.unlock_with(&cache, &wrong, late).is_err(), "old, however often used");
}

#[test]
fn keys_of_an_older_keyring_are_not_used_for_a_newer_one() {
    let cache = UnlockedCache::default();
    let (older, newer) = (Fixture::new(1), Fixture::new(2));
    let old = older.unlock(&cache, NOW_MS).unwrap();
    let new = newer.unlock(&cache, NOW_MS).unwrap();
    let key = |unlocked: &Unlocked| {
        let class = unlocked.class(DataClass::Contact).unwrap();
        *class.newest().unwrap().1.expose_secret()
    };
    assert_ne!(key(&old), key(&new));
    assert_eq!(kept(&cache), 2);
}

#[test]
fn a_class_comes_with_its_identifier_keys_which_are_none_of_another_class() {
    let (fixture, cache) = (Fixture::new(1), UnlockedCache::default());
    let unlocked = fixture.unlock_classes(&cache, &[DataClass::Contact, DataClass::Identity]);
    let key = |class| {
        let keys = unlocked.class(class).unwrap();
        let (version, key) = keys.newest_identifier().unwrap();
        assert_eq!(version, 1);
        assert_eq!(keys.identifier(1).unwrap().expose_secret(), key.expose_secret());
        assert!(keys.identifier(2).is_err(), "there is none");
        *key.expose_secret()
    };
    assert_ne!(key(DataClass::Contact), key(DataClass::Identity));
}
