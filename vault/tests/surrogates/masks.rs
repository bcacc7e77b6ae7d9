//! The mask that a policy gives a field, and the surrogates made under it.

use tresor_proto::{
    Action, FieldName, FieldPolicy, InfoType, Mask, Policy, Reveal, SurrogateForm, SurrogateKind,
    UndeclaredPolicy,
};
use tresor_vault::store::StoreEngine;

use crate::{
    calls::{options, text_of, value},
    house::House,
    uploaded::record,
};

const NAME: &str = "Mustermann";

fn policy(kind: SurrogateKind, masks: [Option<(u8, u8)>; 2]) -> Policy {
    let declared = ["name", "iban"].into_iter().zip(masks).map(|(name, mask)| FieldPolicy {
        info_type: Some(InfoType::LastName),
        surrogate: Some(SurrogateForm { kind, reveal: Reveal::Masked, ..SurrogateForm::default() }),
        mask: mask.map(|(first, last)| Mask::new(first, last).unwrap()),
        ..FieldPolicy::new(FieldName::parse(name).unwrap(), Action::Tokenize)
    });
    Policy::new(declared.collect(), UndeclaredPolicy::default(), Action::Seal).unwrap()
}

impl House {
    async fn masked(&self, texts: &[String]) -> Vec<String> {
        let shown = self.detokenize(Reveal::Plain, texts).await;
        shown.into_iter().map(|shown| text_of(shown.unwrap())).collect()
    }

    async fn surrogates_of(&self, name: &str) -> Vec<String> {
        let stored = self.upload(vec![record(Some(name), &[("name", NAME), ("iban", NAME)])]).await;
        crate::uploaded::given(stored.into_iter().next().unwrap().unwrap())
    }
}

#[tokio::test]
async fn a_surrogate_shows_the_mask_of_the_policy_it_was_made_under() {
    let kinds = [SurrogateKind::Random, SurrogateKind::Deterministic];
    for kind in kinds {
        let mut house = House::build(StoreEngine::Redb).await;
        house.declare(policy(kind, [Some((1, 2)), None])).await;
        let surrogates = house.surrogates_of("a").await;
        assert_ne!(surrogates[0], surrogates[1], "one that shows less is another one");
        assert_eq!(house.masked(&surrogates).await, ["M•••nn", "M."]);
        // A mask that the policy has later shows no more of what was given before.
        house.declare(policy(kind, [Some((2, 2)), Some((0, 1))])).await;
        house.reopen().await;
        assert_eq!(house.masked(&surrogates).await, ["M•••nn", "M."]);
        let later = house.surrogates_of("b").await;
        assert_eq!(house.masked(&later).await, ["Mu•••nn", "•••n"]);
        assert!(later.iter().all(|text| !surrogates.contains(text)));
    }
}

#[tokio::test]
async fn equal_values_under_equal_masks_have_one_deterministic_surrogate() {
    let house = House::build(StoreEngine::Redb).await;
    house.declare(policy(SurrogateKind::Deterministic, [Some((1, 2)), Some((1, 2))])).await;
    let surrogates = house.surrogates_of("a").await;
    assert_eq!(surrogates[0], surrogates[1]);
    assert_eq!(house.surrogates_of("b").await, surrogates);
    assert_eq!(house.describe(&surrogates[0]).await.unwrap().references, 4);
    // Asked for without a record it has the mask of its info type.
    let options = options(InfoType::LastName, SurrogateKind::Deterministic, Reveal::Masked);
    let asked = house.tokenize(vec![value(NAME, options)]).await;
    assert_ne!(asked[0], surrogates[0]);
    assert_eq!(house.masked(&asked).await, ["M."]);
}
