//! The operator's register of users, with the real command against the real vault.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;

use tresor_tests::{Ran, Site};

/// The state and roles of the users, as a program is told.
fn users(site: &Site) -> Vec<(String, String, String)> {
    let listed = site.operator(&["tenant", "user", "list", "burg", "--output", "json"]).ok().json();
    let text = |user: &serde_json::Value, name: &str| user[name].as_str().unwrap().to_owned();
    let roles = |user: &serde_json::Value| {
        let roles = user["roles"].as_array().unwrap().iter();
        roles.map(|role| role.as_str().unwrap()).collect::<Vec<_>>().join(" ")
    };
    let users = listed["users"].as_array().unwrap().iter();
    users.map(|user| (text(user, "name"), roles(user), text(user, "state"))).collect()
}

fn of(name: &str, roles: &str, state: &str) -> (String, String, String) {
    (name.to_owned(), roles.to_owned(), state.to_owned())
}

fn user(site: &Site, arguments: &[&str]) -> Ran {
    site.operator(&[&["tenant", "user"], arguments].concat())
}

#[test]
fn an_operator_looks_after_users_and_nobody_reads_of_them_in_the_log() {
    let mut site = Site::start("redb");
    site.operator(&["tenant", "create", "burg", "--allow", "127.0.0.0/8"]).ok();
    let file = site.path("erika.password");
    let path = file.to_str().unwrap();
    let add = ["add", "burg", "erika.m", "--role", "admin", "--password-file", path];
    let dry = user(&site, &[&add[..], &["--dry-run"]].concat()).ok();
    assert!(dry.stdout.contains("would be added"), "{}", dry.stdout);
    assert!(users(&site).is_empty() && !file.exists());
    let added = user(&site, &add).ok();
    let one_time = fs::read_to_string(&file).unwrap();
    assert_eq!(one_time.trim().len(), 23);
    assert!(!added.stdout.contains(one_time.trim()), "it is in the file only");
    assert_ne!(user(&site, &["add", "burg", "erika.m", "--role", "reader"]).code, 0);
    let shown = user(&site, &["add", "burg", "billing", "--role", "writer", "--output", "json"]);
    assert_eq!(shown.ok().json()["one_time_password"].as_str().unwrap().len(), 23);
    let new = "password to be chosen";
    assert_eq!(users(&site), [of("billing", "writer", new), of("erika.m", "admin", new)]);

    let change = ["roles", "burg", "billing", "--role", "reader", "--role", "writer"];
    user(&site, &[&change[..], &["--dry-run"]].concat()).ok();
    let unasked = user(&site, &change);
    assert!(unasked.stderr.contains("no terminal to ask on"), "{}", unasked.stderr);
    assert_eq!(users(&site)[0], of("billing", "writer", new));
    user(&site, &[&change[..], &["--yes"]].concat()).ok();
    user(&site, &["disable", "burg", "billing", "--yes"]).ok();
    assert_eq!(users(&site)[0], of("billing", "writer reader", "disabled"));
    user(&site, &["enable", "burg", "billing", "--yes"]).ok();
    let reset = user(&site, &["reset", "burg", "erika.m", "--yes"]).ok();
    assert!(reset.stdout.contains("one-time password  ") && !reset.stdout.contains(&one_time));
    user(&site, &["remove", "burg", "billing", "--yes"]).ok();
    assert_eq!(users(&site), [of("erika.m", "admin", new)]);
    let absent = user(&site, &["disable", "burg", "billing", "--yes"]);
    assert!(absent.stderr.contains("no user billing"), "{}", absent.stderr);

    let log = site.vault().log();
    assert!(log.contains("user added") && log.contains("password of a user reset"), "{log}");
    for text in ["erika", "billing", one_time.trim()] {
        assert!(!log.contains(text), "{text} in {log}");
    }
}
