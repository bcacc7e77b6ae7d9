//! Batches of values and surrogates, and searches, as JSON.

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tresor_proto::vault::value::Content;

use crate::{RECORDS, Setting, code, lines};

async fn post(setting: &Setting, path: &str, body: impl Into<Vec<u8>>) -> Response {
    setting.request(Method::POST, path).body(body.into()).send().await.unwrap()
}

async fn told(response: Response) -> Value {
    assert_eq!(response.status(), 200);
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn values_are_traded_for_surrogates_and_back_in_order() {
    let setting = Setting::new().await;
    let body = r#"{"info_type":"PERSON_NAME","kind":"deterministic","items":[
        {"value":"Erika","reference":"r1"},{"value":1.10},{"value":["x"]},
        {"value":true,"reference":"again","info_type":"CITY","forced":true}]}"#;
    let request = setting.request(Method::POST, "/v1/tokenize");
    let request = request.header("Idempotency-Key", "\"batch-7\"").body(body);
    let answer = told(request.send().await.unwrap()).await;
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results[0], json!({"reference": "r1", "surrogate": "srg_0"}));
    assert_eq!(results[1], json!({"surrogate": "srg_1"}));
    assert_eq!(results[2]["problem"]["code"], "invalid_request");
    assert_eq!(results[2]["problem"]["violations"][0]["field"], "value");
    let again = json!({"reference": "again", "surrogate": "srg_3", "replayed": true});
    assert_eq!(results[3], again);

    let [asked] = &setting.vault.tokenized()[..] else { panic!("one call") };
    assert_eq!(asked.idempotency_key, "batch-7");
    let options = asked.options.clone().unwrap();
    assert_eq!((options.info_type.as_str(), options.kind), ("PERSON_NAME", 2));
    let own = asked.items[3].options.clone().unwrap();
    assert_eq!((own.info_type.as_str(), own.kind), ("CITY", 2));
    assert_eq!((options.forced, own.forced), (false, true));
    let literal = asked.items[1].value.clone().unwrap().content.unwrap();
    assert_eq!(literal, Content::Json("1.10".to_owned()));

    let body = json!({"reveal": "plain", "items": [
        {"surrogate": "srg_1", "reference": "b"}, {"surrogate": "srg_9"}, {"surrogate": "srg_0"},
    ]});
    let answer = post(&setting, "/v1/detokenize", body.to_string()).await.text().await.unwrap();
    assert!(answer.contains("\"value\":1.10"), "{answer}");
    let results = serde_json::from_str::<Value>(&answer).unwrap()["results"].clone();
    assert_eq!((&results[0]["reference"], &results[0]["state"]), (&json!("b"), &json!("plain")));
    assert_eq!(
        results[1],
        json!({"problem": {"code": "not_found", "title": "not found",
        "detail": "not found"}})
    );
    assert_eq!((&results[2]["value"], &results[2]["class"]), (&json!("Erika"), &json!("identity")));
}

#[tokio::test]
async fn surrogates_are_renewed_in_order_by_what_they_were_made_for() {
    let setting = Setting::new().await;
    let items = json!([{"surrogate": "0815", "reference": "a"}, {"surrogate": "0816"}]);
    let body = json!({"info_type": "METER_ID", "format": "digits", "key_version": 1,
        "items": items});
    let answer = told(post(&setting, "/v1/surrogates:renew", body.to_string()).await).await;
    let first = json!({"reference": "a", "surrogate": "METER_ID 3 0815", "key_version": 2});
    let second = json!({"surrogate": "METER_ID 3 0816", "key_version": 2});
    assert_eq!(answer["results"], json!([first, second]));
    let of_no_version = json!({"info_type": "METER_ID", "format": "digits", "items": items});
    for (body, field) in [(json!({"items": items}), "surrogate"), (of_no_version, "key_version")] {
        let answer = told(post(&setting, "/v1/surrogates:renew", body.to_string()).await).await;
        let problem = &answer["results"][1]["problem"];
        assert_eq!(
            (&problem["code"], &problem["violations"][0]["field"]),
            (&json!("invalid_request"), &json!(field))
        );
    }
}

#[tokio::test]
async fn a_batch_is_bounded_and_a_body_is_what_is_described() {
    let setting = Setting::new().await;
    let batch = |items: usize| {
        let items = vec![r#"{"value":"x"}"#; items].join(",");
        format!("{{\"info_type\":\"CITY\",\"items\":[{items}]}}")
    };
    let whole = told(post(&setting, "/v1/tokenize", batch(1_000)).await).await;
    assert_eq!(whole["results"].as_array().unwrap().len(), 1_000);
    for (path, body, expected) in [
        ("/v1/tokenize", batch(1_001), (413, "too_large")),
        ("/v1/tokenize", " ".repeat(4 * 1024 * 1024 + 1), (413, "too_large")),
        ("/v1/tokenize", String::new(), (400, "invalid_request")),
        ("/v1/tokenize", r#"{"items":[{"valeu":1}]}"#.to_owned(), (400, "invalid_request")),
        ("/v1/tokenize", r#"{"items":[],"purpose":""}"#.to_owned(), (400, "invalid_request")),
        ("/v1/tokenize?kind=random", batch(1), (400, "invalid_request")),
        ("/v1/detokenize", batch(1), (400, "invalid_request")),
        ("/v1/surrogates:renew", batch(1), (400, "invalid_request")),
        ("/v1/surrogates:renew?key_version=1", batch(0), (400, "invalid_request")),
        ("/v1/detokenize?reveal=plain", r#"{"items":[]}"#.to_owned(), (400, "invalid_request")),
    ] {
        let refused = code(post(&setting, path, body).await).await;
        assert_eq!((refused.0, refused.1.as_str()), expected, "{path}");
    }
    assert_eq!(setting.vault.tokenized().len(), 1, "what is refused is not forwarded");
}

#[tokio::test]
async fn without_the_customer_token_nothing_is_traded_or_searched() {
    let setting = Setting::new().await;
    for path in
        ["/v1/tokenize", "/v1/detokenize", "/v1/surrogates:renew", &format!("{RECORDS}:search")]
    {
        let refused = setting.bare(Method::POST, path).body("{}").send().await.unwrap();
        assert_eq!(code(refused).await, (401, "unauthenticated".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_search_has_its_values_in_the_body_and_tells_whether_the_index_is_complete() {
    let setting = Setting::new().await;
    lines(setting.upload("?id_field=number", "text/csv", "number;tariff\na;T1\n").await).await;
    let path = format!("{RECORDS}:search");
    let body = json!({"terms": [{"field": "tariff", "value": "T1"}], "page_size": 1});
    let answer = told(post(&setting, &path, body.to_string()).await).await;
    assert_eq!(answer["records"][0]["record"]["number"], "a");
    let rest = (&answer["next_page_token"], &answer["index_complete"]);
    assert_eq!(rest, (&json!("a"), &json!(false)));
    let [asked] = &setting.vault.searched()[..] else { panic!("one call") };
    assert_eq!((asked.collection.as_str(), asked.page_size), ("customers", 1));
    assert_eq!(asked.terms[0].field, "tariff");

    for (path, body) in [
        (path.clone(), r#"{"terms":{}}"#),
        (path.clone(), r#"{"terms":[],"reveal":"all"}"#),
        (format!("{path}?field=tariff"), r#"{"terms":[]}"#),
        ("/v1/collections/Customers/records:search".to_owned(), r#"{"terms":[]}"#),
    ] {
        let refused = code(post(&setting, &path, body).await).await;
        assert_eq!(refused, (400, "invalid_request".to_owned()), "{path}");
    }
    let unknown = post(&setting, &format!("{RECORDS}:find"), "{}").await;
    assert_eq!(code(unknown).await.0, 404);
}
