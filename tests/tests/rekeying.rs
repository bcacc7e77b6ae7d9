//! `tresor keys rekey-identifiers` at the real doors: what was found is found and what was given for
//! a value is given for it, before, while and after the keys are replaced.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;

use serde_json::{Value, json};
use tresor_tests::{Site, Tenant, run};

const POLICY: &str = "fields:\n  nr: { action: clear }\n  \
    name: { info_type: LAST_NAME, tokenize: deterministic, searchable: exact }\n";
const PEOPLE: usize = 12;
const REKEY: [&str; 4] = ["keys", "rekey-identifiers", "--tenant", "burg"];
const AS_JSON: [&str; 2] = ["--output", "json"];

struct Setting {
    site: Site,
    tenant: Tenant,
}

/// What users have of the identifier keys: surrogates by the command line and in a copy of an upload.
#[derive(Debug, PartialEq, Eq)]
struct Surrogates {
    given: String,
    copied: String,
}

impl Setting {
    fn new() -> Self {
        let site = Site::start("redb");
        let tenant = site.tenant("burg");
        fs::write(site.path("policy.yaml"), POLICY).unwrap();
        let put = ["collection", "put", "people", "-f", "policy.yaml", "--tenant", "burg"];
        site.operator(&put).ok();
        let row = |nr| format!("p{nr},Muster-{nr}\n");
        let csv: String = (0..PEOPLE).map(row).collect();
        fs::write(site.path("people.csv"), format!("nr,name\n{csv}")).unwrap();
        Self { site, tenant }
    }

    fn told(&self, arguments: &[&[&str]]) -> Value {
        self.site.operator(&[&arguments.concat()[..], &AS_JSON].concat()).ok().json()
    }

    /// Uploads everybody, and gives everybody a surrogate; both may be repeated.
    fn surrogates(&self, turn: usize) -> Surrogates {
        let out = format!("copy-{turn}.csv");
        let upload = ["upload", "people.csv", "--collection", "people", "--id-field", "nr"];
        self.site.customer(&self.tenant, &[&upload[..], &["--out", &out]].concat()).ok();
        let names: String = (0..PEOPLE).map(|nr| format!("Beispiel-{nr}\n")).collect();
        let tokenize = ["tokenize", "-", "--info-type", "LAST_NAME", "--kind", "deterministic"];
        let given = run(&mut self.site.customer_command(&self.tenant, &tokenize), names).ok();
        let copied = fs::read_to_string(self.site.path(&out)).unwrap();
        assert!(copied.contains("srg_") && given.stdout.contains("srg_"), "{copied}");
        Surrogates { given: given.stdout, copied }
    }

    fn assert_all_found(&self) {
        for nr in 0..PEOPLE {
            let search = ["search", "people", "--field", "name", "--values", "-"];
            let search = [&search[..], &AS_JSON].concat();
            let mut search = self.site.customer_command(&self.tenant, &search);
            let found = run(&mut search, format!("MUSTER-{nr}\n")).ok().json();
            let records = found["records"].as_array().unwrap();
            let ids: Vec<_> = records.iter().map(|record| &record["id"]).collect();
            assert_eq!(ids, [&json!(format!("p{nr}"))], "{found}");
            assert_eq!(found["index_complete"], true, "{found}");
        }
    }

    /// The versions of the identifier key of names, their states, and the rows that hang on each.
    fn keys(&self) -> Vec<(u64, String, u64)> {
        let status = self.told(&[&["keys", "status", "--tenant", "burg", "--census"]]);
        let keys = status["tenants"][0]["keys"].as_array().unwrap().iter();
        let keys = keys.filter(|it| it["key"] == "identifier key" && it["class"] == "identity");
        let key = |it: &Value| {
            let state = it["state"].as_str().unwrap().to_owned();
            (it["version"].as_u64().unwrap(), state, it["identifier_rows"].as_u64().unwrap())
        };
        keys.map(key).collect()
    }

    fn operations(&self) -> Vec<Value> {
        let listed = self.told(&[&["keys", "operations", "list"]]);
        listed["operations"].as_array().unwrap().clone()
    }
}

#[test]
fn identifier_keys_are_replaced_with_a_lent_customer_token_and_nobody_notices() {
    let mut setting = Setting::new();
    let surrogates = setting.surrogates(0);
    setting.assert_all_found();
    let [(1, ref state, rows)] = setting.keys()[..] else { panic!("{:?}", setting.keys()) };
    // Each record with its surrogate, and each surrogate without one.
    assert_eq!((state.as_str(), rows), ("active", 3 * PEOPLE as u64));

    let identity = ["--class", "identity"];
    let planned = setting.told(&[&REKEY, &identity, &["--dry-run"]]);
    let key = json!([{ "class": "identity", "old_version": 1, "new_version": 2 }]);
    assert_eq!((&planned["identifier_keys"], &planned["operation"]), (&key, &Value::Null));
    assert_eq!(setting.site.operator(&REKEY).code, 2, "there is no terminal to ask on");
    assert!(setting.operations().is_empty(), "nothing was begun");
    let all = setting.told(&[&REKEY, &["--dry-run"]])["identifier_keys"].clone();
    assert!(all.as_array().unwrap().len() > 1, "without a class it is all of them: {all}");

    let begun = setting.told(&[&REKEY, &identity, &["--yes"]]);
    assert_eq!(begun["identifier_keys"], key, "{begun}");
    let [operation] = setting.operations().try_into().unwrap();
    assert_eq!(
        (&operation["id"], &operation["state"]),
        (&begun["operation"], &"pending customer".into())
    );
    let twice = setting.site.operator(&[&REKEY[..], &["--yes"]].concat());
    assert!(twice.code == 1 && twice.stderr.contains("conflict"), "{}", twice.stderr);
    assert_eq!(setting.surrogates(1), surrogates);
    setting.assert_all_found();

    setting.site.customer(&setting.tenant, &["keys", "token", "lend", "--yes", "--wait"]).ok();
    assert_eq!(setting.operations()[0]["state"], "done", "{:?}", setting.operations());
    let replaced = [(1, "destroyed".to_owned(), 0), (2, "active".to_owned(), rows)];
    assert_eq!(setting.keys(), replaced);
    setting.site.vault().kill();
    setting.site.start_vault();
    assert_eq!(setting.surrogates(2), surrogates);
    setting.assert_all_found();
    assert_eq!(setting.keys(), replaced, "what was repeated is under the new key");
    let plain = ["detokenize", "-", "--reveal", "plain"];
    let mut plain = setting.site.customer_command(&setting.tenant, &plain);
    let names = run(&mut plain, &surrogates.given).ok().stdout;
    assert_eq!(names.lines().last(), Some(&*format!("Beispiel-{}", PEOPLE - 1)));
}
