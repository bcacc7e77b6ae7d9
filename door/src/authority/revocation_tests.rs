//! What is revoked is refused, at the next look.

use std::fs;

use super::*;
use crate::TlsFiles;
use crate::testing::{CLIENT, House, Wish, der_of, set_mode};

fn verify(authority: &Authority, files: &TlsFiles) -> Result<(), &'static str> {
    let verified = authority.verify(&der_of(&files.certificate_chain), &[]);
    verified.map(|_| ()).map_err(|error| error.reason())
}

fn lists(house: &House, revocation_lists: &[std::path::PathBuf]) -> TrustFiles {
    let revocation_lists = revocation_lists.to_vec();
    TrustFiles { revocation_lists, ..TrustFiles::new(house.path("ca.pem")) }
}

fn refusal(files: TrustFiles) -> &'static str {
    Authority::load(files, crate::testing::trust_domain()).unwrap_err().reason()
}

#[test]
fn a_revoked_certificate_is_refused_once_its_list_is_there_and_no_other_is() {
    let house = House::new();
    let (good, bad) = (
        house.issue("good", &Wish::client(&[CLIENT])),
        house.issue("bad", &Wish::client(&[CLIENT])),
    );
    let authority = house.authority_with(lists(&house, &[house.revoke(&[])]));
    assert_eq!(verify(&authority, &bad), Ok(()));
    let generation = authority.generation();
    authority.refresh();
    assert_eq!(authority.generation(), generation, "nothing has changed");
    house.revoke(&[&bad]);
    authority.refresh();
    assert!(authority.generation() > generation);
    assert_eq!(verify(&authority, &bad), Err("certificate_revoked"));
    assert_eq!(verify(&authority, &good), Ok(()));
}

#[test]
fn a_denied_certificate_is_refused_however_its_fingerprint_is_written() {
    let house = House::new();
    let client = house.issue("client", &Wish::client(&[CLIENT]));
    let digest = house.authority().verify(&der_of(&client.certificate_chain), &[]).unwrap();
    let hex: Vec<_> = digest.certificate_digest.iter().map(|byte| format!("{byte:02X}")).collect();
    let denied = house.path("denied");
    fs::write(&denied, "# nobody yet\n\n").unwrap();
    let files = TrustFiles {
        denied_certificates: Some(denied.clone()),
        ..TrustFiles::new(house.path("ca.pem"))
    };
    let authority = house.authority_with(files);
    assert_eq!(verify(&authority, &client), Ok(()));
    let plain = hex.concat().to_lowercase();
    let openssl = format!("sha256 Fingerprint={}", hex.join(":"));
    for written in [format!("{plain}  # stolen laptop\n"), openssl] {
        fs::write(&denied, &written).unwrap();
        authority.reload().unwrap();
        assert_eq!(verify(&authority, &client), Err("certificate_denied"), "{written}");
    }
    for broken in ["nonsense", &plain[..62], &format!("{plain}00"), &plain.replace('a', "g")] {
        if broken != plain {
            fs::write(&denied, broken).unwrap();
            assert_eq!(authority.reload().unwrap_err().reason(), "bad_fingerprint", "{broken}");
            assert_eq!(
                verify(&authority, &client),
                Err("certificate_denied"),
                "the old list stays"
            );
        }
    }
}

#[test]
fn lists_that_do_not_belong_to_the_authorities_are_refused() {
    let (house, other) = (House::new(), House::new());
    let (own, foreign) = (house.revoke(&[]), other.revoke(&[]));
    assert_eq!(refusal(lists(&house, &[own.clone(), foreign])), "revocation_list_foreign");
    // Both authorities have the same name; the list is signed by one of them.
    let both = ["ca.pem"].map(|name| [house.path(name), other.path(name)]).concat();
    let both: Vec<_> = both.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    fs::write(house.path("both.pem"), both.concat()).unwrap();
    let files = TrustFiles {
        authorities: house.path("both.pem"),
        ..lists(&house, std::slice::from_ref(&own))
    };
    assert_eq!(refusal(files), "authority_without_revocation_list");
    fs::write(&own, "nothing").unwrap();
    assert_eq!(refusal(lists(&house, std::slice::from_ref(&own))), "file_without_revocation_list");
    assert_eq!(refusal(lists(&house, &[house.path("absent")])), "file_unreadable");
    house.revoke(&[]);
    set_mode(&own, 0o666);
    assert_eq!(refusal(lists(&house, &[own])), "file_world_writable");
}

#[test]
fn a_list_that_breaks_changes_nothing_and_one_that_is_put_right_counts() {
    let house = House::new();
    let bad = house.issue("bad", &Wish::client(&[CLIENT]));
    let path = house.revoke(&[&bad]);
    let authority = house.authority_with(lists(&house, std::slice::from_ref(&path)));
    for broken in [&b"nothing"[..], b""] {
        fs::write(&path, broken).unwrap();
        authority.refresh();
        assert_eq!(verify(&authority, &bad), Err("certificate_revoked"));
    }
    fs::remove_file(&path).unwrap();
    authority.refresh();
    assert_eq!(verify(&authority, &bad), Err("certificate_revoked"));
    house.revoke(&[]);
    authority.refresh();
    assert_eq!(verify(&authority, &bad), Ok(()));
}
