//! Users and their passwords, against the real processes: what is refused and how, what a session
//! is good for, and when it ends.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tresor_tests::{Answer, Site, Tenant, User, basic, repository, run, tool};

const RECORDS: &str = "/v1/collections/customers/records";
const NEW: &str = "noch ein Pferd: braun, mit Sattel";
const ROUTES: [&str; 5] = ["/v1/limits", "/openapi.json", "/v1/screen", "/v1/keys/tokens", RECORDS];

/// Asks as a tenant's client with its customer token, and with these headers beside it.
fn ask(site: &Site, tenant: &Tenant, path: &str, headers: &[String]) -> Answer {
    let customer_token = format!("Tresor-Customer-Token: {}", tenant.customer_token());
    let headers = [&[customer_token], headers].concat().join("\n");
    let body: &[&str] = match path {
        "/v1/screen" => &["-H", "Content-Type: text/csv", "--data-binary", "a\n1\n"],
        _ => &[],
    };
    site.curl_bare(&tenant.directory.join("client"), path, body, Some(&headers))
}

/// Changes the password of a user, with what it has now.
fn change(site: &Site, tenant: &Tenant, user: &User, new_password: &str) -> Answer {
    let file = tenant.directory.join("new-password.json");
    let body = serde_json::json!({ "new_password": new_password }).to_string();
    fs::write(&file, body).unwrap();
    let data = format!("@{}", file.display());
    let json = ["-H", "Content-Type: application/json", "--data-binary", &data];
    let client = tenant.directory.join("client");
    site.curl_bare(&client, "/v1/password", &json, Some(&user.header()))
}

/// What is told, without what is of this one request.
fn told(answer: &Answer) -> (u16, Value) {
    let mut problem = answer.json();
    problem.as_object_mut().unwrap().remove("request_id");
    (answer.status, problem)
}

fn identity(site: &Site, tenant: &Tenant) -> [String; 4] {
    let port = site.url("").rsplit(':').next().unwrap().to_owned();
    let client = tenant.directory.join("client");
    let path = |path: std::path::PathBuf| path.display().to_string();
    let (certificate, key) = (client.with_extension("pem"), client.with_extension("key"));
    [port, path(site.path("ca/ca.pem")), path(certificate), path(key)]
}

#[test]
fn every_way_to_show_a_password_but_the_right_one_gets_the_same_answer() {
    let site = Site::start("sled");
    let tenant = site.tenant_with_user("burg");
    let User { name, .. } = tenant.user.as_ref().unwrap();
    let password = tenant.user.as_ref().unwrap().password();
    let mut command = Command::new(tool("python3"));
    command.arg(repository().join("tests/clients/basic.py")).args(identity(&site, &tenant));
    let input = format!("{}\n{name}\n{password}\n", tenant.customer_token());
    let lines = run(&mut command, input).ok().stdout;
    let answers: Vec<Value> = lines.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(answers.len(), 31);
    let refused = &answers.iter().find(|answer| answer["name"] == "none").unwrap();
    assert_eq!((&refused["status"], &refused["problem"]["status"]), (&401.into(), &401.into()));
    assert_eq!(refused["challenge"], "Basic realm=\"tresor\", charset=\"UTF-8\"");
    for answer in &answers {
        if answer["name"].as_str().unwrap().starts_with("right")
            && answer["name"] != "right and wrong"
        {
            assert_eq!(answer["status"], 200, "{answer}");
            continue;
        }
        for part in ["status", "problem", "challenge"] {
            assert_eq!(answer[part], refused[part], "{answer}");
        }
    }
    let log = fs::read_to_string(site.path("external-api.log")).unwrap();
    for reason in ["password_missing", "password_malformed"] {
        assert!(log.contains(&format!("reason={reason}")), "{reason} is not in the log");
    }
}

#[test]
fn whoever_is_not_let_in_is_told_the_same() {
    let site = Site::start("sled");
    let (burg, herne) = (site.tenant_with_user("burg"), site.tenant_with_user("herne"));
    let [own, others] = [&burg, &herne].map(|tenant| tenant.user.clone().unwrap());
    assert_eq!((own.name.as_str(), others.name.as_str()), ("planner", "planner"));
    let gone = site.added_user(&burg, "gone", "admin");
    assert_eq!(change(&site, &burg, &gone, NEW).status, 204);
    as_operator(&site, "disable", "gone", &[]);
    let shown = [
        vec![],
        vec![basic("planner", "a wrong password")],
        vec![basic("nobody", &own.password())],
        vec![basic("gone", NEW)],
        vec![others.header()],
        vec![basic("planner", "short")],
    ];
    let mut answers: Vec<_> =
        shown.iter().map(|headers| told(&ask(&site, &burg, RECORDS, headers))).collect();
    // A customer token that is none, with the right password, looks no different.
    let headers = format!("Tresor-Customer-Token: trsr_x\n{}", own.header());
    let client = burg.directory.join("client");
    answers.push(told(&site.curl_bare(&client, RECORDS, &[], Some(&headers))));
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    assert_eq!(answers[0].0, 401);
    assert_eq!(ask(&site, &burg, RECORDS, &[own.header()]).status, 200);
    let log = fs::read_to_string(site.path("internal-api.log")).unwrap();
    for reason in ["password_wrong", "user_unknown", "user_disabled"] {
        assert!(log.contains(&format!("reason={reason}")), "{reason} is not in the log");
    }
    for name in ["planner", "nobody", "gone"] {
        assert!(!log.contains(name), "the log names {name}");
    }
}

#[test]
fn a_one_time_password_is_good_for_another_password_and_nothing_else() {
    let site = Site::start("sled");
    let tenant = site.tenant_with_user("burg");
    let user = site.added_user(&tenant, "second", "reader");
    for path in ROUTES {
        let refused = ask(&site, &tenant, path, &[user.header()]);
        assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden"), "{path}");
    }
    for wrong in ["elevenbytes", "second", "two\nlines of it"] {
        let refused = change(&site, &tenant, &user, wrong);
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (400, "invalid_request"),
            "{wrong:?}"
        );
        assert!(!refused.body.contains("elevenbytes"), "{}", refused.body);
    }
    assert_eq!(change(&site, &tenant, &user, NEW).status, 204);
    assert_eq!(change(&site, &tenant, &user, NEW).status, 401, "it works once");
    let header = basic("second", NEW);
    for path in [RECORDS, "/v1/limits", "/openapi.json", "/v1/screen"] {
        assert_eq!(ask(&site, &tenant, path, std::slice::from_ref(&header)).status, 200, "{path}");
    }
    // A reader looks after no customer tokens.
    let refused = ask(&site, &tenant, "/v1/keys/tokens", &[header]);
    assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden"));
}

/// The same tenant with another certificate.
fn another_machine(site: &Site, tenant: &Tenant) -> Tenant {
    let directory = tenant.directory.join("machine");
    fs::create_dir(&directory).unwrap();
    let out = directory.to_str().unwrap();
    let issue = ["ca", "issue", "client", "client", "--dir", "ca", "--out", out, "--tenant"];
    site.tresor(&[&issue[..], &[&tenant.id]].concat()).ok();
    fs::copy(tenant.directory.join("customer.token"), directory.join("customer.token")).unwrap();
    Tenant { directory, ..tenant.clone() }
}

#[test]
fn a_session_is_good_with_its_own_certificate_only_and_a_new_password_ends_it() {
    let site = Site::start("sled");
    let tenant = site.tenant_with_user("burg");
    let user = tenant.user.clone().unwrap();
    assert_eq!(site.curl(&tenant, RECORDS, &[]).status, 200);
    let other = another_machine(&site, &tenant);
    assert_eq!(ask(&site, &other, RECORDS, &[]).status, 401, "no session is lent to it");
    assert_eq!(ask(&site, &other, RECORDS, &[basic(&user.name, "a wrong password")]).status, 401);
    assert_eq!(site.curl(&other, RECORDS, &[]).status, 200, "with the password it is a client");
    assert_eq!(change(&site, &tenant, &user, NEW).status, 204);
    for machine in [&tenant, &other] {
        assert_eq!(site.curl(machine, RECORDS, &[]).status, 401, "by the old password");
        assert_eq!(ask(&site, machine, RECORDS, &[basic(&user.name, NEW)]).status, 200);
    }
}

/// An upload that is open (`clients/open_upload.py`).
struct OpenUpload(Child, BufReader<std::process::ChildStdout>);

impl OpenUpload {
    fn of(site: &Site, tenant: &Tenant) -> Self {
        let mut command = Command::new(tool("python3"));
        command.arg(repository().join("tests/clients/open_upload.py"));
        command.args(identity(site, tenant)).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        writeln!(child.stdin.as_mut().unwrap(), "{}\n", tenant.headers()).unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        assert_eq!(line, "open\n");
        Self(child, answers)
    }

    /// Sends another row, and gives the summary.
    fn summary(mut self) -> Value {
        writeln!(self.0.stdin.take().unwrap()).unwrap();
        let lines: Vec<_> = self.1.lines().map(Result::unwrap).collect();
        assert!(self.0.wait().unwrap().success());
        let last: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
        last["summary"].clone()
    }
}

/// Changes a user of `burg`, as the operator.
fn as_operator(site: &Site, verb: &str, user: &str, more: &[&str]) {
    site.operator(&[&["tenant", "user", verb, "burg", user, "--yes"], more].concat()).ok();
}

#[test]
fn an_upload_ends_with_what_its_user_may_do() {
    let site = Site::start("sled");
    let tenant = site.tenant_with_user("burg");
    let told = |happening: &dyn Fn()| {
        let upload = OpenUpload::of(&site, &tenant);
        happening();
        let summary = upload.summary();
        let code = summary["problem"]["code"].as_str().unwrap_or("done").to_owned();
        (summary["accepted"].as_u64().unwrap(), code)
    };
    let done = |count| (count, "done".to_owned());
    let cut = |code: &str| (1, code.to_owned());
    assert_eq!(told(&|| ()), done(2));
    // Sessions end with each of these; who may still write goes on under another, unnoticed.
    let make = |role| as_operator(&site, "roles", "planner", &["--role", role]);
    assert_eq!(told(&|| make("writer")), done(2));
    assert_eq!(told(&|| make("reader")), cut("forbidden"));
    make("admin");
    let disable = || as_operator(&site, "disable", "planner", &[]);
    assert_eq!(told(&disable), cut("unauthenticated"));
    assert_eq!(site.curl(&tenant, RECORDS, &[]).status, 401, "nor may it begin another");
    as_operator(&site, "enable", "planner", &[]);
    let user = tenant.user.as_ref().unwrap();
    let change = || assert_eq!(change(&site, &tenant, user, NEW).status, 204);
    assert_eq!(told(&change), cut("unauthenticated"));
}

#[test]
fn a_disabled_user_is_refused_at_the_next_request_on_every_route() {
    let site = Site::start("sled");
    let tenant = site.tenant_with_user("burg");
    let header = tenant.user.as_ref().unwrap().header();
    for path in ROUTES {
        assert_eq!(ask(&site, &tenant, path, std::slice::from_ref(&header)).status, 200, "{path}");
    }
    as_operator(&site, "disable", "planner", &[]);
    for (failures, path) in ROUTES.into_iter().enumerate() {
        let refused = ask(&site, &tenant, path, std::slice::from_ref(&header)).status;
        // Beyond three, attempts have to wait.
        assert!(refused == 401 || failures >= 3 && refused == 429, "{path}: {refused}");
    }
}

#[test]
fn a_tenant_that_requires_no_password_is_not_asked_for_one() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    assert_eq!(site.curl(&tenant, RECORDS, &[]).status, 200);
    let headers = site.path("headers").display().to_string();
    let client = tenant.directory.join("client");
    let refused = site.curl_bare(&client, RECORDS, &["--dump-header", &headers], None);
    assert_eq!(refused.status, 401);
    assert!(!fs::read_to_string(headers).unwrap().to_lowercase().contains("www-authenticate"));
    // Whoever shows a user is held to it.
    assert_eq!(ask(&site, &tenant, RECORDS, &[basic("planner", "a wrong password")]).status, 401);
    let user = site.added_user(&tenant, "auditor", "auditor");
    assert_eq!(change(&site, &tenant, &user, NEW).status, 204);
    let shown = basic("auditor", NEW);
    let refused = ask(&site, &tenant, RECORDS, std::slice::from_ref(&shown));
    assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden"));
    assert_eq!(ask(&site, &tenant, "/v1/keys/tokens", &[shown]).status, 200);
}
