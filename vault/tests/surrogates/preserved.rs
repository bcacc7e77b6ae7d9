//! Format-preserving surrogates: nothing is kept of those without bounds.

use std::sync::Arc;

use tokio::task::JoinSet;
use tresor_proto::{
    Content, ContentType, DataClass, ErrorCode, InfoType, Reveal, SurrogateForm, SurrogateFormat,
    SurrogateKind, SurrogateOptions,
};
use tresor_vault::{
    FormatPreserved, NewSurrogate, Shown, SurrogateDescription, SurrogateQuery, VaultError,
    store::StoreEngine,
};

use crate::{
    calls::{ENGINES, text_of, value},
    house::House,
};

const METER: &str = "DE0001234567";
const DIGITS: &str = "0123-456-789";

fn form(format: SurrogateFormat, reveal: Reveal) -> SurrogateForm {
    SurrogateForm { kind: SurrogateKind::FormatPreserving(format), reveal }
}

/// A value in digits, as bounded as asked.
fn digits(reveal: Reveal, expires_ms: Option<u64>, uses_max: Option<u32>) -> NewSurrogate {
    let form = form(SurrogateFormat::Digits, reveal);
    let options = SurrogateOptions::new(InfoType::BankAccount, form, expires_ms, uses_max);
    value(DIGITS, options.unwrap())
}

fn unbounded() -> NewSurrogate {
    digits(Reveal::Plain, None, None)
}

fn named(text: &str) -> SurrogateQuery {
    let form = FormatPreserved {
        info_type: InfoType::BankAccount,
        format: SurrogateFormat::Digits,
        key_version: None,
    };
    SurrogateQuery { text: text.to_owned(), form: Some(form) }
}

impl House {
    async fn preserve(&self, value: NewSurrogate) -> Result<String, VaultError> {
        Ok(self.issue(vec![value]).await.remove(0)?.text)
    }

    /// What is shown of a surrogate, as text.
    async fn shown(&self, reveal: Reveal, text: &str) -> Result<String, VaultError> {
        self.trade(reveal, vec![named(text)]).await.remove(0).map(text_of)
    }
}

#[tokio::test]
async fn each_format_gives_its_value_back_and_leaves_no_row() {
    let formats = [
        (InfoType::CreditCardNumber, SurrogateFormat::Card, "4111 1111 1111 1111"),
        (InfoType::PhoneNumber, SurrogateFormat::Phone, "+49 8360 161055"),
        (InfoType::BankAccount, SurrogateFormat::Digits, DIGITS),
        (InfoType::MeterId, SurrogateFormat::UpperAlphanumeric, METER),
        (InfoType::MeterId, SurrogateFormat::Alphanumeric, METER),
    ];
    let mut house = House::build(StoreEngine::Redb).await;
    for (info_type, format, text) in formats {
        let options = SurrogateOptions::new(info_type, form(format, Reveal::Plain), None, None);
        let of = || value(text, options.clone().unwrap());
        let issued = house.issue(vec![of(), of()]).await;
        let issued: Vec<_> = issued.into_iter().map(Result::unwrap).collect();
        assert_eq!((&issued[0].text, issued[0].key_version), (&issued[1].text, Some(1)));
        assert_eq!(issued[0].text.len(), text.len());
        assert_ne!(issued[0].text, text);
        for key_version in [None, Some(1)] {
            let form = Some(FormatPreserved { info_type, format, key_version });
            let query = SurrogateQuery { text: issued[0].text.clone(), form };
            let shown = house.trade(Reveal::Plain, vec![query]).await.remove(0).unwrap();
            assert_eq!((shown.info_type, shown.class), (info_type, info_type.class()));
            assert_eq!(text_of(shown), text);
        }
    }
    assert_eq!(house.surrogate_rows().await, []);
}

#[tokio::test]
async fn what_does_not_fit_its_format_is_refused_with_the_reason() {
    let house = House::build(StoreEngine::Redb).await;
    let of = |content| NewSurrogate { content, ..unbounded() };
    let binary = Content::new(ContentType::Binary, DIGITS.as_bytes().to_vec()).unwrap();
    let few = Content::text("12345").unwrap();
    for (content, reason) in [
        (few, "fewer than 6 characters would be hidden: the domain has fewer than 10^6 values"),
        (binary, "only a text has a format"),
    ] {
        let Err(VaultError::Refused(failure)) = house.preserve(of(content)).await else {
            panic!("taken");
        };
        assert_eq!(failure.violations()[0].description, reason);
    }
    for (query, field) in [
        (named("12345"), "surrogate"),
        (SurrogateQuery { form: None, ..named(DIGITS) }, "surrogate"),
    ] {
        let refused = house.trade(Reveal::Masked, vec![query]).await.remove(0).unwrap_err();
        let VaultError::Refused(failure) = refused else { panic!("{refused:?}") };
        assert_eq!(failure.code(), ErrorCode::InvalidRequest);
        assert_eq!(failure.violations()[0].field, field);
    }
    let form = named("").form.map(|form| FormatPreserved { key_version: Some(2), ..form });
    let unknown = house.trade(Reveal::Masked, vec![SurrogateQuery { form, ..named(DIGITS) }]).await;
    assert_eq!(unknown[0].as_ref().unwrap_err(), &VaultError::NotFound);
}

#[tokio::test]
async fn the_first_bounds_stay_and_others_are_a_conflict() {
    for engine in ENGINES {
        let house = House::build(engine).await;
        let end_ms = house.clock.now() + 1_000;
        let bounded = || digits(Reveal::Masked, Some(end_ms), Some(2));
        let text = house.preserve(unbounded()).await.unwrap();
        assert_eq!(house.shown(Reveal::Plain, &text).await.unwrap(), DIGITS);
        assert_eq!(house.preserve(bounded()).await.unwrap(), text);
        assert_eq!(house.preserve(bounded()).await.unwrap(), text, "the same again");
        assert_eq!(house.preserve(unbounded()).await.unwrap(), text, "as it is");
        for other in [
            digits(Reveal::Plain, Some(end_ms), Some(2)),
            digits(Reveal::Masked, None, Some(2)),
            digits(Reveal::Masked, Some(end_ms), None),
        ] {
            assert_eq!(house.preserve(other).await.unwrap_err().code(), ErrorCode::Conflict);
        }
        let expected = SurrogateDescription {
            info_type: InfoType::BankAccount,
            class: DataClass::Financial,
            kind: SurrogateKind::FormatPreserving(SurrogateFormat::Digits),
            reveal: Reveal::Masked,
            created_ms: Some(house.clock.now()),
            expires_ms: Some(end_ms),
            uses: 1,
            uses_max: Some(2),
            references: 0,
        };
        assert_eq!(house.shown(Reveal::Plain, &text).await.unwrap(), "•••6789");
        assert_eq!(house.describe_named(named(&text)).await, Ok(expected));
        assert_eq!(house.shown(Reveal::Plain, &text).await.unwrap(), "•••6789");
        assert_eq!(house.shown(Reveal::Plain, &text).await, Err(VaultError::Gone), "used up");
        assert_eq!(house.preserve(bounded()).await.unwrap(), text, "it begins anew");
        assert_eq!(house.shown(Reveal::Plain, &text).await.unwrap(), "•••6789");
        house.clock.advance(1_000);
        assert_eq!(house.shown(Reveal::Plain, &text).await, Err(VaultError::Gone), "expired");
        let refused = house.preserve(bounded()).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InvalidRequest, "its end has passed");
    }
}

#[tokio::test]
async fn a_deleted_one_is_not_found_until_it_is_asked_for_again() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        for first in [unbounded(), digits(Reveal::Masked, None, Some(2))] {
            let text = house.preserve(first).await.unwrap();
            let deleted = house.delete_named(vec![named(&text), named(&text)]).await;
            assert_eq!(deleted, [Ok(()), Err(VaultError::NotFound)]);
            assert_eq!(house.shown(Reveal::Plain, &text).await, Err(VaultError::NotFound));
            let redacted = house.trade(Reveal::Redacted, vec![named(&text)]).await.remove(0);
            assert_eq!(redacted.unwrap_err(), VaultError::NotFound);
            assert_eq!(house.describe_named(named(&text)).await, Err(VaultError::NotFound));
            assert_eq!(house.preserve(unbounded()).await.unwrap(), text);
            assert_eq!(house.shown(Reveal::Plain, &text).await.unwrap(), DIGITS);
            assert_eq!(house.describe_named(named(&text)).await.unwrap().created_ms, None);
        }
        assert_eq!(house.surrogate_rows().await, []);
    }
}

#[tokio::test]
async fn redacted_tells_type_class_and_length_only() {
    let house = House::build(StoreEngine::Redb).await;
    let text = house.preserve(unbounded()).await.unwrap();
    let told = house.trade(Reveal::Redacted, vec![named(&text)]).await.remove(0).unwrap();
    assert!(matches!(told.shown, Shown::Redacted));
    assert_eq!((told.class, told.length_bytes_max), (DataClass::Financial, 12));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_those_who_bound_it_at_once_one_wins() {
    for engine in ENGINES {
        let house = Arc::new(House::build(engine).await);
        for turn in 0..10 {
            let callers = (1..=4).map(|uses| {
                let house = Arc::clone(&house);
                let bounded = digits(Reveal::Plain, None, Some(uses + 10 * turn));
                async move { house.preserve(bounded).await }
            });
            let told = callers.collect::<JoinSet<_>>().join_all().await;
            let text = told.iter().flatten().next().unwrap().clone();
            assert_eq!(told.iter().filter(|it| it.is_ok()).count(), 1, "{told:?}");
            assert_eq!(house.delete_named(vec![named(&text)]).await, [Ok(())]);
        }
    }
}
