//! Power cuts while identifier keys are replaced: a value keeps its surrogate, moved or not.

use std::path::PathBuf;

use tresor_proto::{
    Content, CustomerToken, DataClass, ErrorCode, InfoType, SurrogateForm, SurrogateKind,
    SurrogateOptions, TenantId, TenantRef,
};

use super::{enrol, open, operator, register, rows, surrogates::Ground, survives};
use crate::{
    KeyOperationState, Lend, LoanRequest, NewSurrogate, RekeyRequest, Shown, Tokenize, VaultError,
    power_cut::{recorded_program, say},
    store::Keyspace,
};

const WRITER: &str = "vault::power_cuts::rekeying::the_replacer_of_identifier_keys";
const TURNS: usize = 2;
const VALUES: usize = 8;
/// What the keys of look-ups begin with, so that a deterministic surrogate is found by its value.
const LOOK_UPS: [u8; 1] = [2];

/// The deterministic surrogates of the values.
async fn tokenize(ground: &Ground) -> Vec<String> {
    let form = SurrogateForm { kind: SurrogateKind::Deterministic, ..SurrogateForm::default() };
    let options = SurrogateOptions::new(InfoType::PersonName, form, None, None).unwrap();
    let new = (0..VALUES).map(|value| {
        let content = Content::text(&format!("Anna {value}")).unwrap();
        Ok(NewSurrogate { content, options, item_key: None })
    });
    let permit = ground.permit::<Tokenize>().await;
    let issued = ground.vault.tokenize(&permit, new.collect()).await.unwrap();
    issued.into_iter().map(|issued| issued.unwrap().text).collect()
}

/// Replaces the identifier key of names, or goes on with what was cut off, to the end.
async fn rekey(ground: &Ground) {
    let (vault, operator) = (&ground.vault, operator(&ground.vault));
    let request = RekeyRequest { classes: vec![DataClass::Identity], ..RekeyRequest::default() };
    let asked = vault.rekey_identifiers(&operator, &TenantRef::Id(ground.tenant), &request).await;
    let is_under_way = |error: &VaultError| error.code() == ErrorCode::Conflict;
    assert!(asked.as_ref().err().is_none_or(is_under_way), "{asked:?}");
    let all = LoanRequest { classes: Vec::new(), lifetime_ms: 3_600_000, is_dry_run: false };
    vault.lend(&ground.permit::<Lend>().await, &all).await.unwrap();
    while vault.work_once().await.unwrap().is_some() {}
    let operations = vault.key_operations(&operator, None, None, 100).await.unwrap().items;
    assert!(operations.iter().all(|operation| operation.state == KeyOperationState::Done));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_replacer_of_identifier_keys() {
    let other = tempfile::tempdir().unwrap();
    let (place, engine) = recorded_program().unwrap_or((other.path().into(), "Sled".to_owned()));
    let vault = open(&place, &engine).await;
    let (tenant, code) = register(&vault, 0).await;
    let customer_token = enrol(&vault, tenant, &code).await.unwrap();
    let ground = Ground { vault, tenant, customer_token };
    let texts = tokenize(&ground).await.join(" ");
    say(&format!("{tenant} {} {texts}", ground.customer_token.expose_text().as_str()));
    for turn in 0..TURNS {
        rekey(&ground).await;
        say(&format!("turn {turn}"));
    }
    ground.vault.close().await.unwrap();
}

/// Whatever was cut off: each value has its surrogate and each surrogate its value, at once and
/// when what was under way has come to its end; and nothing is left of the older keys.
async fn check(place: PathBuf, engine: &'static str, said: Vec<String>) {
    let Some(issued) = said.first() else { return };
    let words: Vec<_> = issued.split(' ').collect();
    let tenant = TenantId::parse(words[0]).unwrap();
    let customer_token = CustomerToken::parse(words[1]).unwrap();
    let ground = Ground { vault: open(&place, engine).await, tenant, customer_token };
    for _ in 0..2 {
        assert_eq!(tokenize(&ground).await, words[2..]);
        for (value, text) in words[2..].iter().enumerate() {
            let shown = ground.shown(text).await.unwrap().shown;
            let Shown::Plain(content) = shown else { panic!("{value} is not plain") };
            assert_eq!(content.as_text().unwrap(), format!("Anna {value}"));
        }
        rekey(&ground).await;
    }
    let look_ups = rows(&ground.vault, tenant, (Keyspace::Surrogates, &LOOK_UPS)).await;
    assert_eq!(look_ups.len(), VALUES);
    ground.vault.close().await.unwrap();
}

#[test]
fn a_replacement_of_identifier_keys_on_sled_survives_power_cuts() {
    survives(WRITER, "Sled", check);
}

#[test]
fn a_replacement_of_identifier_keys_on_redb_survives_power_cuts() {
    survives(WRITER, "Redb", check);
}
