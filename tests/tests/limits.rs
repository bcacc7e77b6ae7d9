//! Limits at the real doors: who asks too often is told when to come back, others are served, and
//! an operator changes and sees it all without a restart.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tresor_tests::{Answer, Crowd, Site, Tenant, User, basic, grpcurl, run};

const PLAIN: &str = "/v1/collections/customers/records/k1?reveal=plain";
const MASKED: &str = "/v1/collections/customers/records/k1?reveal=masked";

fn update(site: &Site, tenant: &Tenant, flags: &[&str]) {
    let _ = site.operator(&[&["tenant", "update", &tenant.name, "--yes"], flags].concat()).ok();
}

fn usage(site: &Site, tenant: &Tenant) -> Value {
    let shown = site.operator(&["tenant", "show", &tenant.name, "--output", "json"]);
    shown.ok().json()["usage"].clone()
}

fn store(site: &Site, tenant: &Tenant) {
    store_as(site, tenant, "k1");
}

fn store_as(site: &Site, tenant: &Tenant, id: &str) {
    let record = json!({ "nr": id, "vorname": format!("Anna-{id}") }).to_string();
    let body = ["--header", "Content-Type: application/json", "--data-binary", &record];
    let stored = site.curl(tenant, "/v1/collections/customers/records?id_field=nr", &body);
    assert_eq!(stored.status, 201, "{}", stored.body);
}

/// How often each status was answered, when one curl asks so often.
fn statuses(site: &Site, tenant: &Tenant, path: &str, times: usize) -> Vec<u16> {
    // What is behind the # makes another URL for curl, and stays with it.
    let answer = site.curl(tenant, &format!("{path}#[1-{times}]"), &[]);
    // The next answer follows a status on its line.
    let before = answer.body.lines().filter_map(|line| line.get(..3)?.parse().ok());
    before.chain([answer.status]).collect()
}

/// Asks until it is answered so.
fn until(site: &Site, tenant: &Tenant, path: &str, status: u16) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = site.curl(tenant, path, &["--include"]);
        if answer.status == status {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{}: {}", answer.status, answer.body);
    }
}

fn retry_after(answer: &Answer) -> u64 {
    let header = answer.body.lines().find_map(|line| line.strip_prefix("retry-after: "));
    header.unwrap().trim().parse().unwrap()
}

/// A figure of the vault's metrics.
fn figure(site: &Site, series: &str) -> String {
    let url = site.vault_health("metrics");
    let text = run(Command::new("curl").args(["--silent", "--fail", &url]), "").ok().stdout;
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    assert!(line.is_some(), "{series} in {text}");
    line.unwrap_or_default().trim().to_owned()
}

#[test]
fn a_tenant_that_floods_is_refused_while_another_is_served_and_comes_back() {
    let site = Site::start_with_log("redb", "info");
    let (flooding, calm) = (site.tenant("burg"), site.tenant("turm"));
    update(&site, &flooding, &["--requests-per-second", "1"]);
    let told = until(&site, &flooding, "/v1/limits", 429);
    assert!(told.body.contains("\"code\":\"rate_limited\""), "{}", told.body);
    assert_eq!(retry_after(&told), 1);
    let (flood, served) = std::thread::scope(|scope| {
        let flood = scope.spawn(|| statuses(&site, &flooding, "/v1/limits", 100));
        let served = statuses(&site, &calm, "/v1/limits", 100);
        (flood.join().unwrap(), served)
    });
    assert!(flood.iter().filter(|status| **status == 429).count() > 50, "{flood:?}");
    assert!(flood.iter().all(|status| [200, 429].contains(status)), "{flood:?}");
    assert_eq!(served, [200; 100]);
    until(&site, &flooding, "/v1/limits", 200);
    update(&site, &flooding, &["--requests-per-second", "0"]);
    let begun = Instant::now();
    while statuses(&site, &flooding, "/v1/limits", 40) != [200; 40] {
        assert!(begun.elapsed() < Duration::from_secs(20), "the new limit does not count");
    }
}

#[test]
fn a_customer_token_and_an_address_have_limits_of_their_own() {
    let site = Site::start_with_log("redb", "info");
    let tenant = site.tenant("burg");
    store(&site, &tenant);
    update(&site, &tenant, &["--customer-token-requests-per-second", "1"]);
    until(&site, &tenant, MASKED, 429);
    // What takes no customer token goes on.
    assert_eq!(statuses(&site, &tenant, "/v1/limits", 20), [200; 20]);
    assert!(usage(&site, &tenant)["refused"]["customer_token_rate"].as_u64().unwrap() >= 1);
    update(&site, &tenant, &["--address-requests-per-second", "1"]);
    until(&site, &tenant, "/v1/limits", 429);
    let url = site.edge_health("metrics");
    let edge = run(Command::new("curl").args(["--silent", "--fail", &url]), "").ok().stdout;
    assert!(edge.contains("tresor_refusals_total{reason=\"address_rate\"}"), "{edge}");
}

#[test]
fn who_copies_the_database_is_stopped_at_the_budget_and_an_operator_is_told_once() {
    let mut site = Site::start_with_log("redb", "info");
    let tenant = site.tenant("burg");
    store(&site, &tenant);
    update(&site, &tenant, &["--reveals-per-day", "5"]);
    assert_eq!(statuses(&site, &tenant, PLAIN, 5), [200; 5]);
    let refused = site.curl(&tenant, PLAIN, &["--include"]);
    assert_eq!(refused.status, 429, "{}", refused.body);
    // A fifth of a day, but for what came back meanwhile.
    assert!((17_000..=17_280).contains(&retry_after(&refused)), "{}", refused.body);
    let page = "/v1/collections/customers/records?reveal=plain";
    assert_eq!(site.curl(&tenant, page, &[]).status, 429);
    assert_eq!(statuses(&site, &tenant, MASKED, 5), [200; 5], "masked reads go on");

    let used = usage(&site, &tenant);
    assert_eq!((&used["reveals_used"], &used["limits"]["reveals_per_day"]), (&5.into(), &5.into()));
    assert_eq!(used["refused"]["reveal_budget"], 2);
    let labels = format!("{{tenant=\"{}\",budget=\"reveals\"}}", tenant.id);
    assert_eq!(figure(&site, &format!("tresor_budget_used{labels}")), "5");
    assert_eq!(figure(&site, &format!("tresor_budget_alarms_total{labels}")), "1");
    let log = site.vault().log();
    assert_eq!(log.matches("80 % of the reveals of a day are spent").count(), 1, "{log}");

    // The edge knows limits for a second.
    let begun = Instant::now();
    while site.curl(&tenant, "/v1/limits", &[]).json()["reveals_per_day"] != 5 {
        assert!(begun.elapsed() < Duration::from_secs(20), "its own limit is not told");
    }
    update(&site, &tenant, &["--reveals-per-day", "6"]);
    assert_eq!(statuses(&site, &tenant, PLAIN, 2), [200, 429], "another budget counts at once");
}

#[test]
fn uploads_that_hang_take_what_their_tenant_may_at_once_and_nothing_of_another() {
    let site = Site::start_with_log("redb", "info");
    let (hanging, calm) = (site.tenant("burg"), site.tenant("turm"));
    for tenant in [&hanging, &calm] {
        store(&site, tenant);
    }
    update(&site, &hanging, &["--concurrent-requests", "3"]);
    let crowd = Crowd::begin(&site, &hanging, 5);
    // Which of them came first is theirs to settle.
    let mut answered = crowd.statuses().to_vec();
    answered.sort();
    assert_eq!(answered, ["200", "200", "200", "503", "503"]);
    let refused = site.curl(&hanging, MASKED, &["--include"]);
    assert_eq!((refused.status, retry_after(&refused)), (503, 1), "{}", refused.body);
    assert!(refused.body.contains("\"code\":\"overloaded\""), "{}", refused.body);
    let used = usage(&site, &hanging);
    assert_eq!(
        (&used["concurrent_requests"], &used["refused"]["tenant_concurrency"]),
        (&3.into(), &3.into())
    );
    store_as(&site, &calm, "k2");
    assert_eq!(statuses(&site, &calm, PLAIN, 50), [200; 50]);
    assert_eq!(Crowd::begin(&site, &calm, 5).statuses(), ["200"; 5]);
    drop(crowd);
    until(&site, &hanging, MASKED, 200);
}

/// A user of the tenant's with a password of its own.
fn another_user(site: &Site, tenant: &Tenant, name: &str) -> Tenant {
    let user = site.added_user(tenant, name, "reader");
    let password = format!("{name}: korrekt pferd klammer");
    let (file, password_file) = (tenant.directory.join("body"), tenant.directory.join(name));
    fs::write(&file, json!({ "new_password": password }).to_string()).unwrap();
    fs::write(&password_file, &password).unwrap();
    let data = format!("@{}", file.display());
    let json = ["--header", "Content-Type: application/json", "--data-binary", &data];
    let client = tenant.directory.join("client");
    let header = basic(name, &user.password());
    assert_eq!(site.curl_bare(&client, "/v1/password", &json, Some(&header)).status, 204);
    Tenant { user: Some(User { name: name.to_owned(), password_file }), ..tenant.clone() }
}

#[test]
fn a_user_that_floods_is_refused_and_another_of_the_same_tenant_is_served() {
    let site = Site::start_with_log("redb", "info");
    let flooding = site.tenant_with_user("burg");
    let calm = another_user(&site, &flooding, "second");
    store(&site, &flooding);
    assert_eq!(statuses(&site, &calm, MASKED, 2), [200; 2]);
    update(&site, &flooding, &["--user-requests-per-second", "1"]);
    let told = until(&site, &flooding, MASKED, 429);
    assert_eq!(retry_after(&told), 1);
    assert_eq!(site.curl(&calm, MASKED, &[]).status, 200, "it has a limit of its own");
    assert!(usage(&site, &flooding)["refused"]["user_rate"].as_u64() >= Some(1));
    until(&site, &calm, MASKED, 429);
    until(&site, &flooding, MASKED, 200);
}

/// Which records a page shows, each with its value, and the token of the next.
fn page(site: &Site, tenant: &Tenant, token: &str) -> (Vec<(String, String)>, Option<String>) {
    let path = format!("/v1/collections/customers/records?reveal=plain&page_token={token}");
    let page = site.curl(tenant, &path, &[]);
    assert_eq!(page.status, 200, "{}", page.body);
    let page = page.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let shown = page["records"].as_array().unwrap().iter();
    let shown = shown.map(|record| (text(&record["id"]), text(&record["record"]["vorname"])));
    (shown.collect(), page["next_page_token"].as_str().map(str::to_owned))
}

#[test]
fn what_a_spent_budget_leaves_of_an_answer_is_right_and_the_rest_is_told_and_comes_later() {
    let mut site = Site::start_with_log("redb", "info");
    let tenant = site.tenant("burg");
    site.write_configs(&[&tenant.id]);
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
    let ids = ["k1", "k2", "k3", "k4", "k5", "k6"];
    ids.iter().for_each(|id| store_as(&site, &tenant, id));
    let name = |id: &str| format!("Anna-{id}");

    update(&site, &tenant, &["--reveals-per-day", "4"]);
    let context = json!({"tenant": tenant.id, "customer_token": tenant.customer_token()});
    let get = json!({
        "context": context, "collection": "customers", "ids": ids, "reveal": "REVEAL_PLAIN",
    });
    let method = "tresor.vault.v1.RecordService/Get";
    let got = grpcurl(&site, "billing", &site.data_plane(), method, &get).ok().json();
    for (at, id) in ids.iter().enumerate() {
        let result = &got["results"][at];
        assert_eq!(result["id"], *id);
        let value = &result["record"]["fields"][1]["value"]["text"];
        match at < 4 {
            true => assert_eq!((value, &result["status"]), (&name(id).into(), &Value::Null)),
            false => assert_eq!((value, &result["status"]["code"]), (&Value::Null, &8.into())),
        }
    }
    let again = grpcurl(&site, "billing", &site.data_plane(), method, &get);
    assert!(again.stderr.contains("ResourceExhausted"), "{}", again.stderr);

    let expected = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), name(id))).collect();
    let expected: [Vec<_>; 2] = [expected(&ids[..3]), expected(&ids[3..])];
    update(&site, &tenant, &["--reveals-per-day", "7"]);
    let (shown, next) = page(&site, &tenant, "");
    assert_eq!(shown, expected[0]);
    let next = next.unwrap();
    update(&site, &tenant, &["--reveals-per-day", "20"]);
    assert_eq!(page(&site, &tenant, &next), (expected[1].clone(), None));
    assert_eq!(usage(&site, &tenant)["reveals_used"], 10, "only what was shown is taken");
}
