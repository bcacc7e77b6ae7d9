//! Surrogates stay what they are, whatever keys are replaced under them.

use std::sync::Arc;

use tresor_proto::{DataClass, InfoType, Reveal, SurrogateKind, TenantRef};
use tresor_vault::{KeyOperationState, NewSurrogate, store::StoreEngine};

use crate::{
    calls::{ENGINES, ending, options, text_of, value},
    gatekeeper::Gatekeeper,
    house::{House, sealed},
};

/// What one surrogate draws: its id and its salt.
const DRAWN_BYTES: usize = 40;

fn of(kind: SurrogateKind, number: usize) -> NewSurrogate {
    value(&format!("Anna {number}"), options(InfoType::PersonName, kind, Reveal::Plain))
}

/// Forty of each kind, and forty with bounds of another class.
fn values() -> Vec<NewSurrogate> {
    let random = (0..40).map(|number| of(SurrogateKind::Random, number));
    let deterministic = (40..80).map(|number| of(SurrogateKind::Deterministic, number));
    let bounded = ending(InfoType::City, Some(u64::MAX), Some(9));
    let bounded = (80..120).map(|number| value(&format!("Anna {number}"), bounded));
    random.chain(deterministic).chain(bounded).collect()
}

async fn assert_whole(house: &House, texts: &[String]) {
    let shown = house.detokenize(Reveal::Plain, texts).await;
    let shown: Vec<_> = shown.into_iter().map(|it| text_of(it.unwrap())).collect();
    assert_eq!(shown, (0..120).map(|number| format!("Anna {number}")).collect::<Vec<_>>());
    let again = (40..80).map(|number| of(SurrogateKind::Deterministic, number)).collect();
    assert_eq!(house.tokenize(again).await, texts[40..80]);
}

#[tokio::test]
async fn data_keys_are_replaced_under_surrogates_and_records_alike() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        for number in 0..30 {
            let fields = vec![sealed("name", InfoType::PersonName, "Anna")];
            house.put(Some(&format!("r{number}")), fields).await.unwrap();
        }
        let texts = house.tokenize(values()).await;
        let operation = house.mark(&[]).await;
        house.lend(&[]).await;
        // One page is counted, then the process ends in the middle of the surrogates.
        house.vault().work_once().await.unwrap();
        house.reopen().await;
        assert_eq!(house.operation(operation.id).await.total, 64);
        house.lend(&[]).await;
        house.work_off().await;
        let done = house.operation(operation.id).await;
        assert_eq!(done.state, KeyOperationState::Done, "{done:?}");
        assert_eq!((done.total, done.done, done.resealed), (150, 150, 150));
        assert_whole(&house, &texts).await;
        house.reopen().await;
        assert_whole(&house, &texts).await;
        assert_eq!(
            epochs(&house).await,
            [((DataClass::Identity, 2), 110), ((DataClass::Location, 2), 40)]
        );
    }
}

/// How many groups hang on which data key, by the census, which counts all there is.
async fn epochs(house: &House) -> Vec<((DataClass, u32), u64)> {
    let (permit, tenant) = (house.operator_permit(), TenantRef::Id(house.tenant));
    let mut under_way = house.vault().begin_census(&permit, &tenant).await.unwrap();
    while !under_way.is_done() {
        house.vault().count_further(&mut under_way).await.unwrap();
    }
    let census = under_way.census();
    assert_eq!((census.records, census.surrogates, census.damaged), (30, 120, 0));
    census.groups.iter().map(|(key, groups)| (*key, *groups)).collect()
}

#[tokio::test]
async fn cipher_and_root_keys_are_replaced_and_nothing_changes() {
    let mut house = House::build(StoreEngine::Redb).await;
    let texts = house.tokenize(values()).await;
    let mut work = house.vault().begin_key_work(house.operator_permit(), "a test").await.unwrap();
    house.vault().rotate_cipher_keys(&mut work, &[house.tenant]).await.unwrap();
    house.vault().rotate_root_key(&mut work).await.unwrap();
    drop(work);
    assert_whole(&house, &texts).await;
    house.reopen().await;
    assert_whole(&house, &texts).await;
}

#[tokio::test]
async fn what_is_traded_by_one_who_may_tokenize_is_sealed_anew_beside_the_answer() {
    let house = House::build(StoreEngine::Redb).await;
    let texts = house.tokenize(vec![of(SurrogateKind::Random, 1), of(SurrogateKind::Random, 2)]);
    let texts = texts.await;
    let operation = house.mark(&[DataClass::Identity]).await;
    house.tokenize(vec![of(SurrogateKind::Random, 3)]).await;
    house.detokenize(Reveal::Masked, &texts[..1]).await.remove(0).unwrap();
    house.work_off().await;
    house.lend(&[DataClass::Identity]).await;
    house.work_off().await;
    let done = house.operation(operation.id).await;
    assert_eq!((done.state, done.resealed), (KeyOperationState::Done, 1), "the other one");
    assert!(house.detokenize(Reveal::Plain, &texts).await.iter().all(Result::is_ok));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_surrogate_that_comes_late_is_sealed_again_under_the_new_key() {
    for kind in [SurrogateKind::Random, SurrogateKind::Deterministic] {
        let gatekeeper = Gatekeeper::of(DRAWN_BYTES);
        let house = Arc::new(House::build_with(StoreEngine::Redb, gatekeeper.clone()).await);
        let (waits, open) = gatekeeper.shut();
        let writer = Arc::clone(&house);
        let late = tokio::spawn(async move { writer.tokenize(vec![of(kind, 1)]).await });
        tokio::task::spawn_blocking(move || waits.recv().unwrap()).await.unwrap();
        let operation = house.mark(&[]).await;
        house.lend(&[]).await;
        house.work_off().await;
        assert_eq!(house.operation(operation.id).await.state, KeyOperationState::Done);
        open.send(()).unwrap();
        let texts = late.await.unwrap();
        assert!(house.detokenize(Reveal::Plain, &texts).await[0].is_ok());
    }
}
