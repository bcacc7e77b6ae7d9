use std::sync::atomic::{AtomicU64, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use tempfile::TempDir;
use tresor_door::TrustFiles;
use tresor_proto::{ErrorCode, TrustDomain};

use super::*;

const TENANT: &str = "0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b1";

/// A clock that starts with the machine's, which rustls reads, and is moved by the test.
struct MovedClock(AtomicU64);

impl Clock for MovedClock {
    fn now_ms(&self) -> u64 {
        tresor_vault::clock::SystemClock.now_ms() + self.0.load(Ordering::Relaxed)
    }
}

struct Fixture {
    issuer: Issuer<'static, KeyPair>,
    clock: Arc<MovedClock>,
    check: EvidenceCheck,
    directory: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = params.self_signed(&key).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        std::fs::write(&path, authority.pem()).unwrap();
        let domain = TrustDomain::parse("tresor.local").unwrap();
        let clock = Arc::new(MovedClock(AtomicU64::new(0)));
        let denied = directory.path().join("denied");
        std::fs::write(&denied, "").unwrap();
        let files = TrustFiles { denied_certificates: Some(denied), ..TrustFiles::new(path) };
        let authority = Authority::load(files, domain).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            check: EvidenceCheck::new(authority, Arc::clone(&clock) as Arc<dyn Clock>),
            clock,
            directory,
        }
    }

    /// Evidence of a certificate that names `path` and is valid for some seconds from now.
    fn evidence(&self, path: &str, valid_for_s: i64) -> Evidence {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let uri = format!("spiffe://tresor.local/{path}");
        params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let now_s = i64::try_from(self.clock.now_ms() / 1_000).unwrap();
        let at = |seconds: i64| {
            let epoch = rcgen::date_time_ymd(1970, 1, 1);
            epoch + std::time::Duration::from_secs(u64::try_from(seconds).unwrap())
        };
        params.not_before = at(now_s - 3_600);
        params.not_after = at(now_s + valid_for_s);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        wire(certificate.der().to_vec()).try_into().unwrap()
    }

    fn client(&self, evidence: &Evidence) -> Result<Caller, ErrorCode> {
        self.check.client(evidence).map_err(|failure| failure.code())
    }
}

fn wire(leaf_der: Vec<u8>) -> vault::ClientEvidence {
    vault::ClientEvidence {
        leaf_der,
        chain_der: Vec::new(),
        source_address: "::ffff:192.0.2.7".to_owned(),
        session: String::new(),
    }
}

fn client_path() -> String {
    format!("tenant/{TENANT}/client/planner")
}

#[test]
fn a_valid_certificate_shows_the_client_of_its_tenant() {
    let fixture = Fixture::new();
    let evidence = fixture.evidence(&client_path(), 3_600);
    for _ in 0..2 {
        let Ok(Caller::Client { tenant, client, source_address, .. }) = fixture.client(&evidence)
        else {
            panic!("a client is shown");
        };
        assert_eq!(tenant.to_string(), TENANT);
        assert_eq!(client.as_str(), "planner");
        assert_eq!(source_address.to_string(), "192.0.2.7");
    }
}

#[test]
fn a_services_certificate_is_no_evidence_of_a_client() {
    let fixture = Fixture::new();
    let evidence = fixture.evidence("svc/edge", 3_600);
    assert_eq!(fixture.client(&evidence).err(), Some(ErrorCode::Unauthenticated));
}

#[test]
fn an_expired_certificate_is_refused() {
    let fixture = Fixture::new();
    let evidence = fixture.evidence(&client_path(), -10);
    assert_eq!(fixture.client(&evidence).err(), Some(ErrorCode::Unauthenticated));
}

#[test]
fn a_remembered_certificate_is_refused_from_the_second_it_expires() {
    let fixture = Fixture::new();
    let evidence = fixture.evidence(&client_path(), 30);
    assert!(fixture.client(&evidence).is_ok());
    fixture.clock.0.store(32_000, Ordering::Relaxed);
    assert_eq!(fixture.client(&evidence).err(), Some(ErrorCode::Unauthenticated));
}

#[test]
fn a_chain_is_verified_again_after_a_minute() {
    let fixture = Fixture::new();
    let evidence = fixture.evidence(&client_path(), 3_600);
    assert!(fixture.client(&evidence).is_ok());
    let first = fixture.check.remembered.get(&evidence.chain).unwrap();
    fixture.clock.0.store(REMEMBERED_MS + 1, Ordering::Relaxed);
    assert!(fixture.client(&evidence).is_ok());
    let second = fixture.check.remembered.get(&evidence.chain).unwrap();
    assert!(second.verified_ms > first.verified_ms);
}

#[test]
fn a_remembered_certificate_is_refused_once_it_is_denied() {
    let fixture = Fixture::new();
    let evidence = fixture.evidence(&client_path(), 3_600);
    let Ok(Caller::Client { certificate_digest, .. }) = fixture.client(&evidence) else {
        panic!("a client is shown");
    };
    let hex: String = certificate_digest.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(fixture.directory.path().join("denied"), hex).unwrap();
    fixture.check.authority.refresh();
    assert_eq!(fixture.client(&evidence).err(), Some(ErrorCode::Unauthenticated));
}

#[test]
fn a_foreign_authoritys_certificate_is_refused() {
    let evidence = Fixture::new().evidence(&client_path(), 3_600);
    let other = Fixture::new();
    assert_eq!(other.client(&evidence).err(), Some(ErrorCode::Unauthenticated));
}

#[test]
fn a_certificate_with_a_flipped_bit_is_refused() {
    let fixture = Fixture::new();
    let mut evidence = fixture.evidence(&client_path(), 3_600);
    assert!(fixture.client(&evidence).is_ok());
    *evidence.chain.0[0].last_mut().unwrap() ^= 1;
    assert_eq!(fixture.client(&evidence).err(), Some(ErrorCode::Unauthenticated));
}

#[test]
fn nonsense_is_refused_before_it_is_verified() {
    let refused = |wire: vault::ClientEvidence| {
        let parsed = Evidence::try_from(wire);
        parsed.err().map(|failure| failure.code())
    };
    let mut long = wire(Vec::new());
    long.chain_der = vec![Vec::new(); CERTIFICATE_CHAIN_MAX];
    assert_eq!(refused(long), Some(ErrorCode::Unauthenticated));
    let large = wire(vec![0; CERTIFICATE_BYTES_MAX + 1]);
    assert_eq!(refused(large), Some(ErrorCode::Unauthenticated));
    let mut nowhere = wire(Vec::new());
    nowhere.source_address = "example.org".to_owned();
    assert_eq!(refused(nowhere), Some(ErrorCode::InvalidRequest));
    let empty = Evidence::try_from(wire(Vec::new())).ok().unwrap();
    let fixture = Fixture::new();
    assert_eq!(fixture.client(&empty).err(), Some(ErrorCode::Unauthenticated));
}
