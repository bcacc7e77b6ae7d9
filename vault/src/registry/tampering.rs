//! What a writer of the registry's database tries: every bit of every row flipped, rows exchanged,
//! users let in under another's password.

use tresor_proto::{
    CollectionName, Password, Policy, TenantName, TenantRef, TenantRole, TenantRoles, UserName,
};

use crate::{
    access::Read,
    error::VaultError,
    house::{House, clear, customers},
    store::{Change, Keyspace, ScanRange, StoreEngine, StoreKey, Write},
};

/// Users of the tenant.
const USERS: [&str; 2] = ["anna", "max"];

fn user(name: &str) -> UserName {
    UserName::parse(name).unwrap()
}

/// A house with two tenants, two users, and a collection with two versions of its policy.
async fn house() -> House {
    let house = House::build(StoreEngine::Memory).await;
    house.create_tenant("other-tenant").await;
    let permit = house.vault().permit_operator(&House::operator()).unwrap();
    let tenant = TenantRef::Id(house.tenant);
    for name in ["customers", "visits"] {
        let name = CollectionName::parse(name).unwrap();
        let put = house.vault().put_collection(&permit, &tenant, name, Policy::default());
        put.await.unwrap();
    }
    for name in USERS {
        let roles = TenantRoles::of(&[TenantRole::Reader]);
        house.vault().add_user(&permit, &tenant, &user(name), roles).await.unwrap();
    }
    house
}

/// All rows of the registry.
async fn rows(house: &House) -> Vec<(StoreKey, Vec<u8>)> {
    let mut rows = Vec::new();
    let (names, collections) = (Keyspace::TenantNames, Keyspace::Collections);
    for keyspace in [Keyspace::Tenants, names, collections, Keyspace::Users] {
        let range = ScanRange { keyspace, prefix: Vec::new(), after: None };
        let found = house.vault().registry().store.scan(range, 100).await.unwrap();
        rows.extend(found.into_iter().map(|row| (StoreKey::new(keyspace, row.key), row.value)));
    }
    assert_eq!(rows.len(), 2 + 2 + 5 + USERS.len());
    rows
}

async fn overwrite(house: &House, key: &StoreKey, row: Vec<u8>) {
    let writes = vec![Write::Put(key.clone(), row)];
    let change = Change { preconditions: Vec::new(), writes };
    house.vault().registry().store.apply(vec![change]).await.unwrap();
    house.vault().registry().verified.forget_all();
}

/// Reads every tenant and every version of every policy; the first refusal ends it.
async fn read_everything(house: &House) -> Result<(), VaultError> {
    let registry = house.vault().registry();
    for tenant in registry.tenants(None, 10).await? {
        for user in registry.users(tenant.id, None, 10).await? {
            registry.user(tenant.id, &user.name).await?;
        }
        for collection in registry.collections(tenant.id).await? {
            for version in 1..=collection.policy_version {
                registry.collection(tenant.id, &collection.name, Some(version)).await?;
            }
        }
    }
    for name in ["stadtwerke", "other-tenant"] {
        registry.tenant(&TenantRef::Name(TenantName::parse(name).unwrap())).await?;
    }
    Ok(())
}

#[tokio::test]
async fn every_flipped_bit_of_every_registry_row_is_refused() {
    let house = house().await;
    assert_eq!(read_everything(&house).await, Ok(()));
    for (key, row) in rows(&house).await {
        for bit in 0..row.len() * 8 {
            let mut damaged = row.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            overwrite(&house, &key, damaged).await;
            let refused = read_everything(&house).await;
            assert_eq!(refused, Err(VaultError::Integrity), "bit {bit} of {key:?}");
        }
        for length in 0..row.len() {
            overwrite(&house, &key, row[..length].to_vec()).await;
            let refused = read_everything(&house).await;
            assert_eq!(refused, Err(VaultError::Integrity), "{length} bytes of {key:?}");
        }
        overwrite(&house, &key, row).await;
    }
    assert_eq!(read_everything(&house).await, Ok(()));
}

#[tokio::test]
async fn registry_rows_cannot_change_places() {
    let house = house().await;
    let rows = rows(&house).await;
    for (key, row) in &rows {
        for (other, bytes) in rows.iter().filter(|(other, _)| other != key) {
            overwrite(&house, key, bytes.clone()).await;
            let refused = read_everything(&house).await;
            assert_eq!(refused, Err(VaultError::Integrity), "{other:?} in the place of {key:?}");
        }
        overwrite(&house, key, row.clone()).await;
    }
    assert_eq!(read_everything(&house).await, Ok(()));
}

#[tokio::test]
async fn no_call_gets_past_a_damaged_registry_row() {
    let house = house().await;
    for (key, row) in rows(&house).await {
        let mut damaged = row.clone();
        *damaged.last_mut().unwrap() ^= 1;
        overwrite(&house, &key, damaged).await;
        let caller = House::client(house.tenant, "127.0.0.1");
        let tenant = TenantRef::Id(house.tenant);
        let permit = house.vault().permit::<Read>(&caller, &tenant, &house.customer_token).await;
        let is_mine = key.keyspace == Keyspace::Tenants && key.key == house.tenant.to_bytes();
        assert_eq!(permit.is_err(), is_mine, "{key:?}");
        if key.keyspace == Keyspace::Collections && key.key.ends_with(b"customers") {
            let permit = house.vault().permit_policy(&caller, &tenant).await.unwrap();
            let refused = house.vault().collection(&permit, &customers(), None).await;
            assert_eq!(refused.err(), Some(VaultError::Integrity));
            let put = house.put(Some("r1"), vec![clear("status", "open")]).await;
            assert_eq!(put.err(), Some(VaultError::Integrity));
        }
        overwrite(&house, &key, row).await;
    }
}

#[tokio::test]
async fn a_user_whose_row_is_anothers_or_damaged_is_not_let_in() {
    let house = house().await;
    let (vault, tenant) = (house.vault(), TenantRef::Id(house.tenant));
    let operator = house.operator_permit();
    let given = vault.reset_user_password(&operator, &tenant, &user("anna")).await.unwrap();
    let caller = House::client(house.tenant, "127.0.0.1");
    let permit = vault.permit_login(&caller, &tenant).await.unwrap();
    let rows = rows(&house).await;
    let row_of = |name: &str| {
        let row = rows
            .iter()
            .find(|(key, _)| key.keyspace == Keyspace::Users && key.key.ends_with(name.as_bytes()));
        row.unwrap().clone()
    };
    let ((anna, own), (max, anothers)) = (row_of("anna"), row_of("max"));
    let mut damaged = own.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let login = async |name: &str| {
        let password = Password::parse(given.one_time_password.expose_secret()).unwrap();
        vault.login(&permit, &user(name), password).await.map(drop)
    };
    for (key, row, name) in
        [(&max, &own, "max"), (&anna, &anothers, "anna"), (&anna, &damaged, "anna")]
    {
        overwrite(&house, key, row.clone()).await;
        assert_eq!(login(name).await, Err(VaultError::Integrity));
    }
    overwrite(&house, &anna, own).await;
    assert_eq!(login("anna").await, Ok(()));
}
