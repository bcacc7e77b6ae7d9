//! Format-preserving surrogates of records: told with the version of the key that made them, wherever
//! they are told.

use std::sync::Arc;

use tresor_proto::{IdempotencyKey, Reveal};
use tresor_vault::{
    FormatPreserved, ItemKey, NewRecord, RekeyRequest, StoredRecord, SurrogateQuery,
    store::StoreEngine,
};

use crate::{
    calls::{ENGINES, text_of},
    gatekeeper::Gatekeeper,
    house::House,
    uploaded::{self, record, tokenizing},
};

const METER: &str = "12345678";
const FIELDS: [(&str, &str); 3] = [("name", "Muster"), ("iban", "DE1"), ("meter", METER)];
/// The salt of a record with one class, drawn once the floors are read.
const SALT_BYTES: usize = 24;

fn named(fields: &[(&str, &str)]) -> NewRecord {
    let idempotency_key = Arc::new(IdempotencyKey::parse("k").unwrap());
    let item_key = ItemKey { idempotency_key, ordinal: 1 };
    record(Some("a"), fields).with_item_key(Some(item_key))
}

fn versions(stored: &StoredRecord) -> Vec<Option<u32>> {
    stored.surrogates.iter().map(|given| given.key_version).collect()
}

impl House {
    /// Replaces the identifier keys; the older ones are there on.
    async fn rekey_and_keep(&self) {
        let request = RekeyRequest { destroy_after_ms: 60_000, ..RekeyRequest::default() };
        self.try_rekey(&request).await.unwrap();
        self.lend(&[]).await;
        self.work_off().await;
    }

    /// The versions that are told with a record, one a field.
    async fn told_versions(&self, reveal: Reveal) -> Vec<Option<u32>> {
        let record = self.get("a", reveal).await.unwrap();
        record.fields.into_iter().map(|field| field.key_version).collect()
    }

    /// The value of a meter's surrogate by the version it was told with.
    async fn meter(&self, text: &str, key_version: Option<u32>) -> String {
        let form = FormatPreserved {
            info_type: tresor_proto::InfoType::MeterId,
            format: tresor_proto::SurrogateFormat::Digits,
            key_version,
        };
        let query = SurrogateQuery { text: text.to_owned(), form: Some(form) };
        text_of(self.trade(Reveal::Plain, vec![query]).await.remove(0).unwrap())
    }
}

#[tokio::test]
async fn an_upload_and_its_repeat_tell_the_version_of_what_they_give() {
    for engine in ENGINES {
        let house = uploaded::house(engine).await;
        let first = house.upload(vec![named(&FIELDS)]).await.remove(0).unwrap();
        assert_eq!(versions(&first), [None, None, Some(1)]);
        house.rekey_and_keep().await;
        let again = house.upload(vec![named(&FIELDS)]).await.remove(0).unwrap();
        assert!(again.is_replayed);
        assert_eq!(versions(&again), [None, None, Some(2)]);
        for stored in [&first, &again] {
            let given = &stored.surrogates[2];
            assert_eq!(house.meter(&given.surrogate, given.key_version).await, METER);
        }
        let anew = house.upload(vec![record(Some("a"), &FIELDS)]).await.remove(0).unwrap();
        assert_eq!(anew.surrogates[2], again.surrogates[2]);
    }
}

#[tokio::test]
async fn a_record_tells_the_version_where_it_tells_the_surrogate() {
    for engine in ENGINES {
        let house = uploaded::house(engine).await;
        house.upload(vec![record(Some("a"), &FIELDS)]).await.remove(0).unwrap();
        for version in [1, 2] {
            for reveal in [Reveal::Masked, Reveal::Plain] {
                assert_eq!(house.told_versions(reveal).await, [None, None, Some(version)]);
            }
            assert_eq!(house.told_versions(Reveal::Redacted).await, [None; 3]);
            let text = house.told("a", Reveal::Masked).await.remove(2);
            assert_eq!(house.meter(&text, Some(version)).await, METER);
            if version == 1 {
                house.rekey_and_keep().await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_repeat_is_not_told_under_a_key_that_is_destroyed_meanwhile() {
    let gatekeeper = Gatekeeper::of(SALT_BYTES);
    let house = Arc::new(House::build_with(StoreEngine::Redb, gatekeeper.clone()).await);
    house.declare(tokenizing()).await;
    house.upload(vec![named(&FIELDS[2..])]).await.remove(0).unwrap();
    let (waits, open) = gatekeeper.shut();
    let writer = Arc::clone(&house);
    let late = tokio::spawn(async move { writer.upload(vec![named(&FIELDS[2..])]).await });
    tokio::task::spawn_blocking(move || waits.recv().unwrap()).await.unwrap();
    house.rekey().await;
    house.lend(&[]).await;
    house.work_off().await;
    open.send(()).unwrap();
    let late = late.await.unwrap().remove(0).unwrap();
    assert!(late.is_replayed);
    assert_eq!(versions(&late), [Some(2)], "the older key is gone");
    assert_eq!(house.meter(&late.surrogates[0].surrogate, Some(2)).await, METER);
}
