//! What is refused, and how.

use reqwest::{Method, StatusCode};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::{CLIENT, RECORDS, Setting, client, client_from, code, fake_vault::customer_token};

fn unauthenticated() -> (u16, String) {
    (401, "unauthenticated".to_owned())
}

#[tokio::test]
async fn every_wrong_customer_token_looks_alike() {
    let setting = Setting::new().await;
    let wrong = customer_token(8);
    let malformed = format!("{}x", setting.vault.customer_token());
    let mut answers = Vec::new();
    for shown in [None, Some(""), Some("trsr_"), Some(&malformed), Some(&wrong)] {
        let mut request = setting.bare(Method::POST, RECORDS).header("Content-Type", "text/csv");
        if let Some(shown) = shown {
            request = request.header("Tresor-Customer-Token", shown);
        }
        let refused = request.body("tariff\nT1\n").send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        let text = refused.text().await.unwrap();
        let mut problem: serde_json::Value = serde_json::from_str(&text).unwrap();
        problem["request_id"].take();
        answers.push(problem);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0]["detail"], "invalid credential");
    assert!(setting.vault.stored().is_empty());
}

#[tokio::test]
async fn a_large_upload_is_told_its_refusal() {
    let setting = Setting::new().await;
    let body = "tariff\n".repeat(1_000_000);
    for protocol in ["h2", "http/1.1"] {
        let files = setting.house.issue_client("large", CLIENT);
        let request = client(&files, protocol).post(setting.url(RECORDS));
        let request = request.header("Content-Type", "text/csv").body(body.clone());
        assert_eq!(code(request.send().await.unwrap()).await, unauthenticated(), "{protocol}");
    }
}

#[tokio::test]
async fn reading_and_deleting_take_a_customer_token_too() {
    let setting = Setting::new().await;
    let record = format!("{RECORDS}/a");
    for (method, path) in
        [(Method::GET, RECORDS), (Method::GET, &record), (Method::DELETE, &record)]
    {
        let refused = setting.bare(method, path).send().await.unwrap();
        assert_eq!(code(refused).await, unauthenticated());
    }
}

#[tokio::test]
async fn a_client_from_elsewhere_is_refused_on_every_route() {
    let setting = Setting::new().await;
    setting.vault.move_clients();
    let record = format!("{RECORDS}/a");
    for (method, path) in [
        (Method::GET, "/v1/limits"),
        (Method::POST, "/v1/screen"),
        (Method::POST, "/v1/screen?collection=customers"),
        (Method::POST, "/v1/enrol"),
        (Method::POST, RECORDS),
        (Method::GET, RECORDS),
        (Method::GET, &record),
        (Method::DELETE, &record),
    ] {
        let request = setting.request(method, path).header("Content-Type", "text/csv");
        assert_eq!(code(request.send().await.unwrap()).await, unauthenticated(), "{path}");
    }
    assert!(setting.vault.contexts().is_empty(), "nothing of theirs reaches the vault");
}

#[tokio::test]
async fn that_one_client_was_let_in_lets_no_other_in() {
    let setting = Setting::new().await;
    let path = "/v1/screen?collection=customers";
    let files = setting.house.issue_client("other", CLIENT);
    let elsewhere = client_from([127, 0, 0, 2], &files, "h2");
    for _ in 0..2 {
        let request = setting.bare(Method::POST, path).header("Content-Type", "text/csv");
        let admitted = request.body("a\n1\n").send().await.unwrap();
        assert_eq!(admitted.status(), StatusCode::OK);
        let request = elsewhere.post(setting.url(path)).header("Content-Type", "text/csv");
        assert_eq!(code(request.body("a\n1\n").send().await.unwrap()).await, unauthenticated());
    }
}

#[tokio::test]
async fn a_service_has_no_business_here() {
    let setting = Setting::new().await;
    let files = setting.house.issue_client("other", "spiffe://tresor.local/svc/other");
    let request = client(&files, "h2").get(setting.url(RECORDS));
    let request = request.header("Tresor-Customer-Token", setting.vault.customer_token());
    let refused = request.send().await.unwrap();
    assert_eq!(code(refused).await, (403, "forbidden".to_owned()));
}

#[tokio::test]
async fn an_unknown_collection_is_not_found() {
    let setting = Setting::new().await;
    let path = "/v1/collections/unknown/records";
    let request = setting.request(Method::POST, path).header("Content-Type", "text/csv");
    let refused = request.body("a\n1\n").send().await.unwrap();
    assert_eq!(code(refused).await, (404, "not_found".to_owned()));
    let path = "/v1/collections/Not%20A%20Name/records";
    let request = setting.request(Method::POST, path).header("Content-Type", "text/csv");
    let refused = request.body("a\n1\n").send().await.unwrap();
    assert_eq!(code(refused).await, (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn what_is_misspelt_is_refused() {
    let setting = Setting::new().await;
    for query in ["?explian=true", "?explain=yes", "?results=some", "?explain=true&explain=true"] {
        let refused = setting.upload(query, "text/csv", "a\n1\n").await;
        assert_eq!(code(refused).await, (400, "invalid_request".to_owned()), "{query}");
    }
    let refused = setting.upload("", "text/plain", "a\n1\n").await;
    assert_eq!(code(refused).await, (415, "unsupported_media_type".to_owned()));
    let path = format!("{RECORDS}?page_size=1001");
    let refused = setting.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(code(refused).await, (400, "invalid_request".to_owned()));
    let refused = setting.bare(Method::GET, "/v1/nothing").send().await.unwrap();
    assert_eq!(code(refused).await, (404, "not_found".to_owned()));
    let refused = setting.bare(Method::PUT, RECORDS).send().await.unwrap();
    assert_eq!(code(refused).await, (405, "invalid_request".to_owned()));
}

#[tokio::test]
async fn one_request_too_many_is_told_to_come_back() {
    let setting = Setting::with(|config| config.limits.requests_max = 1).await;
    let (sender, chunks) = mpsc::channel::<Result<&str, std::io::Error>>(1);
    sender.send(Ok("tariff\nT1\n")).await.unwrap();
    let request = setting.request(Method::POST, RECORDS).header("Content-Type", "text/csv");
    let body = reqwest::Body::wrap_stream(ReceiverStream::new(chunks));
    let upload = request.body(body).send().await.unwrap();
    let refused = setting.request(Method::GET, RECORDS).send().await.unwrap();
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(code(refused).await, (503, "overloaded".to_owned()));
    let health = setting.bare(Method::GET, "/healthz").send().await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    drop(sender);
    upload.text().await.unwrap();
    let answered = setting.request(Method::GET, RECORDS).send().await.unwrap();
    assert_eq!(answered.status(), StatusCode::OK);
}

#[tokio::test]
async fn one_tenant_cannot_take_the_seats_of_the_others() {
    let setting = Setting::with(|config| config.limits.requests_max = 4).await;
    let (sender, chunks) = mpsc::channel::<Result<&str, std::io::Error>>(1);
    sender.send(Ok("tariff\nT1\n")).await.unwrap();
    let request = setting.request(Method::POST, RECORDS).header("Content-Type", "text/csv");
    let body = reqwest::Body::wrap_stream(ReceiverStream::new(chunks));
    let _upload = request.body(body).send().await.unwrap();
    let refused = setting.bare(Method::GET, "/v1/limits").send().await.unwrap();
    assert_eq!(code(refused).await, (503, "overloaded".to_owned()));
    let other = CLIENT.replace("0b1/", "0b2/");
    let files = setting.house.issue_client("other", &other);
    let limits = client(&files, "h2").get(setting.url("/v1/limits")).send().await.unwrap();
    assert_eq!(limits.status(), StatusCode::OK);
}

#[tokio::test]
async fn headers_over_the_limit_are_refused() {
    let setting = Setting::new().await;
    let files = setting.house.issue_client("headers", CLIENT);
    for protocol in ["h2", "http/1.1"] {
        let client = client(&files, protocol);
        let ask =
            |header: String| client.get(setting.url("/v1/limits")).header("X-Long", header).send();
        let allowed = ask("x".repeat(15 * 1024)).await.unwrap();
        assert_eq!(allowed.status(), StatusCode::OK);
        let refused = ask("x".repeat(17 * 1024)).await.unwrap();
        assert_eq!(code(refused).await, (431, "too_large".to_owned()), "{protocol}");
        // Beyond what is read at all, the answer is hyper's.
        let answer = ask("x".repeat(80 * 1024)).await;
        let is_refused = answer.is_err() || answer.is_ok_and(|answer| answer.status() == 431);
        assert!(is_refused, "{protocol}");
    }
}
