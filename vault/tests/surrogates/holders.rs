//! Records that hold surrogates: until when, and what becomes of what they hold when something is
//! damaged.

use std::collections::{BTreeMap, BTreeSet};

use tresor_proto::{ErrorCode, InfoType, Reveal, SurrogateKind};
use tresor_vault::{
    VaultError,
    store::{Change, Keyspace, StoreEngine, StoreKey, Write},
};

use crate::{
    calls::{ENGINES, options, value},
    house::{House, id},
    random::{Random, cases},
    uploaded::{given, house, record},
};

const FIELDS: [(&str, &str); 2] = [("name", "Muster"), ("iban", "DE1")];
/// What the keys of counts begin with.
const COUNT: u8 = 4;

impl House {
    /// Uploads a record that ends after so many milliseconds.
    async fn hold(
        &self,
        name: &str,
        fields: &[(&str, &str)],
        lasts_ms: Option<u64>,
    ) -> Vec<String> {
        let end_ms = lasts_ms.map(|ms| self.clock.now() + ms);
        let stored = self.upload(vec![record(Some(name), fields).with_expiry(end_ms)]).await;
        given(stored.into_iter().next().unwrap().unwrap())
    }

    /// Whether a surrogate shows anything, however much is asked for; refused with `gone` otherwise.
    async fn is_alive(&self, text: &str) -> bool {
        let mut alive = BTreeSet::new();
        for reveal in [Reveal::Redacted, Reveal::Masked, Reveal::Plain] {
            let shown = self.detokenize(reveal, &[text.to_owned()]).await.remove(0);
            alive.insert(shown.is_ok());
            let is_gone = shown.is_err_and(|error| error == VaultError::Gone);
            assert_ne!(alive.contains(&true), is_gone, "{reveal:?}");
        }
        assert_eq!(alive.len(), 1);
        alive.contains(&true)
    }

    async fn end_of(&self, text: &str) -> Option<u64> {
        self.describe(text).await.unwrap().expires_ms
    }

    /// The keys of counts.
    async fn counts(&mut self) -> Vec<StoreKey> {
        let keys = self.surrogate_keys().await.into_iter().filter(|key| key[0] == COUNT);
        keys.map(|key| StoreKey::new(Keyspace::Surrogates, key)).collect()
    }
}

#[tokio::test]
async fn a_random_surrogate_ends_with_its_record() {
    for engine in ENGINES {
        let mut house = house(engine).await;
        let fields = [("iban", "DE1")];
        let surrogate = house.hold("a", &fields, Some(1_000)).await.remove(0);
        assert_eq!(house.end_of(&surrogate).await, Some(house.clock.now() + 1_000));
        house.clock.advance(999);
        assert!(house.is_alive(&surrogate).await);
        house.clock.advance(1);
        assert!(!house.is_alive(&surrogate).await);
        assert_eq!(house.get("a", Reveal::Plain).await.unwrap_err(), VaultError::Gone);
        // Its record is replaced by one that does not end, and so is the surrogate.
        let lasting = house.hold("a", &fields, None).await.remove(0);
        house.clock.advance(1_000_000);
        assert!(house.is_alive(&lasting).await);
        assert_eq!(house.describe(&surrogate).await.unwrap_err(), VaultError::NotFound);
        house.delete("a").await.unwrap();
        assert!(house.surrogate_rows().await.is_empty(), "nor is there an entry of an end");
    }
}

#[tokio::test]
async fn a_deterministic_surrogate_ends_when_the_records_that_hold_it_have() {
    for engine in ENGINES {
        let mut house = house(engine).await;
        let fields = [("name", "Muster")];
        let begin_ms = house.clock.now();
        let surrogate = house.hold("a", &fields, Some(1_000)).await.remove(0);
        house.hold("b", &fields, Some(3_000)).await;
        house.hold("c", &fields, None).await;
        assert_eq!(house.end_of(&surrogate).await, None);
        house.clock.advance(5_000);
        assert!(house.is_alive(&surrogate).await, "one that does not end holds it");
        house.delete("c").await.unwrap();
        house.reopen().await;
        assert_eq!(house.end_of(&surrogate).await, Some(begin_ms + 3_000));
        assert!(!house.is_alive(&surrogate).await);
        assert_eq!(house.hold("d", &fields, Some(1_000)).await[0], surrogate);
        assert!(house.is_alive(&surrogate).await, "whoever uploads the value has it again");
        // The last one is replaced by itself with an earlier end: that may come late, never early.
        house.hold("d", &fields, Some(500)).await;
        house.clock.advance(499);
        assert!(house.is_alive(&surrogate).await);
        house.clock.advance(501);
        assert!(!house.is_alive(&surrogate).await);
        for name in ["a", "b", "d"] {
            house.delete(name).await.unwrap();
        }
        assert!(house.surrogate_rows().await.is_empty());
    }
}

#[tokio::test]
async fn the_only_record_that_holds_a_surrogate_takes_its_end_along() {
    let house = house(StoreEngine::Redb).await;
    let fields = [("name", "Muster")];
    let begin_ms = house.clock.now();
    for lasts_ms in [Some(3_000), Some(1_000), None, Some(2_000)] {
        let surrogate = house.hold("a", &fields, lasts_ms).await;
        let end_ms = lasts_ms.map(|lasts_ms| begin_ms + lasts_ms);
        assert_eq!(house.end_of(&surrogate[0]).await, end_ms);
    }
}

#[tokio::test]
async fn a_surrogate_may_end_later_than_the_records_that_are_left() {
    let house = house(StoreEngine::Redb).await;
    let fields = [("name", "Muster")];
    let begin_ms = house.clock.now();
    let surrogate = house.hold("a", &fields, Some(3_000)).await.remove(0);
    house.hold("b", &fields, Some(1_000)).await;
    house.delete("a").await.unwrap();
    // Whose the latest end was is not known.
    assert_eq!(house.end_of(&surrogate).await, Some(begin_ms + 3_000));
    house.clock.advance(2_999);
    assert!(house.is_alive(&surrogate).await);
    house.clock.advance(1);
    assert!(!house.is_alive(&surrogate).await);
}

#[tokio::test]
async fn whatever_comes_and_goes_a_surrogate_shows_its_value_as_long_as_a_record_holds_it() {
    let mut random = Random::of_this_run();
    for _ in 0..cases(4, 400) {
        let house = house(StoreEngine::Memory).await;
        let (mut holders, mut surrogate) = (BTreeMap::new(), String::new());
        for _ in 0..40 {
            let name = ["a", "b", "c"][random.below(3)];
            match random.below(4) {
                0 if holders.remove(name).is_some() => house.delete(name).await.unwrap(),
                1 => house.clock.advance(100),
                _ => {
                    let lasts_ms = [100, 200, 400, 800][random.below(4)];
                    let lasts_ms = (random.below(12) > 0).then_some(lasts_ms);
                    let text = house.hold(name, &FIELDS[..1], lasts_ms).await.remove(0);
                    assert!(holders.is_empty() || text == surrogate);
                    surrogate = text;
                    holders.insert(name, lasts_ms.map(|lasts_ms| house.clock.now() + lasts_ms));
                }
            }
            let now_ms = house.clock.now();
            let holds = |end: &Option<u64>| end.is_none_or(|end_ms| end_ms > now_ms);
            if holders.values().any(holds) {
                assert!(house.is_alive(&surrogate).await, "{holders:?} at {now_ms}");
                let refused = house.delete_surrogate(&surrogate).await.unwrap_err();
                assert_eq!(refused.code(), ErrorCode::Conflict, "{holders:?} at {now_ms}");
            }
        }
        for name in holders.into_keys() {
            house.delete(name).await.unwrap();
        }
        assert_eq!(house.describe(&surrogate).await.unwrap_err(), VaultError::NotFound);
    }
}

#[tokio::test]
async fn what_somebody_asked_for_without_a_record_does_not_end_with_one() {
    let house = house(StoreEngine::Redb).await;
    let options = options(InfoType::LastName, SurrogateKind::Deterministic, Reveal::Plain);
    let first = house.hold("a", &[("name", "Muster")], Some(1_000)).await;
    assert_eq!(house.tokenize(vec![value("Muster", options)]).await, first);
    let second = house.tokenize(vec![value("Maier", options)]).await;
    assert_eq!(house.hold("b", &[("name", "Maier")], Some(1_000)).await, second);
    house.clock.advance(1_000);
    for surrogate in [&first[0], &second[0]] {
        assert!(house.is_alive(surrogate).await);
        assert_eq!(house.end_of(surrogate).await, None);
    }
}

#[tokio::test]
async fn a_record_that_has_ended_before_it_is_stored_gets_no_surrogates() {
    let mut house = house(StoreEngine::Redb).await;
    for fields in [[("name", "Muster")], [("iban", "DE1")]] {
        let past = record(Some("a"), &fields).with_expiry(Some(house.clock.now()));
        let refused = house.upload(vec![past]).await.remove(0).unwrap_err();
        let VaultError::Refused(failure) = refused else { panic!("{refused:?}") };
        assert_eq!(failure.code(), ErrorCode::InvalidRequest);
        assert_eq!(failure.violations()[0].field, "expires");
    }
    assert!(house.surrogate_rows().await.is_empty());
}

#[tokio::test]
async fn who_takes_the_count_away_makes_no_surrogate_last() {
    let mut house = house(StoreEngine::Redb).await;
    let surrogate = house.hold("a", &FIELDS[..1], Some(1_000)).await;
    let count = house.counts().await.remove(0);
    house.clock.advance(1_000);
    let removed = Change { preconditions: Vec::new(), writes: vec![Write::Remove(count)] };
    house.apply(removed).await;
    let refused = house.detokenize(Reveal::Plain, &surrogate).await.remove(0).unwrap_err();
    assert_eq!(refused, VaultError::Integrity);
    // Nor does whoever uploads the value then, or takes it away.
    assert_eq!(house.hold("b", &FIELDS[..1], Some(1_000)).await, surrogate);
    house.delete("a").await.unwrap();
    assert_eq!(house.describe(&surrogate[0]).await.unwrap_err(), VaultError::Integrity);
}

#[tokio::test]
async fn a_deterministic_surrogate_that_records_hold_is_not_deleted_under_them() {
    for engine in ENGINES {
        let mut house = house(engine).await;
        let surrogates = house.hold("a", &FIELDS, None).await;
        house.hold("b", &FIELDS, None).await;
        let refused = house.delete_surrogate(&surrogates[0]).await.unwrap_err();
        let VaultError::Refused(failure) = refused else { panic!("{refused:?}") };
        assert_eq!(failure.code(), ErrorCode::Conflict);
        assert!(failure.message().contains("in 2 fields"), "{}", failure.message());
        assert!(house.is_alive(&surrogates[0]).await);
        // Pinned or not: as long as one holds it.
        let options = options(InfoType::LastName, SurrogateKind::Deterministic, Reveal::Plain);
        house.tokenize(vec![value("Muster", options)]).await;
        house.delete("a").await.unwrap();
        let refused = house.delete_surrogate(&surrogates[0]).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Conflict);
        house.delete("b").await.unwrap();
        house.delete_surrogate(&surrogates[0]).await.unwrap();
        assert!(house.surrogate_rows().await.is_empty());
    }
}

#[tokio::test]
async fn a_deterministic_surrogate_whose_records_have_all_ended_is_deleted() {
    for (engine, is_asked_for) in ENGINES.into_iter().zip([false, true]) {
        let mut house = house(engine).await;
        let fields = [("name", "Muster")];
        let surrogate = house.hold("a", &fields, Some(1_000)).await.remove(0);
        house.hold("b", &fields, Some(2_000)).await;
        if is_asked_for {
            let kind = SurrogateKind::Deterministic;
            let options = options(InfoType::LastName, kind, Reveal::Plain);
            house.tokenize(vec![value("Muster", options)]).await;
        }
        house.clock.advance(1_999);
        let refused = house.delete_surrogate(&surrogate).await.unwrap_err();
        let VaultError::Refused(failure) = refused else { panic!("{refused:?}") };
        let told = "records hold it, in 2 fields, those of ended records counted in";
        assert!(failure.message().starts_with(told), "{}", failure.message());
        house.clock.advance(1);
        house.delete_surrogate(&surrogate).await.unwrap();
        assert_eq!(house.describe(&surrogate).await.unwrap_err(), VaultError::NotFound);
        // The ended records go without it, and leave the one of a later record alone.
        let later = house.hold("c", &fields, None).await.remove(0);
        assert_ne!(later, surrogate);
        house.hold("a", &[("name", "Maier")], None).await;
        house.delete("b").await.unwrap();
        assert!(house.is_alive(&later).await);
        assert_eq!(house.describe(&later).await.unwrap().references, 1);
        for name in ["a", "c"] {
            house.delete(name).await.unwrap();
        }
        assert!(house.surrogate_rows().await.is_empty());
    }
}

#[tokio::test]
async fn a_damaged_count_stops_no_record_and_is_not_believed() {
    for engine in ENGINES {
        let mut house = house(engine).await;
        let surrogates = house.hold("a", &FIELDS, None).await;
        house.hold("b", &FIELDS, None).await;
        let counts = house.counts().await;
        let [count] = counts.as_slice() else { panic!("{counts:?}") };
        house.overwrite_row(count.clone(), b"TRR1 damaged".to_vec()).await;
        // Replaced by the same value and by another one, deleted, and uploaded anew.
        assert_eq!(house.hold("a", &FIELDS, None).await, surrogates);
        house.hold("b", &[("name", "Maier")], None).await;
        house.delete("a").await.unwrap();
        assert_eq!(house.hold("c", &FIELDS, None).await[0], surrogates[0]);
        let refused = house.describe(&surrogates[0]).await.unwrap_err();
        assert_eq!(refused, VaultError::Integrity);
        // Nobody knows who holds it: it goes when somebody says so.
        house.delete_surrogate(&surrogates[0]).await.unwrap();
        for name in ["b", "c"] {
            house.delete(name).await.unwrap();
        }
        assert!(house.surrogate_rows().await.is_empty());
    }
}

#[tokio::test]
async fn a_damaged_record_is_deleted_with_the_surrogates_it_names() {
    for engine in ENGINES {
        let mut house = house(engine).await;
        let surrogates = house.hold("a", &FIELDS, None).await;
        house.hold("b", &FIELDS, Some(1_000)).await;
        house.hold("c", &[("name", "Maier")], None).await;
        for name in ["a", "c"] {
            let mut row = house.row(name).await;
            *row.last_mut().unwrap() ^= 1;
            house.overwrite(name, row).await;
            assert_eq!(house.get(name, Reveal::Plain).await.unwrap_err(), VaultError::Integrity);
        }
        house.delete("a").await.unwrap();
        assert_eq!(house.describe(&surrogates[1]).await.unwrap_err(), VaultError::NotFound);
        assert_eq!(house.describe(&surrogates[0]).await.unwrap().references, 1);
        assert!(house.is_alive(&surrogates[0]).await);
        // When a damaged one ended is not believed: what it held may last longer, never shorter.
        house.clock.advance(1_000);
        assert!(house.is_alive(&surrogates[0]).await);
        for name in ["b", "c"] {
            house.delete(name).await.unwrap();
        }
        assert!(house.surrogate_rows().await.is_empty());
    }
}

#[tokio::test]
async fn a_damaged_record_takes_no_more_than_it_names() {
    let mut house = house(StoreEngine::Redb).await;
    let surrogates = house.hold("a", &FIELDS, None).await;
    house.hold("b", &FIELDS, None).await;
    // Cut anywhere: what cannot be read is not guessed at.
    let whole = house.row("a").await;
    for length in [0, 3, 8, 40, whole.len() / 2] {
        house.overwrite("a", whole[..length].to_vec()).await;
        let deleted = house.delete_all(&[id("a")]).await.remove(0);
        assert!(deleted.is_ok(), "{length} bytes");
        assert!(house.is_alive(&surrogates[0]).await);
        assert!(house.is_alive(&surrogates[1]).await);
    }
}
