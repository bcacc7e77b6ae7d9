use std::os::unix::fs::PermissionsExt as _;

use tresor_door::TrustFiles;
use tresor_proto::{ClientName, ServiceName, TenantId};
use x509_parser::{pem::parse_x509_pem, prelude::GeneralName};

use super::*;

fn domain() -> TrustDomain {
    TrustDomain::parse("tresor.example").unwrap()
}

fn service() -> Subject {
    Subject {
        name: CertificateName::Service(ServiceName::parse("edge").unwrap()),
        branch: Branch::Services,
        dns_names: vec!["localhost".to_owned()],
        addresses: vec!["127.0.0.1".parse().unwrap()],
    }
}

fn client() -> Subject {
    let client = ClientName::parse("planner").unwrap();
    let name = CertificateName::Client { tenant: TenantId::from_bytes([7; 16]), client };
    Subject::caller(name, Branch::Clients)
}

fn operator() -> Subject {
    let name = CertificateName::Service(ServiceName::parse("anna").unwrap());
    Subject::caller(name, Branch::Operators)
}

fn lasting(days: i64) -> Validity {
    Validity::lasting(Duration::days(days))
}

/// Whom the authorities of a branch, with their revocation list, take a certificate for.
fn verdict(directory: &Path, branch: Branch, file: &str) -> Result<CertificateName, &'static str> {
    let files = TrustFiles {
        revocation_lists: vec![directory.join(branch.revocation_list_file())],
        ..TrustFiles::new(directory.join(branch.certificate_file()))
    };
    let authority = tresor_door::Authority::load(files, domain()).unwrap();
    let pem = std::fs::read(directory.join(format!("{file}.pem"))).unwrap();
    let chain: Vec<_> =
        x509_parser::pem::Pem::iter_from_buffer(&pem).map(|pem| pem.unwrap().contents).collect();
    assert_eq!(chain.len(), 2, "the leaf and its branch");
    let verified = authority.verify(&chain[0], &chain[1..]);
    verified.map(|peer| peer.name).map_err(|error| error.reason())
}

/// URIs, other names, and whether the certificate is for servers and for clients.
fn issued(subject: &Subject) -> (Vec<String>, usize, bool, bool) {
    let directory = tempfile::tempdir().unwrap();
    CertificateAuthority::create(directory.path(), domain()).unwrap();
    let authority = CertificateAuthority::open(directory.path()).unwrap();
    let files = authority.issue(subject, lasting(1), (directory.path(), "leaf"), None).unwrap();
    assert_eq!(files.key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let (_, pem) = parse_x509_pem(&std::fs::read(&files.certificate).unwrap()).unwrap();
    let certificate = pem.parse_x509().unwrap();
    let ca = std::fs::read(directory.path().join(subject.branch.certificate_file())).unwrap();
    let (_, ca) = parse_x509_pem(&ca).unwrap();
    assert_eq!(certificate.issuer(), ca.parse_x509().unwrap().subject());
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    let names = names.value.general_names.clone();
    let uris = names.iter().filter_map(|name| {
        let GeneralName::URI(uri) = name else { return None };
        Some((*uri).to_owned())
    });
    let uris = uris.collect::<Vec<_>>();
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    let others = names.len() - uris.len();
    (uris, others, usage.server_auth, usage.client_auth)
}

#[test]
fn a_service_has_one_uri_and_may_answer_and_call() {
    let uris = vec!["spiffe://tresor.example/svc/edge".to_owned()];
    assert_eq!(issued(&service()), (uris, 2, true, true));
}

#[test]
fn a_client_has_one_uri_and_may_only_call() {
    let tenant = "07070707-0707-0707-0707-070707070707";
    let uri = format!("spiffe://tresor.example/tenant/{tenant}/client/planner");
    assert_eq!(issued(&client()), (vec![uri], 0, false, true));
}

#[test]
fn an_authority_is_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    CertificateAuthority::create(directory.path(), domain()).unwrap();
    let before = std::fs::read(directory.path().join(ROOT_KEY)).unwrap();
    assert!(CertificateAuthority::create(directory.path(), domain()).is_err());
    assert_eq!(std::fs::read(directory.path().join(ROOT_KEY)).unwrap(), before);
}

#[test]
fn the_trust_domain_is_remembered() {
    let directory = tempfile::tempdir().unwrap();
    CertificateAuthority::create(directory.path(), domain()).unwrap();
    let authority = CertificateAuthority::open(directory.path()).unwrap();
    assert_eq!(authority.trust_domain(), &domain());
}

#[test]
fn the_directory_of_an_authority_is_its_owner_s() {
    let directory = tempfile::tempdir().unwrap();
    let made = directory.path().join("ca");
    CertificateAuthority::create(&made, domain()).unwrap();
    assert_eq!(made.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_branch_takes_nobody_of_another_and_needs_no_root_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let authority = CertificateAuthority::create(path, domain()).unwrap();
    std::fs::remove_file(path.join(ROOT_KEY)).unwrap();
    for (subject, file) in [(client(), "client"), (service(), "service"), (operator(), "anna")] {
        authority.issue(&subject, lasting(1), (path, file), None).unwrap();
        for branch in Branch::ALL {
            let expected = if branch == subject.branch {
                Ok(subject.name.clone())
            } else {
                Err("certificate_foreign")
            };
            assert_eq!(verdict(path, branch, file), expected, "{file} at {branch:?}");
        }
    }
}

#[test]
fn a_revoked_certificate_is_on_the_list_of_its_branch_and_on_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let authority = CertificateAuthority::create(path, domain()).unwrap();
    for file in ["old", "new"] {
        authority.issue(&client(), lasting(1), (path, file), None).unwrap();
    }
    let services = std::fs::read(path.join("services.crl")).unwrap();
    let mut ledger = authority.ledger().unwrap();
    let old = ledger.issued()[0].clone();
    authority.revoke(&mut ledger, &[old]).unwrap();
    assert_eq!(verdict(path, Branch::Clients, "old"), Err("certificate_revoked"));
    assert_eq!(verdict(path, Branch::Clients, "new"), Ok(client().name));
    assert_eq!(std::fs::read(path.join("services.crl")).unwrap(), services);
    drop(ledger);
    // Written again from the list, it revokes the same.
    let ledger = authority.ledger().unwrap();
    assert_eq!(ledger.issued()[0].standing(OffsetDateTime::now_utc()), Standing::Revoked);
    authority.write_revocation_list(&ledger, Branch::Clients, 1).unwrap();
    assert_eq!(verdict(path, Branch::Clients, "old"), Err("certificate_revoked"));
}

#[test]
fn certificates_issued_at_once_are_all_on_the_list() {
    let directory = tempfile::tempdir().unwrap();
    CertificateAuthority::create(directory.path(), domain()).unwrap();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let path = directory.path();
            scope.spawn(move || {
                let authority = CertificateAuthority::open(path).unwrap();
                let file = format!("client-{number}");
                authority.issue(&client(), lasting(1), (path, &file), None).unwrap();
            });
        }
    });
    let authority = CertificateAuthority::open(directory.path()).unwrap();
    assert_eq!(authority.ledger().unwrap().issued().len(), 4);
}
