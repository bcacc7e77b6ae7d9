//! Keys are replaced while the vault works: nobody who uses it notices.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "what was measured is shown by the runner")]

use std::time::{Duration, Instant};

use tresor_tests::{Load, Random, Site, is_long};

/// How long the policy may take to look, which it does every second.
const MARKED_MAX: Duration = Duration::from_secs(60);

/// Rotations of all cipher keys under load.
fn rotations() -> u64 {
    if is_long() { 1_000 } else { 30 }
}

const ROTATE_ALL: [&str; 6] = ["keys", "rotate-cipher", "--all", "--yes", "--output", "json"];

fn no_request_fails_while_cipher_keys_are_replaced(engine: &'static str) {
    let mut random = Random::of_this_run();
    let mut site = Site::start(engine);
    let mut load = Load::start(&site, &mut random);
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
    load.tell("patience");
    for rotation in 1..=rotations() {
        let rotated = site.operator(&ROTATE_ALL).ok().json();
        assert_eq!((&rotated["replaced"], &rotated["failed"]), (&1.into(), &0.into()), "{rotated}");
        let [only] = rotated["cipher_keys"].as_array().unwrap().as_slice() else {
            panic!("one tenant: {rotated}");
        };
        assert_eq!(only["old_version"], rotation);
        assert_eq!(only["new_version"], rotation + 1);
    }
    load.tell("stop");
    load.tell("check");
    let done = load.count("progress");
    println!("{engine}: {} rotations under load: {done}", rotations());
    assert_eq!(done["refused"].as_u64(), None, "no request was refused: {done}");
    for kind in ["put", "batch", "ingest", "delete"] {
        assert!(done[kind].as_u64().unwrap_or(0) > 0, "{kind} was not tried: {done}");
    }
    // What was written under which keyring does not matter: all of it is there after a kill.
    site.vault().kill();
    site.start_vault();
    load.tell("check");
}

#[test]
fn no_request_fails_while_cipher_keys_are_replaced_with_sled() {
    no_request_fails_while_cipher_keys_are_replaced("sled");
}

#[test]
fn no_request_fails_while_cipher_keys_are_replaced_with_redb() {
    no_request_fails_while_cipher_keys_are_replaced("redb");
}

#[test]
fn a_rotation_shows_what_it_would_do_and_asks() {
    let site = Site::start("redb");
    let _tenant = site.tenant("burg");
    let _registered = site.registered_tenant("kiel");
    let rotate = ["keys", "rotate-cipher"];
    let versions = |dry_run: &serde_json::Value| {
        let key = &dry_run["cipher_keys"][0];
        (key["old_version"].as_u64().unwrap(), key["new_version"].as_u64().unwrap())
    };
    for _ in 0..2 {
        let all = [&rotate[..], &["--all", "--dry-run", "--output", "json"]].concat();
        let shown = site.operator(&all).ok().json();
        assert_eq!(shown["cipher_keys"].as_array().unwrap().len(), 1, "who has not enrolled");
        assert_eq!((versions(&shown), &shown["replaced"]), ((1, 2), &0.into()));
    }
    let asked = site.operator(&[&rotate[..], &["--tenant", "burg"]].concat());
    assert_eq!(asked.code, 2, "there is no terminal: {}", asked.stderr);
    let unsaid = site.operator(&rotate);
    assert_eq!(unsaid.code, 2, "neither a tenant nor all");
    let done = site.operator(&[&rotate[..], &["--tenant", "burg", "--yes"]].concat()).ok();
    assert!(done.stdout.contains("1 cipher key replaced, 0 failed"), "{}", done.stdout);
    for (tenant, code) in [("kiel", 1), ("nobody", 1)] {
        let refused = site.operator(&[&rotate[..], &["--tenant", tenant, "--yes"]].concat());
        assert_eq!(refused.code, code);
        let said = [refused.stdout, refused.stderr].concat();
        assert!(said.contains("not_found"), "{said}");
    }
}

#[test]
fn the_status_tells_age_use_and_what_hangs_on_each_key() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    let _registered = site.registered_tenant("kiel");
    let rows = "vorname,mail\nAnna,anna@example.org\nBo,bo@example.org\n";
    std::fs::write(site.path("rows.csv"), rows).unwrap();
    site.customer(&tenant, &["upload", "rows.csv", "--collection", "customers"]).ok();
    let of_burg = ["keys", "status", "--tenant", "burg", "--output", "json"];
    let before = site.operator(&of_burg).ok().json();
    assert!(before["tenants"][0]["census"].is_null(), "{before}");
    let counted = site.operator(&[&of_burg[..], &["--census"]].concat()).ok().json();
    let burg = &counted["tenants"][0];
    assert_eq!((&burg["census"]["records"], &burg["census"]["damaged"]), (&2.into(), &0.into()));
    let keys = burg["keys"].as_array().unwrap();
    let data = |class: &str| {
        let is_it = |key: &&serde_json::Value| key["key"] == "data key" && key["class"] == class;
        keys.iter().find(is_it).unwrap()
    };
    for (class, count) in [("identity", 2), ("contact", 2), ("financial", 0)] {
        let key = data(class);
        assert_eq!((&key["seals"], &key["groups"]), (&count.into(), &count.into()), "{key}");
        assert_eq!((&key["state"], &key["due"]), (&"active".into(), &serde_json::Value::Null));
    }
    let all = site.operator(&["keys", "status"]).ok().stdout;
    for shown in ["root key", "burg", "kiel", "not enrolled"] {
        assert!(all.contains(shown), "{shown} is not in {all}");
    }
    let refused = site.operator(&["keys", "status", "--tenant", "nobody"]);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
}

#[test]
fn the_root_key_is_replaced_while_the_vault_works_and_opens_it_after_a_kill() {
    let mut site = Site::start("redb");
    let tenant = site.tenant("burg");
    std::fs::write(site.path("rows.csv"), "nr,vorname\nr1,Anna\n").unwrap();
    let upload = ["upload", "rows.csv", "--collection", "customers"];
    site.customer(&tenant, &upload).ok();
    let rotate = ["keys", "rotate-root", "--output", "json"];
    let plan = site.operator(&[&rotate[..], &["--dry-run"]].concat()).ok().json();
    assert_eq!((&plan["new_generation"], &plan["replaced"]), (&2.into(), &().into()), "{plan}");
    assert_eq!(site.operator(&rotate).code, 2, "there is no terminal to ask on");
    for generation in 2..=4 {
        let replaced = site.operator(&[&rotate[..], &["--yes"]].concat()).ok().json();
        assert_eq!(replaced["new_generation"], generation, "{replaced}");
        assert_eq!(replaced["seals"].as_array().unwrap().len(), 1);
        site.customer(&tenant, &upload).ok();
        site.vault().kill();
        site.start_vault();
        site.customer(&tenant, &["list", "--collection", "customers"]).ok();
    }
    let status = site.operator(&["keys", "status", "--output", "json"]).ok().json();
    let root = status["system"].as_array().unwrap().iter().find(|key| key["key"] == "root key");
    assert_eq!(root.unwrap()["version"], 4);
}

#[test]
fn a_compromised_key_is_remembered_and_whoever_waits_for_the_customer_is_listed() {
    let site = Site::start("redb");
    let tenant = site.tenant("burg");
    let _registered = site.registered_tenant("kiel");
    let keys = |arguments: &[&str]| {
        let common = ["--yes", "--output", "json"];
        site.operator(&[&["keys"], arguments, &common].concat()).ok().json()
    };
    let plain = keys(&["rotate-cipher", "--tenant", "burg"]);
    assert!(plain["waiting"].is_null(), "{plain}");
    let compromised = keys(&["rotate-cipher", "--tenant", "burg", "--compromised"]);
    assert_eq!((&compromised["replaced"], &compromised["compromised"]), (&1.into(), &true.into()));
    let [burg] = compromised["waiting"].as_array().unwrap().as_slice() else {
        panic!("one tenant: {compromised}");
    };
    assert_eq!(
        (&burg["tenant"], &burg["for"]["rotate_customer_tokens"]),
        (&"burg".into(), &2.into())
    );
    let shown = site.operator(&["keys", "status", "--tenant", "burg"]).ok().stdout;
    for told in ["destroyed, compromised", "its customer to rotate 2 customer tokens"] {
        assert!(shown.contains(told), "{told} is not in {shown}");
    }
    let root = keys(&["rotate-root", "--compromised"]);
    assert_eq!((&root["new_generation"], &root["cipher_keys"]["replaced"]), (&2.into(), &1.into()));
    assert_eq!(root["waiting"][0]["tenant"], "burg");

    let data = keys(&["rotate-data", "--all", "--class", "contact", "--compromised"]);
    let [marked] = data["tenants"].as_array().unwrap().as_slice() else {
        panic!("one tenant: {data}");
    };
    assert!(marked["operation"].is_string(), "{data}");
    assert_eq!(data["waiting"][0]["for"]["write_or_lend"], serde_json::json!(["contact"]));
    let status = || site.operator(&["keys", "status", "--output", "json"]).ok().json();
    let state = |epoch: u64| {
        let status = status();
        let mut keys = status["tenants"][0]["keys"].as_array().unwrap().clone().into_iter();
        let is_it = |key: &serde_json::Value| {
            key["class"] == "contact" && key["key"] == "data key" && key["version"] == epoch
        };
        let key = keys.find(is_it).unwrap();
        assert_eq!(key["compromised"].is_string(), epoch == 1, "{key}");
        (key["state"].as_str().unwrap().to_owned(), key["due"].as_str().map(str::to_owned))
    };
    assert_eq!(state(1), ("compromised".to_owned(), Some("compromised".to_owned())));
    std::fs::write(site.path("rows.csv"), "nr,mail\nr1,anna@example.org\n").unwrap();
    site.customer(&tenant, &["upload", "rows.csv", "--collection", "customers"]).ok();
    assert_eq!(state(1), ("compromised".to_owned(), None), "writes have moved");
    assert_eq!(state(2), ("active".to_owned(), None));
    let system = status()["system"].as_array().unwrap().clone();
    let roots = system.iter().filter(|key| key["key"] == "root key");
    let told = roots.map(|key| (key["version"].as_u64(), key["compromised"].is_string()));
    assert_eq!(told.collect::<Vec<_>>(), [(Some(2), false), (Some(1), true)]);
}

fn operations(site: &Site) -> Vec<serde_json::Value> {
    let list = ["keys", "operations", "list", "--output", "json"];
    site.operator(&list).ok().json()["operations"].as_array().unwrap().clone()
}

#[test]
fn data_keys_that_have_sealed_enough_are_marked_once_and_replaced_by_the_next_write() {
    let mut site = Site::start("redb");
    let tenant = site.tenant("burg");
    let config = std::fs::read_to_string(site.path("internal-api.toml")).unwrap();
    let policy = "[keys]\ndata_seals_max = 2\ncheck_interval_s = 1\n";
    site.write_private("internal-api.toml", &(config + policy));
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
    let upload = ["upload", "rows.csv", "--collection", "customers"];
    let rows = "nr,mail\nr1,anna@example.org\nr2,bo@example.org\nr3,cleo@example.org\n";
    std::fs::write(site.path("rows.csv"), rows).unwrap();
    site.customer(&tenant, &upload).ok();
    let begun = Instant::now();
    while operations(&site).is_empty() {
        assert!(begun.elapsed() < MARKED_MAX, "the policy marks nothing");
        std::thread::sleep(Duration::from_millis(100));
    }
    let [operation] = operations(&site).try_into().unwrap();
    assert_eq!(
        (&operation["state"], &operation["targets"][0]["class"]),
        (&"pending customer".into(), &"contact".into())
    );
    let shown = site.operator(&["keys", "status", "--tenant", "burg"]).ok().stdout;
    assert!(shown.contains("seals, pending customer"), "{shown}");
    site.vault().kill();
    site.start_vault();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(operations(&site).len(), 1, "it is marked already");
    std::fs::write(site.path("rows.csv"), "nr,mail\nr4,dora@example.org\n").unwrap();
    site.customer(&tenant, &upload).ok();
    let shown = site.operator(&["keys", "status", "--tenant", "burg"]).ok().stdout;
    assert!(!shown.contains("pending customer"), "{shown}");
}
