//! Limits at the real doors: who asks too often is told when to come back, others are served, and
//! an operator changes and sees it all without a restart.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    process::Command,
    time::{Duration, Instant},
};

use tresor_tests::{Answer, Site, Tenant, run};

const PLAIN: &str = "/v1/collections/customers/records/k1?reveal=plain";
const MASKED: &str = "/v1/collections/customers/records/k1?reveal=masked";

fn update(site: &Site, tenant: &Tenant, flags: &[&str]) {
    let _ = site.operator(&[&["tenant", "update", &tenant.name, "--yes"], flags].concat()).ok();
}

fn usage(site: &Site, tenant: &Tenant) -> serde_json::Value {
    let shown = site.operator(&["tenant", "show", &tenant.name, "--output", "json"]);
    shown.ok().json()["usage"].clone()
}

fn store(site: &Site, tenant: &Tenant) {
    let body = ["--header", "Content-Type: application/json", "--data-binary"];
    let body = [&body[..], &["{\"nr\":\"k1\",\"vorname\":\"Anna\"}"]].concat();
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
