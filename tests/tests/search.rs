//! Search at the real doors: records are found by the values of searchable fields, by whom it is
//! allowed to, as often as it is, and without a value in a URL.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;

use serde_json::{Value, json};
use tresor_tests::{Answer, Site, Tenant, grpcurl, run};

const POLICY: &str = "fields:\n  nr: { action: clear }\n  \
    nachname: { info_type: LAST_NAME, searchable: exact }\n  \
    ort: { info_type: CITY, searchable: exact }\n  \
    iban: { info_type: IBAN_CODE }\n";
const PEOPLE: &str = "/v1/collections/people/records";

struct Setting {
    site: Site,
    tenant: Tenant,
}

impl Setting {
    fn new() -> Self {
        let site = Site::start_with_log("sled", "info");
        let tenant = site.tenant("burg");
        Self { site, tenant }.with_people("burg")
    }

    /// Gives a tenant the collection `people`, whose fields are searchable from the first version on.
    fn with_people(self, tenant: &str) -> Self {
        fs::write(self.site.path("policy.yaml"), POLICY).unwrap();
        let put = ["collection", "put", "people", "-f", "policy.yaml", "--tenant", tenant];
        self.site.operator(&put).ok();
        self
    }

    fn upload(&self, tenant: &Tenant, csv: &str) {
        let file = self.site.path("people.csv");
        fs::write(&file, csv).unwrap();
        let data = format!("@{}", file.display());
        let arguments = ["-H", "Content-Type: text/csv", "--data-binary", &data];
        let stored = self.site.curl(tenant, &format!("{PEOPLE}?id_field=nr"), &arguments);
        assert!(stored.body.contains("\"rejected\":0"), "{}", stored.body);
    }

    fn ask(&self, tenant: &Tenant, body: &Value) -> Answer {
        let file = self.site.path("body");
        fs::write(&file, body.to_string()).unwrap();
        let data = format!("@{}", file.display());
        let arguments = ["-H", "Content-Type: application/json", "--data-binary", &data];
        self.site.curl(tenant, &format!("{PEOPLE}:search"), &arguments)
    }

    fn page(&self, body: &Value) -> Value {
        let answer = self.ask(&self.tenant, body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    /// The ids of what is found, all pages together.
    fn found(&self, terms: &[(&str, &str)]) -> Vec<String> {
        let terms: Vec<_> = terms.iter().map(|(f, v)| json!({ "field": f, "value": v })).collect();
        let (mut ids, mut body) = (Vec::new(), json!({ "terms": terms, "page_size": 3 }));
        loop {
            let page = self.page(&body);
            assert_eq!(page["index_complete"], true, "{page}");
            let records = page["records"].as_array().unwrap();
            ids.extend(records.iter().map(|record| record["id"].as_str().unwrap().to_owned()));
            match page["next_page_token"].as_str() {
                Some(next) => body["page_token"] = next.into(),
                None => return ids,
            }
        }
    }
}

fn people() -> String {
    let mut csv = "nr;nachname;ort;iban\n".to_owned();
    for nr in 0..10 {
        csv += &format!("p{nr};Müller;{};DE89370400440532013000\n", ["Burg", "Genthin"][nr % 2]);
    }
    csv + "q1;Schmidt;Burg;DE89370400440532013000\n"
}

#[test]
fn records_are_found_by_the_values_of_their_fields_page_by_page() {
    let setting = Setting::new();
    setting.upload(&setting.tenant, &people());
    let all: Vec<_> = (0..10).map(|nr| format!("p{nr}")).collect();
    assert_eq!(setting.found(&[("nachname", "Müller")]), all);
    assert_eq!(setting.found(&[("nachname", "  mu\u{308}LLER ")]), all, "notation does not count");
    assert_eq!(setting.found(&[("ort", "Burg")]), ["p0", "p2", "p4", "p6", "p8", "q1"]);
    let both = [("ort", "Burg"), ("nachname", "Müller")];
    assert_eq!(setting.found(&both), ["p0", "p2", "p4", "p6", "p8"]);
    assert!(setting.found(&[("nachname", "Müll")]).is_empty(), "a part is not the value");

    let terms = json!([{ "field": "nachname", "value": "Schmidt" }]);
    let masked = setting.page(&json!({ "terms": terms }));
    assert_eq!(masked["records"][0]["record"]["nachname"], "S.", "{masked}");
    let plain = setting.page(&json!({ "terms": terms, "reveal": "plain", "fields": ["nachname"] }));
    assert_eq!(plain["records"][0]["record"], json!({ "nachname": "Schmidt" }));

    let delete = ["-X", "DELETE"];
    assert_eq!(setting.site.curl(&setting.tenant, &format!("{PEOPLE}/q1"), &delete).status, 204);
    assert!(setting.found(&[("nachname", "Schmidt")]).is_empty());
    setting.upload(&setting.tenant, "nr;nachname;ort;iban\np0;Lehmann;Burg;\n");
    assert_eq!(setting.found(&[("nachname", "Lehmann")]), ["p0"]);
    assert_eq!(setting.found(&[("nachname", "Müller")]), all[1..]);
}

#[test]
fn what_is_not_searchable_is_refused_by_its_name() {
    let setting = Setting::new();
    setting.upload(&setting.tenant, &people());
    for field in ["iban", "nr", "absent"] {
        let body = json!({ "terms": [{ "field": field, "value": "p0" }] });
        let refused = setting.ask(&setting.tenant, &body);
        assert_eq!((refused.status, refused.code().as_str()), (400, "invalid_request"), "{field}");
        let named = format!("field {field} is not searchable");
        assert!(refused.body.contains(&named), "{}", refused.body);
    }
    for body in [json!({ "terms": [] }), json!({ "terms": [{ "field": "ort", "value": null }] })] {
        assert_eq!(setting.ask(&setting.tenant, &body).status, 400, "{body}");
    }
    let many = vec![json!({ "field": "ort", "value": "Burg" }); 9];
    assert_eq!(setting.ask(&setting.tenant, &json!({ "terms": many })).status, 413);
    let of = |city: &str, token: &Value| {
        let terms = json!([{ "field": "ort", "value": city }]);
        json!({ "terms": terms, "page_size": 1, "page_token": token })
    };
    let first = setting.page(&of("Burg", &Value::Null));
    let token = &first["next_page_token"];
    assert_eq!(setting.page(&of("Burg", token))["records"][0]["id"], "p2");
    for page in [of("Genthin", token), of("Burg", &json!("p0"))] {
        let refused = setting.ask(&setting.tenant, &page);
        assert_eq!((refused.status, refused.code().as_str()), (400, "invalid_request"), "{page}");
    }
}

#[test]
fn nobody_finds_what_is_anothers_or_what_he_may_not() {
    let setting = Setting::new();
    let other = setting.site.tenant("herne");
    let setting = setting.with_people("herne");
    setting.upload(&setting.tenant, &people());
    setting.upload(&other, "nr;nachname;ort;iban\nh1;Kowalski;Herne;\n");
    let body = json!({ "terms": [{ "field": "nachname", "value": "Müller" }] });
    let theirs = setting.ask(&other, &body);
    assert_eq!((theirs.status, &theirs.json()["records"]), (200, &json!([])));
    assert!(setting.found(&[("nachname", "Kowalski")]).is_empty());

    let token = setting.site.path("masks.token");
    let issue = ["keys", "token", "issue", "--kind", "grant", "--operations", "read_masked"];
    let to = ["--token-file", token.to_str().unwrap()];
    setting.site.customer(&setting.tenant, &[&issue[..], &to[..]].concat()).ok();
    let headers = format!("Tresor-Customer-Token: {}", fs::read_to_string(&token).unwrap().trim());
    let client = setting.tenant.directory.join("client");
    let data = ["--data-binary", &body.to_string()];
    let path = format!("{PEOPLE}:search");
    let refused = setting.site.curl_bare(&client, &path, &data, Some(&headers));
    assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden"));
}

#[test]
fn a_day_has_so_many_searches_and_no_more() {
    let setting = Setting::new();
    setting.upload(&setting.tenant, &people());
    let update = ["tenant", "update", "burg", "--searches-per-day", "2", "--yes"];
    setting.site.operator(&update).ok();
    let body = json!({ "terms": [{ "field": "ort", "value": "Burg" }] });
    let statuses = [(); 3].map(|()| setting.ask(&setting.tenant, &body).status);
    assert_eq!(statuses, [200, 200, 429]);
    let shown = setting.site.operator(&["tenant", "show", "burg", "--output", "json"]);
    let usage = shown.ok().json()["usage"].clone();
    assert_eq!(
        (&usage["searches_used"], &usage["limits"]["searches_per_day"]),
        (&2.into(), &2.into())
    );
    assert_eq!(usage["refused"]["search_budget"], 1);
    let read = setting.site.curl(&setting.tenant, &format!("{PEOPLE}/p0"), &[]);
    assert_eq!(read.status, 200, "reading goes on");
}

#[test]
fn an_index_that_came_later_says_that_it_is_not_complete() {
    let mut setting = Setting::new();
    setting.site.write_configs(&[&setting.tenant.id]);
    assert_eq!(setting.site.vault().stop(), 0);
    setting.site.start_vault();
    let put = ["collection", "put", "later", "--tenant", "burg"];
    setting.site.operator(&put).ok();
    let searchable = [&put[..], &["-f", "policy.yaml"]].concat();
    setting.site.operator(&searchable).ok();
    let context = json!({
        "tenant": setting.tenant.id, "customer_token": setting.tenant.customer_token(),
    });
    let term = json!({ "field": "ort", "value": { "text": "Burg" } });
    let body = json!({ "context": context, "collection": "later", "terms": [term] });
    let method = "tresor.vault.v1.RecordService/Search";
    let found = grpcurl(&setting.site, "billing", &setting.site.data_plane(), method, &body);
    // What is false is left out.
    assert_eq!(found.ok().json(), json!({}));
}

#[test]
fn the_command_line_takes_values_from_a_file_or_its_input() {
    let setting = Setting::new();
    setting.upload(&setting.tenant, &people());
    let search = ["search", "people", "--field", "nachname", "--field", "ort", "--values"];
    let ids = |found: &Value| {
        let records = found["records"].as_array().unwrap();
        records.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    fs::write(setting.site.path("values"), "müller\nGenthin\n").unwrap();
    let json = ["values", "--output", "json"];
    let found = setting.site.customer(&setting.tenant, &[&search[..], &json].concat()).ok().json();
    assert_eq!(ids(&found), ["p1", "p3", "p5", "p7", "p9"]);
    assert_eq!(found["index_complete"], true);
    let few = ["-", "--limit", "2", "--output", "json"];
    let few = [&search[..], &few].concat();
    let mut command = setting.site.customer_command(&setting.tenant, &few);
    let found = run(&mut command, "Müller\nBurg\n").ok().json();
    assert_eq!(ids(&found), ["p0", "p2"]);
    let rest = ["--page-token", found["next_page_token"].as_str().unwrap()];
    let mut command = setting.site.customer_command(&setting.tenant, &[&few[..], &rest].concat());
    let found = run(&mut command, "Müller\nBurg\n").ok().json();
    assert_eq!(ids(&found), ["p4", "p6"]);
    let table = ["values", "--show", "ort", "--reveal", "plain"];
    let table = setting.site.customer(&setting.tenant, &[&search[..], &table].concat()).ok().stdout;
    assert!(table.contains("p9") && table.contains("Genthin") && !table.contains("p0"), "{table}");
    let mut without = setting.site.customer_command(&setting.tenant, &search[..6]);
    let refused = run(&mut without, "");
    assert!(refused.code == 2 && refused.stderr.contains("--values"), "{}", refused.stderr);
}
