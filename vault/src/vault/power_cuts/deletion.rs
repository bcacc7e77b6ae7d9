//! Power cuts while tenants are deleted.

use std::path::{Path, PathBuf};

use tresor_proto::{CustomerToken, TenantId, TenantName, TenantRef};

use super::{enrol, open, operator, read, register, store, survives};
use crate::{
    Standing, Vault, VaultError,
    power_cut::{recorded_program, say},
};

const WRITER: &str = "vault::power_cuts::deletion::the_deleter_of_tenants";
const TENANTS: usize = 3;

async fn suspend(vault: &Vault, tenant: TenantId) {
    vault.suspend_tenant(&operator(vault), &TenantRef::Id(tenant)).await.unwrap();
}

async fn begin(vault: &Vault, tenant: TenantId, number: usize) -> Result<(), VaultError> {
    let name = TenantName::parse(&format!("tenant-{number}")).unwrap();
    vault.begin_deletion(operator(vault), &TenantRef::Id(tenant), &name).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_deleter_of_tenants() {
    let other = tempfile::tempdir().unwrap();
    let (place, engine) = recorded_program().unwrap_or((other.path().into(), "Redb".to_owned()));
    let vault = open(&place, &engine).await;
    let mut tenants = Vec::new();
    for number in 0..=TENANTS {
        let (tenant, code) = register(&vault, number).await;
        let customer_token = enrol(&vault, tenant, &code).await.unwrap();
        store(&vault, tenant, &customer_token).await;
        if number == TENANTS {
            say(&format!("kept {tenant} {}", customer_token.expose_text().as_str()));
        } else {
            tenants.push(tenant);
        }
    }
    for (number, tenant) in tenants.into_iter().enumerate() {
        suspend(&vault, tenant).await;
        say(&format!("suspended {tenant} {number}"));
        begin(&vault, tenant, number).await.unwrap();
        say(&format!("begun {tenant} {number}"));
        vault.work_once().await.unwrap();
        assert!(is_gone(&vault, &place, tenant).await);
        say(&format!("deleted {tenant} {number}"));
    }
    vault.close().await.unwrap();
}

/// Whether there is no such tenant, and nothing of it on the disk.
async fn is_gone(vault: &Vault, place: &Path, tenant: TenantId) -> bool {
    let found = vault.tenant(&operator(vault), &TenantRef::Id(tenant)).await;
    let is_named = |directory: &str| {
        let entries = std::fs::read_dir(place.join("var/data").join(directory)).unwrap();
        let mut names = entries.map(|entry| entry.unwrap().file_name());
        names.any(|name| name.to_string_lossy().contains(&tenant.to_string()))
    };
    let has_files = is_named("keyrings") || is_named("databases");
    matches!(found, Err(VaultError::NotFound)) && !has_files
}

/// What was begun comes to its end, what was not is there whole, and nobody else is harmed.
async fn check(place: PathBuf, engine: &'static str, said: Vec<String>) {
    let words = |line: &'_ String| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let said: Vec<_> = said.iter().map(words).collect();
    let Some(kept) = said.iter().find(|line| line[0] == "kept") else { return };
    let vault = open(&place, engine).await;
    vault.work_once().await.unwrap();
    for line in said.iter().filter(|line| line[0] == "suspended") {
        let (tenant, number) = (TenantId::parse(&line[1]).unwrap(), line[2].parse().unwrap());
        let was_begun = said.iter().any(|it| it[0] == "begun" && it[1] == line[1]);
        if !is_gone(&vault, &place, tenant).await {
            assert!(!was_begun, "a deletion that was begun is not at its end");
            let found = vault.tenant(&operator(&vault), &TenantRef::Id(tenant)).await.unwrap();
            assert!(matches!(found.standing, Standing::Suspended { .. }));
            begin(&vault, tenant, number).await.unwrap();
            vault.work_once().await.unwrap();
            assert!(is_gone(&vault, &place, tenant).await);
        }
    }
    let (tenant, token) = (TenantId::parse(&kept[1]), CustomerToken::parse(&kept[2]));
    assert_eq!(read(&vault, tenant.unwrap(), &token.unwrap()).await.len(), 1);
    vault.close().await.unwrap();
}

#[test]
fn a_deletion_of_a_tenant_survives_power_cuts() {
    survives(WRITER, "Redb", check);
}
