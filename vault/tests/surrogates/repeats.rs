//! Random surrogates with an idempotency key: a repeat gets the one of the first time.

use tresor_proto::{ErrorCode, InfoType, Reveal, SurrogateForm, SurrogateOptions};
use tresor_vault::{IssuedSurrogate, NewSurrogate, VaultError, store::StoreEngine};

use crate::{
    calls::{ENGINES, ending, keyed, value},
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
