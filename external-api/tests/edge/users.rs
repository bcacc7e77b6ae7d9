//! Users: who has to show a password, how often it is checked, and when a session ends.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    CLIENT, RECORDS, Setting, client, client_from, code,
    fake_vault::{PASSWORD, USER},
    lines,
};

/// A setting whose tenant requires a password.
async fn setting() -> Setting {
    let setting = Setting::new().await;
    setting.vault.users().require();
    setting
}

async fn get(setting: &Setting, path: &str, password: &str) -> Response {
    let request = setting.request(Method::GET, path).basic_auth(USER, Some(password));
    request.send().await.unwrap()
}

async fn change(setting: &Setting, old: &str, new: &str) -> Response {
    let request = setting.bare(Method::POST, "/v1/password").basic_auth(USER, Some(old));
    request.json(&json!({ "new_password": new })).send().await.unwrap()
}

/// What a refusal says, without what is of this one request.
async fn told(refused: Response) -> (u16, Option<String>, Value) {
    let challenge = refused.headers().get("www-authenticate");
    let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
    let status = refused.status().as_u16();
    let mut problem: Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
    problem["request_id"].take();
    (status, challenge, problem)
}

#[tokio::test]
async fn a_password_is_checked_once_and_its_session_forwarded() {
    let setting = setting().await;
    let at_once = (0..8).map(|_| get(&setting, RECORDS, PASSWORD));
    for answer in join_all(at_once).await {
        assert_eq!(answer.status(), StatusCode::OK);
    }
    assert_eq!(get(&setting, RECORDS, PASSWORD).await.status(), StatusCode::OK);
    assert_eq!(setting.vault.users().logins(), 1);
    let contexts = setting.vault.contexts();
    let sessions: Vec<_> =
        contexts.iter().map(|it| it.evidence.as_ref().unwrap().session.as_str()).collect();
    assert_eq!(sessions, ["session-1"; 9]);
}

#[tokio::test]
async fn within_the_wait_a_guesser_gets_nothing_from_the_sessions_and_others_do() {
    let mut setting = setting().await;
    setting.vault.allow_loopback();
    let files = setting.house.issue_client("stolen", CLIENT);
    let [here, there] = [1, 2].map(|last| client_from([127, 0, 0, last], &files, "h2"));
    for client in [&here, &there] {
        setting.client = client.clone();
        assert_eq!(get(&setting, RECORDS, PASSWORD).await.status(), StatusCode::OK);
    }
    assert_eq!(setting.vault.users().logins(), 2, "no session is lent to another network");
    setting.vault.users().delay("127.0.0.1");
    setting.client = here;
    for password in ["wrong password", PASSWORD, PASSWORD, "wrong password"] {
        let refused = get(&setting, RECORDS, password).await;
        let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=42).contains(&seconds), "{seconds}");
        assert_eq!(code(refused).await, (429, "rate_limited".to_owned()), "{password}");
    }
    setting.client = there;
    assert_eq!(get(&setting, RECORDS, PASSWORD).await.status(), StatusCode::OK);
    assert_eq!(setting.vault.users().logins(), 2);
}

#[tokio::test]
async fn a_suspended_tenant_has_the_vault_asked_once_a_second_and_no_more() {
    let setting = Setting::new().await;
    setting.vault.users().suspend(true);
    let begun = Instant::now();
    for _ in 0..4 {
        let at_once = (0..8).map(|_| get(&setting, RECORDS, PASSWORD));
        for answer in join_all(at_once).await {
            assert_eq!(code(answer).await, (401, "unauthenticated".to_owned()));
        }
    }
    let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap();
    let asked = setting.vault.users().introspections();
    assert!((1..=seconds + 1).contains(&asked), "asked {asked} times in {seconds} s");
    setting.vault.users().suspend(false);
    while get(&setting, RECORDS, PASSWORD).await.status() != StatusCode::OK {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is remembered for ever");
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_password_gets_the_same_answer() {
    let setting = setting().await;
    let encoded = |text: &str| {
        let request = setting.bare(Method::GET, "/").basic_auth(USER, Some(text)).build().unwrap();
        request.headers()["authorization"].to_str().unwrap().to_owned()
    };
    let right = encoded(PASSWORD);
    let wrong: [&[&str]; 9] = [
        &[],
        &[""],
        &["Basic"],
        &["Basic !"],
        &[&right.replace("Basic", "Bearer")],
        &[&right[..right.len() - 4]],
        &[&right, &right],
        &[&encoded("wrong password")],
        &[&encoded(&"x".repeat(8_000))],
    ];
    let mut answers = Vec::new();
    for path in [RECORDS, "/v1/limits", "/v1/keys/tokens", "/openapi.json"] {
        for values in wrong {
            let mut request = setting.request(Method::GET, path);
            for value in values {
                request = request.header("Authorization", *value);
            }
            answers.push(told(request.send().await.unwrap()).await);
        }
        let other = setting.request(Method::GET, path).basic_auth("nobody", Some(PASSWORD));
        answers.push(told(other.send().await.unwrap()).await);
    }
    // The same as for a wrong customer token.
    let request = setting.bare(Method::GET, RECORDS).basic_auth(USER, Some(PASSWORD));
    answers.push(told(request.send().await.unwrap()).await);
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let (status, challenge, problem) = &answers[0];
    assert_eq!((*status, &problem["code"]), (401, &json!("unauthenticated")));
    assert_eq!(challenge.as_deref(), Some("Basic realm=\"tresor\", charset=\"UTF-8\""));
    assert!(setting.vault.contexts().is_empty(), "none of them reaches the vault's work");
}

#[tokio::test]
async fn the_scheme_is_written_as_one_likes() {
    let setting = setting().await;
    let request = setting.bare(Method::GET, "/").basic_auth(USER, Some(PASSWORD)).build().unwrap();
    let right = request.headers()["authorization"].to_str().unwrap();
    let request = setting.request(Method::GET, RECORDS);
    let request = request.header("Authorization", right.replace("Basic", "bASIC"));
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_tenant_that_requires_none_is_not_asked_for_one_but_held_to_one_it_shows() {
    let setting = Setting::new().await;
    let answered = setting.request(Method::GET, RECORDS).send().await.unwrap();
    assert_eq!(answered.status(), StatusCode::OK);
    assert_eq!(get(&setting, RECORDS, PASSWORD).await.status(), StatusCode::OK);
    let wrong = [get(&setting, RECORDS, "wrong password").await, get(&setting, RECORDS, "").await];
    for refused in wrong {
        let (status, challenge, _) = told(refused).await;
        assert_eq!((status, challenge), (401, None));
    }
}

#[tokio::test]
async fn a_session_is_for_the_certificate_it_was_opened_with() {
    let setting = setting().await;
    assert_eq!(get(&setting, RECORDS, PASSWORD).await.status(), StatusCode::OK);
    let other = client(&setting.house.issue_client("second", CLIENT), "h2");
    let request = other.get(setting.url(RECORDS)).basic_auth(USER, Some(PASSWORD));
    let request = request.header("Tresor-Customer-Token", setting.vault.customer_token());
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(setting.vault.users().logins(), 2);
}

#[tokio::test]
async fn a_session_that_is_about_to_end_is_not_used_again() {
    let setting = setting().await;
    setting.vault.users().set_lifetime(59);
    for _ in 0..3 {
        let before = setting.vault.users().logins();
        assert_eq!(get(&setting, RECORDS, PASSWORD).await.status(), StatusCode::OK);
        assert!(setting.vault.users().logins() > before);
    }
}

#[tokio::test]
async fn a_session_that_ended_before_its_time_is_replaced_unnoticed() {
    let setting = setting().await;
    assert_eq!(get(&setting, RECORDS, PASSWORD).await.status(), StatusCode::OK);
    setting.vault.users().end_sessions();
    assert_eq!(get(&setting, RECORDS, PASSWORD).await.status(), StatusCode::OK);
    assert_eq!(setting.vault.users().logins(), 2);
}

#[tokio::test]
async fn a_user_who_is_disabled_is_refused_on_every_route_at_once() {
    for (method, path) in [
        (Method::GET, RECORDS),
        (Method::GET, "/v1/limits"),
        (Method::GET, "/openapi.json"),
        (Method::POST, "/v1/screen"),
        (Method::POST, "/v1/screen?collection=customers"),
        (Method::POST, RECORDS),
    ] {
        // Each with a session that nobody else finds out to have ended.
        let setting = setting().await;
        let ask = async || {
            let request = setting.request(method.clone(), path).basic_auth(USER, Some(PASSWORD));
            request.header("Content-Type", "text/csv").body("a\n1\n").send().await.unwrap()
        };
        assert_eq!(ask().await.status(), StatusCode::OK);
        setting.vault.users().disable();
        assert_eq!(code(ask().await).await.0, 401, "{path}");
    }
}

#[tokio::test]
async fn a_wrong_customer_token_does_not_have_the_password_checked_again() {
    let setting = setting().await;
    for _ in 0..3 {
        let request = setting.bare(Method::GET, RECORDS).basic_auth(USER, Some(PASSWORD));
        let other = crate::fake_vault::customer_token(9);
        let refused = request.header("Tresor-Customer-Token", other).send().await.unwrap();
        assert_eq!(code(refused).await.0, 401);
    }
    assert_eq!(setting.vault.users().logins(), 1);
}

#[tokio::test]
async fn a_one_time_password_is_good_for_another_password_alone() {
    let setting = setting().await;
    setting.vault.users().reset();
    for path in [RECORDS, "/v1/limits", "/v1/keys/tokens"] {
        let refused = code(get(&setting, path, PASSWORD).await).await;
        assert_eq!(refused, (403, "forbidden".to_owned()), "{path}");
    }
    let (old, new) = (PASSWORD, "noch ein Pferd: braun");
    for short in ["", "elevenbytes", "with\u{7}bell and more"] {
        let refused = change(&setting, old, short).await;
        assert_eq!(code(refused).await, (400, "invalid_request".to_owned()), "{short:?}");
    }
    assert_eq!(change(&setting, old, new).await.status(), StatusCode::NO_CONTENT);
    let logins = setting.vault.users().logins();
    assert_eq!(get(&setting, RECORDS, new).await.status(), StatusCode::OK);
    assert_eq!(setting.vault.users().logins(), logins, "the change has opened a session");
    assert_eq!(code(get(&setting, RECORDS, old).await).await.0, 401);
}

#[tokio::test]
async fn a_change_of_the_password_ends_the_sessions_by_the_old_one() {
    let setting = setting().await;
    assert_eq!(get(&setting, RECORDS, PASSWORD).await.status(), StatusCode::OK);
    let new = "noch ein Pferd: braun";
    assert_eq!(change(&setting, PASSWORD, new).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(code(get(&setting, RECORDS, PASSWORD).await).await.0, 401);
    assert_eq!(get(&setting, RECORDS, new).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_password_is_changed_by_who_shows_it_and_nobody_else() {
    let setting = setting().await;
    let new = json!({ "new_password": "noch ein Pferd: braun" });
    let bare = || setting.request(Method::POST, "/v1/password").json(&new);
    let shown = [
        bare(),
        bare().basic_auth(USER, Some("wrong password")),
        bare().basic_auth(USER, None::<&str>),
        bare().basic_auth("nobody", Some(PASSWORD)),
    ];
    for request in shown {
        assert_eq!(code(request.send().await.unwrap()).await.0, 401);
    }
    let extra = bare().basic_auth(USER, Some(PASSWORD)).query(&[("new_password", "x")]);
    assert_eq!(code(extra.send().await.unwrap()).await.0, 400);
    assert_eq!(get(&setting, RECORDS, PASSWORD).await.status(), StatusCode::OK);
}

/// Uploads a row, has something happen, uploads another, and gives the lines of the answer.
async fn upload_around(setting: &Setting, happening: impl FnOnce(&Setting)) -> Vec<Value> {
    let (sender, chunks) = mpsc::channel::<Result<String, std::io::Error>>(1);
    let request = setting.request(Method::POST, RECORDS).basic_auth(USER, Some(PASSWORD));
    let request = request.header("Content-Type", "text/csv");
    let body = reqwest::Body::wrap_stream(ReceiverStream::new(chunks));
    sender.send(Ok("tariff\nT1\n".to_owned())).await.unwrap();
    let upload = tokio::spawn(request.body(body).send());
    while setting.vault.stored().is_empty() {
        tokio::task::yield_now().await;
    }
    happening(setting);
    let _ = sender.send(Ok("T2\n".to_owned())).await;
    drop(sender);
    lines(upload.await.unwrap().unwrap()).await
}

#[tokio::test]
async fn an_upload_goes_on_under_a_new_session() {
    let setting = setting().await;
    let told = upload_around(&setting, |setting| setting.vault.users().end_sessions()).await;
    assert_eq!(told[2]["summary"]["accepted"], 2, "{told:?}");
    assert_eq!((setting.vault.users().logins(), setting.vault.stored().len()), (2, 2));
}

#[tokio::test]
async fn an_upload_of_a_disabled_user_ends_with_its_next_batch() {
    let setting = setting().await;
    let told = upload_around(&setting, |setting| setting.vault.users().disable()).await;
    let summary = &told.last().unwrap()["summary"];
    assert_eq!((&summary["complete"], &summary["accepted"]), (&json!(false), &json!(1)));
    assert_eq!(summary["problem"]["code"], "unauthenticated");
    assert_eq!(setting.vault.stored().len(), 1);
}
