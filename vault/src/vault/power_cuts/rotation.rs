//! Power cuts while data keys are replaced and records sealed anew.

use std::path::PathBuf;

use tresor_proto::{CustomerToken, TenantId, TenantRef};

use super::{client, enrol, open, operator, read, register, store, survives};
use crate::{
    KeyOperationState, Lend, LoanRequest, RotationRequest, Vault,
    power_cut::{recorded_program, say},
};

const WRITER: &str = "vault::power_cuts::rotation::the_replacer_of_data_keys";
const TURNS: usize = 2;

/// Replaces all data keys, to the end of every operation that is under way.
async fn rotate(vault: &Vault, tenant: TenantId, customer_token: &CustomerToken) {
    let operator = operator(vault);
    let request = RotationRequest {
        classes: Vec::new(),
        is_compromised: false,
        rate_max: 0,
        destroy_after_ms: 0,
        is_dry_run: false,
    };
    let reference = TenantRef::Id(tenant);
    vault.mark_data_keys_due(&operator, &reference, &request).await.unwrap();
    let permit = vault.permit::<Lend>(&client(tenant), &reference, customer_token).await.unwrap();
    let all = LoanRequest { classes: Vec::new(), lifetime_ms: 3_600_000, is_dry_run: false };
    vault.lend(&permit, &all).await.unwrap();
    while vault.work_once().await.unwrap().is_some() {}
    let operations = vault.key_operations(&operator, None, None, 100).await.unwrap().items;
    assert!(operations.iter().all(|operation| operation.state == KeyOperationState::Done));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_replacer_of_data_keys() {
    let other = tempfile::tempdir().unwrap();
    let (place, engine) = recorded_program().unwrap_or((other.path().into(), "Sled".to_owned()));
    let vault = open(&place, &engine).await;
    let (tenant, code) = register(&vault, 0).await;
    let customer_token = enrol(&vault, tenant, &code).await.unwrap();
    store(&vault, tenant, &customer_token).await;
    say(&format!("stored {tenant} {}", customer_token.expose_text().as_str()));
    for turn in 0..TURNS {
        rotate(&vault, tenant, &customer_token).await;
        say(&format!("turn {turn}"));
    }
    vault.close().await.unwrap();
}

/// Whatever was cut off: the record is whole, and the rotation can be brought to its end.
async fn check(place: PathBuf, engine: &'static str, said: Vec<String>) {
    let Some(stored) = said.first() else { return };
    let words: Vec<_> = stored.split(' ').collect();
    let tenant = TenantId::parse(words[1]).unwrap();
    let customer_token = CustomerToken::parse(words[2]).unwrap();
    let vault = open(&place, engine).await;
    assert_eq!(read(&vault, tenant, &customer_token).await.len(), 1);
    rotate(&vault, tenant, &customer_token).await;
    assert_eq!(read(&vault, tenant, &customer_token).await.len(), 1);
    vault.close().await.unwrap();
}

#[test]
fn a_rotation_on_sled_survives_power_cuts() {
    survives(WRITER, "Sled", check);
}

#[test]
fn a_rotation_on_redb_survives_power_cuts() {
    survives(WRITER, "Redb", check);
}
