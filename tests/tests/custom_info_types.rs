//! Info types that a tenant defines, from the policy to the record and back: screened, sealed, masked,
//! found, traded and counted like those of the taxonomy, and unknown to whoever has no policy of them.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;

use serde_json::{Value, json};
use tresor_tests::{Answer, Ran, Site, Tenant, grpcurl};

const NUMBER: &str = "CUSTOMER_NUMBER";
const POLICY: &str = "\
info_types:
  CUSTOMER_NUMBER: { words: [kundennummer, customer no], pattern: 'K-[0-9]{6}', class: identity, mask: { keep_last: 2 } }
  BADGE: { pattern: 'B[0-9]{5}', checksum: luhn }
fields:
  nr: { action: clear }
  kunde: { info_type: CUSTOMER_NUMBER, searchable: exact }
  vertrag: { info_type: CUSTOMER_NUMBER, tokenize: random }
  konto: { info_type: CUSTOMER_NUMBER, tokenize: deterministic }
  notiz: { info_type: FREE_TEXT, redacted_copy: notiz_lesbar }
";
const CSV: &str = "nr;kunde;vertrag;konto;Kundennummer;f5;notiz\n\
    1;K-111111;K-222222;K-333333;K-444444;B12344;Frau Maier fragt nach K-555555 am Tor.\n\
    2;K-666666;K-222222;K-333333;K-777777;B12344;Alles wie besprochen gut.\n";
const RECORDS: &str = "/v1/collections/members/records";

struct Setting {
    site: Site,
    tenant: Tenant,
}

impl Setting {
    fn new() -> Self {
        let site = Site::start_with_log("sled", "info");
        let tenant = site.tenant("burg");
        fs::write(site.path("policy.yaml"), POLICY).unwrap();
        fs::write(site.path("members.csv"), CSV).unwrap();
        let setting = Self { site, tenant };
        setting.put("members", "policy.yaml").ok();
        setting
    }

    fn put(&self, collection: &str, file: &str) -> Ran {
        self.site.operator(&["collection", "put", collection, "-f", file, "--tenant", "burg"])
    }

    fn post(&self, path: &str, content_type: &str, body: &str) -> Answer {
        fs::write(self.site.path("body"), body).unwrap();
        let data = format!("@{}", self.site.path("body").display());
        let content_type = format!("Content-Type: {content_type}");
        self.site.curl(&self.tenant, path, &["-H", &content_type, "--data-binary", &data])
    }

    fn ask(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, "application/json", &body.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    fn upload(&self) -> Vec<Value> {
        let path = format!("{RECORDS}?id_field=nr&explain=true");
        let lines = self.post(&path, "text/csv", CSV).lines();
        assert_eq!(lines.last().unwrap()["summary"]["rejected"], 0, "{lines:?}");
        lines
    }
}

/// A field of a told record.
fn field<'a>(record: &'a Value, name: &str) -> &'a Value {
    let fields = record["fields"].as_array().unwrap();
    fields.iter().find(|field| field["name"] == name).unwrap()
}

#[test]
fn values_of_a_custom_info_type_are_screened_sealed_masked_and_found() {
    let setting = Setting::new();
    let lines = setting.upload();
    let verdict = |name: &str| {
        let verdicts = lines[0]["verdicts"].as_array().unwrap();
        let verdict = verdicts.iter().find(|verdict| verdict["name"] == name).unwrap();
        (verdict["info_type"].clone(), verdict["class"].clone(), verdict["evidence"].clone())
    };
    let word = "field name: a word of the policy; custom pattern";
    assert_eq!(verdict("Kundennummer"), (json!(NUMBER), json!("identity"), json!(word)));
    let badge = "custom pattern, custom checksum luhn ok";
    assert_eq!(verdict("f5"), (json!("BADGE"), json!("other"), json!(badge)));

    let masked = setting.site.curl(&setting.tenant, &format!("{RECORDS}/1"), &[]).json();
    for (name, info_type, mask) in [
        ("kunde", NUMBER, "•••11"),
        ("vertrag", NUMBER, "•••22"),
        ("Kundennummer", NUMBER, "•••44"),
        ("f5", "BADGE", "•••44"),
    ] {
        let (told, value) = (field(&masked, name), &masked["record"][name]);
        assert_eq!((&told["info_type"], value), (&json!(info_type), &json!(mask)));
        assert_eq!(told["state"], "masked", "{name}");
    }
    let copy = &masked["record"]["notiz_lesbar"];
    assert_eq!(copy, "Frau [PERSON_NAME] fragt nach [CUSTOMER_NUMBER] am Tor.");
    let found = setting.ask(
        &format!("{RECORDS}:search"),
        &json!({ "terms": [{ "field": "kunde", "value": "k-666666" }] }),
    );
    assert_eq!(found["records"][0]["id"], "2", "{found}");
    let inventory = [
        "collection",
        "inventory",
        "--tenant",
        "burg",
        "--collection",
        "members",
        "--output",
        "json",
    ];
    let inventory = setting.site.operator(&inventory).ok().stdout;
    assert!(inventory.contains(NUMBER) && inventory.contains("BADGE"), "{inventory}");
}

#[test]
fn values_of_a_custom_info_type_are_traded_for_surrogates_and_back() {
    let setting = Setting::new();
    setting.upload();
    let masked =
        |id: &str| setting.site.curl(&setting.tenant, &format!("{RECORDS}/{id}"), &[]).json();
    let surrogate = |record: &Value, name: &str| field(record, name)["surrogate"].clone();
    let (first, second) = (masked("1"), masked("2"));
    assert!(surrogate(&first, "vertrag").as_str().unwrap().starts_with("srg_x1_"), "{first}");
    assert_ne!(surrogate(&first, "vertrag"), surrogate(&second, "vertrag"));
    assert_eq!(surrogate(&first, "konto"), surrogate(&second, "konto"));
    let alike =
        json!({ "info_type": NUMBER, "kind": "deterministic", "items": [{ "value": "K-333333" }] });
    let given = setting.ask("/v1/tokenize", &alike);
    assert_eq!(given["results"][0]["surrogate"], surrogate(&first, "konto"), "{given}");
    let items = json!([{ "surrogate": surrogate(&first, "vertrag") }]);
    let value =
        &setting.ask("/v1/detokenize", &json!({ "reveal": "plain", "items": items }))["results"][0];
    let told = [&value["value"], &value["info_type"], &value["class"]];
    assert_eq!(told, ["K-222222", NUMBER, "identity"], "{value}");
    let unknown =
        setting.ask("/v1/tokenize", &json!({ "info_type": "MEMBER", "items": [{ "value": "M" }] }));
    assert!(unknown.to_string().contains("unknown info type"), "{unknown}");
    let preserving = json!({
        "info_type": NUMBER, "kind": "format-preserving", "format": "digits", "items": [{ "value": "1" }]
    });
    let refused = setting.post("/v1/tokenize", "application/json", &preserving.to_string());
    assert!(refused.body.contains("random or deterministic"), "{}", refused.body);

    // The command line takes the name, too.
    fs::write(setting.site.path("numbers.txt"), "K-333333\n").unwrap();
    let tokenize =
        ["tokenize", "numbers.txt", "--info-type", "customer_number", "--kind", "deterministic"];
    let out = setting.site.customer(&setting.tenant, &tokenize).ok().stdout;
    assert_eq!(out.trim(), surrogate(&first, "konto"));
    fs::write(setting.site.path("surrogates.txt"), &out).unwrap();
    let shown =
        setting.site.customer(&setting.tenant, &["detokenize", "surrogates.txt"]).ok().stdout;
    assert_eq!(shown.trim(), "•••33");
}

#[test]
fn reports_of_files_and_dry_runs_know_the_types_of_the_policy() {
    let setting = Setting::new();
    let screen = ["screen", "members.csv", "--policy", "policy.yaml"];
    let json_of = |more: &[&str]| {
        setting.site.tresor(&[&screen[..], &["--output", "json"], more].concat()).ok().json()
    };
    let report = json_of(&["--html", "report.html", "--propose", "proposed.yaml"]);
    let column = |name: &str| {
        let columns = report["columns"].as_array().unwrap();
        columns.iter().find(|column| column["name"] == name).unwrap().clone()
    };
    assert_eq!(column("Kundennummer")["examples"], json!(["•••44", "•••77"]));
    assert_eq!(column("f5")["info_type"], "BADGE");
    assert_eq!(column("notiz")["in_text"][NUMBER], 1);
    for file in ["report.html", "proposed.yaml"] {
        let text = fs::read_to_string(setting.site.path(file)).unwrap();
        assert!(
            text.contains(NUMBER) && text.contains("BADGE") && !text.contains("K-4444"),
            "{file}"
        );
    }
    // What is proposed is a policy that can be put, and means the same.
    setting.put("members", "proposed.yaml").ok();
    let dry = ["-H", "Accept: application/json", "-H", "Content-Type: text/csv", "--data-binary"];
    let data = format!("@{}", setting.site.path("members.csv").display());
    setting.put("members", "policy.yaml").ok();
    let path = "/v1/screen?collection=members";
    let by_route = setting.site.curl(&setting.tenant, path, &[&dry[..], &[&data]].concat()).json();
    assert_eq!(by_route["columns"], report["columns"]);
    let tried = ["collection", "test", "policy.yaml", "members.csv", "--output", "json"];
    assert_eq!(setting.site.tresor(&tried).ok().json()["columns"], report["columns"]);
}

#[test]
fn a_definition_that_cannot_be_is_refused_with_its_line_and_a_second_meaning_with_the_collection() {
    let setting = Setting::new();
    for (definition, line, reason) in [
        ("K: { pattern: '(a+' }", "line 2", "unclosed group"),
        ("K: { pattern: '(a{1000}){1000}' }", "line 2", "too large an automaton"),
        (
            "K: { pattern: 'K[0-9]+', checksum: crc }",
            "line 2",
            "luhn, gs1, mod11-10, mod97-10, iban, icao",
        ),
        ("IBAN_CODE: { words: [konto] }", "line 2", "is there already"),
        ("K: { words: [k1] }", "line 2", "two letters"),
    ] {
        fs::write(setting.site.path("wrong.yaml"), format!("info_types:\n  {definition}\n"))
            .unwrap();
        let refused = setting.put("others", "wrong.yaml");
        assert_eq!(refused.code, 2, "{definition}: {}", refused.stderr);
        let told = &refused.stderr;
        assert!(told.contains(line) && told.contains(reason), "{definition}: {told}");
    }
    fs::write(setting.site.path("other.yaml"), POLICY.replace("K-[0-9]{6}", "L-[0-9]{6}")).unwrap();
    let refused = setting.put("others", "other.yaml");
    assert!(
        refused.code != 0 && refused.stderr.contains("the collection members"),
        "{}",
        refused.stderr
    );
    setting.put("members", "other.yaml").ok();
}

#[test]
fn a_forged_upload_cannot_bring_a_type_that_the_policy_does_not_define() {
    let mut setting = Setting::new();
    setting.site.write_configs(&[&setting.tenant.id]);
    assert_eq!(setting.site.vault().stop(), 0);
    setting.site.start_vault();
    let context = json!({
        "tenant": setting.tenant.id, "customer_token": setting.tenant.customer_token(),
    });
    let put = |collection: &str, info_type: &str| {
        let field =
            json!({ "name": "f1", "value": { "text": "K-888888" }, "info_type": info_type });
        let body = json!({
            "context": context,
            "destination": { "collection": collection },
            "records": [{ "id": "f", "fields": [field] }],
        });
        let method = "tresor.vault.v1.RecordService/Put";
        let (site, server) = (&setting.site, setting.site.data_plane());
        grpcurl(site, "billing", &server, method, &body).ok().json()["results"][0].clone()
    };
    for (collection, info_type) in
        [("members", "MEMBER"), ("customers", NUMBER), ("members", "ＫUNDE")]
    {
        let told = put(collection, info_type).to_string();
        assert!(!told.contains("stored\":") && told.contains("status"), "{info_type}: {told}");
    }
    // One that it defines is of the class that the policy says, not of what the caller left out.
    assert!(put("members", NUMBER).to_string().contains("stored"), "{}", put("members", NUMBER));
    let masked = setting.site.curl(&setting.tenant, &format!("{RECORDS}/f"), &[]).json();
    let told = [&field(&masked, "f1")["class"], &masked["record"]["f1"]];
    assert_eq!(told, ["identity", "•••88"], "{masked}");
}
