//! Power cuts while data keys are replaced and records sealed anew.

use std::path::Path;

use tresor_proto::{CustomerToken, ServiceName, TenantId, TenantRef};

use super::{client, enrol, open, read, register, store};
use crate::{
    Caller, KeyOperationState, Lend, LoanRequest, Role, RotationRequest, Vault,
    power_cut::{Random, Recording, cuts, recorded_program, say},
};

const WRITER: &str = "vault::power_cuts::rotation::the_replacer_of_data_keys";
const TURNS: usize = 2;
/// Cuts of one recording: each start costs the work of a passphrase.
const CUTS: usize = 25;

/// Replaces all data keys, to the end of every operation that is under way.
async fn rotate(vault: &Vault, tenant: TenantId, customer_token: &CustomerToken) {
    let name = ServiceName::parse("operator").unwrap();
    let operator = Caller::Service { name, role: Role::Operator };
    let operator = vault.permit_operator(&operator).unwrap();
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
async fn check(place: &Path, engine: &str, said: &[String]) {
    let Some(stored) = said.first() else { return };
    let words: Vec<_> = stored.split(' ').collect();
    let tenant = TenantId::parse(words[1]).unwrap();
    let customer_token = CustomerToken::parse(words[2]).unwrap();
    let vault = open(place, engine).await;
    assert_eq!(read(&vault, tenant, &customer_token).await.len(), 1);
    rotate(&vault, tenant, &customer_token).await;
    assert_eq!(read(&vault, tenant, &customer_token).await.len(), 1);
    vault.close().await.unwrap();
}

fn survives(engine: &'static str) {
    let mut random = Random::of_this_run();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let recording = Recording::of(WRITER, engine);
    recording.cut(cuts(CUTS), &mut random, |remains| {
        let (place, said) = (remains.place.clone(), remains.said.to_vec());
        let checked = runtime.spawn(async move { check(&place, engine, &said).await });
        runtime.block_on(checked).unwrap_or_else(|error| panic!("{}: {error}", remains.cut));
    });
}

#[test]
fn a_rotation_on_sled_survives_power_cuts() {
    survives("Sled");
}

#[test]
fn a_rotation_on_redb_survives_power_cuts() {
    survives("Redb");
}
