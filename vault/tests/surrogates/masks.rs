//! The mask that a policy gives a field, and the surrogates made under it.

use std::sync::Arc;

use tresor_proto::{
    Action, FieldName, FieldPolicy, InfoType, Mask, Policy, Reveal, SurrogateForm, SurrogateKind,
    UndeclaredPolicy,
};
use tresor_vault::{
    Shown,
    store::{StoreEngine, StoreRow},
};

use crate::{
    calls::{options, text_of, value},
    house::House,
};

/// What the keys of rows with sealed values begin with.
const SEALED: u8 = 1;
const NAME: &str = "Mustermann";
/// Two fields that hold the same value.
const BOTH: [(&str, &str); 2] = [("name", NAME), ("iban", NAME)];

/// Letters kept at both ends; `None` for the mask of the info type.
type Kept = Option<(u8, u8)>;

fn policy(kind: SurrogateKind, masks: [Kept; 2]) -> Policy {
    let declared = ["name", "iban"].into_iter().zip(masks).map(|(name, mask)| FieldPolicy {
        info_type: Some(InfoType::LastName),
        surrogate: Some(SurrogateForm { kind, ..SurrogateForm::default() }),
        mask: mask.map(|(first, last)| Mask::new(first, last).unwrap()),
        ..FieldPolicy::new(FieldName::parse(name).unwrap(), Action::Tokenize)
    });
    Policy::new(declared.collect(), UndeclaredPolicy::default(), Action::Seal).unwrap()
}

impl House {
    async fn masked(&self, texts: &[String]) -> Vec<String> {
        let shown = self.detokenize(Reveal::Masked, texts).await;
        shown.into_iter().map(|shown| text_of(shown.unwrap())).collect()
    }

    /// Deletes a record and a surrogate that it alone holds.
    async fn forget(&self, record: &str, surrogate: &str) {
        self.delete(record).await.unwrap();
        self.delete_surrogate(surrogate).await.unwrap();
    }

    /// The deterministic surrogate of the value, and what it shows masked.
    async fn asked(&self) -> (String, String) {
        let options = options(InfoType::LastName, SurrogateKind::Deterministic, Reveal::Plain);
        let text = self.tokenize(vec![value(NAME, options)]).await.remove(0);
        let shown = self.masked(std::slice::from_ref(&text)).await.remove(0);
        (text, shown)
    }
}

async fn deterministic(masks: [Kept; 2]) -> House {
    let house = House::build(StoreEngine::Redb).await;
    house.declare(policy(SurrogateKind::Deterministic, masks)).await;
    house
}

#[tokio::test]
async fn a_random_surrogate_shows_the_mask_of_the_policy_it_was_made_under() {
    let kind = SurrogateKind::Random;
    let mut house = House::build(StoreEngine::Redb).await;
    house.declare(policy(kind, [Some((1, 2)), None])).await;
    let surrogates = house.surrogates("a", &BOTH).await;
    assert_eq!(house.masked(&surrogates).await, ["M•••nn", "M."]);
    // A mask that the policy has later shows no more of what was given before.
    house.declare(policy(kind, [Some((2, 2)), Some((0, 1))])).await;
    house.reopen().await;
    assert_eq!(house.masked(&surrogates).await, ["M•••nn", "M."]);
    let later = house.surrogates("b", &BOTH).await;
    assert_eq!(house.masked(&later).await, ["Mu•••nn", "•••n"]);
    assert!(later.iter().all(|text| !surrogates.contains(text)));
}

#[tokio::test]
async fn fields_with_different_masks_hold_one_surrogate_that_shows_what_both_do() {
    let house = House::build(StoreEngine::Memory).await;
    for (one, other, expected) in [
        (None, None, "M."),
        (Some((1, 2)), Some((1, 2)), "M•••nn"),
        (Some((1, 2)), None, "M."),
        (Some((2, 2)), Some((0, 1)), "•••n"),
        (Some((3, 1)), Some((1, 3)), "M•••n"),
        (Some((2, 0)), Some((0, 2)), "•••"),
        // So much of ten letters is nothing at all.
        (Some((8, 8)), Some((2, 2)), "•••"),
    ] {
        for masks in [[one, other], [other, one]] {
            house.declare(policy(SurrogateKind::Deterministic, masks)).await;
            let together = house.surrogates("a", &BOTH).await;
            assert_eq!(together[0], together[1]);
            assert_eq!(house.asked().await, (together[0].clone(), expected.to_owned()));
            house.forget("a", &together[0]).await;
            let first = house.surrogates("a", &BOTH[..1]).await;
            assert_eq!(house.surrogates("b", &BOTH[1..]).await, first);
            assert_eq!(house.asked().await, (first[0].clone(), expected.to_owned()));
            let plain = house.detokenize(Reveal::Plain, &first).await.remove(0).unwrap();
            assert_eq!(text_of(plain), NAME);
            assert_eq!(house.describe(&first[0]).await.unwrap().references, 2);
            house.delete("b").await.unwrap();
            house.forget("a", &first[0]).await;
        }
    }
}

#[tokio::test]
async fn a_record_shows_the_mask_of_its_own_policy_whatever_its_surrogate_shows() {
    let house = deterministic([Some((1, 2)), Some((0, 1))]).await;
    house.surrogates("a", &BOTH).await;
    let record = house.get("a", Reveal::Masked).await.unwrap();
    let shown = record.fields.iter().map(|field| {
        let Shown::Masked(content) = &field.shown else { panic!("{field:?}") };
        content.as_text().unwrap()
    });
    assert_eq!(shown.collect::<Vec<_>>(), ["M•••nn", "•••n"]);
    assert_eq!(house.asked().await.1, "•••n");
}

#[tokio::test]
async fn a_stricter_policy_is_not_undercut_by_a_surrogate_that_was_there() {
    let kind = SurrogateKind::Deterministic;
    let mut house = deterministic([Some((3, 2)), None]).await;
    // One asked for without a record has the mask of its info type.
    let (asked, shown) = house.asked().await;
    assert_eq!(shown, "M.");
    house.declare(policy(kind, [Some((0, 0)), None])).await;
    assert_eq!(house.surrogates("a", &BOTH[..1]).await[0], asked);
    house.reopen().await;
    assert_eq!(house.asked().await, (asked.clone(), "•••".to_owned()));
    // It never shows more again, also when a policy with a wider mask holds it alone.
    house.declare(policy(kind, [Some((3, 2)), None])).await;
    assert_eq!(house.surrogates("a", &BOTH[..1]).await[0], asked);
    assert_eq!(house.asked().await, (asked.clone(), "•••".to_owned()));
    house.forget("a", &asked).await;
    let anew = house.surrogates("a", &BOTH[..1]).await;
    assert_eq!(house.masked(&anew).await, ["Mus•••nn"]);
}

#[tokio::test]
async fn what_shows_no_more_already_is_not_written_again() {
    let mut house = deterministic([Some((1, 2)), None]).await;
    let sealed = |rows: Vec<StoreRow>| -> Vec<_> {
        let rows = rows.into_iter().filter(|row| row.key[0] == SEALED);
        rows.map(|row| (row.key, row.value)).collect()
    };
    house.surrogates("a", &BOTH[..1]).await;
    let wide = sealed(house.surrogate_rows().await);
    house.surrogates("b", &BOTH).await;
    let narrow = sealed(house.surrogate_rows().await);
    assert_ne!(narrow, wide);
    for name in ["a", "b", "c"] {
        house.surrogates(name, &BOTH).await;
    }
    assert_eq!(sealed(house.surrogate_rows().await), narrow);
}

#[tokio::test]
async fn what_a_surrogate_shows_is_sealed_under_the_newest_key() {
    let mut house = deterministic([Some((1, 2)), Some((0, 1))]).await;
    let first = house.surrogates("a", &BOTH[..1]).await;
    house.mark(&[]).await;
    assert_eq!(house.surrogates("b", &BOTH[1..]).await, first);
    house.lend(&[]).await;
    house.work_off().await;
    house.reopen().await;
    assert_eq!(house.asked().await, (first[0].clone(), "•••n".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_under_different_masks_at_once_leave_the_one_that_shows_less() {
    let house = Arc::new(deterministic([Some((2, 2)), Some((0, 1))]).await);
    for turn in 0..20 {
        let upload = |field: &'static str| {
            let house = Arc::clone(&house);
            tokio::spawn(async move {
                let (name, value) = (format!("{field}-{turn}"), format!("Mustermann {turn:02}"));
                house.surrogates(&name, &[(field, &value)]).await.remove(0)
            })
        };
        let (one, other) = tokio::join!(upload("name"), upload("iban"));
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!(one, other);
        assert_eq!(house.masked(&[one]).await, [format!("•••{}", turn % 10)]);
    }
}
