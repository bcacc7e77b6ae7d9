use std::sync::Arc;

use proptest::prelude::*;
use tresor_proto::{Content, ContentType, FieldName, IdempotencyKey};

use super::*;
use crate::{
    customer_token_entry,
    key::TokenAuthKey,
    record::{NewField, Treatment},
};

const DAY_MS: u64 = IDEMPOTENCY_LIFETIME_MS;

fn request_key(customer_token: u8) -> RequestKey {
    let auth_key = TokenAuthKey::from_slice(&[customer_token; 32]).unwrap();
    customer_token_entry::request_key(&auth_key).unwrap()
}

fn mark(customer_token: u8, key: &str, ordinal: u64) -> RequestMark {
    let item = ItemKey { idempotency_key: Arc::new(IdempotencyKey::parse(key).unwrap()), ordinal };
    let record = record(&[("name".to_owned(), ContentType::Text, "Anna".to_owned())]);
    let collection = CollectionName::parse("customers").unwrap();
    RequestMark::new(&request_key(customer_token), &item, &collection, &record).unwrap()
}

type Fields = [(String, ContentType, String)];

fn record(fields: &Fields) -> NewRecord {
    let field = |(name, content_type, value): &(String, ContentType, String)| NewField {
        name: FieldName::parse(name).unwrap(),
        content: Content::new(*content_type, value.clone().into_bytes()).unwrap(),
        treatment: Treatment::Clear,
    };
    NewRecord::new(None, fields.iter().map(field).collect()).unwrap()
}

fn digest_of(fields: &Fields) -> [u8; 32] {
    let collection = CollectionName::parse("customers").unwrap();
    digest(&request_key(1), &collection, &record(fields)).unwrap()
}

#[test]
fn nothing_of_a_mark_is_the_same_under_another_customer_token() {
    let (one, other) = (mark(1, "k", 1), mark(2, "k", 1));
    assert_ne!(one.name, other.name);
    assert_ne!(one.digest, other.digest);
}

#[test]
fn each_key_and_ordinal_has_a_name_of_its_own() {
    let named = [("k", 1), ("k", 2), ("k", 256), ("l", 1), ("k1", 1), ("kk", 1)];
    let names = named.map(|(key, ordinal)| mark(1, key, ordinal).name);
    let unique: std::collections::HashSet<_> = names.iter().collect();
    assert_eq!(unique.len(), named.len());
    assert_eq!(mark(1, "k", 1).name, mark(1, "k", 1).name);
}

#[test]
fn an_answer_given_at_any_time_is_looked_for_until_it_is_outdated() {
    let mark = mark(1, "k", 1);
    for given_ms in [0, DAY_MS - 1, DAY_MS, DAY_MS + 1, 20_000 * DAY_MS + 77] {
        let place = mark.place(day(given_ms));
        for age_ms in [0, 1, DAY_MS / 2, DAY_MS - 1] {
            assert!(mark.places(given_ms + age_ms).contains(&place), "{given_ms} {age_ms}");
        }
    }
}

#[test]
fn only_what_is_outdated_is_swept() {
    let row = |given_ms: u64| StoreRow {
        key: mark(1, "k", given_ms).place(day(given_ms)).key,
        value: Vec::new(),
    };
    let now_ms = 100 * DAY_MS + DAY_MS / 2;
    let given = [98 * DAY_MS, 99 * DAY_MS - 1, 99 * DAY_MS, 100 * DAY_MS, 101 * DAY_MS].map(row);
    let swept = sweep(given.to_vec(), now_ms).writes;
    let expected = given[..2].iter().map(|row| row.key.clone());
    let expected = expected.map(|key| Write::Remove(StoreKey::new(Keyspace::Idempotency, key)));
    assert_eq!(swept, expected.collect::<Vec<_>>());
}

#[test]
fn the_longest_value_has_a_digest() {
    let long = |last: &str| {
        let value = "x".repeat(tresor_proto::limits::VALUE_BYTES_MAX - 1) + last;
        digest_of(&[("note".to_owned(), ContentType::Text, value)])
    };
    assert_ne!(long("x"), long("y"));
}

#[test]
fn a_value_cannot_stand_for_the_beginning_of_the_next_field() {
    let head = Tlv::new().with(1, b"b").with(2, &[ContentType::Text.code()]).encode().unwrap();
    let head = String::from_utf8(head).unwrap();
    let field = |name: &str, value: &str| (name.to_owned(), ContentType::Text, value.to_owned());
    let behind = digest_of(&[field("a", ""), field("b", &head)]);
    assert_ne!(behind, digest_of(&[field("a", &head), field("b", "")]));
}

/// Few and short, so that many lists are nearly the same.
fn fields() -> impl Strategy<Value = Vec<(String, ContentType, String)>> {
    let content_type = prop_oneof![Just(ContentType::Text), Just(ContentType::Binary)];
    let names = proptest::sample::subsequence(vec!["a", "b", "ab", "ba"], 1..=3).prop_shuffle();
    let values = proptest::collection::vec((content_type, "[ab]{0,2}"), 3);
    (names, values).prop_map(|(names, values)| {
        let named = names.into_iter().zip(values);
        named.map(|(name, (kind, value))| (name.to_owned(), kind, value)).collect()
    })
}

proptest! {
    #[test]
    fn records_have_one_digest_exactly_when_they_are_the_same(one in fields(), other in fields()) {
        prop_assert_eq!(one == other, digest_of(&one) == digest_of(&other));
    }
}
