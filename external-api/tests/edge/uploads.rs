//! Uploads: formats, order, broken rows, streaming.

use std::time::Duration;

use async_compression::tokio::write::{GzipEncoder, ZstdEncoder};
use futures::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tresor_proto::vault::{Action, Field};

use crate::{CLIENT, RECORDS, Setting, TENANT, client, code, lines};

const CSV: &str = "text/csv";

fn summary(lines: &[Value]) -> &Value {
    &lines.last().unwrap()["summary"]
}

fn told(fields: &[Field]) -> Vec<(&str, Action)> {
    fields.iter().map(|field| (field.name.as_str(), field.action())).collect()
}

#[tokio::test]
async fn a_csv_is_stored_row_by_row() {
    let setting = Setting::new().await;
    let body = "email;tariff;surplus\nerna@example.org;T1;x\nmax@example.org;T2;y\n";
    let lines = lines(setting.upload("", CSV, body).await).await;
    let expected = json!({"row": 1, "line": 2, "status": "stored", "id": "made-0", "revision": 1});
    assert_eq!(lines[0], expected);
    assert_eq!((lines[1]["row"].as_u64(), lines[1]["line"].as_u64()), (Some(2), Some(3)));
    let expected = json!({"complete": true, "accepted": 2, "rejected": 0, "fields_sealed": 4,
        "fields_tokenized": 0, "fields_clear": 0, "fields_dropped": 2, "policy_version": 1});
    assert_eq!(summary(&lines), &expected);
    let stored = setting.vault.stored();
    let expected = [("email", Action::Seal), ("tariff", Action::Seal)];
    assert_eq!(told(&stored[0].fields), expected);
    assert_eq!(stored[0].fields[0].info_type, "EMAIL_ADDRESS");
}

#[tokio::test]
async fn a_tokenized_field_is_answered_with_its_surrogate() {
    let setting = Setting::new().await;
    let lines = lines(setting.upload("", CSV, "account;tariff\nDE1;T1\n;T2\n").await).await;
    assert_eq!(lines[0]["surrogates"], json!({"account": "srg_account"}));
    assert_eq!(lines[0]["pseudonymous"], Value::Null, "nobody asked for it");
    assert_eq!(
        (&summary(&lines)["fields_sealed"], &summary(&lines)["fields_tokenized"]),
        (&json!(4), &json!(1))
    );
    let stored = setting.vault.stored();
    assert_eq!(told(&stored[0].fields), [("account", Action::Tokenize), ("tariff", Action::Seal)]);
}

#[tokio::test]
async fn a_surrogate_is_told_with_the_version_of_its_key_where_it_hangs_on_one() {
    let setting = Setting::new().await;
    let body = "account;number;tariff
DE1;1;T1
4711;2;17
";
    for query in ["?id_field=number", "?id_field=number&pseudonymous=true"] {
        let lines = lines(setting.upload(query, CSV, body).await).await;
        assert_eq!(lines[0].get("key_versions"), None, "its surrogate has a row");
        assert_eq!(lines[1]["key_versions"], json!({"account": 2}), "{query}");
    }
    for (id, version) in [("1", Value::Null), ("2", json!(2))] {
        let found = setting.request(Method::GET, &format!("{RECORDS}/{id}")).send().await.unwrap();
        let found: Value = serde_json::from_str(&found.text().await.unwrap()).unwrap();
        let account = &found["fields"][0];
        assert_eq!(
            (&account["surrogate"], &account["key_version"]),
            (&json!("srg_account"), &version)
        );
        assert_eq!(found["fields"][2].get("surrogate"), None, "{found}");
    }
}

#[tokio::test]
async fn a_stored_record_is_told_again_with_what_stands_in_for_its_values() {
    let setting = Setting::new().await;
    let body = "account;number;tariff;surplus\nDE1;17;T1;x\n;18;T2;y\n";
    let lines = lines(setting.upload("?pseudonymous=true", CSV, body).await).await;
    let records: Vec<_> = lines.iter().filter_map(|line| line.get("pseudonymous")).collect();
    let expected = [
        json!({"account": "srg_account", "number": "17", "tariff": "•••", "surplus": null}),
        json!({"account": "", "number": "18", "tariff": "•••", "surplus": null}),
    ];
    assert_eq!(records, expected.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn the_vault_is_given_the_evidence_and_the_customer_token() {
    let setting = Setting::new().await;
    setting.upload("", CSV, "tariff\nT1\n").await;
    let contexts = setting.vault.contexts();
    let opening = contexts.last().unwrap();
    assert_eq!(opening.tenant, TENANT);
    assert_eq!(opening.customer_token, setting.vault.customer_token());
    let evidence = opening.evidence.as_ref().unwrap();
    assert!(!evidence.leaf_der.is_empty());
    assert_eq!(evidence.source_address, "127.0.0.1");
    // Asking for the policy takes no customer token.
    assert_eq!(contexts[0].customer_token, "");
}

#[tokio::test]
async fn one_json_object_is_answered_as_created() {
    let setting = Setting::new().await;
    let body = r#" {"number":"A-1","home":{"city":"Ulm","floor":1.10}}"#;
    let response = setting.upload("?id_field=number", "application/json", body).await;
    assert_eq!(response.status(), 201);
    let told: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(told, json!({"row": 1, "status": "stored", "id": "A-1", "revision": 1}));
    let path = format!("{RECORDS}/A-1?reveal=plain");
    let found = setting.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(found.headers()["cache-control"], "no-store");
    let text = found.text().await.unwrap();
    assert!(
        text.contains(r#""record":{"number":"A-1","home":{"city":"Ulm","floor":1.10}}"#),
        "{text}"
    );
    assert!(text.contains(r#""created":"1970-01-01T00:00:01Z""#), "{text}");
}

#[tokio::test]
async fn a_refused_json_object_is_a_problem() {
    let setting = Setting::new().await;
    let json = "application/json";
    let forbidden = setting.upload("", json, r#"{"forbidden":"x"}"#).await;
    assert_eq!(code(forbidden).await, (422, "rejected_by_policy".to_owned()));
    let broken = setting.upload("", json, r#"{"a":"#).await;
    assert_eq!(code(broken).await, (400, "invalid_request".to_owned()));
    let personal = setting.upload("?id_field=email", json, r#"{"email":"e@example.org"}"#).await;
    assert_eq!(code(personal).await, (422, "rejected_by_policy".to_owned()));
    assert!(setting.vault.stored().is_empty());
}

#[tokio::test]
async fn broken_rows_do_not_stop_the_rest() {
    let setting = Setting::new().await;
    let body = "{\"tariff\":\"T1\"}\n{\"tariff\":\n{\"forbidden\":1}\n{\"number\":\"refused\"}\n{\"number\":\"n\"}\n";
    let query = "?id_field=number&explain=true";
    let told = lines(setting.upload(query, "application/x-ndjson", body).await).await;
    let codes: Vec<_> = told.iter().map(|line| line["problem"]["code"].as_str()).collect();
    let expected = [
        Some("invalid_request"), // without the field of the id
        Some("invalid_request"),
        Some("rejected_by_policy"),
        Some("already_exists"),
        None,
        None,
    ];
    assert_eq!(codes, expected);
    assert_eq!(told[2]["problem"]["violations"][0]["field"], "forbidden");
    assert_eq!(told[4]["verdicts"][0]["action"], "clear");
    assert_eq!((told[4]["line"].as_u64(), &told[4]["id"]), (Some(5), &json!("n")));
    assert_eq!(summary(&told)["accepted"], 1);
    assert_eq!(summary(&told)["rejected"], 4);
    assert_eq!(summary(&told)["complete"], true);
    let told = lines(setting.upload("?results=rejected", CSV, "tariff\nT1\nT;2\nT3\n").await).await;
    assert_eq!((told.len(), &told[0]["row"]), (2, &json!(2)));
}

#[tokio::test]
async fn a_broken_array_ends_where_it_breaks() {
    let setting = Setting::new().await;
    let body = "[{\"tariff\":\"T1\"},\n{\"tariff\" \"T2\"},{\"tariff\":\"T3\"}]";
    let told = lines(setting.upload("", "application/json", body).await).await;
    assert_eq!((told.len(), &told[0]["status"]), (2, &json!("stored")));
    assert_eq!(summary(&told)["complete"], false);
    assert_eq!(summary(&told)["problem"]["code"], "invalid_request");
    assert!(summary(&told)["problem"]["detail"].as_str().unwrap().contains("line 2"));
}

#[tokio::test]
async fn a_client_that_still_sends_is_told_where_its_upload_broke() {
    let setting = Setting::new().await;
    let body = format!("[{{\"tariff\":\"T1\"}},{}", "[".repeat(20_000_000));
    for protocol in ["h2", "http/1.1"] {
        let files = setting.house.issue_client("breaker", CLIENT);
        let request = client(&files, protocol).post(setting.url(RECORDS));
        let request = request
            .header("Tresor-Customer-Token", setting.vault.customer_token())
            .header("Content-Type", "application/json")
            .body(body.clone());
        let told = lines(request.send().await.unwrap()).await;
        assert_eq!((told.len(), &told[0]["status"]), (2, &json!("stored")), "{protocol}");
        assert_eq!(summary(&told)["problem"]["code"], "too_large", "{protocol}");
    }
}

#[tokio::test]
async fn an_upload_that_is_none_is_refused_as_a_whole() {
    let setting = Setting::new().await;
    for body in ["", "a;a\n1;2\n", "a;\n1;2\n"] {
        let refused = setting.upload("", CSV, body).await;
        assert_eq!(code(refused).await, (400, "invalid_request".to_owned()), "{body}");
    }
}

#[tokio::test]
async fn many_rows_keep_their_order_in_full_batches() {
    let setting = Setting::new().await;
    let rows: Vec<String> = (1..=2_500).map(|n| format!("N-{n}")).collect();
    let body = format!("number\n{}\n", rows.join("\n"));
    let told = lines(setting.upload("?id_field=number", CSV, body).await).await;
    assert_eq!(told.len(), 2_501);
    for (at, line) in told[..2_500].iter().enumerate() {
        assert_eq!(line["row"], at + 1);
        assert_eq!(line["id"], format!("N-{}", at + 1));
    }
    let batches = setting.vault.batches();
    assert_eq!(batches.iter().sum::<usize>(), 2_500);
    assert!(batches.iter().all(|records| *records <= 1_000), "{batches:?}");
}

#[tokio::test]
async fn results_come_while_the_upload_goes_on() {
    for protocol in ["h2", "http/1.1"] {
        let setting = Setting::new().await;
        let files = setting.house.issue_client("streamer", CLIENT);
        let (sender, chunks) = mpsc::channel::<Result<&str, std::io::Error>>(1);
        sender.send(Ok("tariff\nT1\n")).await.unwrap();
        let request = client(&files, protocol).post(setting.url(RECORDS));
        let request = request
            .header("Tresor-Customer-Token", setting.vault.customer_token())
            .header("Content-Type", CSV)
            .body(reqwest::Body::wrap_stream(ReceiverStream::new(chunks)));
        let mut lines = request.send().await.unwrap().bytes_stream();
        let first = lines.next().await.unwrap().unwrap();
        assert!(first.starts_with(b"{\"row\":1,"), "{protocol}");
        sender.send(Ok("T2\n")).await.unwrap();
        let second = lines.next().await.unwrap().unwrap();
        assert!(second.starts_with(b"{\"row\":2,"), "{protocol}");
        drop(sender);
        let last = lines.next().await.unwrap().unwrap();
        let is_complete = last.starts_with(b"{\"summary\":{\"complete\":true");
        assert!(is_complete, "{protocol}: {last:?}");
        // HTTP/2 may end a stream with an empty frame.
        let rest = lines.map(|chunk| chunk.unwrap().len()).collect::<Vec<_>>().await;
        assert_eq!(rest.iter().sum::<usize>(), 0, "{protocol}");
    }
}

#[tokio::test]
async fn compressed_uploads_are_unpacked() {
    let setting = Setting::new().await;
    let body = b"tariff\nT1\nT2\n";
    let mut gzip = GzipEncoder::new(Vec::new());
    gzip.write_all(body).await.unwrap();
    gzip.shutdown().await.unwrap();
    let mut zstd = ZstdEncoder::new(Vec::new());
    zstd.write_all(body).await.unwrap();
    zstd.shutdown().await.unwrap();
    for (encoding, packed) in [("gzip", gzip.into_inner()), ("zstd", zstd.into_inner())] {
        let request = setting.request(Method::POST, RECORDS).header("Content-Type", CSV);
        let request = request.header("Content-Encoding", encoding).body(packed);
        let told = lines(request.send().await.unwrap()).await;
        assert_eq!(summary(&told)["accepted"], 2, "{encoding}");
    }
    let request = setting.request(Method::POST, RECORDS).header("Content-Type", CSV);
    let request = request.header("Content-Encoding", "gzip").body("not gzip");
    let refused = request.send().await.unwrap();
    assert_eq!(code(refused).await, (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn declared_latin_1_is_decoded() {
    let setting = Setting::new().await;
    let content_type = "text/csv; charset=iso-8859-1";
    let body = b"Stra\xDFe\nM\xFChlweg\n".to_vec();
    let told = lines(setting.upload("", content_type, body).await).await;
    assert_eq!(summary(&told)["accepted"], 1);
    assert_eq!(setting.vault.stored()[0].fields[0].name, "Straße");
}

#[tokio::test]
async fn an_outdated_policy_is_fetched_again() {
    let setting = Setting::new().await;
    lines(setting.upload("", CSV, "tariff\nT1\n").await).await;
    setting.vault.renew_policy();
    let told = lines(setting.upload("", CSV, "tariff;surplus\nT2;x\n\n").await).await;
    assert_eq!(summary(&told)["accepted"], 1);
    assert_eq!(summary(&told)["fields_clear"], 1);
    let stored = setting.vault.stored();
    assert_eq!(told_actions(&stored[0].fields), [Action::Seal]);
    assert_eq!(told_actions(&stored[1].fields), [Action::Clear]);
}

fn told_actions(fields: &[Field]) -> Vec<Action> {
    fields.iter().map(Field::action).collect()
}

#[tokio::test]
async fn a_policy_that_changes_under_way_screens_what_is_not_stored_again() {
    let setting = Setting::new().await;
    setting.vault.acknowledge(false);
    let upload = setting.upload("", CSV, "tariff\nT1\n");
    let renew = async {
        // The batch is on its way by then, under the first version.
        tokio::time::sleep(Duration::from_millis(500)).await;
        setting.vault.renew_policy();
        setting.vault.acknowledge(true);
    };
    let (response, ()) = tokio::join!(upload, renew);
    assert_eq!(summary(&lines(response).await)["fields_clear"], 1);
    let stored = setting.vault.stored();
    assert_eq!((stored.len(), told_actions(&stored[0].fields)), (1, vec![Action::Clear]));
}

#[tokio::test]
async fn an_upload_for_one_version_of_the_policy_stores_nothing_under_another() {
    let setting = Setting::new().await;
    let versions = |told: &[Value]| told.last().unwrap()["summary"]["policy_version"].clone();
    let screened = setting.request(Method::POST, "/v1/screen?collection=customers");
    let screened = screened.header("Content-Type", "application/json").body("{\"a\":\"1\"}");
    let version = versions(&lines(screened.send().await.unwrap()).await);
    assert_eq!(version, 1);
    let upload = async |version: &str| {
        setting.upload(&format!("?policy_version={version}"), CSV, "tariff\nT1\n").await
    };
    let told = lines(upload("1").await).await;
    assert_eq!((&told[0]["status"], versions(&told)), (&json!("stored"), json!(1)));
    setting.vault.renew_policy();
    let refused = upload("1").await;
    let problem: Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
    assert_eq!((&problem["code"], &problem["status"]), (&json!("conflict"), &json!(409)));
    assert_eq!(problem["violations"][0]["field"], "policy_version");
    assert_eq!(setting.vault.stored().len(), 1);
    let told = lines(upload("2").await).await;
    assert_eq!((&told[0]["status"], versions(&told)), (&json!("stored"), json!(2)));
    assert_eq!(code(upload("0").await).await.0, 400);
}
