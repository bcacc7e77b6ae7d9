//! Surrogates at the real doors, by curl, grpcurl and grpcio: values for surrogates and back, as
//! much, as long and as often as they were made for, and by whom it is allowed to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tresor_proto::{InfoType, Surrogate, SurrogateId, TenantId};
use tresor_tests::{Answer, Site, Tenant, grpcurl, is_long, repository, run, tool};

const IBAN: &str = "DE89370400440532013000";
/// What a process may grow by while a stream goes through it, however long: buffers.
const FLAT_KIB_MAX: u64 = 64 * 1024;
/// The same with what streams that nobody reads have stored: the tables of its store.
const GROWTH_KIB_MAX: u64 = 192 * 1024;

struct Setting {
    site: Site,
    tenant: Tenant,
}

impl Setting {
    fn new() -> Self {
        Self::over("sled")
    }

    fn over(engine: &'static str) -> Self {
        let site = Site::start_with_log(engine, "info");
        let tenant = site.tenant("burg");
        Self { site, tenant }
    }

    /// The same, whose tenant the service `billing` may call for.
    fn with_service() -> Self {
        Self::new().and_service()
    }

    fn and_service(self) -> Self {
        let mut setting = self;
        setting.site.write_configs(&[&setting.tenant.id]);
        assert_eq!(setting.site.vault().stop(), 0);
        setting.site.start_vault();
        setting
    }

    fn post(&self, tenant: &Tenant, path: &str, body: &Value) -> Answer {
        let file = self.site.path("body");
        fs::write(&file, body.to_string()).unwrap();
        let data = format!("@{}", file.display());
        self.site.curl(
            tenant,
            path,
            &["-H", "Content-Type: application/json", "--data-binary", &data],
        )
    }

    /// The results of a call, one an item.
    fn results(&self, path: &str, body: &Value) -> Vec<Value> {
        let answer = self.post(&self.tenant, path, body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["results"].as_array().unwrap().clone()
    }

    /// The surrogate of one value.
    fn surrogate(&self, options: &Value, value: &str) -> String {
        let mut body = options.clone();
        body["items"] = json!([{ "value": value }]);
        let results = self.results("/v1/tokenize", &body);
        results[0]["surrogate"].as_str().unwrap_or_else(|| panic!("{results:?}")).to_owned()
    }

    fn shown(&self, surrogate: &str, reveal: &str) -> Value {
        let body = json!({ "reveal": reveal, "items": [{ "surrogate": surrogate }] });
        self.results("/v1/detokenize", &body).remove(0)
    }

    fn grpc(&self, method: &str, surrogates: &[&str]) -> Value {
        let context =
            json!({"tenant": self.tenant.id, "customer_token": self.tenant.customer_token()});
        let items: Vec<_> = surrogates.iter().map(|it| json!({ "surrogate": it })).collect();
        let body = json!({ "context": context, "items": items });
        let method = format!("tresor.vault.v1.SurrogateService/{method}");
        let server = self.site.data_plane();
        grpcurl(&self.site, "billing", &server, &method, &body).ok().json()["results"].clone()
    }

    /// Issues another customer token, and gives the tenant with it.
    fn with_token(&self, name: &str, flags: &[&str]) -> Tenant {
        let directory = self.tenant.directory.join(name);
        fs::create_dir(&directory).unwrap();
        for file in ["client.pem", "client.key"] {
            fs::copy(self.tenant.directory.join(file), directory.join(file)).unwrap();
        }
        let file = directory.join("customer.token");
        let issue = ["keys", "token", "issue", "--token-file", file.to_str().unwrap()];
        let _ = self.site.customer(&self.tenant, &[&issue[..], flags].concat()).ok();
        Tenant { directory, ..self.tenant.clone() }
    }
}

fn code(result: &Value) -> &str {
    result["problem"]["code"].as_str().unwrap_or_else(|| panic!("{result}"))
}

#[test]
fn values_are_traded_for_surrogates_and_back_as_much_as_is_asked() {
    let setting = Setting::new();
    let random = json!({ "info_type": "IBAN_CODE" });
    let (one, other) = (setting.surrogate(&random, IBAN), setting.surrogate(&random, IBAN));
    assert!(one.starts_with("srg_") && one != other, "{one} {other}");
    assert!(!one.contains("0532"), "{one}");
    for surrogate in [&one, &other] {
        let plain = setting.shown(surrogate, "plain");
        assert_eq!((&plain["value"], &plain["state"]), (&IBAN.into(), &"plain".into()));
        assert_eq!(
            (&plain["info_type"], &plain["class"]),
            (&"IBAN_CODE".into(), &"financial".into())
        );
    }
    let masked = setting.shown(&one, "masked");
    let text = masked["value"].as_str().unwrap();
    assert!(text.starts_with("DE") && text.ends_with("3000") && !text.contains("0532"), "{text}");
    let redacted = setting.shown(&one, "redacted");
    assert_eq!(redacted.get("value"), None);
    assert!(redacted["length_bytes_max"].as_u64() >= Some(22), "{redacted}");

    let deterministic = json!({ "info_type": "IBAN_CODE", "kind": "deterministic" });
    let (same, again) =
        (setting.surrogate(&deterministic, IBAN), setting.surrogate(&deterministic, IBAN));
    assert_eq!(same, again);
    assert_ne!(same, setting.surrogate(&deterministic, "DE02120300000000202051"));
    assert_eq!(setting.shown(&same, "plain")["value"], IBAN);

    let masked_only = json!({ "info_type": "IBAN_CODE", "reveal": "masked" });
    let shown = setting.shown(&setting.surrogate(&masked_only, IBAN), "plain");
    assert_eq!((&shown["state"], &shown["value"]), (&"masked".into(), &text.into()));

    let literal =
        json!({ "info_type": "METER_ID", "items": [{ "value": 1.10 }, { "value": true }] });
    let made = setting.results("/v1/tokenize", &literal);
    assert_eq!(setting.shown(made[0]["surrogate"].as_str().unwrap(), "plain")["value"], 1.10);
    assert_eq!(setting.shown(made[1]["surrogate"].as_str().unwrap(), "plain")["value"], true);
}

#[test]
fn a_format_preserving_surrogate_looks_like_its_value_and_names_no_type() {
    let setting = Setting::new();
    let card = "4111111111111111";
    let options = json!({ "info_type": "CREDIT_CARD_NUMBER", "kind": "format-preserving" });
    let surrogate = setting.surrogate(&options, card);
    assert_eq!((surrogate.len(), &surrogate[..6], &surrogate[12..]), (16, "411111", "1111"));
    assert_ne!(surrogate, card);
    assert_eq!(surrogate, setting.surrogate(&options, card), "it is a function of its value");
    let item = json!({ "surrogate": surrogate, "info_type": "CREDIT_CARD_NUMBER" });
    let body = json!({ "reveal": "plain", "items": [item] });
    assert_eq!(setting.results("/v1/detokenize", &body)[0]["value"], card);
    let body = json!({ "reveal": "plain", "items": [{ "surrogate": surrogate }] });
    assert_eq!(code(&setting.results("/v1/detokenize", &body)[0]), "invalid_request");
    let small = json!({ "info_type": "METER_ID", "kind": "format-preserving", "format": "digits",
        "items": [{ "value": "12345" }, { "value": "12345678" }, { "value": "x" }] });
    let results = setting.results("/v1/tokenize", &small);
    assert_eq!((code(&results[0]), code(&results[2])), ("invalid_request", "invalid_request"));
    assert_eq!(results[1]["surrogate"].as_str().unwrap().len(), 8);
}

#[test]
fn a_surrogate_ends_with_its_time_and_with_its_uses() {
    let setting = Setting::new();
    let twice = json!({ "info_type": "CITY", "uses": 2 });
    let surrogate = setting.surrogate(&twice, "Burg");
    for reveal in ["redacted", "plain", "redacted", "masked"] {
        assert!(setting.shown(&surrogate, reveal).get("problem").is_none(), "{reveal}");
    }
    assert_eq!(code(&setting.shown(&surrogate, "masked")), "gone");
    assert_eq!(code(&setting.shown(&surrogate, "plain")), "gone");

    let soon = json!({ "info_type": "CITY", "expires": in_seconds(5) });
    let surrogate = setting.surrogate(&soon, "Burg");
    let begun = Instant::now();
    let ended = loop {
        let shown = setting.shown(&surrogate, "masked");
        if shown.get("problem").is_some() {
            break shown;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it goes on");
        thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(code(&ended), "gone");

    for (name, value) in [("expires", json!("2100-01-01T00:00:00Z")), ("uses", json!(1))] {
        let mut body = json!({ "info_type": "CITY", "kind": "deterministic",
            "items": [{ "value": "Burg" }] });
        body[name] = value;
        assert_eq!(code(&setting.results("/v1/tokenize", &body)[0]), "invalid_request", "{name}");
    }
}

/// A moment to come, as RFC 3339 has it.
fn in_seconds(seconds: u64) -> String {
    let mut command = Command::new("date");
    command.args(["--utc", "--date", &format!("+{seconds} seconds"), "+%Y-%m-%dT%H:%M:%SZ"]);
    run(&mut command, "").ok().stdout.trim().to_owned()
}

#[test]
fn what_is_mistyped_anothers_unknown_or_deleted_is_told_by_the_one_table() {
    let setting = Setting::with_service();
    let other = setting.site.tenant("herne");
    let options = json!({ "info_type": "CITY" });
    let surrogate = setting.surrogate(&options, "Burg");
    let foreign = setting.post(
        &other,
        "/v1/tokenize",
        &json!({ "info_type": "CITY",
        "items": [{ "value": "Herne" }] }),
    );
    let foreign = foreign.json()["results"][0]["surrogate"].as_str().unwrap().to_owned();
    let mistyped = surrogate.replace(&surrogate[10..12], "00");
    let refused = [&foreign, &mistyped, &"srg_x".to_owned(), &String::new()]
        .map(|text| setting.shown(text, "plain"));
    assert_eq!(code(&refused[0]), "invalid_request");
    assert_eq!(refused[0], refused[1], "whose it is is not told");
    assert!(refused.iter().all(|it| code(it) == "invalid_request"), "{refused:?}");

    let tenant = TenantId::parse(&setting.tenant.id).unwrap();
    let never = Surrogate::new(tenant, InfoType::City, SurrogateId::from_bytes([7; 16]));
    let unknown = setting.shown(&never.to_string(), "plain");
    assert_eq!(code(&unknown), "not_found");
    let deleted = setting.grpc("Delete", &[&surrogate, &never.to_string(), "srg_x"]);
    assert_eq!(deleted[0], json!({}), "{deleted}");
    assert_eq!(
        (&deleted[1]["status"]["code"], &deleted[2]["status"]["code"]),
        (&5.into(), &3.into())
    );
    assert_eq!(setting.shown(&surrogate, "plain"), unknown, "a deleted one is as if it never was");
}

#[test]
fn a_description_tells_all_but_the_value() {
    let setting = Setting::with_service();
    let options = json!({ "info_type": "IBAN_CODE", "reveal": "masked", "uses": 7,
        "expires": "2100-01-01T00:00:00Z" });
    let surrogate = setting.surrogate(&options, IBAN);
    let _ = setting.shown(&surrogate, "masked");
    let described = setting.grpc("Describe", &[&surrogate]);
    let it = &described[0]["description"];
    assert_eq!(
        (&it["infoType"], &it["kind"]),
        (&"IBAN_CODE".into(), &"SURROGATE_KIND_RANDOM".into())
    );
    assert_eq!((&it["uses"], &it["usesMax"]), (&"1".into(), &7.into()), "{it}");
    assert_eq!(
        (&it["reveal"], &it["expires"]),
        (&"REVEAL_MASKED".into(), &"2100-01-01T00:00:00Z".into())
    );
    assert!(it["created"].is_string() && !described.to_string().contains("3000"), "{described}");
}

#[test]
fn a_customer_token_trades_what_it_may_and_what_it_opens() {
    let setting = Setting::new();
    let surrogate = setting.surrogate(&json!({ "info_type": "CITY" }), "Burg");
    let ask = |tenant: &Tenant, path: &str, body: &Value| setting.post(tenant, path, body);
    let tokenize = json!({ "items": [{ "value": "Burg", "info_type": "CITY" },
        { "value": IBAN, "info_type": "IBAN_CODE" }] });
    let detokenize = json!({ "items": [{ "surrogate": surrogate }] });

    let masks = setting.with_token("masks", &["--kind", "grant", "--operations", "read_masked"]);
    for (path, body) in [("/v1/tokenize", &tokenize), ("/v1/detokenize", &detokenize)] {
        let refused = ask(&masks, path, body);
        assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden"), "{path}");
    }
    let writes = ["--kind", "write_only", "--operations", "tokenize", "--classes", "location"];
    let writer = setting.with_token("writer", &writes);
    let made = ask(&writer, "/v1/tokenize", &tokenize).json();
    assert!(made["results"][0]["surrogate"].is_string(), "{made}");
    assert_eq!(code(&made["results"][1]), "wrong_key");
    assert_eq!(ask(&writer, "/v1/detokenize", &detokenize).status, 403);
    let reads = ["--kind", "grant", "--operations", "detokenize", "--classes", "financial"];
    let reader = setting.with_token("reader", &reads);
    assert_eq!(
        code(&ask(&reader, "/v1/detokenize", &detokenize).json()["results"][0]),
        "wrong_key"
    );
    assert_eq!(ask(&reader, "/v1/tokenize", &tokenize).status, 403);
}

#[test]
fn a_reader_trades_back_and_a_writer_trades() {
    let site = Site::start_with_log("redb", "info");
    let tenant = site.tenant_with_user("burg");
    let setting = Setting { site, tenant };
    let surrogate = setting.surrogate(&json!({ "info_type": "CITY" }), "Burg");
    let tokenize = json!({ "info_type": "CITY", "items": [{ "value": "Burg" }] });
    let detokenize = json!({ "items": [{ "surrogate": surrogate }] });
    for (role, expected) in
        [("reader", [403, 200]), ("writer", [200, 403]), ("auditor", [403, 403])]
    {
        setting
            .site
            .operator(&["tenant", "user", "roles", "burg", "planner", "--role", role, "--yes"])
            .ok();
        let statuses = [("/v1/tokenize", &tokenize), ("/v1/detokenize", &detokenize)]
            .map(|(path, body)| setting.post(&setting.tenant, path, body).status);
        assert_eq!(statuses, expected, "{role}");
    }
}

#[test]
fn plain_values_take_the_budget_of_reveals_and_masks_do_not() {
    let setting = Setting::new();
    let update = |flags: &[&str]| {
        let update = ["tenant", "update", "burg", "--yes"];
        let _ = setting.site.operator(&[&update[..], flags].concat()).ok();
    };
    let made = json!({ "info_type": "CITY", "items": vec![json!({ "value": "Burg" }); 5] });
    let made = setting.results("/v1/tokenize", &made);
    let items: Vec<_> = made.iter().map(|it| json!({ "surrogate": it["surrogate"] })).collect();
    update(&["--reveals-per-day", "3"]);
    let body = |reveal: &str| json!({ "reveal": reveal, "items": items });
    let masked = setting.results("/v1/detokenize", &body("masked"));
    assert!(masked.iter().all(|it| it["state"] == "masked"), "{masked:?}");
    let plain = setting.results("/v1/detokenize", &body("plain"));
    assert!(plain[..3].iter().all(|it| it["value"] == "Burg"), "{plain:?}");
    assert!(plain[3..].iter().all(|it| code(it) == "rate_limited"), "{plain:?}");
    let refused = setting.post(&setting.tenant, "/v1/detokenize", &body("plain"));
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"));
    let shown = setting.site.operator(&["tenant", "show", "burg", "--output", "json"]);
    assert_eq!(shown.ok().json()["usage"]["reveals_used"], 3);
}

#[test]
fn what_does_not_fit_the_answer_is_told_so_and_comes_when_less_is_asked_for() {
    let setting = Setting::new();
    let value = "x".repeat(60_000);
    let body = json!({ "info_type": "FREE_TEXT", "items": vec![json!({ "value": value }); 40] });
    let made = [(); 2].map(|()| setting.results("/v1/tokenize", &body)).concat();
    let items: Vec<_> = made.iter().map(|it| json!({ "surrogate": it["surrogate"] })).collect();
    let plain = |items: &[Value]| {
        setting.results("/v1/detokenize", &json!({ "reveal": "plain", "items": items }))
    };
    let all = plain(&items);
    let fitting = all.iter().filter(|it| it["value"] == value.as_str()).count();
    assert!((40..80).contains(&fitting), "{fitting} fit");
    assert!(all[fitting..].iter().all(|it| code(it) == "too_large"), "the rest is told so");
    assert!(plain(&items[fitting..]).iter().all(|it| it["value"] == value.as_str()));
}

#[test]
fn a_repeat_under_an_idempotency_key_gets_the_surrogates_of_the_first_time() {
    let setting = Setting::new();
    let file = setting.site.path("body");
    let body = json!({ "info_type": "CITY", "items": [{ "value": "Burg" }, { "value": "Turm" }] });
    fs::write(&file, body.to_string()).unwrap();
    let data = format!("@{}", file.display());
    let ask = |key: &str| {
        let key = format!("Idempotency-Key: {key}");
        let arguments =
            ["-H", "Content-Type: application/json", "-H", &key, "--data-binary", &data];
        let answer = setting.site.curl(&setting.tenant, "/v1/tokenize", &arguments).json();
        answer["results"].as_array().unwrap().clone()
    };
    let (first, again, other) = (ask("k-1"), ask("k-1"), ask("k-2"));
    for at in 0..2 {
        assert_eq!(first[at]["surrogate"], again[at]["surrogate"]);
        assert_eq!((first[at].get("replayed"), &again[at]["replayed"]), (None, &true.into()));
        assert_ne!(first[at]["surrogate"], other[at]["surrogate"]);
    }
    fs::write(&file, body.to_string().replace("Turm", "Berg")).unwrap();
    let changed = ask("k-1");
    assert_eq!(changed[0]["surrogate"], first[0]["surrogate"]);
    assert_eq!(code(&changed[1]), "conflict");
}

/// Plays a scenario of `surrogate_streams.py`: what it saw, and what the vault grew by meanwhile.
fn play(setting: &Setting, scenario: &str, number: usize) -> (Value, u64) {
    let Setting { site, tenant } = setting;
    let mut command = Command::new(tool("python3"));
    command.arg(repository().join("tests/clients/surrogate_streams.py")).arg(site.data_plane());
    command.arg(repository().join("proto")).arg(site.path("ca")).arg(site.path("stubs"));
    command.args([&tenant.id, scenario, &number.to_string()]).env("PYTHONDONTWRITEBYTECODE", "1");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    writeln!(input, "{}", tenant.customer_token()).unwrap();
    let mut lines = BufReader::new(output).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    let before = resident_kib(site);
    writeln!(input).unwrap();
    let told = lines.next();
    assert!(child.wait().unwrap().success(), "see standard error");
    let told = serde_json::from_str(&told.unwrap().unwrap()).unwrap();
    (told, resident_kib(site).saturating_sub(before))
}

/// The vault's memory, in KiB.
fn resident_kib(site: &Site) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", site.vault_id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn any_number_of_values_goes_through_one_stream_and_back_in_flat_memory() {
    // redb's memory does not grow with what it holds, as sled's table of pages does.
    let setting = Setting::over("redb").and_service();
    let number = if is_long() { 1_000_000 } else { 50_000 };
    let (told, growth_kib) = play(&setting, "volume", number);
    assert_eq!(told, json!({ "tokenized": number, "detokenized": number }));
    assert!(growth_kib < FLAT_KIB_MAX, "it grew by {growth_kib} KiB");
}

#[test]
fn a_stream_that_is_cut_off_anywhere_is_repeated_under_its_key_and_nothing_is_made_twice() {
    let setting = Setting::with_service();
    let (told, _) = play(&setting, "half_way", if is_long() { 40 } else { 4 });
    assert!(told["replayed"].as_u64() > Some(0), "{told}");
}

#[test]
fn a_stream_that_nobody_reads_takes_no_memory_and_no_other_is_held_up() {
    let setting = Setting::with_service();
    let (told, growth_kib) = play(&setting, "deaf", 4);
    assert!(told["batches"].as_u64() > Some(0), "{told}");
    assert!(growth_kib < GROWTH_KIB_MAX, "it grew by {growth_kib} KiB");
}

#[test]
fn a_stream_out_of_order_ends_after_what_was_answered() {
    let setting = Setting::with_service();
    let (told, _) = play(&setting, "disorder", 0);
    let expected = json!({
        "no opening": [0, "invalid_request"],
        "nothing": [0, "invalid_request"],
        "an empty message": [0, "invalid_request"],
        "a wrong customer token": [0, "unauthenticated"],
        "two openings": [1, "invalid_request"],
        "too many values": [1, "too_large"],
        "no values": [1, "invalid_request"],
        "surrogates, then an opening": [1, "invalid_request"],
    });
    assert_eq!(told, expected);
}
