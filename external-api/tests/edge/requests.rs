//! Reading, deleting, screening, enrolling, limits and health.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{RECORDS, Setting, TENANT, code, lines};

async fn json(response: reqwest::Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

async fn stored() -> Setting {
    let setting = Setting::new().await;
    let body = "number;tariff\na;T1\nb;T2\nc;T3\n";
    lines(setting.upload("?id_field=number", "text/csv", body).await).await;
    setting
}

#[tokio::test]
async fn a_collection_is_read_page_by_page() {
    let setting = stored().await;
    let mut path = format!("{RECORDS}?page_size=2&reveal=plain");
    let first = json(setting.request(Method::GET, &path).send().await.unwrap()).await;
    assert_eq!(first["records"][1]["record"], json!({"number": "b", "tariff": "T2"}));
    path.push_str("&page_token=2");
    assert_eq!(first["next_page_token"], "2");
    let last = json(setting.request(Method::GET, &path).send().await.unwrap()).await;
    assert_eq!(last["records"].as_array().unwrap().len(), 1);
    assert_eq!(last["next_page_token"], Value::Null);
}

#[tokio::test]
async fn a_deleted_record_is_gone() {
    let setting = stored().await;
    let path = format!("{RECORDS}/b");
    let deleted = setting.request(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    for method in [Method::GET, Method::DELETE] {
        let absent = setting.request(method, &path).send().await.unwrap();
        assert_eq!(code(absent).await, (404, "not_found".to_owned()));
    }
}

#[tokio::test]
async fn a_dry_run_tells_verdicts_and_stores_nothing() {
    let setting = Setting::new().await;
    let request = setting.bare(Method::POST, "/v1/screen?collection=customers");
    let request = request.header("Content-Type", "text/csv");
    let body = "email;surplus;forbidden\ne@example.org;x;y\n1;2\n";
    let told = lines(request.body(body).send().await.unwrap()).await;
    let verdicts = &told[0]["verdicts"];
    assert_eq!(verdicts[0]["info_type"], "EMAIL_ADDRESS");
    assert_eq!(verdicts[0]["action"], "seal");
    assert_eq!(verdicts[1]["action"], "drop");
    assert_eq!(told[0]["problem"]["code"], "rejected_by_policy");
    assert_eq!(
        (told[1]["line"].as_u64(), &told[1]["problem"]["code"]),
        (Some(3), &json!("invalid_request"))
    );
    assert_eq!(told[2]["summary"]["rejected"], 2);
    assert!(setting.vault.stored().is_empty());
    let request =
        setting.bare(Method::POST, "/v1/screen").header("Content-Type", "application/json");
    let told = lines(request.body(r#"{"forbidden":"7"}"#).send().await.unwrap()).await;
    assert_eq!(told[1]["summary"]["accepted"], 1);
    let request = setting.bare(Method::POST, "/v1/screen").header("Content-Type", "text/csv");
    let refused = request.body("").send().await.unwrap();
    assert_eq!(code(refused).await, (400, "invalid_request".to_owned()));
}

/// A dry run of `body` without a policy, asked for as `accept`.
async fn screened(
    setting: &Setting,
    query: &str,
    accept: &str,
    body: &'static str,
) -> reqwest::Response {
    let request = setting.bare(Method::POST, &format!("/v1/screen{query}"));
    let request = request.header("Content-Type", "application/x-ndjson").header("Accept", accept);
    request.body(body).send().await.unwrap()
}

const MIXED: &str = "{\"email\":\"e@example.org\"}\n{\n{\"email\":\"\",\"menge\":7}\n";

#[tokio::test]
async fn a_dry_run_ends_with_a_report() {
    let setting = Setting::new().await;
    let told = lines(screened(&setting, "", "*/*", MIXED).await).await;
    assert_eq!((told.len(), &told[0]["verdicts"][0]["code"]), (4, &json!("field_name_and_value")));
    let report = &told[3]["report"];
    assert_eq!((&report["records"], &report["rejected"]), (&json!(2), &json!(1)));
    let column = &report["columns"][0];
    assert_eq!((&column["name"], &column["info_type"]), (&json!("email"), &json!("EMAIL_ADDRESS")));
    assert_eq!((&column["values"], &column["actions"]), (&json!(1), &json!({"seal": 1})));
    assert_eq!(column["examples"], json!(["e•••@example.org"]));
    assert_eq!(report["columns"][1]["actions"], json!({"clear": 1}));
    assert!(report["proposed_policy"].as_str().unwrap().contains("EMAIL_ADDRESS"));
    assert!(!told[3].to_string().contains("e@example.org"), "a report holds no value");
}

#[tokio::test]
async fn a_dry_run_tells_as_much_as_is_asked_for() {
    let setting = Setting::new().await;
    let told = lines(screened(&setting, "?explain=false", "*/*", MIXED).await).await;
    assert_eq!((told.len(), told[0].get("verdicts")), (4, None));
    let told = lines(screened(&setting, "?results=rejected", "*/*", MIXED).await).await;
    assert_eq!(
        (told.len(), &told[0]["row"], &told[1]["report"]["records"]),
        (2, &json!(2), &json!(2))
    );
    let refused = screened(&setting, "?explain=vielleicht", "*/*", MIXED).await;
    assert_eq!(code(refused).await, (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn a_dry_run_is_one_document_for_who_accepts_json() {
    let setting = Setting::new().await;
    let answer = screened(&setting, "", "application/json", MIXED).await;
    assert_eq!(answer.headers()["content-type"], "application/json");
    let document = json(answer).await;
    assert_eq!((&document["records"], &document["rejected"]), (&json!(2), &json!(1)));
    assert_eq!(document["columns"][0]["info_type"], "EMAIL_ADDRESS");
    assert_eq!(
        (&document["summary"]["complete"], &document["summary"]["accepted"]),
        (&json!(true), &json!(2))
    );
    let lines = lines(screened(&setting, "", "*/*", MIXED).await).await;
    assert_eq!(lines[3]["report"]["columns"], document["columns"]);
    let refused = screened(&setting, "", "application/json", "").await;
    assert_eq!(code(refused).await, (400, "invalid_request".to_owned()));
    assert!(setting.vault.stored().is_empty());
}

#[tokio::test]
async fn a_customer_enrols_with_its_code() {
    let setting = Setting::new().await;
    let enrol = |body: String| setting.bare(Method::POST, "/v1/enrol").body(body).send();
    let secret = tresor_proto::Secret::from_slice(&[3; 16]).unwrap();
    let enrolment_code = tresor_proto::EnrolmentCode::new(secret).expose_text();
    let body = json!({"enrolment_code": enrolment_code.as_str()});
    let answer = enrol(body.to_string()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let expected = json!({"tenant_id": TENANT, "tenant_name": "planner",
        "customer_token": setting.vault.customer_token(),
        "recovery_token": crate::fake_vault::customer_token(8)});
    assert_eq!(json(answer).await, expected);
    let refused = enrol(r#"{"enrolment_code":"tre_x"}"#.to_owned()).await.unwrap();
    assert_eq!(code(refused).await, (401, "unauthenticated".to_owned()));
    let refused = enrol("{}".to_owned()).await.unwrap();
    assert_eq!(code(refused).await, (400, "invalid_request".to_owned()));
    let refused = enrol("x".repeat(5000)).await.unwrap();
    assert_eq!(code(refused).await, (413, "too_large".to_owned()));
}

#[tokio::test]
async fn the_limits_are_published() {
    let setting = Setting::new().await;
    let limits = json(setting.bare(Method::GET, "/v1/limits").send().await.unwrap()).await;
    assert_eq!(limits["record_bytes_max"], 262_144);
    assert_eq!(limits["request_deadline_ms"], 30_000);
}

#[tokio::test]
async fn health_is_told_on_both_listeners() {
    let setting = Setting::new().await;
    for path in ["/healthz", "/readyz"] {
        let answer = setting.bare(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let plain = format!("http://{}{path}", setting.edge.health_addr().unwrap());
        let answer = setting.client.get(plain).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn without_its_vault_the_edge_is_not_ready() {
    let setting = Setting::with(|config| config.vault.endpoint = "https://localhost:1".to_owned());
    let setting = setting.await;
    let alive = setting.bare(Method::GET, "/healthz").send().await.unwrap();
    assert_eq!(alive.status(), StatusCode::OK);
    let ready = setting.bare(Method::GET, "/readyz").send().await.unwrap();
    assert_eq!(code(ready).await, (503, "overloaded".to_owned()));
    let read = setting.request(Method::GET, RECORDS).send().await.unwrap();
    assert_eq!(code(read).await, (503, "overloaded".to_owned()));
}

#[tokio::test]
async fn a_shutdown_ends_the_edge() {
    let setting = Setting::new().await;
    let answer = setting.bare(Method::GET, "/v1/limits").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    setting.shutdown.trigger();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(10), setting.edge.join());
    assert!(ended.await.is_ok());
}

#[tokio::test]
async fn a_customer_token_is_asked_for_in_words_and_told_in_words() {
    let setting = Setting::new().await;
    let request = setting.request(Method::POST, "/v1/keys/tokens");
    let body = r#"{"kind":"write_only","name":"uploader","classes":["contact"]}"#;
    let answer = request.body(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let made = json(answer).await;
    assert!(made["customer_token"].as_str().unwrap().starts_with("trsr_"));
    let issued = &made["issued"];
    assert_eq!(issued["kind"], "write_only");
    assert_eq!((&issued["name"], &issued["state"]), (&json!("uploader"), &json!("active")));
    assert_eq!((&issued["classes"], &issued["expires"]), (&json!(["contact"]), &Value::Null));
    let context = setting.vault.contexts().pop().unwrap();
    assert_eq!(context.customer_token, setting.vault.customer_token());
}

#[tokio::test]
async fn a_customer_token_is_rotated_and_revoked_by_its_id() {
    let setting = Setting::new().await;
    let id = "14fhprYCYlTyUewFx";
    let call = |verb: &str, body: &'static str| {
        let path = format!("/v1/keys/tokens/{id}:{verb}");
        setting.request(Method::POST, &path).body(body).send()
    };
    let rotated = json(call("rotate", r#"{"overlap_seconds":60}"#).await.unwrap()).await;
    let replaced = |rotated: &Value| rotated["replaced"]["name"].as_str().unwrap().to_owned();
    assert_eq!((rotated["replaced"]["id"].as_str(), replaced(&rotated)), (Some(id), "60s".into()));
    let rotated = json(call("rotate", "").await.unwrap()).await;
    assert_eq!(replaced(&rotated), "a week");
    let revoked = json(call("revoke", r#"{"confirmation":"burg"}"#).await.unwrap()).await;
    assert_eq!((&revoked["id"], &revoked["name"]), (&json!(id), &json!("burg")));
    for verb in ["lock", "", "rotate:revoke"] {
        let refused = call(verb, "").await.unwrap();
        assert_eq!(code(refused).await, (404, "not_found".to_owned()), "{verb}");
    }
    let refused = call("revoke", r#"{"confirmed":"burg"}"#).await.unwrap();
    assert_eq!(code(refused).await, (400, "invalid_request".to_owned()));
}
