use std::fs;

use tresor_proto::{InfoType, Reveal};

use super::*;
use crate::{
    SealId,
    house::{House, passphrase, sealed},
    store::StoreEngine,
};

async fn work(house: &House) -> KeyWork {
    let permit = house.vault().permit_operator(&House::operator()).unwrap();
    house.vault().begin_key_work(permit, "a test").await.unwrap()
}

async fn house_with_a_record() -> House {
    let house = House::build(StoreEngine::Redb).await;
    house.put(Some("r1"), vec![sealed("n", InfoType::PersonName, "Anna")]).await.unwrap();
    house
}

/// The seal file and the system keyring.
fn files(house: &House) -> [Vec<u8>; 2] {
    ["system/seal.trs", "system/keyring.trk"].map(|name| fs::read(house.path(name)).unwrap())
}

/// Puts files as a process that was cut off would have left them, and opens the vault.
async fn reopen_with(house: &mut House, [seal, keyring]: [&[u8]; 2]) {
    house.close().await;
    fs::write(house.path("system/seal.trs"), seal).unwrap();
    fs::write(house.path("system/keyring.trk"), keyring).unwrap();
    house.open_again().await;
    assert!(house.get("r1", Reveal::Plain).await.is_ok());
}

#[tokio::test]
async fn the_old_root_key_opens_nothing_and_the_vault_opens_as_before() {
    let mut house = house_with_a_record().await;
    let old = house.vault().keyrings().root();
    let [old_seal, old_keyring] = files(&house);
    let plan = house.vault().root_key_plan(work(&house).await.permit()).await.unwrap();
    assert_eq!((plan.old_generation, plan.new_generation, plan.replaced_ms), (1, 2, None));
    assert_eq!(files(&house), [old_seal, old_keyring], "a dry run writes nothing");
    let replaced = house.vault().rotate_root_key(&mut work(&house).await).await.unwrap();
    let now_ms = Some(house.clock.now());
    assert_eq!(replaced, RootKeyReplacement { replaced_ms: now_ms, ..plan });
    assert_eq!(replaced.seals, ["passphrase"]);
    // Keyrings are written under it while the vault runs on.
    house.enrol_another("later").await;
    house.reopen().await;
    assert!(house.get("r1", Reveal::Plain).await.is_ok());
    let [seal, keyring] = files(&house);
    let seals = passphrase().to_seals();
    let new = seals.root(&seal).unwrap();
    assert!(!is_same(&new, &old) && is_same(&new, &house.vault().keyrings().root()));
    assert_eq!(SealFile::decode(&seal).unwrap().ids(), ["passphrase"]);
    let nobody = tresor_proto::TenantId::from_bytes([0; 16]);
    let opens = |root: &RootKey| {
        crate::keyring::decode_file(crate::aad::Purpose::SystemBody, nobody, root, &keyring).is_ok()
    };
    assert!(opens(&new) && !opens(&old));
    let permit = house.vault().permit_operator(&House::operator()).unwrap();
    let status = house.vault().system_key_status(&permit);
    assert_eq!((status[0].version, status[0].created_ms), (2, now_ms));
}

#[tokio::test]
async fn a_replacement_cut_off_between_any_two_files_leaves_a_vault_that_opens() {
    let mut house = house_with_a_record().await;
    let [old_seal, old_keyring] = files(&house);
    house.vault().rotate_root_key(&mut work(&house).await).await.unwrap();
    let [new_seal, new_keyring] = files(&house);
    let decode = |bytes: &[u8]| SealFile::decode(bytes).unwrap();
    let both = decode(&old_seal).and(&decode(&new_seal)).encode();
    // In the order in which the files are replaced.
    for cut_off in [[&old_seal[..], &old_keyring], [&both, &old_keyring], [&both, &new_keyring]] {
        reopen_with(&mut house, cut_off).await;
        // What was left goes with the next replacement.
        house.vault().rotate_root_key(&mut work(&house).await).await.unwrap();
        assert_eq!(
            decode(&files(&house)[0]).entries(&SealId::parse("passphrase").unwrap()).count(),
            1
        );
        house.reopen().await;
        assert!(house.get("r1", Reveal::Plain).await.is_ok());
    }
}
