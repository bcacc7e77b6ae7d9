//! What a writer of a tenant's database tries with surrogates: bits flipped, rows exchanged, bounds
//! moved, with the MAC left and with the MAC made anew by one who has the cipher key.

use prost::Message;
use tresor_proto::{
    Content, InfoType, Reveal, Surrogate, SurrogateForm, SurrogateKind, SurrogateOptions,
    TenantRef, storage,
};

use super::{
    NewSurrogate, SurrogateQuery,
    rows::{count_key, row_key},
};
use crate::{
    access::{Detokenize, Tokenize},
    error::VaultError,
    house::House,
    random::{Random, cases},
    record::Shown,
    row::RowPlace,
    store::{Change, Keyspace, ScanRange, StoreEngine, StoreKey, Write},
};

const VALUE: &str = "1234567890";

fn new(kind: SurrogateKind, reveal: Reveal, ends: Option<(u64, u32)>) -> NewSurrogate {
    let (expires_ms, uses_max) = (ends.map(|(end_ms, _)| end_ms), ends.map(|(_, uses)| uses));
    let form = SurrogateForm { kind, reveal, ..SurrogateForm::default() };
    let options = SurrogateOptions::new(InfoType::BankAccount, form, expires_ms, uses_max);
    let content = Content::text(VALUE).unwrap();
    NewSurrogate { content, options: options.unwrap(), item_key: None }
}

async fn issue(house: &House, value: NewSurrogate) -> Result<String, VaultError> {
    let permit = house.permit::<Tokenize>().await;
    let issued = house.vault().tokenize(&permit, vec![Ok(value)]).await.unwrap().remove(0);
    issued.map(|issued| issued.text)
}

async fn shown(house: &House, reveal: Reveal, text: &str) -> Result<Shown, VaultError> {
    let query = SurrogateQuery { text: text.to_owned(), form: None };
    let permit = house.permit::<Detokenize>().await;
    let shown = house.vault().detokenize(&permit, reveal, vec![Ok(query)]).await.unwrap();
    Ok(shown.into_iter().next().unwrap()?.shown)
}

fn key_of(house: &House, text: &str) -> StoreKey {
    row_key(&Surrogate::parse(house.tenant, text).unwrap().id())
}

/// The rows whose keys begin with a byte.
async fn rows(house: &House, kind: u8) -> Vec<(StoreKey, Vec<u8>)> {
    let range = ScanRange { keyspace: Keyspace::Surrogates, prefix: vec![kind], after: None };
    let store = house.vault().store(house.tenant).await.unwrap();
    let rows = store.scan(range, 100).await.unwrap().into_iter();
    rows.map(|row| (StoreKey::new(Keyspace::Surrogates, row.key), row.value)).collect()
}

async fn write(house: &House, write: Write) {
    let store = house.vault().store(house.tenant).await.unwrap();
    store.apply(vec![Change { preconditions: Vec::new(), writes: vec![write] }]).await.unwrap();
}

/// Refused however much is asked for, and whole again once the row is.
async fn assert_refused(house: &House, text: &str, what: &str) {
    for reveal in [Reveal::Masked, Reveal::Plain] {
        let refused = shown(house, reveal, text).await.unwrap_err();
        assert_eq!(refused, VaultError::Integrity, "{what}, {reveal:?}");
    }
}

#[tokio::test]
async fn a_flipped_bit_or_a_cut_of_any_row_is_refused() {
    let house = House::build(StoreEngine::Memory).await;
    let end_ms = house.clock.now() + 1_000;
    let text = issue(&house, new(SurrogateKind::Random, Reveal::Plain, Some((end_ms, 9)))).await;
    let text = text.unwrap();
    for kind in [1, 4] {
        for (key, row) in rows(&house, kind).await {
            for at in 0..row.len() {
                let mut flipped = row.clone();
                flipped[at] ^= 1 << (at % 8);
                write(&house, Write::Put(key.clone(), flipped)).await;
                let refused = shown(&house, Reveal::Plain, &text).await.unwrap_err();
                assert_eq!(refused, VaultError::Integrity, "byte {at} of a row of kind {kind}");
            }
            write(&house, Write::Put(key.clone(), row[..row.len() - 1].to_vec())).await;
            assert_refused(&house, &text, "a byte less").await;
            write(&house, Write::Put(key, row)).await;
        }
    }
    assert!(shown(&house, Reveal::Plain, &text).await.is_ok());
}

#[tokio::test]
async fn rows_that_changed_places_are_refused() {
    let house = House::build(StoreEngine::Memory).await;
    let deterministic = |reveal| new(SurrogateKind::Deterministic, reveal, None);
    let one = issue(&house, deterministic(Reveal::Plain)).await.unwrap();
    let other = issue(&house, deterministic(Reveal::Masked)).await.unwrap();
    for kind in [1, 2] {
        let [(key, row), (other_key, other_row)] = rows(&house, kind).await.try_into().unwrap();
        write(&house, Write::Put(key.clone(), other_row.clone())).await;
        write(&house, Write::Put(other_key.clone(), row.clone())).await;
        for (text, reveal) in [(&one, Reveal::Plain), (&other, Reveal::Masked)] {
            match kind {
                1 => assert_refused(&house, text, "another's row").await,
                _ => {
                    let refused = issue(&house, deterministic(reveal)).await.unwrap_err();
                    assert_eq!(refused, VaultError::Integrity, "another's look-up");
                }
            }
        }
        write(&house, Write::Put(key, row)).await;
        write(&house, Write::Put(other_key, other_row)).await;
    }
    assert_eq!(issue(&house, deterministic(Reveal::Plain)).await.unwrap(), one);
}

/// What is changed, and how.
type Forgery = (&'static str, fn(&mut storage::Surrogate));

/// Makes a row anew as one who has the cipher key could.
async fn forge<M: Message + Default>(house: &House, key: &StoreKey, change: fn(&mut M)) {
    let keyring = house.vault().keyring(house.tenant).await.unwrap();
    let place = RowPlace { tenant: house.tenant, key };
    let store = house.vault().store(house.tenant).await.unwrap();
    let row = store.read(vec![key.clone()]).await.unwrap().remove(0).unwrap();
    let mut message = M::decode(keyring.rows.decode(place, &row).unwrap()).unwrap();
    change(&mut message);
    let row = keyring.rows.encode(place, &message.encode_to_vec()).unwrap();
    write(house, Write::Put(key.clone(), row)).await;
}

#[tokio::test]
async fn bounds_moved_by_one_who_has_the_cipher_key_are_refused_by_the_seal() {
    let house = House::build(StoreEngine::Memory).await;
    let end_ms = house.clock.now() + 1_000;
    let changes: [Forgery; 9] = [
        ("reveal", |row| row.reveal = 3),
        ("expiry", |row| row.expires_ms += 1),
        ("uses", |row| row.uses_max += 1),
        ("kind", |row| row.kind = 2),
        ("birth", |row| row.created_ms -= 1),
        ("mask", |row| row.mask = vec![8, 8]),
        ("holders", |row| row.is_held = true),
        ("epoch", |row| row.group.as_mut().unwrap().epoch = 2),
        ("content type", |row| row.group.as_mut().unwrap().fields[0].content_type = 3),
    ];
    for (what, change) in changes {
        let random = new(SurrogateKind::Random, Reveal::Masked, Some((end_ms, 9)));
        let text = issue(&house, random).await.unwrap();
        assert!(shown(&house, Reveal::Plain, &text).await.is_ok());
        forge(&house, &key_of(&house, &text), change).await;
        assert_refused(&house, &text, what).await;
    }
}

#[tokio::test]
async fn a_count_that_was_removed_is_refused() {
    let house = House::build(StoreEngine::Memory).await;
    let random = new(SurrogateKind::Random, Reveal::Plain, Some((u64::MAX, 2)));
    let text = issue(&house, random).await.unwrap();
    assert!(shown(&house, Reveal::Plain, &text).await.is_ok());
    write(&house, Write::Remove(count_key(&key_of(&house, &text)))).await;
    assert_refused(&house, &text, "no count").await;
}

#[tokio::test]
async fn whatever_one_who_has_the_cipher_key_writes_shows_the_value_or_nothing() {
    let house = House::build(StoreEngine::Memory).await;
    let mut random = Random::of_this_run();
    let end_ms = house.clock.now() + 1_000;
    let bounded = new(SurrogateKind::Random, Reveal::Plain, Some((end_ms, u32::MAX)));
    let text = issue(&house, bounded).await.unwrap();
    let keyring = house.vault().keyring(house.tenant).await.unwrap();
    for kind in [1, 4] {
        for (key, row) in rows(&house, kind).await {
            let place = RowPlace { tenant: house.tenant, key: &key };
            let message = keyring.rows.decode(place, &row).unwrap().to_vec();
            for _ in 0..cases(300, 30_000) {
                let forged = keyring.rows.encode(place, &random.mutated(&message)).unwrap();
                write(&house, Write::Put(key.clone(), forged)).await;
                if let Ok(Shown::Plain(content)) = shown(&house, Reveal::Plain, &text).await {
                    assert_eq!(content.as_text(), Some(VALUE));
                }
            }
            write(&house, Write::Put(key, row)).await;
        }
    }
}

#[tokio::test]
async fn the_census_tells_damaged_counts_and_look_ups_apart_from_damaged_values() {
    let house = House::build(StoreEngine::Redb).await;
    for (kind, ends) in [
        (SurrogateKind::Random, Some((u64::MAX, 3))),
        (SurrogateKind::Random, None),
        (SurrogateKind::Deterministic, None),
    ] {
        issue(&house, new(kind, Reveal::Plain, ends)).await.unwrap();
    }
    let permit = house.vault().permit_operator(&House::operator()).unwrap();
    for (kind, expected) in [(1, (2, 1, 0)), (2, (2, 1, 1)), (4, (2, 1, 2))] {
        let (key, mut row) = rows(&house, kind).await.remove(0);
        *row.last_mut().unwrap() ^= 1;
        write(&house, Write::Put(key, row)).await;
        let tenant = TenantRef::Id(house.tenant);
        let mut under_way = house.vault().begin_census(&permit, &tenant).await.unwrap();
        while !under_way.is_done() {
            house.vault().count_further(&mut under_way).await.unwrap();
        }
        let census = under_way.census();
        let told = (census.surrogates, census.damaged, census.damaged_side_rows);
        assert_eq!(told, expected, "rows that begin with {kind}");
    }
}
