//! Surrogates while identifier keys are replaced: those with a row keep their text, those that look
//! like their value are known by the version of their key.

use std::sync::{Arc, mpsc::channel};

use tresor_proto::{
    DataClass, ErrorCode, InfoType, Reveal, SurrogateFormat, SurrogateKind, TenantRef,
};
use tresor_vault::{
    FormatPreserved, IssuedSurrogate, KeyOperationState, NewSurrogate, RenewSurrogates,
    SurrogateQuery, Tokenize, VaultError,
};

use crate::{
    calls::{ENGINES, options, text_of, value},
    gatekeeper::Gatekeeper,
    house::House,
    uploaded,
};

/// What one surrogate draws: its id and its salt.
const DRAWN_BYTES: usize = 40;

fn deterministic(number: usize) -> NewSurrogate {
    let kind = SurrogateKind::Deterministic;
    value(&format!("Anna {number}"), options(InfoType::PersonName, kind, Reveal::Plain))
}

fn all() -> Vec<NewSurrogate> {
    (0..150).map(deterministic).collect()
}

/// How many rows hang on which identifier key, by the census.
async fn identifiers(house: &House) -> Vec<((DataClass, u32), u64)> {
    let (permit, tenant) = (house.operator_permit(), TenantRef::Id(house.tenant));
    let mut under_way = house.vault().begin_census(&permit, &tenant).await.unwrap();
    while !under_way.is_done() {
        house.vault().count_further(&mut under_way).await.unwrap();
    }
    let counted = &under_way.census().identifiers;
    counted.iter().map(|(key, rows)| (*key, *rows)).collect()
}

#[tokio::test]
async fn the_same_value_has_the_same_surrogate_at_every_step() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        let texts = house.tokenize(all()).await;
        assert_eq!(identifiers(&house).await, [((DataClass::Identity, 1), 150)]);
        let asked = house.rekey().await;
        house.lend(&[]).await;
        let mut turn = 0;
        while house.vault().work_once().await.unwrap().is_some() {
            assert_eq!(house.tokenize(all()).await, texts, "turn {turn}");
            turn += 1;
            if turn == 4 {
                house.reopen().await;
                house.lend(&[]).await;
            }
        }
        assert!(turn > 6);
        assert_eq!(house.operation(asked.id).await.state, KeyOperationState::Done);
        assert_eq!(identifiers(&house).await, [((DataClass::Identity, 2), 150)]);
        assert_eq!(house.tokenize(all()).await, texts);
        let shown = house.detokenize(Reveal::Plain, &texts).await;
        assert!(
            shown
                .into_iter()
                .zip(0..)
                .all(|(shown, number)| { text_of(shown.unwrap()) == format!("Anna {number}") })
        );
        for text in &texts {
            house.delete_surrogate(text).await.unwrap();
        }
        assert!(house.surrogate_rows().await.is_empty(), "no look-up is left behind");
    }
}

#[tokio::test]
async fn one_that_is_deleted_half_way_leaves_nothing_and_comes_back_as_another() {
    let mut house = House::build(ENGINES[1]).await;
    let texts = house.tokenize(all()).await;
    house.rekey().await;
    house.lend(&[]).await;
    for _ in 0..5 {
        house.vault().work_once().await.unwrap();
    }
    for text in &texts {
        house.delete_surrogate(text).await.unwrap();
    }
    assert!(house.surrogate_rows().await.is_empty());
    let others = house.tokenize(all()).await;
    assert!(others.iter().all(|text| !texts.contains(text)));
    house.work_off().await;
    assert_eq!(house.tokenize(all()).await, others);
}

#[tokio::test]
async fn a_format_preserving_one_is_known_by_its_version_until_that_is_destroyed() {
    let house = House::build(ENGINES[1]).await;
    let old = house.issue(vec![digits("12345678")]).await.remove(0).unwrap();
    assert_eq!(old.key_version, Some(1));
    let request = tresor_vault::RekeyRequest {
        destroy_after_ms: 60_000,
        ..tresor_vault::RekeyRequest::default()
    };
    house.try_rekey(&request).await.unwrap();
    house.lend(&[]).await;
    house.work_off().await;
    let new = house.issue(vec![digits("12345678")]).await.remove(0).unwrap();
    assert_eq!(new.key_version, Some(2));
    assert_ne!(new.text, old.text);
    let query = |text: &str, key_version| SurrogateQuery {
        text: text.to_owned(),
        form: Some(FormatPreserved {
            info_type: InfoType::MeterId,
            format: SurrogateFormat::Digits,
            key_version,
        }),
    };
    let asked = vec![query(&old.text, Some(1)), query(&new.text, None), query(&new.text, Some(2))];
    for shown in house.trade(Reveal::Plain, asked).await {
        assert_eq!(text_of(shown.unwrap()), "12345678");
    }
    house.clock.advance(60_000);
    house.work_off().await;
    for version in [1, 3] {
        let shown = house.trade(Reveal::Plain, vec![query(&old.text, Some(version))]).await;
        assert_eq!(shown[0].as_ref().unwrap_err(), &VaultError::NotFound);
    }
}

#[tokio::test]
async fn records_keep_their_surrogates_or_get_those_of_the_new_key() {
    let mut house = uploaded::house(ENGINES[0]).await;
    let fields = [("name", "Muster"), ("iban", "DE1"), ("meter", "12345678")];
    let before = house.surrogates("a", &fields).await;
    assert_eq!(house.surrogates("b", &fields[..1]).await, before[..1]);
    house.rekey().await;
    house.lend(&[]).await;
    house.work_off().await;
    let after = house.told("a", Reveal::Masked).await;
    assert_eq!(after[..2], before[..2]);
    assert_ne!(after[2], before[2]);
    assert_eq!(house.surrogates("a", &fields).await[2], after[2], "as a new one is");
    house.delete("b").await.unwrap();
    assert_eq!(house.surrogates("c", &fields[..1]).await, before[..1]);
    house.delete("a").await.unwrap();
    house.delete("c").await.unwrap();
    assert!(house.surrogate_rows().await.is_empty());
}

fn digits(text: &str) -> NewSurrogate {
    let kind = SurrogateKind::FormatPreserving(SurrogateFormat::Digits);
    value(text, options(InfoType::MeterId, kind, Reveal::Plain))
}

fn named(issued: &IssuedSurrogate) -> SurrogateQuery {
    let (info_type, format) = (InfoType::MeterId, SurrogateFormat::Digits);
    let form = issued.key_version.map(|version| FormatPreserved {
        info_type,
        format,
        key_version: Some(version),
    });
    SurrogateQuery { text: issued.text.clone(), form }
}

impl House {
    async fn renew(&self, issued: &[IssuedSurrogate]) -> Vec<Result<IssuedSurrogate, VaultError>> {
        let permit = self.permit::<RenewSurrogates>().await;
        let queries = issued.iter().map(named).map(Ok).collect();
        self.vault().renew_surrogates(&permit, queries).await.unwrap()
    }
}

#[tokio::test]
async fn the_map_from_old_to_new_shows_no_value_and_keeps_what_has_a_row() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        let values = vec![digits("12345678"), digits("87654321"), deterministic(1)];
        let old: Vec<_> = house.issue(values).await.into_iter().map(Result::unwrap).collect();
        let same: Vec<_> = house.renew(&old).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(same, old, "there is no newer key yet");
        let request = tresor_vault::RekeyRequest {
            destroy_after_ms: 60_000,
            ..tresor_vault::RekeyRequest::default()
        };
        house.try_rekey(&request).await.unwrap();
        house.lend(&[]).await;
        house.work_off().await;
        let new: Vec<_> = house.renew(&old).await.into_iter().map(Result::unwrap).collect();
        let again: Vec<_> = house.renew(&old).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(again, new, "a repeat gets the same");
        assert_eq!(new[2], old[2], "one with a row keeps its text");
        for (new, old) in new.iter().zip(&old).take(2) {
            assert_eq!(new.key_version, Some(2));
            assert_ne!(new.text, old.text);
        }
        let made = house.issue(vec![digits("12345678")]).await.remove(0).unwrap();
        assert_eq!(made.text, new[0].text, "as tokenizing makes it");
        let shown = house.trade(Reveal::Plain, vec![named(&new[1])]).await.remove(0).unwrap();
        assert_eq!(text_of(shown), "87654321");

        house.clock.advance(60_000);
        house.work_off().await;
        let late = house.renew(&old[..1]).await.remove(0).unwrap_err();
        assert_eq!(late, VaultError::NotFound, "the older key is gone");
        assert_eq!(house.surrogate_rows().await.len(), 2, "one and its look-up");
    }
}

#[tokio::test]
async fn one_without_the_version_of_its_key_is_not_renewed_into_itself() {
    let house = House::build(ENGINES[1]).await;
    let values = vec![digits("12345678"), deterministic(1)];
    let old: Vec<_> = house.issue(values).await.into_iter().map(Result::unwrap).collect();
    let renew = async || {
        let permit = house.permit::<RenewSurrogates>().await;
        let mut queries: Vec<_> = old.iter().map(named).chain([named(&old[0])]).collect();
        queries[0].form.as_mut().unwrap().key_version = None;
        let queries = queries.into_iter().map(Ok).collect();
        house.vault().renew_surrogates(&permit, queries).await.unwrap()
    };
    let request = tresor_vault::RekeyRequest {
        destroy_after_ms: 60_000,
        ..tresor_vault::RekeyRequest::default()
    };
    for version in [1, 2] {
        let [unknown, row, known] = renew().await.try_into().unwrap();
        let Err(VaultError::Refused(failure)) = unknown else { panic!("{unknown:?}") };
        let [violation] = failure.violations() else { panic!("{failure:?}") };
        assert_eq!((failure.code(), &*violation.field), (ErrorCode::InvalidRequest, "key_version"));
        assert!(violation.description.contains("as tokenizing told it"), "{violation:?}");
        assert_eq!((row, known.unwrap().key_version), (Ok(old[1].clone()), Some(version)));
        if version == 1 {
            house.try_rekey(&request).await.unwrap();
            house.lend(&[]).await;
            house.work_off().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn one_whose_key_is_replaced_while_it_is_made_is_made_again() {
    let house = Arc::new(House::build(ENGINES[1]).await);
    let permit = house.permit::<Tokenize>().await;
    let (arrived, waits) = channel();
    let (open, opened) = channel::<()>();
    // The keys are chosen by now, and the time is asked for to open them.
    house.clock.before_next(move || {
        arrived.send(()).unwrap();
        opened.recv().unwrap();
    });
    let writer = Arc::clone(&house);
    let values = vec![Ok(digits("12345678"))];
    let late = tokio::spawn(async move { writer.vault().tokenize(&permit, values).await });
    tokio::task::spawn_blocking(move || waits.recv().unwrap()).await.unwrap();
    house.rekey().await;
    house.lend(&[]).await;
    house.work_off().await;
    open.send(()).unwrap();
    let late = late.await.unwrap().unwrap().remove(0).unwrap();
    assert_eq!(late.key_version, Some(2), "the older one is gone");
    let shown = house.trade(Reveal::Plain, vec![named(&late)]).await.remove(0).unwrap();
    assert_eq!(text_of(shown), "12345678");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn one_that_comes_late_is_made_again_under_the_new_key() {
    let gatekeeper = Gatekeeper::of(DRAWN_BYTES);
    let house = Arc::new(House::build_with(ENGINES[1], gatekeeper.clone()).await);
    let (waits, open) = gatekeeper.shut();
    let writer = Arc::clone(&house);
    let values = vec![deterministic(1), digits("12345678")];
    let late = tokio::spawn(async move { writer.issue(values).await });
    tokio::task::spawn_blocking(move || waits.recv().unwrap()).await.unwrap();
    let operation = house.rekey().await;
    house.lend(&[]).await;
    house.work_off().await;
    assert_eq!(house.operation(operation.id).await.state, KeyOperationState::Done);
    open.send(()).unwrap();
    let late: Vec<_> = late.await.unwrap().into_iter().map(Result::unwrap).collect();
    let shown = house.trade(Reveal::Plain, late.iter().map(named).collect()).await;
    assert!(shown.iter().all(Result::is_ok), "{shown:?}");
    assert_eq!(house.tokenize(vec![deterministic(1)]).await, [late[0].text.clone()]);
    assert_eq!(late[1].key_version, Some(2), "the older one is gone");
}
