//! Format-preserving surrogates of records: shown where their fields are opened, and kept nowhere.

use std::sync::Arc;

use tresor_proto::{
    CustomerTokenKind, CustomerTokenName, DataClass, ErrorCode, IdempotencyKey, Reveal,
};
use tresor_vault::{
    IssueTokens, ItemKey, NewCustomerToken, NewRecord, VaultError,
    store::{Keyspace, StoreEngine},
};

use crate::{
    calls::ENGINES,
    house::House,
    uploaded::{given, house, record},
};

const FIELDS: [(&str, &str); 2] = [("name", "Muster"), ("meter", "12345678")];

fn keyed() -> NewRecord {
    let idempotency_key = Arc::new(IdempotencyKey::parse("k").unwrap());
    let item_key = ItemKey { idempotency_key, ordinal: 1 };
    record(Some("a"), &FIELDS).with_item_key(Some(item_key))
}

impl House {
    /// Where in the database a text stands readable.
    async fn keyspaces_with(&mut self, text: &str) -> Vec<Keyspace> {
        let mut found = Vec::new();
        for keyspace in [Keyspace::Records, Keyspace::Idempotency, Keyspace::Surrogates] {
            let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|it| it == text.as_bytes());
            let rows = self.rows_of(keyspace).await;
            if rows.iter().any(|row| holds(&row.value)) {
                found.push(keyspace);
            }
        }
        found
    }
}

#[tokio::test]
async fn no_row_holds_the_text_of_one() {
    for engine in ENGINES {
        let mut house = house(engine).await;
        let stored = house.upload(vec![keyed()]).await.remove(0).unwrap();
        let surrogates = given(stored);
        let kept = house.keyspaces_with(&surrogates[0]).await;
        assert_eq!(kept, [Keyspace::Records, Keyspace::Idempotency], "of the other kinds");
        assert_eq!(house.keyspaces_with(&surrogates[1]).await, []);
        assert_eq!(house.told("a", Reveal::Masked).await, surrogates);
    }
}

#[tokio::test]
async fn who_may_not_open_its_class_is_not_shown_one() {
    let mut house = house(StoreEngine::Redb).await;
    let surrogates = house.surrogates("a", &FIELDS).await;
    let order = NewCustomerToken {
        kind: CustomerTokenKind::ReadWrite,
        name: CustomerTokenName::parse("of a test").unwrap(),
        classes: Some(vec![DataClass::Identity]),
        operations: None,
        expires_ms: None,
        bound_certificate: None,
    };
    let permit = house.permit::<IssueTokens>().await;
    let issued = house.vault().issue_customer_token(&permit, order).await.unwrap();
    house.customer_token = issued.customer_token;
    for reveal in [Reveal::Masked, Reveal::Plain] {
        assert_eq!(house.told("a", reveal).await, [surrogates[0].as_str(), ""], "{reveal:?}");
    }
}

#[tokio::test]
async fn it_stays_when_data_keys_are_replaced() {
    let house = house(StoreEngine::Redb).await;
    let surrogates = house.surrogates("a", &FIELDS).await;
    house.mark(&[]).await;
    house.lend(&[]).await;
    house.work_off().await;
    assert_eq!(house.told("a", Reveal::Plain).await, surrogates);
}

#[tokio::test]
async fn a_repeated_upload_is_answered_under_the_newest_key() {
    let house = house(StoreEngine::Redb).await;
    let before = given(house.upload(vec![keyed()]).await.remove(0).unwrap());
    house.rekey().await;
    house.lend(&[]).await;
    house.work_off().await;
    let again = house.upload(vec![keyed()]).await.remove(0).unwrap();
    assert!(again.is_replayed);
    let after = given(again);
    assert_eq!(after, house.told("a", Reveal::Masked).await);
    assert_eq!((after[0] == before[0], after[1] == before[1]), (true, false));
}

#[tokio::test]
async fn a_record_that_ends_has_none() {
    let house = house(StoreEngine::Redb).await;
    let end = Some(house.clock.now() + 60_000);
    let ending = record(Some("a"), &FIELDS).with_expiry(end);
    let lasting_field = record(Some("b"), &FIELDS[..1]).with_expiry(end);
    let results = house.upload(vec![ending, lasting_field]).await;
    let Err(VaultError::Refused(failure)) = &results[0] else { panic!("{:?}", results[0]) };
    assert_eq!(failure.code(), ErrorCode::InvalidRequest);
    let [violation] = failure.violations() else { panic!("{failure:?}") };
    assert_eq!(violation.field, "meter");
    assert!(violation.description.contains("end"), "{violation:?}");
    assert!(results[1].is_ok());
    assert_eq!(house.get("a", Reveal::Masked).await.unwrap_err(), VaultError::NotFound);
}
