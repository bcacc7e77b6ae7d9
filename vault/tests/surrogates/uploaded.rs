//! Surrogates that come with records, and go with them.

use std::{collections::BTreeSet, sync::Arc};

use tresor_proto::{
    Action, CustomerTokenKind, CustomerTokenName, ErrorCode, FieldName, FieldPolicy,
    IdempotencyKey, InfoType, Policy, RecordId, Reveal, SurrogateForm, SurrogateFormat,
    SurrogateKind, TenantRef, TokenOperation, UndeclaredPolicy,
};
use tresor_vault::{
    DescribeSurrogates, Destination, IssueTokens, ItemKey, NewCustomerToken, NewRecord,
    StoredRecord, Tokenize, VaultError, Write,
    store::{Keyspace, StoreEngine},
};

use crate::{
    calls::{ENGINES, options, text_of, value},
    house::{House, customers, id, sealed},
};

/// What a field is called, and what it is.
const FIELDS: [(&str, InfoType, SurrogateKind); 3] = [
    ("name", InfoType::LastName, SurrogateKind::Deterministic),
    ("iban", InfoType::IbanCode, SurrogateKind::Random),
    ("meter", InfoType::MeterId, SurrogateKind::FormatPreserving(SurrogateFormat::Digits)),
];

pub(crate) async fn house(engine: StoreEngine) -> House {
    let house = House::build(engine).await;
    house.declare(tokenizing()).await;
    house
}

/// A policy that gives the fields surrogates.
pub(crate) fn tokenizing() -> Policy {
    let declared = FIELDS.map(|(name, info_type, kind)| FieldPolicy {
        info_type: Some(info_type),
        surrogate: Some(SurrogateForm { kind, ..SurrogateForm::default() }),
        ..FieldPolicy::new(FieldName::parse(name).unwrap(), Action::Tokenize)
    });
    Policy::new(declared.into(), UndeclaredPolicy::default(), Action::Seal).unwrap()
}

pub(crate) fn record(name: Option<&str>, fields: &[(&str, &str)]) -> NewRecord {
    let field = |(field, value): &(&str, &str)| {
        let known = FIELDS.iter().find(|(name, ..)| name == field);
        sealed(field, known.map_or(InfoType::FreeText, |(_, info_type, _)| *info_type), value)
    };
    NewRecord::new(name.map(id), fields.iter().map(field).collect()).unwrap()
}

impl House {
    pub(crate) async fn declare(&self, policy: Policy) {
        let (permit, tenant) = (self.operator_permit(), TenantRef::Id(self.tenant));
        let put = self.vault().put_collection(&permit, &tenant, customers(), policy);
        put.await.unwrap();
    }

    async fn ids(&self) -> Vec<RecordId> {
        let page = self.list(None, 1_000).await.unwrap();
        page.items.into_iter().map(|(id, _)| id).collect()
    }

    pub(crate) async fn upload(
        &self,
        records: Vec<NewRecord>,
    ) -> Vec<Result<StoredRecord, VaultError>> {
        let permit = self.permit::<Write>().await;
        let destination =
            Destination { collection: customers(), policy_version: None, has_masks: false };
        let records = records.into_iter().map(Ok).collect();
        self.vault().put(&permit, &destination, records).await.unwrap()
    }

    /// Uploads one record; gives its surrogates in the order of its fields.
    pub(crate) async fn surrogates(&self, name: &str, fields: &[(&str, &str)]) -> Vec<String> {
        let stored = self.upload(vec![record(Some(name), fields)]).await.remove(0).unwrap();
        given(stored)
    }

    /// The surrogate of each field of a record as it is shown, empty for none.
    pub(crate) async fn told(&self, record: &str, reveal: Reveal) -> Vec<String> {
        let record = self.get(record, reveal).await.unwrap();
        record.fields.into_iter().map(|field| field.surrogate.unwrap_or_default()).collect()
    }

    pub(crate) async fn surrogate_keys(&mut self) -> BTreeSet<Vec<u8>> {
        self.rows_of(Keyspace::Surrogates).await.into_iter().map(|row| row.key).collect()
    }
}

pub(crate) fn given(stored: StoredRecord) -> Vec<String> {
    stored.surrogates.into_iter().map(|given| given.surrogate).collect()
}

#[tokio::test]
async fn a_record_brings_surrogates_that_are_shown_with_it_and_give_its_values_back() {
    for engine in ENGINES {
        let house = house(engine).await;
        let fields = [("name", "Muster"), ("note", "x"), ("iban", "DE1"), ("meter", "12345678")];
        let mut surrogates = house.surrogates("a", &fields).await;
        assert_eq!(surrogates.len(), 3);
        assert!(surrogates[0].starts_with("srg_last_") && surrogates[1].starts_with("srg_iban_"));
        assert_eq!((surrogates[2].len(), surrogates[2] == "12345678"), (8, false));
        let shown = house.detokenize(Reveal::Plain, &surrogates[..2]).await;
        let plain: Vec<_> = shown.into_iter().map(|shown| text_of(shown.unwrap())).collect();
        assert_eq!(plain, ["Muster", "DE1"]);
        surrogates.insert(1, String::new());
        for reveal in [Reveal::Masked, Reveal::Plain, Reveal::Redacted] {
            if reveal == Reveal::Redacted {
                surrogates[3].clear();
            }
            assert_eq!(house.told("a", reveal).await, surrogates, "{reveal:?}");
        }
    }
}

#[tokio::test]
async fn a_deterministic_surrogate_goes_with_the_last_field_that_holds_it() {
    for engine in ENGINES {
        let mut house = house(engine).await;
        let one = house.surrogates("a", &[("name", "Muster")]).await;
        assert_eq!(house.surrogates("b", &[("name", "Muster")]).await, one);
        assert_ne!(house.surrogates("c", &[("name", "Maier")]).await, one);
        assert_eq!(house.describe(&one[0]).await.unwrap().references, 2);
        house.delete("a").await.unwrap();
        house.reopen().await;
        assert!(house.detokenize(Reveal::Plain, &one).await[0].is_ok());
        house.delete("b").await.unwrap();
        let gone = house.detokenize(Reveal::Plain, &one).await.remove(0).unwrap_err();
        assert_eq!(gone, VaultError::NotFound);
        house.delete("c").await.unwrap();
        assert_eq!(house.surrogate_keys().await, BTreeSet::new());
    }
}

#[tokio::test]
async fn a_replaced_record_takes_its_surrogates_along() {
    for engine in ENGINES {
        let mut house = house(engine).await;
        let first = house.surrogates("a", &[("name", "Muster"), ("iban", "DE1")]).await;
        let second = house.surrogates("a", &[("name", "Muster"), ("iban", "DE2")]).await;
        assert_eq!(first[0], second[0], "the same value has the same surrogate");
        assert_ne!(first[1], second[1], "another value has another one");
        assert!(house.describe(&first[1]).await.is_err());
        let third = house.surrogates("a", &[("name", "Maier")]).await;
        assert!(house.describe(&second[0]).await.is_err());
        assert!(house.describe(&second[1]).await.is_err());
        assert_eq!(house.describe(&third[0]).await.unwrap().references, 1);
        // Under a policy that tokenizes nothing any more.
        house.declare(Policy::default()).await;
        assert_eq!(house.surrogates("a", &[("name", "Maier")]).await, [""; 0]);
        assert_eq!(house.surrogate_keys().await, BTreeSet::new());
    }
}

#[tokio::test]
async fn duplicates_in_a_batch_get_one_surrogate_and_are_counted_each() {
    let mut house = house(StoreEngine::Redb).await;
    let names = ["a", "b", "c", "a", "b"];
    let of = |(at, name): (usize, &&str)| {
        record(Some(name), &[("name", "Muster"), ("iban", &format!("DE{at}"))])
    };
    // More than one part, and records that come twice.
    let many = (0..150).map(|_| record(None, &[("name", "Muster")]));
    let stored = house.upload(names.iter().enumerate().map(of).chain(many).collect()).await;
    let given: Vec<_> = stored.into_iter().map(|stored| given(stored.unwrap())).collect();
    assert!(given[..2].iter().all(Vec::is_empty), "their records came again");
    assert!(given[2..].iter().all(|surrogates| surrogates[0] == given[2][0]));
    assert_eq!(house.describe(&given[2][0]).await.unwrap().references, 3 + 150);
    for surrogates in &given[2..5] {
        assert!(house.describe(&surrogates[1]).await.is_ok());
    }
    let deleted = house.delete_all(&house.ids().await).await;
    assert!(deleted.iter().all(Result::is_ok), "{deleted:?}");
    assert_eq!(house.surrogate_keys().await, BTreeSet::new());
}

#[tokio::test]
async fn a_surrogate_that_was_asked_for_without_a_record_stays() {
    let mut house = house(StoreEngine::Sled).await;
    let options = options(InfoType::LastName, SurrogateKind::Deterministic, Reveal::Plain);
    let asked = house.tokenize(vec![value("Muster", options)]).await;
    assert_eq!(house.surrogates("a", &[("name", "Muster")]).await, asked);
    house.delete("a").await.unwrap();
    assert_eq!(house.describe(&asked[0]).await.unwrap().references, 0);
    // The other way round: with a record first.
    let held = house.surrogates("b", &[("name", "Maier")]).await;
    assert_eq!(house.tokenize(vec![value("Maier", options)]).await, held);
    house.delete("b").await.unwrap();
    assert!(house.describe(&held[0]).await.is_ok());
    for text in [&asked[0], &held[0]] {
        house.delete_surrogate(text).await.unwrap();
    }
    // A record that held a surrogate which was deleted is deleted like any other.
    let deleted = house.surrogates("c", &[("name", "Beck"), ("iban", "DE1")]).await;
    house.delete_surrogate(&deleted[1]).await.unwrap();
    house.delete("c").await.unwrap();
    assert_eq!(house.surrogate_keys().await, BTreeSet::new());
}

#[tokio::test]
async fn whoever_repeats_an_upload_gets_the_surrogates_of_the_first_time() {
    let mut house = house(StoreEngine::Redb).await;
    let keyed = || {
        let idempotency_key = Arc::new(IdempotencyKey::parse("k").unwrap());
        let fields = [("name", "Muster"), ("iban", "DE1"), ("meter", "12345678")];
        record(Some("a"), &fields).with_item_key(Some(ItemKey { idempotency_key, ordinal: 1 }))
    };
    let first = house.upload(vec![keyed()]).await.remove(0).unwrap();
    let again = house.upload(vec![keyed()]).await.remove(0).unwrap();
    assert_eq!(again, StoredRecord { is_replayed: true, ..first.clone() });
    house.delete("a").await.unwrap();
    house.declare(Policy::default()).await;
    let after = house.upload(vec![keyed()]).await.remove(0).unwrap();
    assert!(after.is_replayed && after.is_superseded && after.surrogates.is_empty(), "{after:?}");
    assert_eq!((after.id, after.revision), (first.id, first.revision), "as it was then");
    assert_eq!(house.surrogate_keys().await, BTreeSet::new(), "and stores nothing");
}

#[tokio::test]
async fn a_row_that_a_later_one_replaced_says_so_and_tells_no_surrogates() {
    for engine in ENGINES {
        let house = house(engine).await;
        let keyed = |name, iban, ordinal| {
            let idempotency_key = Arc::new(IdempotencyKey::parse("k").unwrap());
            let item_key = ItemKey { idempotency_key, ordinal };
            record(Some(name), &[("iban", iban)]).with_item_key(Some(item_key))
        };
        let rows = || vec![keyed("a", "DE1", 1), keyed("b", "DE2", 2), keyed("a", "DE3", 3)];
        for is_replayed in [false, true] {
            let told = house.upload(rows()).await;
            let told: Vec<_> = told.into_iter().map(Result::unwrap).collect();
            let marks = told.iter().map(|it| (it.is_replayed, it.is_superseded, it.revision));
            let expected =
                [(is_replayed, true, 1), (is_replayed, false, 1), (is_replayed, false, 2)];
            assert_eq!(marks.collect::<Vec<_>>(), expected);
            assert!(told[0].surrogates.is_empty(), "{told:?}");
            for live in &told[1..] {
                let text = live.surrogates[0].surrogate.clone();
                let shown = house.detokenize(Reveal::Plain, &[text]).await.remove(0);
                assert!(shown.is_ok(), "{live:?}");
            }
        }
        house.upload(vec![record(Some("a"), &[("iban", "DE4")])]).await.remove(0).unwrap();
        let told = house.upload(rows()).await.remove(2).unwrap();
        assert!(told.is_superseded && told.surrogates.is_empty(), "by another upload: {told:?}");
    }
}

#[tokio::test]
async fn what_fits_no_format_is_refused_with_its_field_and_leaves_nothing() {
    let mut house = house(StoreEngine::Redb).await;
    let unfit = record(Some("a"), &[("name", "Muster"), ("meter", "12")]);
    let fit = record(Some("b"), &[("meter", "12345678")]);
    let results = house.upload(vec![unfit, fit]).await;
    let Err(VaultError::Refused(failure)) = &results[0] else { panic!("{:?}", results[0]) };
    assert_eq!(failure.code(), ErrorCode::InvalidRequest);
    assert_eq!(failure.violations()[0].field, "meter");
    assert!(results[1].is_ok());
    assert_eq!(house.surrogate_keys().await, BTreeSet::new());
}

#[tokio::test]
async fn a_customer_token_that_only_writes_stores_no_tokenized_field() {
    let mut house = house(StoreEngine::Redb).await;
    let order = NewCustomerToken {
        kind: CustomerTokenKind::WriteOnly,
        name: CustomerTokenName::parse("uploader").unwrap(),
        classes: None,
        operations: None,
        expires_ms: None,
        bound_certificate: None,
    };
    let permit = house.permit::<IssueTokens>().await;
    let issued = house.vault().issue_customer_token(&permit, order).await.unwrap();
    house.customer_token = issued.customer_token;
    let tokenized = record(Some("a"), &[("name", "Muster")]);
    let results = house.upload(vec![tokenized, record(Some("b"), &[("note", "x")])]).await;
    assert_eq!(results[0].as_ref().unwrap_err().code(), ErrorCode::Forbidden);
    assert!(results[1].is_ok());
}

#[tokio::test]
async fn a_customer_token_that_only_tokenizes_does_not_learn_what_was_there_before() {
    let house = house(StoreEngine::Memory).await;
    let order = NewCustomerToken {
        kind: CustomerTokenKind::WriteOnly,
        name: CustomerTokenName::parse("tokenizer").unwrap(),
        classes: None,
        operations: Some([TokenOperation::Tokenize].into_iter().collect()),
        expires_ms: None,
        bound_certificate: None,
    };
    let permit = house.permit::<IssueTokens>().await;
    let issued = house.vault().issue_customer_token(&permit, order).await.unwrap();
    let caller = House::client(house.tenant, "127.0.0.1");
    let (tenant, customer_token) = (TenantRef::Id(house.tenant), &issued.customer_token);
    let vault = house.vault();
    assert!(vault.permit::<Tokenize>(&caller, &tenant, customer_token).await.is_ok());
    let refused = vault.permit::<DescribeSurrogates>(&caller, &tenant, customer_token).await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::Forbidden);
}

#[tokio::test]
async fn writers_that_meet_at_one_value_all_get_through() {
    let mut house = house(StoreEngine::Sled).await;
    let batch = |writer: usize| {
        let name = move |number: usize| format!("{writer}-{number}");
        (0..40).map(move |number| record(Some(&name(number)), &[("name", "Muster")])).collect()
    };
    let (one, two, three) =
        tokio::join!(house.upload(batch(1)), house.upload(batch(2)), house.upload(batch(3)));
    let stored = [one, two, three].concat();
    let given: BTreeSet<_> = stored.into_iter().flat_map(|stored| given(stored.unwrap())).collect();
    assert_eq!(given.len(), 1, "one surrogate for all");
    let references = house.describe(given.first().unwrap()).await.unwrap().references;
    assert_eq!(references, 120);
    house.delete_all(&house.ids().await).await;
    assert_eq!(house.surrogate_keys().await, BTreeSet::new());
}
