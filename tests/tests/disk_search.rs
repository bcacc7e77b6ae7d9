//! Sentinel values and secrets through every operation and its refusals, with logs at `trace`:
//! afterwards none of them is found in any file of the installation but those of the customer.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;

use tresor_tests::{Site, Tenant, hits_in_directory};

const RECORDS: &str = "/v1/collections/customers/records";

/// Personal values that nothing but a leak can put into a file.
const SENTINELS: [&str; 5] = [
    "Xaverius-Sentinel",
    "sentinel.q7@example.org",
    "DE02120300000000202051",
    "Der Schluessel liegt beim Sentinel-Nachbarn",
    "Sentinelweg 77b",
];

fn body() -> String {
    let [name, mail, iban, note, street] = SENTINELS;
    format!(
        "{{\"nr\":\"r1\",\"vorname\":\"{name}\",\"mail\":\"{mail}\",\"iban\":\"{iban}\",\
         \"bemerkung\":\"{note}\",\"strasse\":\"{street}\"}}"
    )
}

fn call_everything(site: &Site, tenant: &Tenant) {
    // Through standard input would meet the customer token; a file of the customer's it is.
    let file = tenant.directory.join("body.json");
    fs::write(&file, body()).unwrap();
    let data = format!("@{}", file.display());
    let json = ["-H", "Content-Type: application/json", "--data-binary", &data];
    let stored = site.curl(tenant, &format!("{RECORDS}?id_field=nr&explain=true"), &json);
    assert_eq!(stored.status, 201, "{}", stored.body);
    let again = site.curl(tenant, &format!("{RECORDS}?id_field=nr"), &json);
    assert_eq!(again.status, 201, "{}", again.body);
    let csv = ["-H", "Content-Type: text/csv", "--data-binary", &data];
    let refusals = [
        (RECORDS.to_owned(), &csv[..]),
        ("/v1/collections/unknown/records".to_owned(), &json[..]),
        (format!("{RECORDS}?id_field=mail"), &json[..]),
        (format!("{RECORDS}?id_field=none"), &json[..]),
        ("/v1/screen".to_owned(), &json[..]),
        ("/v1/enrol".to_owned(), &json[..]),
    ];
    for (path, arguments) in &refusals {
        let _ = site.curl(tenant, path, arguments);
    }
    for reveal in ["plain", "masked", "redacted", "nonsense"] {
        let _ = site.curl(tenant, &format!("{RECORDS}/r1?reveal={reveal}"), &[]);
        let _ = site.curl(tenant, &format!("{RECORDS}?reveal={reveal}"), &[]);
    }
    let _ = site.customer(tenant, &["get", "r1", "--collection", "customers"]);
}

#[test]
fn no_file_holds_a_sealed_value_or_a_customer_token() {
    for engine in ["sled", "redb"] {
        let mut site = Site::start(engine);
        let (burg, herne) = (site.tenant("burg"), site.tenant("herne"));
        call_everything(&site, &burg);
        let stolen = format!("Tresor-Customer-Token: {}", burg.customer_token());
        let _ = site.curl_bare(&herne.directory.join("client"), RECORDS, &[], Some(&stolen));
        let customer_token = burg.customer_token();
        let secret = customer_token.rsplit('_').next().unwrap().to_owned();
        let code = fs::read_to_string(burg.directory.join("code")).unwrap();
        let deleted = site.curl(&burg, &format!("{RECORDS}/r1"), &["-X", "DELETE"]);
        assert_eq!(deleted.status, 204);
        // While it runs, and after it has stopped: what the customer keeps is the customer's.
        fs::remove_dir_all(&burg.directory).unwrap();
        let mut values = SENTINELS.to_vec();
        values.extend([customer_token.as_str(), secret.as_str(), code.trim()]);
        assert_eq!(hits_in_directory(&site.path(""), &values), [], "{engine}, running");
        assert_eq!(site.edge().stop(), 0);
        assert_eq!(site.vault().stop(), 0);
        assert_eq!(hits_in_directory(&site.path(""), &values), [], "{engine}, stopped");
        let log = fs::read_to_string(site.path("internal-api.log")).unwrap();
        assert!(log.contains("customer enrolled"), "the search has logs to look into");
    }
}
