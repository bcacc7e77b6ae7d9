//! The main job over the wire: put, get, list, delete.

use tresor_proto::{
    ErrorCode, Failure,
    vault::{self, get_result, put_result, value::Content},
};

use crate::{
    house::{Running, service_for},
    tenant::{Tenant, get_request, put_request, record, records},
};

fn shown(result: &vault::GetResult, name: &str) -> (vault::FieldState, Option<String>) {
    let Some(get_result::Outcome::Record(record)) = &result.outcome else {
        panic!("{} is given", result.id);
    };
    let field = record.fields.iter().find(|field| field.name == name).unwrap();
    let text = field.value.as_ref().map(|value| match value.content.as_ref().unwrap() {
        Content::Text(text) | Content::Json(text) => text.clone(),
        Content::Binary(_) => panic!("no bytes were stored"),
    });
    (field.state(), text)
}

fn code(outcome: Option<&tonic_types::Status>) -> ErrorCode {
    Failure::from_item_status(outcome.unwrap()).code()
}

fn refused(result: &vault::GetResult) -> ErrorCode {
    match &result.outcome {
        Some(get_result::Outcome::Status(status)) => code(Some(status)),
        Some(get_result::Outcome::Record(_)) | None => panic!("{} is refused", result.id),
    }
}

#[tokio::test]
async fn a_record_comes_back_as_it_was_put() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let mut client = records(&running).await;
    let put = client.put(put_request(&tenant, vec![record("a-1")])).await.unwrap();
    let results = put.into_inner().results;
    assert_eq!(results[0].reference, "ref-a-1");
    let Some(put_result::Outcome::Stored(stored)) = &results[0].outcome else {
        panic!("the record is stored");
    };
    assert_eq!((stored.id.as_str(), stored.revision), ("a-1", 1));

    let plain = client.get(get_request(&tenant, &["a-1"])).await.unwrap().into_inner();
    let iban = Some("DE89370400440532013000".to_owned());
    assert_eq!(shown(&plain.results[0], "iban"), (vault::FieldState::Plain, iban.clone()));
    let tariff = Some("T-7".to_owned());
    assert_eq!(shown(&plain.results[0], "tariff"), (vault::FieldState::Clear, tariff));

    let mut request = get_request(&tenant, &["a-1"]);
    request.reveal = vault::Reveal::Unspecified as i32;
    let masked = client.get(request).await.unwrap().into_inner();
    let (state, mask) = shown(&masked.results[0], "iban");
    assert_eq!(state, vault::FieldState::Masked);
    assert_ne!(mask, iban);

    let mut request = get_request(&tenant, &["a-1"]);
    request.reveal = vault::Reveal::Redacted as i32;
    let redacted = client.get(request).await.unwrap().into_inner();
    let nothing = (vault::FieldState::Redacted, None);
    assert_eq!(shown(&redacted.results[0], "iban"), nothing);
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let request = put_request(&tenant, vec![record("a-1")]);
    records(&running).await.put(request).await.unwrap();
    let running = running.stop().await.start().await;
    let mut client = records(&running).await;
    let got = client.get(get_request(&tenant, &["a-1"])).await.unwrap().into_inner();
    assert_eq!(shown(&got.results[0], "iban").0, vault::FieldState::Plain);
}

#[tokio::test]
async fn one_bad_item_fails_alone_and_in_its_place() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let mut client = records(&running).await;
    let mut bad = record("b-1");
    bad.fields[0].info_type = "SHOE_SIZE".to_owned();
    let batch = vec![record("a-1"), bad, record("c-1")];
    let put = client.put(put_request(&tenant, batch)).await.unwrap().into_inner();
    let references = put.results.iter().map(|result| result.reference.as_str());
    assert_eq!(references.collect::<Vec<_>>(), ["ref-a-1", "ref-b-1", "ref-c-1"]);
    let Some(put_result::Outcome::Status(status)) = &put.results[1].outcome else {
        panic!("the second item is refused");
    };
    assert_eq!(code(Some(status)), ErrorCode::InvalidRequest);

    let request = get_request(&tenant, &["a-1", "b-1", "not an id", "c-1"]);
    let got = client.get(request).await.unwrap().into_inner().results;
    assert_eq!(shown(&got[0], "iban").0, vault::FieldState::Plain);
    assert_eq!(refused(&got[1]), ErrorCode::NotFound);
    assert_eq!(refused(&got[2]), ErrorCode::InvalidRequest);
    assert_eq!(shown(&got[3], "iban").0, vault::FieldState::Plain);
}

#[tokio::test]
async fn a_record_is_screened_under_the_newest_policy_or_stores_nothing_clear() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let mut client = records(&running).await;
    let under = |policy_version: u64| {
        let mut request = put_request(&tenant, vec![record("a-1")]);
        request.destination.as_mut().unwrap().policy_version = policy_version;
        request
    };
    let status = client.put(under(7)).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Aborted);
    let put = client.put(under(0)).await.unwrap().into_inner();
    let Some(put_result::Outcome::Status(status)) = &put.results[0].outcome else {
        panic!("the clear field is refused");
    };
    let failure = Failure::from_item_status(status);
    assert_eq!(failure.code(), ErrorCode::RejectedByPolicy);
    assert_eq!(failure.violations()[0].field, "tariff");
}

#[tokio::test]
async fn a_collection_is_listed_page_by_page() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let mut client = records(&running).await;
    let batch = (0..150).map(|at| record(&format!("r-{at:03}"))).collect();
    client.put(put_request(&tenant, batch)).await.unwrap();
    let mut ids = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = vault::ListRequest {
            context: Some(tenant.context()),
            collection: "customers".to_owned(),
            page_size: 70,
            page_token,
            reveal: vault::Reveal::Redacted as i32,
            fields: Vec::new(),
        };
        let page = client.list(request).await.unwrap().into_inner();
        ids.extend(page.results.into_iter().map(|result| result.id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let expected = (0..150).map(|at| format!("r-{at:03}"));
    assert_eq!(ids, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn an_answer_over_a_message_is_cut_into_pages() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let mut client = records(&running).await;
    let large = |at: usize| {
        let mut record = record(&format!("r-{at:02}"));
        let text = "x".repeat(60_000);
        for name in ["a", "b", "c"] {
            let action = vault::Action::Clear;
            record.fields.push(crate::tenant::field(name, &text, action, ""));
        }
        record
    };
    for first in [0, 15] {
        let batch = (first..first + 15).map(large).collect();
        client.put(put_request(&tenant, batch)).await.unwrap();
    }
    let request = vault::ListRequest {
        context: Some(tenant.context()),
        collection: "customers".to_owned(),
        page_size: 1_000,
        ..vault::ListRequest::default()
    };
    let page = client.list(request).await.unwrap().into_inner();
    assert!((1..30).contains(&page.results.len()), "{}", page.results.len());
    assert_eq!(page.next_page_token, page.results.last().unwrap().id);

    let ids = (0..30).map(|at| format!("r-{at:02}")).collect::<Vec<_>>();
    let ids = ids.iter().map(String::as_str).collect::<Vec<_>>();
    let got = client.get(get_request(&tenant, &ids)).await.unwrap().into_inner();
    assert_eq!(got.results.len(), 30);
    assert_eq!(refused(&got.results[29]), ErrorCode::TooLarge);
}

#[tokio::test]
async fn a_deleted_record_is_gone() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let mut client = records(&running).await;
    client.put(put_request(&tenant, vec![record("a-1")])).await.unwrap();
    let request = vault::DeleteRequest {
        context: Some(tenant.context()),
        collection: "customers".to_owned(),
        ids: ["a-1", "never-there", "a b"].map(str::to_owned).to_vec(),
    };
    let deleted = client.delete(request).await.unwrap().into_inner().results;
    assert!(deleted[0].status.is_none());
    assert_eq!(code(deleted[1].status.as_ref()), ErrorCode::NotFound);
    assert_eq!(code(deleted[2].status.as_ref()), ErrorCode::InvalidRequest);
    let got = client.get(get_request(&tenant, &["a-1"])).await.unwrap().into_inner();
    assert_eq!(refused(&got.results[0]), ErrorCode::NotFound);
}

#[tokio::test]
async fn a_service_works_for_the_tenants_granted_to_it_only() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let other = Tenant::new(&running, "other").await;
    let request = put_request(&tenant, vec![record("a-1")]);
    records(&running).await.put(request).await.unwrap();
    let house = running.stop().await;
    let config = house.config(vec![service_for("billing", &tenant.id)]);
    let running = house.start_with(config).await;
    let billing = running.data("svc/billing").await;
    let mut client = vault::record_service_client::RecordServiceClient::new(billing);
    let ask = |tenant: &Tenant| {
        let mut request = get_request(tenant, &["a-1"]);
        request.context.as_mut().unwrap().evidence = None;
        request
    };
    let got = client.get(ask(&tenant)).await.unwrap().into_inner();
    assert_eq!(shown(&got.results[0], "iban").0, vault::FieldState::Plain);
    let status = client.get(ask(&other)).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unauthenticated);
    let status = client.get(get_request(&tenant, &["a-1"])).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::PermissionDenied, "it may not show evidence");
}

#[tokio::test]
async fn the_edge_reads_the_policy_it_screens_by() {
    use vault::collection_service_client::CollectionServiceClient;
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let mut collections = CollectionServiceClient::new(running.data("svc/edge").await);
    let ask = |name: &str, policy_version: u64| vault::GetCollectionRequest {
        context: Some(tenant.context()),
        name: name.to_owned(),
        policy_version,
    };
    let newest = collections.get_collection(ask("customers", 0)).await.unwrap().into_inner();
    assert_eq!(newest.collection.unwrap().policy_version, 1);
    let status = collections.get_collection(ask("suppliers", 0)).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::NotFound);
    let request = vault::ListCollectionsRequest { context: Some(tenant.context()) };
    let all = collections.list_collections(request).await.unwrap().into_inner();
    assert_eq!(all.collections.len(), 1);
    let request = vault::PutCollectionRequest {
        context: Some(tenant.context()),
        name: "customers".to_owned(),
        policy: None,
    };
    let status = collections.put_collection(request).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::PermissionDenied, "policies are the operator's");
}

#[tokio::test]
async fn the_edge_learns_where_clients_may_come_from() {
    use vault::access_service_client::AccessServiceClient;
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let mut access = AccessServiceClient::new(running.data("svc/edge").await);
    let ask = |context| vault::IntrospectRequest { context: Some(context) };
    let told = access.introspect(ask(tenant.context())).await.unwrap().into_inner();
    assert_eq!(told.allowed_addresses, ["192.0.2.0/24"]);
    let mut context = tenant.context();
    context.evidence.as_mut().unwrap().source_address = "198.51.100.1".to_owned();
    let status = access.introspect(ask(context)).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unauthenticated, "it may not come from there");
}
