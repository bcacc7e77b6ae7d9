//! Surrogates with an idempotency key: a repeat gets the random one of the first time, and the key
//! stands for nothing else.

use std::collections::BTreeSet;

use tresor_proto::{
    ErrorCode, InfoType, Reveal, SurrogateForm, SurrogateFormat, SurrogateKind, SurrogateOptions,
};
use tresor_vault::{
    IssuedSurrogate, NewSurrogate, Tokenize, VaultError,
    store::{Keyspace, StoreEngine},
};

use crate::{
    calls::{ENGINES, ending, keyed, options, value},
    house::House,
};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn named(ordinal: u64) -> NewSurrogate {
    let options = ending(InfoType::PersonName, None, None);
    keyed(value(&format!("Anna {ordinal}"), options), "k", ordinal)
}

#[tokio::test]
async fn a_repeat_gets_the_first_surrogates_however_it_is_cut() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        let first = house.issue((1..=100).map(named).collect()).await;
        let replayed = |it: &Result<IssuedSurrogate, VaultError>| {
            Ok(IssuedSurrogate { is_replayed: true, ..it.clone().unwrap() })
        };
        let expected: Vec<_> = first.iter().map(replayed).collect();
        assert!(first.iter().all(|it| !it.as_ref().unwrap().is_replayed));
        house.reopen().await;
        house.clock.advance(DAY_MS - 1);
        let mut again = house.issue((1..=30).map(named).collect()).await;
        again.extend(house.issue((31..=100).map(named).collect()).await);
        assert_eq!(again, expected);
        let twice = house.issue(vec![named(101), named(101)]).await;
        assert_eq!(twice[1], replayed(&twice[0]));
        house.clock.advance(1);
        assert_ne!(house.issue(vec![named(1)]).await[0], first[0], "a day is over");
    }
}

#[tokio::test]
async fn a_repeat_does_not_get_a_surrogate_that_has_ended_or_was_deleted() {
    for engine in ENGINES {
        let house = House::build(engine).await;
        let end_ms = house.clock.now() + 1_000;
        let bounds = [(None, None), (Some(end_ms), None), (None, Some(1))];
        let batch = || {
            let item = |(ordinal, (end, uses))| {
                keyed(value("Anna", ending(InfoType::PersonName, end, uses)), "k", ordinal)
            };
            (1..).zip(bounds).map(item).collect::<Vec<_>>()
        };
        let first: Vec<_> = house.issue(batch()).await.into_iter().map(Result::unwrap).collect();
        let again = house.issue(batch()).await;
        assert!(again.iter().all(|it| it.as_ref().is_ok_and(|it| it.is_replayed)), "{again:?}");
        house.delete_surrogate(&first[0].text).await.unwrap();
        house.clock.advance(1_000);
        let used = house.detokenize(Reveal::Plain, &[first[2].text.clone()]).await.remove(0);
        assert!(used.is_ok(), "{used:?}");
        assert_eq!(house.issue(batch()).await, [const { Err(VaultError::Gone) }; 3]);
        house.clock.advance(DAY_MS);
        let anew = house.issue(batch()).await;
        assert!(!anew[0].as_ref().unwrap().is_replayed, "the key is as good as new");
    }
}

#[tokio::test]
async fn the_same_key_for_another_value_or_with_other_options_is_a_conflict() {
    let house = House::build(StoreEngine::Redb).await;
    let of = |text: &str, options| keyed(value(text, options), "k", 1);
    let plain = ending(InfoType::PersonName, None, None);
    let masked = SurrogateForm { reveal: Reveal::Masked, ..SurrogateForm::default() };
    house.tokenize(vec![of("Anna", plain)]).await;
    let others = [
        of("Bo", plain),
        of("Anna", ending(InfoType::LastName, None, None)),
        of("Anna", ending(InfoType::PersonName, Some(u64::MAX), None)),
        of("Anna", ending(InfoType::PersonName, None, Some(1))),
        of("Anna", SurrogateOptions::new(InfoType::PersonName, masked, None, None).unwrap()),
    ];
    for other in others {
        let refused = house.issue(vec![other]).await.remove(0).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Conflict);
    }
}

const METER: &str = "12345678";
/// All kinds, and two formats of one.
const KINDS: [SurrogateKind; 4] = [
    SurrogateKind::Random,
    SurrogateKind::Deterministic,
    SurrogateKind::FormatPreserving(SurrogateFormat::Digits),
    SurrogateKind::FormatPreserving(SurrogateFormat::Alphanumeric),
];

fn meter(kind: SurrogateKind) -> NewSurrogate {
    value(METER, options(InfoType::MeterId, kind, Reveal::Plain))
}

#[tokio::test]
async fn the_same_key_for_another_kind_of_surrogate_is_a_conflict() {
    for engine in ENGINES {
        let house = House::build(engine).await;
        for (ordinal, first) in (1..).zip(KINDS) {
            let of = |kind| keyed(meter(kind), "k", ordinal);
            let issued = house.issue(vec![of(first)]).await.remove(0).unwrap();
            for other in KINDS.into_iter().filter(|kind| *kind != first) {
                let refused = house.issue(vec![of(other)]).await.remove(0);
                assert_eq!(refused, Err(VaultError::IdempotencyKeyReused), "{first:?} {other:?}");
            }
            let again = house.issue(vec![of(first)]).await.remove(0).unwrap();
            assert_eq!(again, IssuedSurrogate { is_replayed: true, ..issued }, "{first:?}");
            house.clock.advance(DAY_MS);
            let other = KINDS[usize::from(first == KINDS[0])];
            assert!(!house.issue(vec![of(other)]).await.remove(0).unwrap().is_replayed, "a day on");
        }
    }
}

#[tokio::test]
async fn a_name_that_comes_twice_in_a_batch_stands_for_its_first_value() {
    let house = House::build(StoreEngine::Redb).await;
    for (ordinal, first) in (1..).zip(KINDS) {
        let other = KINDS[usize::from(first == KINDS[0])];
        let kinds = [first, other, first];
        let batch = kinds.map(|kind| keyed(meter(kind), "k", ordinal)).into();
        let [one, refused, again] = house.issue(batch).await.try_into().unwrap();
        assert_eq!(refused, Err(VaultError::IdempotencyKeyReused), "{first:?}");
        assert_eq!(again, Ok(IssuedSurrogate { is_replayed: true, ..one.unwrap() }));
    }
}

#[tokio::test]
async fn what_is_kept_of_repeats_tells_neither_surrogates_that_are_functions_nor_equal_values() {
    let mut house = House::build(StoreEngine::Redb).await;
    let mut texts = Vec::new();
    for kind in KINDS {
        for ordinal in [1, 2] {
            let item = keyed(meter(kind), &format!("{kind:?}"), ordinal);
            texts.push((kind, house.issue(vec![item]).await.remove(0).unwrap().text));
        }
    }
    let rows = house.rows_of(Keyspace::Idempotency).await;
    assert_eq!(rows.len(), texts.len(), "a row for each that was named");
    let holds = |text: &str| {
        rows.iter().any(|row| row.value.windows(text.len()).any(|part| part == text.as_bytes()))
    };
    assert!(!holds(METER));
    for (kind, text) in &texts {
        assert_eq!(holds(text), *kind == SurrogateKind::Random, "{kind:?}");
    }
    let parts = |row: &[u8]| row.windows(32).map(<[u8]>::to_vec).collect::<BTreeSet<_>>();
    for (at, one) in rows.iter().enumerate() {
        let one = parts(&one.value);
        assert!(rows[at + 1..].iter().all(|other| one.is_disjoint(&parts(&other.value))));
    }
}

#[tokio::test]
async fn a_repeat_of_what_was_deleted_since_leads_to_one_that_is_there() {
    let house = House::build(StoreEngine::Sled).await;
    let item = || vec![keyed(meter(SurrogateKind::Deterministic), "k", 1)];
    let first = house.tokenize(item()).await.remove(0);
    house.delete_surrogate(&first).await.unwrap();
    let again = house.tokenize(item()).await.remove(0);
    assert_ne!(first, again);
    assert!(house.describe(&again).await.is_ok());
}

#[tokio::test]
async fn a_named_request_asks_the_database_also_for_what_looks_like_its_value() {
    let mut house = House::build(StoreEngine::Redb).await;
    house.close().await;
    let databases = house.path("databases");
    std::fs::rename(&databases, databases.with_extension("gone")).unwrap();
    house.open_again().await;
    let permit = house.permit::<Tokenize>().await;
    let digits = || meter(KINDS[2]);
    let asked = house.vault().tokenize(&permit, vec![Ok(keyed(digits(), "k", 1))]).await;
    assert_eq!(asked.unwrap_err(), VaultError::StorageUnavailable);
    assert!(house.vault().tokenize(&permit, vec![Ok(digits())]).await.unwrap()[0].is_ok());
}
