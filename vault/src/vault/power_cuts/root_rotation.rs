//! Power cuts while the root key is replaced, and while seals are removed and added.

use std::path::PathBuf;

use tresor_proto::{CustomerToken, TenantId};

use super::{SEALS, enrol, open, operator, read, register, store, survives};
use crate::{
    SealId, Vault,
    power_cut::{recorded_program, say},
};

const WRITER: &str = "vault::power_cuts::root_rotation::the_replacer_of_the_root_key";
const TURNS: u32 = 20;

/// Replaces the root key and gives its generation.
async fn rotate(vault: &Vault) -> u32 {
    let mut work = vault.begin_key_work(operator(vault), "a test").await.unwrap();
    vault.rotate_root_key(&mut work).await.unwrap().new_generation
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_replacer_of_the_root_key() {
    let other = tempfile::tempdir().unwrap();
    let (place, engine) = recorded_program().unwrap_or((other.path().into(), "Redb".to_owned()));
    let vault = open(&place, &engine).await;
    let (tenant, code) = register(&vault, 0).await;
    let customer_token = enrol(&vault, tenant, &code).await.unwrap();
    store(&vault, tenant, &customer_token).await;
    say(&format!("stored {tenant} {}", customer_token.expose_text().as_str()));
    let seal = || SealId::parse(SEALS[0]).unwrap();
    for turn in 1..=TURNS {
        assert_eq!(rotate(&vault).await, turn + 1);
        say(&format!("turn {turn}"));
        vault.remove_seal(operator(&vault), seal(), false).await.unwrap();
        vault.add_seal(operator(&vault), seal(), false).await.unwrap();
    }
    vault.close().await.unwrap();
}

/// Whatever was cut off: some seal opens, the record is whole, and the root key is the one before
/// or after the replacement that was under way, and can be replaced.
async fn check(place: PathBuf, engine: &'static str, said: Vec<String>) {
    let Some((stored, turns)) = said.split_first() else { return };
    let words: Vec<_> = stored.split(' ').collect();
    let tenant = TenantId::parse(words[1]).unwrap();
    let customer_token = CustomerToken::parse(words[2]).unwrap();
    let vault = open(&place, engine).await;
    assert_eq!(read(&vault, tenant, &customer_token).await.len(), 1);
    let next = rotate(&vault).await;
    let said = u32::try_from(turns.len()).unwrap() + 1;
    assert!([said + 1, said + 2].contains(&next), "{next} after {said}");
    vault.close().await.unwrap();
    drop(vault);
    let vault = open(&place, engine).await;
    assert_eq!(read(&vault, tenant, &customer_token).await.len(), 1);
    vault.close().await.unwrap();
}

#[test]
fn a_replacement_of_the_root_key_survives_power_cuts() {
    survives(WRITER, "Redb", check);
}
