use std::os::unix::fs::PermissionsExt as _;

use tresor_proto::{ClientName, ServiceName, TenantId};
use x509_parser::{pem::parse_x509_pem, prelude::GeneralName};

use super::*;

fn domain() -> TrustDomain {
    TrustDomain::parse("tresor.example").unwrap()
}

fn service() -> Subject {
    Subject {
        name: CertificateName::Service(ServiceName::parse("edge").unwrap()),
        dns_names: vec!["localhost".to_owned()],
        addresses: vec!["127.0.0.1".parse().unwrap()],
    }
}

fn client() -> Subject {
    let client = ClientName::parse("planner").unwrap();
    let name = CertificateName::Client { tenant: TenantId::from_bytes([7; 16]), client };
    Subject { name, dns_names: Vec::new(), addresses: Vec::new() }
}

/// URIs, other names, and whether the certificate is for servers and for clients.
fn issued(subject: &Subject) -> (Vec<String>, usize, bool, bool) {
    let directory = tempfile::tempdir().unwrap();
    CertificateAuthority::create(directory.path(), domain()).unwrap();
    let authority = CertificateAuthority::open(directory.path()).unwrap();
    let validity = Validity::lasting(Duration::days(1));
    let files = authority.issue(subject, validity, directory.path(), "leaf").unwrap();
    assert_eq!(files.key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let (_, pem) = parse_x509_pem(&std::fs::read(&files.certificate).unwrap()).unwrap();
    let certificate = pem.parse_x509().unwrap();
    let ca = std::fs::read(directory.path().join(AUTHORITY_CERTIFICATE)).unwrap();
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
    let before = std::fs::read(directory.path().join(AUTHORITY_KEY)).unwrap();
    assert!(CertificateAuthority::create(directory.path(), domain()).is_err());
    assert_eq!(std::fs::read(directory.path().join(AUTHORITY_KEY)).unwrap(), before);
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
