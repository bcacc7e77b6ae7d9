use std::fs;

use rcgen::{ExtendedKeyUsagePurpose, SubjectPublicKeyInfo};
use ring::digest::{SHA256, digest};
use tresor_proto::limits;

use super::*;
use crate::testing::{CLIENT, House, SERVICE, Wish, trust_domain};

fn verdict(house: &House, wish: &Wish) -> Result<String, DoorError> {
    let named = house.authority().verify(&house.der(wish), &[])?;
    Ok(named.name.to_uri(&trust_domain()))
}

#[test]
fn services_and_clients_are_named_by_their_one_uri() {
    let house = House::new();
    assert_eq!(verdict(&house, &Wish::service()).unwrap(), SERVICE);
    assert_eq!(verdict(&house, &Wish::client(&[CLIENT])).unwrap(), CLIENT);
}

#[test]
fn every_flaw_has_its_own_reason() {
    let house = House::new();
    let client = Wish::client(&[CLIENT]);
    let years = |years| Wish { years, ..client.clone() };
    let usages =
        |usages: &[ExtendedKeyUsagePurpose]| Wish { usages: usages.to_vec(), ..client.clone() };
    let without_a_uri = Wish { hosts: vec!["edge.example"], ..Wish::client(&[]) };
    for (wish, reason) in [
        (years((2020, 2021)), "certificate_expired"),
        (years((2119, 2120)), "certificate_not_yet_valid"),
        (Wish::client(&[]), "certificate_no_name"),
        (without_a_uri, "certificate_no_name"),
        (Wish::client(&[CLIENT, SERVICE]), "certificate_several_names"),
        (Wish::client(&[CLIENT, CLIENT]), "certificate_several_names"),
        (Wish::client(&["spiffe://other.local/svc/edge"]), "certificate_bad_name"),
        (Wish::client(&["spiffe://tresor.local/svc/"]), "certificate_bad_name"),
        (usages(&[ExtendedKeyUsagePurpose::ServerAuth]), "certificate_wrong_usage"),
        (usages(&[ExtendedKeyUsagePurpose::Any]), "certificate_wrong_usage"),
        (usages(&[]), "certificate_wrong_usage"),
    ] {
        let refusal = verdict(&house, &wish).unwrap_err();
        assert_eq!(refusal.reason(), reason);
        assert_eq!(refusal.code(), tresor_proto::ErrorCode::Unauthenticated);
    }
}

const RSA_1024: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDQDCPzYTFj4V3sqLVYdj7l8sCl
hR1bP1+8UYZcEOKY3eu8yFqLnDaZX2jfAKhcVfgNYyTON1AjeHMRF7+6mFFPcbBH
fflZdGXxzm8SQbTgaW4mhSClBzflt+3tw+XwX7VHWENoGODnsgNJFgaJXgUCKA/a
LDeydkSSCKbtECKHwwIDAQAB
-----END PUBLIC KEY-----";
const RSA_2048: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtiZCRw2v8Q2M7999Xu8t
rgkSUhGgjspfVdYzg2IDpzOiBtTwp8QE3QsDVM6NG3r7TgIHX8Zfy3W55Qw4U6Ip
MG+S3MD5Zs95j9Wm6/sYGyxI/PAqNRoTwZU2B23Rkg8XtCA6Sdx7e2aFqZgAGvIw
M+Tr9UrLUcmM4cIyGR44Aj8aKnOzpMIub9xtXQkgiEchJlEqXeWF6y/lWYxzzKt9
P/+UC4ogRYOz/ziv7GZKNkCleuXH8PzFYYGN4kGM5kABIb0jZZ8zR5Ec0IILhXiO
UX7Ga37TB2e9r7yp8NJaDY4AipI2+Z4Hts0mFw+nN/fUpE8FxeMaE5Js1T2rVzvg
wwIDAQAB
-----END PUBLIC KEY-----";

#[test]
fn a_key_that_no_handshake_takes_is_no_evidence() {
    let house = House::new();
    let verdict = |key| {
        let key = SubjectPublicKeyInfo::from_pem(key).unwrap();
        let leaf = house.der_for(&Wish::client(&[CLIENT]), &key);
        house.authority().verify(&leaf, &[]).map_err(|refusal| refusal.reason())
    };
    assert_eq!(verdict(RSA_1024), Err("certificate_weak_key"));
    assert!(verdict(RSA_2048).is_ok());
}

#[test]
fn the_handshake_itself_asks_for_the_one_name() {
    let house = House::new();
    let authority = house.authority();
    for (uris, is_accepted) in
        [(&[CLIENT][..], true), (&[][..], false), (&[CLIENT, SERVICE][..], false)]
    {
        let leaf = CertificateDer::from(house.der(&Wish::client(uris)));
        let verdict = authority.verify_client_cert(&leaf, &[], UnixTime::now());
        assert_eq!(verdict.is_ok(), is_accepted, "{uris:?}");
    }
}

#[test]
fn a_certificate_of_another_authority_is_foreign() {
    let leaf = House::new().der(&Wish::service());
    assert_eq!(House::new().authority().verify(&leaf, &[]), Err(DoorError::Foreign));
}

#[test]
fn a_changed_certificate_is_refused() {
    let house = House::new();
    let leaf = house.der(&Wish::service());
    for at in [0, leaf.len() / 2, leaf.len() - 1] {
        let mut changed = leaf.clone();
        changed[at] ^= 1;
        assert!(house.authority().verify(&changed, &[]).is_err(), "{at}");
    }
    assert_eq!(house.authority().verify(b"", &[]), Err(DoorError::Malformed));
}

#[test]
fn a_long_chain_or_a_large_certificate_is_refused_before_it_is_parsed() {
    let house = House::new();
    let leaf = house.der(&Wish::service());
    let authority = house.authority();
    let chain = |certificates| vec![leaf.clone(); certificates];
    assert!(authority.verify(&leaf, &chain(3)).is_ok());
    assert_eq!(authority.verify(&leaf, &chain(4)), Err(DoorError::TooLarge));
    let large = vec![0; limits::CERTIFICATE_BYTES_MAX + 1];
    assert_eq!(authority.verify(&large, &[]), Err(DoorError::TooLarge));
    assert_eq!(authority.verify(&leaf, &[large]), Err(DoorError::TooLarge));
}

#[test]
fn the_digest_is_the_sha_256_of_the_certificate() {
    let house = House::new();
    let leaf = house.der(&Wish::service());
    let named = house.authority().verify(&leaf, &[]).unwrap();
    assert_eq!(named.certificate_digest, digest(&SHA256, &leaf).as_ref(),);
}

#[test]
fn several_authorities_stand_in_one_file_and_a_reload_reaches_every_clone() {
    let (old, new) = (House::new(), House::new());
    let leaf = new.der(&Wish::service());
    let authority = old.authority();
    let clone = authority.clone();
    assert_eq!(clone.verify(&leaf, &[]), Err(DoorError::Foreign));

    let both = [old.path("ca.pem"), new.path("ca.pem")].map(|path| fs::read(path).unwrap());
    fs::write(old.path("ca.pem"), both.concat()).unwrap();
    authority.reload().unwrap();
    assert!(clone.verify(&leaf, &[]).is_ok());

    fs::write(old.path("ca.pem"), "nothing").unwrap();
    let refusal = authority.reload().unwrap_err();
    assert_eq!(refusal.reason(), "file_without_certificate");
    assert!(clone.verify(&leaf, &[]).is_ok());
}
