//! Surrogates, at the vault's own door: made, traded, described, deleted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "surrogates/calls.rs"]
mod calls;
#[path = "surrogates/custom.rs"]
mod custom;
#[path = "surrogates/deterministic.rs"]
mod deterministic;
#[path = "surrogates/ends.rs"]
mod ends;
#[path = "operations/gatekeeper.rs"]
mod gatekeeper;
#[path = "surrogates/holders.rs"]
mod holders;
#[path = "operations/house.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod house;
#[path = "surrogates/keeping.rs"]
mod keeping;
#[path = "surrogates/key_versions.rs"]
mod key_versions;
#[path = "surrogates/late_upload.rs"]
mod late_upload;
#[path = "surrogates/masks.rs"]
mod masks;
#[path = "surrogates/preserved.rs"]
mod preserved;
#[path = "../../tests/fuzz/random.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod random;
#[path = "surrogates/recorded.rs"]
mod recorded;
#[path = "surrogates/rekeying.rs"]
mod rekeying;
#[path = "surrogates/repeats.rs"]
mod repeats;
#[path = "surrogates/rotation.rs"]
mod rotation;
#[path = "surrogates/uploaded.rs"]
mod uploaded;

use calls::{ENGINES, options, query, text_of, value};
use house::House;
use tresor_proto::{
    CustomerTokenKind, CustomerTokenName, DataClass, ErrorCode, InfoType, Reveal, SurrogateKind,
    TenantLimits, TenantRef, vault,
};
use tresor_vault::{
    DeleteSurrogates, DescribeSurrogates, Detokenize, IssueTokens, NewCustomerToken, Shown,
    SurrogateDescription, TenantChange, Tokenize, VaultError, store::StoreEngine,
};

#[tokio::test]
async fn a_random_surrogate_gives_its_value_back_and_another_one_each_time() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        let values: Vec<_> = (0..300).map(|number| format!("Anna {number}")).collect();
        let of = |value: &String| value_of_names(value);
        let first = house.tokenize(values.iter().map(of).collect()).await;
        let second = house.tokenize(values.iter().map(of).collect()).await;
        assert!(first.iter().zip(&second).all(|(first, second)| first != second));
        assert!(first.iter().all(|text| text.starts_with("srg_") && text.len() < 64), "{first:?}");
        house.reopen().await;
        for texts in [first, second] {
            let shown = house.detokenize(Reveal::Plain, &texts).await;
            let plain: Vec<_> = shown.into_iter().map(|it| text_of(it.unwrap())).collect();
            assert_eq!(plain, values);
        }
    }
}

fn value_of_names(name: &str) -> tresor_vault::NewSurrogate {
    value(name, options(InfoType::PersonName, SurrogateKind::Random, Reveal::Plain))
}

#[tokio::test]
async fn a_surrogate_shows_what_is_asked_and_never_more_than_it_was_made_for() {
    let house = House::build(StoreEngine::Redb).await;
    for bound in [Reveal::Redacted, Reveal::Masked, Reveal::Plain] {
        let options = options(InfoType::IbanCode, SurrogateKind::Random, bound);
        let texts = house.tokenize(vec![value("DE65884472940557616987", options)]).await;
        for asked in [Reveal::Redacted, Reveal::Masked, Reveal::Plain] {
            let shown = house.detokenize(asked, &texts).await.remove(0).unwrap();
            let told = (shown.info_type, shown.class, shown.length_bytes_max);
            assert_eq!(told, (InfoType::IbanCode, DataClass::Financial, 28));
            let expected = match asked.min(bound) {
                Reveal::Redacted => matches!(shown.shown, Shown::Redacted),
                Reveal::Masked => matches!(&shown.shown, Shown::Masked(content)
                    if content.as_text() == Some("DE•••6987")),
                Reveal::Plain => matches!(&shown.shown, Shown::Plain(content)
                    if content.as_text() == Some("DE65884472940557616987")),
            };
            assert!(expected, "{asked:?} of one made for {bound:?}: {shown:?}");
        }
    }
}

#[tokio::test]
async fn each_of_a_batch_has_its_own_status() {
    let house = House::build(StoreEngine::Sled).await;
    let good = house.tokenize(vec![value_of_names("Anna")]).await.remove(0);
    let unknown = house.tokenize(vec![value_of_names("Bo")]).await.remove(0);
    house.delete_surrogate(&unknown).await.unwrap();
    let mut mistyped = good.clone();
    let last = if mistyped.ends_with('0') { "1" } else { "0" };
    mistyped.replace_range(mistyped.len() - 1.., last);
    let texts = [mistyped, good.clone(), unknown, "Anna".to_owned(), good];
    let told = house.detokenize(Reveal::Plain, &texts).await;
    let codes: Vec<_> = told.iter().map(|it| it.as_ref().err().map(VaultError::code)).collect();
    let invalid = Some(ErrorCode::InvalidRequest);
    assert_eq!(codes, [invalid, None, Some(ErrorCode::NotFound), invalid, None]);
}

#[tokio::test]
async fn what_is_mistyped_or_another_tenants_is_refused_without_the_database() {
    let mut house = House::build(StoreEngine::Redb).await;
    let foreign = house.tokenize(vec![value_of_names("Anna")]).await.remove(0);
    let other = house.enrol_another("turm").await;
    house.move_to(other).await;
    let own = house.tokenize(vec![value_of_names("Anna")]).await.remove(0);
    house.close().await;
    let databases = house.path("databases");
    std::fs::rename(&databases, databases.with_extension("gone")).unwrap();
    house.open_again().await;
    let mistyped = own.replace("srg_", "srg-");
    for text in [foreign, mistyped] {
        let refused = house
            .detokenize(Reveal::Plain, core::slice::from_ref(&text))
            .await
            .remove(0)
            .unwrap_err();
        let VaultError::Refused(failure) = refused else { panic!("{refused:?}") };
        let told = "no surrogate of this tenant: mistyped, or another's";
        assert_eq!(failure.violations()[0].description, told);
        assert_eq!(house.describe(&text).await.unwrap_err().code(), ErrorCode::InvalidRequest);
        let deleted = house.delete_surrogate(&text).await.unwrap_err();
        assert_eq!(deleted.code(), ErrorCode::InvalidRequest);
    }
    let permit = house.permit::<Detokenize>().await;
    let asked = house.vault().detokenize(&permit, Reveal::Plain, vec![Ok(query(&own))]).await;
    assert_eq!(asked.unwrap_err(), VaultError::StorageUnavailable, "it is asked for this one");
}

#[tokio::test]
async fn a_class_that_the_customer_token_does_not_open_is_the_wrong_key() {
    let house = House::build(StoreEngine::Redb).await;
    let texts = house.tokenize(vec![value_of_names("Anna")]).await;
    let order = NewCustomerToken {
        kind: CustomerTokenKind::ReadWrite,
        name: CustomerTokenName::parse("of a test").unwrap(),
        classes: Some(vec![DataClass::Contact]),
        operations: None,
        expires_ms: None,
        bound_certificate: None,
    };
    let permit = house.permit::<IssueTokens>().await;
    let issued = house.vault().issue_customer_token(&permit, order).await.unwrap();
    let permit = house.try_permit::<Tokenize>(&issued.customer_token).await.unwrap();
    for kind in [SurrogateKind::Random, SurrogateKind::Deterministic] {
        let options = options(InfoType::PersonName, kind, Reveal::Plain);
        let refused = house.vault().tokenize(&permit, vec![Ok(value("Anna", options))]).await;
        assert_eq!(refused.unwrap(), [Err(VaultError::WrongKey)]);
    }
    let permit = house.try_permit::<Detokenize>(&issued.customer_token).await.unwrap();
    let queries = || texts.iter().map(|text| Ok(query(text))).collect();
    for reveal in [Reveal::Redacted, Reveal::Masked, Reveal::Plain] {
        let told = house.vault().detokenize(&permit, reveal, queries()).await.unwrap().remove(0);
        assert_eq!(told.err(), Some(VaultError::WrongKey), "{reveal:?}");
    }
    let permit = house.try_permit::<DescribeSurrogates>(&issued.customer_token).await.unwrap();
    let described = house.vault().describe_surrogates(&permit, queries()).await.unwrap();
    assert_eq!(described, [Err(VaultError::WrongKey)]);
    let permit = house.try_permit::<DeleteSurrogates>(&issued.customer_token).await.unwrap();
    let deleted = house.vault().delete_surrogates(&permit, queries()).await.unwrap();
    assert_eq!(deleted, [Err(VaultError::WrongKey)]);
    assert!(house.describe(&texts[0]).await.is_ok(), "it is still there");
}

#[tokio::test]
async fn what_is_known_of_a_surrogate_is_told_without_its_value() {
    let house = House::build(StoreEngine::Redb).await;
    let now_ms = house.clock.now();
    let ending = calls::ending(InfoType::EmailAddress, Some(now_ms + 5), Some(3));
    let text = house.tokenize(vec![value("anna@example.org", ending)]).await.remove(0);
    house.detokenize(Reveal::Masked, core::slice::from_ref(&text)).await.remove(0).unwrap();
    house.detokenize(Reveal::Redacted, core::slice::from_ref(&text)).await.remove(0).unwrap();
    let expected = SurrogateDescription {
        info_type: InfoType::EmailAddress,
        class: DataClass::Contact,
        kind: SurrogateKind::Random,
        reveal: Reveal::Plain,
        created_ms: Some(now_ms),
        expires_ms: Some(now_ms + 5),
        uses: 1,
        uses_max: Some(3),
        references: 0,
    };
    assert_eq!(house.describe(&text).await, Ok(expected.clone()));
    house.clock.advance(10);
    assert_eq!(house.describe(&text).await, Ok(expected), "also when it has expired");
    house.delete_surrogate(&text).await.unwrap();
    assert_eq!(house.describe(&text).await, Err(VaultError::NotFound));
}

#[tokio::test]
async fn values_take_reveals_and_masks_do_not() {
    let house = House::build(StoreEngine::Redb).await;
    let wire = vault::TenantLimits { reveals_per_day: 3, ..vault::TenantLimits::default() };
    let limits = Some(TenantLimits::from_wire(Some(&wire)).unwrap());
    let change = TenantChange { limits, ..TenantChange::default() };
    let (permit, tenant) = (house.operator_permit(), TenantRef::Id(house.tenant));
    house.vault().update_tenant(&permit, &tenant, change, false).await.unwrap();
    let masked = options(InfoType::IbanCode, SurrogateKind::Random, Reveal::Masked);
    let mut texts = house.tokenize((0..2).map(|_| value("DE65", masked)).collect()).await;
    texts.extend(house.tokenize((0..2).map(|_| value_of_names("Anna")).collect()).await);
    house.detokenize(Reveal::Masked, &texts).await.into_iter().for_each(|it| drop(it.unwrap()));
    let told = house.detokenize(Reveal::Plain, &texts).await;
    let codes: Vec<_> = told.iter().map(|it| it.as_ref().err().map(VaultError::code)).collect();
    assert_eq!(codes, [None, None, None, Some(ErrorCode::RateLimited)], "no more than there are");
    let left = house.detokenize(Reveal::Plain, &texts[2..]).await;
    assert!(left.iter().all(Result::is_ok), "one was spent, the masks took none");
    let permit = house.permit::<Detokenize>().await;
    let queries = vec![Ok(query(&texts[2]))];
    let refused = house.vault().detokenize(&permit, Reveal::Plain, queries).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::RateLimited);
}

#[tokio::test]
async fn a_surrogate_is_deleted_once() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        let text = house.tokenize(vec![value_of_names("Anna")]).await.remove(0);
        assert_eq!(
            house.delete_all_surrogates(&[text.clone(), text.clone()]).await,
            [Ok(()), Err(VaultError::NotFound)]
        );
        assert_eq!(house.delete_surrogate(&text).await, Err(VaultError::NotFound));
        let told = house.detokenize(Reveal::Plain, &[text]).await.remove(0);
        assert_eq!(told.unwrap_err(), VaultError::NotFound);
        assert_eq!(house.surrogate_rows().await, []);
    }
}
