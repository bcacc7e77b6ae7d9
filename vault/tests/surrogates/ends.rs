//! Surrogates with an end: an hour, or so many uses.

use std::sync::Arc;

use tokio::task::JoinSet;
use tresor_proto::{ErrorCode, InfoType, Reveal};
use tresor_vault::{
    AnswerRoom, Detokenize, VaultError,
    store::{Keyspace, StoreEngine, StoreKey, StoreRow},
};

use crate::{
    calls::{ENGINES, ending, query, value},
    house::House,
    uploaded::{self, record},
};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

#[tokio::test]
async fn what_has_expired_is_gone() {
    let house = House::build(StoreEngine::Redb).await;
    let end_ms = house.clock.now() + 1_000;
    let of = || ending(InfoType::PersonName, Some(end_ms), None);
    let texts = house.tokenize(vec![value("Anna", of())]).await;
    house.clock.advance(999);
    assert!(house.detokenize(Reveal::Plain, &texts).await[0].is_ok());
    house.clock.advance(1);
    for reveal in [Reveal::Redacted, Reveal::Masked, Reveal::Plain] {
        let told = house.detokenize(reveal, &texts).await.remove(0);
        assert_eq!(told.unwrap_err(), VaultError::Gone);
    }
    let refused = house.issue(vec![value("Anna", of())]).await.remove(0).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidRequest, "its end has passed");
}

#[tokio::test]
async fn a_surrogate_is_traded_as_often_as_it_may_be_and_no_more() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        let texts =
            house.tokenize(vec![value("Anna", ending(InfoType::PersonName, None, Some(4)))]);
        let texts = texts.await;
        let twice = [texts[0].clone(), texts[0].clone()];
        assert!(house.detokenize(Reveal::Redacted, &twice).await.iter().all(Result::is_ok));
        assert!(house.detokenize(Reveal::Masked, &twice).await.iter().all(Result::is_ok));
        house.reopen().await;
        assert!(house.detokenize(Reveal::Plain, &texts).await[0].is_ok());
        let told: Vec<_> = house.detokenize(Reveal::Plain, &twice).await;
        assert!(told[0].is_ok(), "the fourth");
        assert_eq!(told[1].as_ref().unwrap_err(), &VaultError::Gone);
        let told = house.detokenize(Reveal::Redacted, &texts).await.remove(0);
        assert_eq!(told.unwrap_err(), VaultError::Gone, "whatever is asked of it");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_uses_that_come_at_once_none_is_lost_and_none_is_beyond_the_last() {
    for engine in ENGINES {
        let house = Arc::new(House::build(engine).await);
        for _ in 0..10 {
            let options = ending(InfoType::PersonName, None, Some(5));
            let texts = house.tokenize(vec![value("Anna", options)]).await;
            let callers = (0..8).map(|_| {
                let (house, texts) = (Arc::clone(&house), texts.clone());
                async move { house.detokenize(Reveal::Plain, &texts).await.remove(0) }
            });
            let told = callers.collect::<JoinSet<_>>().join_all().await;
            let shown = told.iter().filter(|it| it.is_ok()).count();
            assert_eq!(shown, 5, "{told:?}");
            assert_eq!(house.describe(&texts[0]).await.unwrap().uses, 5);
        }
    }
}

#[tokio::test]
async fn uses_that_many_ask_for_at_once_are_all_given() {
    for engine in ENGINES {
        let house = Arc::new(House::build(engine).await);
        let options = ending(InfoType::PersonName, None, Some(1_000));
        let texts = house.tokenize(vec![value("Anna", options)]).await;
        let callers = (0..60).map(|_| {
            let (house, texts) = (Arc::clone(&house), texts.clone());
            async move { house.detokenize(Reveal::Plain, &texts).await.remove(0) }
        });
        let told = callers.collect::<JoinSet<_>>().join_all().await;
        assert!(told.iter().all(Result::is_ok), "{told:?}");
        assert_eq!(house.describe(&texts[0]).await.unwrap().uses, 60);
    }
}

#[tokio::test]
async fn what_has_ended_is_told_of_for_a_month_and_does_not_pile_up() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        let end_ms = house.clock.now() + 1_000;
        let expiring = || value("Anna", ending(InfoType::PersonName, Some(end_ms), None));
        let mut texts = house.tokenize((0..50).map(|_| expiring()).collect()).await;
        let used = ending(InfoType::PersonName, None, Some(1));
        texts.extend(house.tokenize((0..50).map(|_| value("Bo", used)).collect()).await);
        let lasting = house.tokenize(vec![value("Cem", ending(InfoType::City, None, None))]).await;
        assert!(house.detokenize(Reveal::Plain, &texts).await.iter().all(Result::is_ok));
        let come = |house: &House| {
            let end_ms = house.clock.now() + 90 * DAY_MS;
            (0..40).map(|_| value("Di", ending(InfoType::City, Some(end_ms), None))).collect()
        };
        house.clock.advance(30 * DAY_MS);
        house.tokenize(come(&house)).await;
        for told in house.detokenize(Reveal::Plain, &texts).await {
            assert_eq!(told.unwrap_err(), VaultError::Gone);
        }
        house.clock.advance(3 * DAY_MS);
        house.tokenize(come(&house)).await;
        let told = house.detokenize(Reveal::Plain, &texts).await;
        let forgotten = told.iter().filter(|it| matches!(it, Err(VaultError::NotFound)));
        assert_eq!(forgotten.count(), 80, "twice as many go as come");
        house.tokenize(come(&house)).await;
        assert!(house.detokenize(Reveal::Plain, &lasting).await[0].is_ok());
        // A row and an entry for each of those that came, and the row of the one that lasts.
        assert_eq!(house.surrogate_rows().await.len(), 2 * 120 + 1);
    }
}

#[tokio::test]
async fn a_damaged_surrogate_that_has_ended_is_looked_at_again_and_holds_up_no_other() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        let of = |end_ms| value("Anna", ending(InfoType::PersonName, Some(end_ms), None));
        let end_ms = house.clock.now() + 1_000;
        house.tokenize((0..10).map(|_| of(end_ms)).collect()).await;
        let whole = house.rows_of(Keyspace::Surrogates).await;
        let key = |row: &StoreRow| StoreKey::new(Keyspace::Surrogates, row.key.clone());
        for row in &whole[..4] {
            house.overwrite_row(key(row), b"TRR1 damaged".to_vec()).await;
        }
        // One that comes has two looked at.
        house.clock.advance(33 * DAY_MS);
        for _ in 0..5 {
            house.tokenize(vec![of(house.clock.now() + 90 * DAY_MS)]).await;
        }
        let left = house.surrogate_rows().await;
        assert_eq!(left.len(), 2 * (4 + 5), "a row and an entry for the damaged and the new ones");
        for row in &whole[..4] {
            house.overwrite_row(key(row), row.value.clone()).await;
        }
        house.clock.advance(33 * DAY_MS);
        for _ in 0..2 {
            house.tokenize(vec![of(house.clock.now() + 90 * DAY_MS)]).await;
        }
        assert_eq!(house.surrogate_rows().await.len(), 2 * (5 + 2));
    }
}

#[tokio::test]
async fn what_ended_with_its_record_does_not_pile_up_where_nobody_tokenizes() {
    for engine in ENGINES {
        let mut house = uploaded::house(engine).await;
        let come = |house: &House, name: &str, count: u64| {
            let end = Some(house.clock.now() + 90 * DAY_MS);
            let row = |at: u64| record(Some(&format!("{name}-{at}")), &[("iban", "DE1")]);
            (0..count).map(|at| row(at).with_expiry(end)).collect::<Vec<_>>()
        };
        assert!(house.upload(come(&house, "old", 40)).await.iter().all(Result::is_ok));
        house.clock.advance(123 * DAY_MS);
        let lasting = record(Some("lasting"), &[("iban", "DE2")]);
        let lasting = uploaded::given(house.upload(vec![lasting]).await.remove(0).unwrap());
        assert_eq!(house.surrogate_rows().await.len(), 2 * 40 + 1, "nothing with an end came");
        for (name, left) in [("one", 30), ("two", 20), ("three", 30)] {
            assert!(house.upload(come(&house, name, 10)).await.iter().all(Result::is_ok));
            // A row and an entry for each.
            assert_eq!(
                house.surrogate_rows().await.len(),
                2 * left + 1,
                "twice as many go as come"
            );
        }
        assert!(house.detokenize(Reveal::Plain, &lasting).await[0].is_ok());
    }
}

#[tokio::test]
async fn what_does_not_fit_an_answer_is_no_use() {
    let house = House::build(StoreEngine::Redb).await;
    let once = ending(InfoType::FreeText, None, Some(1));
    let long = "x".repeat(4_000);
    let texts = house.tokenize((0..3).map(|_| value(&long, once)).collect()).await;
    let permit = house.permit::<Detokenize>().await;
    let queries = || texts.iter().map(|text| Ok(query(text))).collect();
    let mut room = AnswerRoom::new(6_000);
    let within = house.vault().detokenize_within(&mut room, &permit, Reveal::Plain, queries());
    let told = within.await.unwrap();
    let codes: Vec<_> = told.iter().map(|it| it.as_ref().err().map(VaultError::code)).collect();
    assert_eq!(codes, [None, Some(ErrorCode::TooLarge), Some(ErrorCode::TooLarge)]);
    let told = house.detokenize(Reveal::Plain, &texts).await;
    let codes: Vec<_> = told.iter().map(|it| it.as_ref().err().map(VaultError::code)).collect();
    assert_eq!(codes, [Some(ErrorCode::Gone), None, None], "each is used once");
}
