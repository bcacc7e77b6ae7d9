//! Format-preserving surrogates: functions of their values, of which nothing is kept.

use tresor_proto::{
    Content, ContentType, DataClass, ErrorCode, InfoType, Reveal, SurrogateFormat, SurrogateKind,
    SurrogateOptions,
};
use tresor_vault::{
    FormatPreserved, IssuedSurrogate, NewSurrogate, RenewSurrogates, Shown, SurrogateDescription,
    SurrogateQuery, Tokenize, VaultError, store::StoreEngine,
};

use crate::{
    calls::{options, query, text_of, value},
    house::House,
};

const METER: &str = "DE0001234567";
const DIGITS: &str = "0123-456-789";

fn of_format(info_type: InfoType, format: SurrogateFormat) -> SurrogateOptions {
    options(info_type, SurrogateKind::FormatPreserving(format), Reveal::Plain)
}

fn in_digits() -> NewSurrogate {
    value(DIGITS, of_format(InfoType::BankAccount, SurrogateFormat::Digits))
}

fn named(text: &str) -> SurrogateQuery {
    let form = FormatPreserved {
        info_type: InfoType::BankAccount,
        format: SurrogateFormat::Digits,
        key_version: None,
    };
    SurrogateQuery { text: text.to_owned(), form: Some(form) }
}

/// The same with the version that tokenizing told.
fn of_version(issued: &IssuedSurrogate) -> SurrogateQuery {
    let query = named(&issued.text);
    let form = query.form.map(|form| FormatPreserved { key_version: issued.key_version, ..form });
    SurrogateQuery { form, ..query }
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
        let of = || value(text, of_format(info_type, format));
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
    let of = |content| NewSurrogate { content, ..in_digits() };
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
async fn it_is_described_by_what_it_was_made_for_and_cannot_be_deleted() {
    let house = House::build(StoreEngine::Redb).await;
    let text = house.preserve(in_digits()).await.unwrap();
    let expected = SurrogateDescription {
        info_type: InfoType::BankAccount,
        class: DataClass::Financial,
        kind: SurrogateKind::FormatPreserving(SurrogateFormat::Digits),
        reveal: Reveal::Plain,
        created_ms: None,
        expires_ms: None,
        uses: 0,
        uses_max: None,
        references: 0,
    };
    assert_eq!(house.describe_named(named(&text)).await, Ok(expected));
    let random =
        value(DIGITS, options(InfoType::BankAccount, SurrogateKind::Random, Reveal::Plain));
    let random = house.preserve(random).await.unwrap();
    let both = vec![named(&text), query(&random)];
    let [refused, deleted] = house.delete_named(both).await.try_into().unwrap();
    let Err(VaultError::Refused(failure)) = refused else { panic!("{refused:?}") };
    assert_eq!(failure.code(), ErrorCode::InvalidRequest);
    assert_eq!(failure.violations()[0].field, "surrogate");
    assert_eq!(deleted, Ok(()), "each has its own result");
    assert_eq!(house.shown(Reveal::Plain, &text).await.unwrap(), DIGITS);
}

#[tokio::test]
async fn it_is_traded_without_the_database() {
    let mut house = House::build(StoreEngine::Redb).await;
    let masked = house.shown(Reveal::Masked, &house.preserve(in_digits()).await.unwrap()).await;
    house.close().await;
    let databases = house.path("databases");
    std::fs::rename(&databases, databases.with_extension("gone")).unwrap();
    house.open_again().await;
    let issued = house.issue(vec![in_digits()]).await.remove(0).unwrap();
    assert_eq!(house.shown(Reveal::Plain, &issued.text).await.unwrap(), DIGITS);
    assert_eq!(house.shown(Reveal::Masked, &issued.text).await, masked);
    assert!(house.describe_named(named(&issued.text)).await.is_ok());
    let permit = house.permit::<RenewSurrogates>().await;
    let renewed = house.vault().renew_surrogates(&permit, vec![Ok(of_version(&issued))]).await;
    assert_eq!(renewed.unwrap(), [Ok(issued)]);
    let permit = house.permit::<Tokenize>().await;
    let random = options(InfoType::BankAccount, SurrogateKind::Random, Reveal::Plain);
    let values = vec![Ok(in_digits()), Ok(value(DIGITS, random))];
    let refused = house.vault().tokenize(&permit, values).await.unwrap_err();
    assert_eq!(refused, VaultError::StorageUnavailable, "it is asked for this one");
}

#[tokio::test]
async fn redacted_tells_type_class_and_length_only() {
    let house = House::build(StoreEngine::Redb).await;
    let text = house.preserve(in_digits()).await.unwrap();
    let told = house.trade(Reveal::Redacted, vec![named(&text)]).await.remove(0).unwrap();
    assert!(matches!(told.shown, Shown::Redacted));
    assert_eq!((told.class, told.length_bytes_max), (DataClass::Financial, 12));
}
