//! Random surrogates of records that are replaced by what they are already.

use tresor_proto::{
    Action, Content, ContentType, CustomerTokenKind, CustomerTokenName, FieldName, FieldPolicy,
    InfoType, Mask, Policy, Reveal, SurrogateForm, SurrogateKind, TokenOperation, UndeclaredPolicy,
};
use tresor_vault::{
    IssueTokens, NewCustomerToken, NewField, NewRecord, Treatment, VaultError,
    store::{Change, Keyspace, StoreEngine, StoreKey, StoreRow, Write},
};

use crate::{
    calls::{ENGINES, text_of},
    house::{House, id},
    uploaded::{given, house, record},
};

#[tokio::test]
async fn the_second_upload_of_a_file_changes_no_surrogate() {
    for engine in ENGINES {
        let mut house = house(engine).await;
        let file = || {
            let row = |number: usize| {
                let (name, iban) = (format!("Muster {number}"), format!("DE{}", number % 7));
                record(Some(&format!("r{number}")), &[("name", &name), ("iban", &iban)])
            };
            (0..150).map(row).collect()
        };
        let first = house.upload(file()).await;
        let before = house.surrogate_rows().await;
        let second = house.upload(file()).await;
        for (first, second) in first.into_iter().zip(second) {
            let second = second.unwrap();
            assert_eq!(second.revision, 2);
            assert_eq!(given(first.unwrap()), given(second));
        }
        let told = |rows: Vec<StoreRow>| -> Vec<_> {
            rows.into_iter().map(|row| (row.key, row.value)).collect()
        };
        assert_eq!(told(house.surrogate_rows().await), told(before));
    }
}

#[tokio::test]
async fn a_value_that_comes_twice_in_a_batch_has_one_living_surrogate() {
    let mut house = house(StoreEngine::Sled).await;
    let values = ["DE1", "DE1", "DE2", "DE2"];
    let records = values.map(|iban| record(Some("a"), &[("iban", iban)]));
    let stored = house.upload(records.into()).await;
    let surrogates: Vec<_> = stored.into_iter().map(|stored| given(stored.unwrap())).collect();
    assert!(surrogates[..3].iter().all(Vec::is_empty), "{surrogates:?}");
    let shown = house.detokenize(Reveal::Plain, &surrogates[3]).await.remove(0).unwrap();
    assert_eq!(text_of(shown), "DE2", "the last one counts");
    assert_eq!(house.surrogate_rows().await.len(), 1);
    house.delete("a").await.unwrap();
    assert!(house.surrogate_rows().await.is_empty());
}

fn policy(info_type: InfoType, reveal: Reveal, mask: Option<Mask>) -> Policy {
    let declared = FieldPolicy {
        info_type: Some(info_type),
        surrogate: Some(SurrogateForm {
            kind: SurrogateKind::Random,
            reveal,
            ..SurrogateForm::default()
        }),
        mask,
        ..FieldPolicy::new(FieldName::parse("iban").unwrap(), Action::Tokenize)
    };
    Policy::new(vec![declared], UndeclaredPolicy::default(), Action::Seal).unwrap()
}

#[tokio::test]
async fn a_surrogate_with_other_bounds_is_another_one() {
    let mut house = House::build(StoreEngine::Redb).await;
    let fields = [("iban", "DE65884472940557616987")];
    let mut last = String::new();
    let policies = [
        policy(InfoType::IbanCode, Reveal::Plain, None),
        policy(InfoType::IbanCode, Reveal::Masked, None),
        policy(InfoType::IbanCode, Reveal::Masked, Mask::new(1, 1).ok()),
        policy(InfoType::BankAccount, Reveal::Masked, Mask::new(1, 1).ok()),
    ];
    for policy in policies {
        house.declare(policy).await;
        let given = house.surrogates("a", &fields).await.remove(0);
        assert_ne!(given, last);
        assert_eq!(house.surrogates("a", &fields).await[0], given);
        last = given;
    }
    let end_ms = Some(house.clock.now() + 1_000);
    let ending = || vec![record(Some("a"), &fields).with_expiry(end_ms)];
    let first = given(house.upload(ending()).await.remove(0).unwrap());
    assert_ne!(first[0], last);
    assert_eq!(given(house.upload(ending()).await.remove(0).unwrap()), first);
    assert_ne!(house.surrogates("a", &fields).await, first);
    house.delete("a").await.unwrap();
    assert!(house.surrogate_rows().await.is_empty());
}

#[tokio::test]
async fn another_content_of_the_same_text_is_another_value() {
    let house = house(StoreEngine::Memory).await;
    let number = || {
        let name = FieldName::parse("iban").unwrap();
        let content = Content::new(ContentType::Json, b"12".to_vec()).unwrap();
        let (info_type, class) = (Some(InfoType::IbanCode), InfoType::IbanCode.class());
        let treatment = Treatment::Seal { info_type, class };
        NewRecord::new(Some(id("a")), vec![NewField { name, content, treatment }]).unwrap()
    };
    let text = house.surrogates("a", &[("iban", "12")]).await;
    let stored = house.upload(vec![number()]).await.remove(0).unwrap();
    assert_ne!(given(stored), text);
}

#[tokio::test]
async fn who_may_not_see_the_value_is_not_told_that_it_is_the_same() {
    let mut house = house(StoreEngine::Redb).await;
    let first = house.surrogates("a", &[("iban", "DE1")]).await;
    let order = NewCustomerToken {
        kind: CustomerTokenKind::WriteOnly,
        name: CustomerTokenName::parse("uploader").unwrap(),
        classes: None,
        operations: Some([TokenOperation::Write, TokenOperation::Tokenize].into_iter().collect()),
        expires_ms: None,
        bound_certificate: None,
    };
    let permit = house.permit::<IssueTokens>().await;
    let issued = house.vault().issue_customer_token(&permit, order).await.unwrap();
    let all = core::mem::replace(&mut house.customer_token, issued.customer_token);
    let second = house.surrogates("a", &[("iban", "DE1")]).await;
    assert_ne!(second, first);
    assert_ne!(house.surrogates("a", &[("iban", "DE1")]).await, second);
    house.customer_token = all;
    assert_eq!(house.describe(&first[0]).await.unwrap_err(), VaultError::NotFound);
}

#[tokio::test]
async fn a_surrogate_that_is_gone_or_stands_for_another_value_is_not_kept() {
    let mut house = house(StoreEngine::Redb).await;
    let fields = [("iban", "DE1")];
    let deleted = house.surrogates("a", &fields).await;
    house.delete_surrogate(&deleted[0]).await.unwrap();
    let damaged = house.surrogates("a", &fields).await;
    assert_ne!(damaged, deleted);
    let keys = house.surrogate_keys().await;
    let key = StoreKey::new(Keyspace::Surrogates, keys.into_iter().next().unwrap());
    let write = Write::Put(key, b"TRR1 damaged".to_vec());
    house.apply(Change { preconditions: Vec::new(), writes: vec![write] }).await;
    assert_ne!(house.surrogates("a", &fields).await, damaged);
}
