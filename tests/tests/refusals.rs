//! What the doors refuse: customer tokens, certificates, unknown things. Each gets its code of the
//! table, and nothing that tells one reason from another where that would help a thief.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{fs, path::PathBuf, process::Command};

use tresor_tests::{Answer, Site, Tenant, binary, run};

const RECORD: &str = "/v1/collections/customers/records/r1";

fn store_one(site: &Site, tenant: &Tenant) {
    let body = ["-H", "Content-Type: application/json", "--data-binary"];
    let body = [&body[..], &["{\"nr\":\"r1\",\"vorname\":\"Anna\"}"]].concat();
    let stored = site.curl(tenant, "/v1/collections/customers/records?id_field=nr", &body);
    assert_eq!(stored.status, 201, "{}", stored.body);
}

fn with_token(site: &Site, tenant: &Tenant, customer_token: Option<&str>) -> Answer {
    let header = customer_token.map(|text| format!("Tresor-Customer-Token: {text}"));
    site.curl_bare(&tenant.directory.join("client"), RECORD, &[], header.as_deref())
}

#[test]
fn every_wrong_customer_token_gets_the_same_answer() {
    let site = Site::start("sled");
    let (burg, herne) = (site.tenant("burg"), site.tenant("herne"));
    store_one(&site, &burg);
    store_one(&site, &herne);
    assert_eq!(with_token(&site, &burg, Some(&burg.customer_token())).status, 200);
    let own = burg.customer_token();
    let typo = format!("{}{}", &own[..own.len() - 1], if own.ends_with('a') { 'b' } else { 'a' });
    let other = herne.customer_token();
    // Of the right form, with the right checksum, never issued.
    let never = "trsr_14fhprYCYlTyUewFx_EHaKB2qyjGii2QpQPwpQat5bqPfpaJ2HRtLYCZ2jm4i4ORhGB";
    let mut bodies = Vec::new();
    for wrong in [None, Some(""), Some("x"), Some(typo.as_str()), Some(&other), Some(never)] {
        let answer = with_token(&site, &burg, wrong);
        assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"), "{wrong:?}");
        let mut problem = answer.json();
        problem.as_object_mut().unwrap().remove("request_id");
        bodies.push(problem);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
    // The operator is told what the caller is not.
    let logs = ["external-api.log", "internal-api.log"].map(|name| site.path(name));
    let [edge, vault] = logs.map(|path| fs::read_to_string(path).unwrap());
    assert!(edge.contains("reason=customer_token_missing"), "{edge}");
    assert!(vault.contains("reason=customer_token_unknown"), "{vault}");
}

#[test]
fn unknown_records_and_collections_are_not_found() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    store_one(&site, &tenant);
    for (path, arguments) in [
        ("/v1/collections/customers/records/r2", &[][..]),
        ("/v1/collections/unknown/records", &[]),
        ("/v1/collections/customers/records/r2", &["-X", "DELETE"]),
        ("/v1/nowhere", &[]),
    ] {
        let answer = site.curl(&tenant, path, arguments);
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{path}");
    }
    let body = ["-H", "Content-Type: application/json", "--data-binary", "{\"a\":1}"];
    let answer = site.curl(&tenant, "/v1/collections/unknown/records", &body);
    assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"));
    let body = ["-H", "Content-Type: application/pdf", "--data-binary", "{\"a\":1}"];
    let answer = site.curl(&tenant, "/v1/collections/customers/records", &body);
    assert_eq!((answer.status, answer.code().as_str()), (415, "unsupported_media_type"));
}

/// Signs a client certificate with openssl, with these alternative names and dates.
fn openssl_certificate(site: &Site, name: &str, authority: &str, names: &str) -> PathBuf {
    let path = |suffix: &str| site.path(&format!("{name}.{suffix}")).display().to_string();
    let openssl = |arguments: &[&str]| run(Command::new("openssl").args(arguments), "").ok();
    openssl(&[
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        &path("key"),
        "-out",
        &path("csr"),
        "-subj",
        "/CN=client",
    ]);
    let extensions = match names {
        "" => "extendedKeyUsage=clientAuth\n".to_owned(),
        names => format!("extendedKeyUsage=clientAuth\nsubjectAltName={names}\n"),
    };
    fs::write(path("ext"), extensions).unwrap();
    let (ca, ca_key) = (format!("{authority}.pem"), format!("{authority}.key"));
    openssl(&[
        "x509",
        "-req",
        "-in",
        &path("csr"),
        "-CA",
        &ca,
        "-CAkey",
        &ca_key,
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        &path("ext"),
        "-out",
        &path("pem"),
    ]);
    site.path(name)
}

#[test]
fn certificates_that_are_not_a_clients_never_get_through_the_handshake() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    let ca = site.path("ca/clients").display().to_string();
    let uri = format!("URI:spiffe://tresor.local/tenant/{}/client/planner", tenant.id);
    let good = openssl_certificate(&site, "good", &ca, &uri);
    assert_eq!(site.curl_bare(&good, "/v1/limits", &[], None).status, 200);

    site.tresor(&["ca", "init", "--dir", "foreign"]).ok();
    let foreign = site.path("foreign/clients").display().to_string();
    let expired = ["--not-before", "2020-01-01T00:00:00Z", "--not-after", "2020-02-01T00:00:00Z"];
    let issue = ["ca", "issue", "client", "expired", "--tenant", &tenant.id, "--dir", "ca"];
    site.tresor(&[&issue[..], &expired[..]].concat()).ok();
    let upper = uri.replace("tenant", "Tenant");
    for identity in [
        openssl_certificate(&site, "nameless", &ca, ""),
        openssl_certificate(&site, "dns-only", &ca, "DNS:client"),
        openssl_certificate(&site, "two", &ca, &format!("{uri},{uri}2")),
        openssl_certificate(&site, "upper", &ca, &upper),
        openssl_certificate(&site, "foreign-signed", &foreign, &uri),
        site.path("ca/expired"),
    ] {
        let answer = site.curl_bare(&identity, "/v1/limits", &[], None);
        assert_eq!(answer.status, 0, "{}", identity.display());
        assert_ne!(answer.curl, 0, "{}", identity.display());
    }
    let plain = run(Command::new("curl").args(["-sk", &site.url("/v1/limits")]), "");
    assert_ne!(plain.code, 0, "no certificate at all");
    let service = site.curl_bare(&site.path("ca/billing"), "/v1/limits", &[], None);
    assert_ne!(service.status, 200, "a service's certificate on the customers' door");
}

#[test]
fn a_certificate_of_one_tenant_with_the_customer_token_of_another_is_refused() {
    let site = Site::start("redb");
    let (burg, herne) = (site.tenant("burg"), site.tenant("herne"));
    store_one(&site, &burg);
    let header = format!("Tresor-Customer-Token: {}", burg.customer_token());
    let identity = herne.directory.join("client");
    let answer = site.curl_bare(&identity, RECORD, &[], Some(&header));
    assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"));
}

#[test]
fn a_tenant_enrols_once_with_its_own_code() {
    let site = Site::start("sled");
    let (burg, herne) = (site.registered_tenant("burg"), site.registered_tenant("herne"));
    let enrol = |tenant: &Tenant, code: &str| {
        let body = format!("{{\"enrolment_code\":\"{code}\"}}");
        site.write_private("code.json", &body);
        let data = format!("@{}", site.path("code.json").display());
        let arguments = ["-H", "Content-Type: application/json", "--data-binary", &data];
        site.curl_bare(&tenant.directory.join("client"), "/v1/enrol", &arguments, None)
    };
    let code = |tenant: &Tenant| {
        fs::read_to_string(tenant.directory.join("code")).unwrap().trim().to_owned()
    };
    assert_eq!(enrol(&burg, &code(&herne)).status, 401);
    assert_eq!(enrol(&burg, "tre_nonsense").status, 401);
    let enrolled = enrol(&burg, &code(&burg));
    assert_eq!(enrolled.status, 201, "{}", enrolled.body);
    assert!(enrolled.json()["customer_token"].as_str().unwrap().starts_with("trsr_"));
    let again = enrol(&burg, &code(&burg));
    assert_eq!((again.status, again.code().as_str()), (409, "already_exists"));
}

#[test]
fn a_second_process_on_the_same_data_directory_is_refused() {
    let mut site = Site::start("sled");
    let config = site.path("internal-api.toml");
    let second = run(Command::new(binary("internal-api")).arg("--config").arg(config), "");
    assert_eq!(second.code, 1);
    assert!(second.stderr.contains("in use"), "{}", second.stderr);
    assert!(site.vault().is_running());
}
