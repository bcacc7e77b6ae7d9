//! An index built through both planes: the operator asks, the customer lends.

use std::time::Duration;

use tonic::Code;
use tresor_proto::vault::{
    self, OperationKind, OperationState, collection_service_client::CollectionServiceClient,
    customer_token_service_client::CustomerTokenServiceClient,
    key_service_client::KeyServiceClient,
};

use crate::{
    house::Running,
    tenant::{Tenant, put_request, record, records},
};

/// How often it is looked whether the work is done.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// A policy with an index over the field of the tests' records.
fn searchable() -> vault::Policy {
    let field = vault::FieldPolicy {
        name: "iban".to_owned(),
        info_type: "IBAN_CODE".to_owned(),
        search: Some(vault::SearchIndex::default()),
        ..vault::FieldPolicy::default()
    };
    vault::Policy { fields: vec![field], ..vault::Policy::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_is_asked_for_by_the_operator_and_built_with_a_lent_customer_token() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let put = put_request(&tenant, vec![record("r1")]);
    records(&running).await.put(put).await.unwrap();
    let mut collections = CollectionServiceClient::new(running.control("svc/operator").await);
    let (context, name) = (Some(tenant.bare_context()), "customers".to_owned());
    let ask = vault::BuildIndexRequest { context, collection: name.clone(), dry_run: true };
    let none = collections.build_index(ask.clone()).await.unwrap_err();
    assert_eq!(none.code(), Code::InvalidArgument, "nothing is searchable");

    let (context, policy) = (Some(tenant.bare_context()), Some(searchable()));
    let put = vault::PutCollectionRequest { context, name: name.clone(), policy };
    let collection = collections.put_collection(put).await.unwrap().into_inner().collection;
    assert!(!collection.unwrap().indexes[0].complete);
    let planned = collections.build_index(ask.clone()).await.unwrap().into_inner();
    assert_eq!((planned.fields, planned.operation), (vec!["iban".to_owned()], None));
    assert_eq!(planned.data_classes, [vault::DataClass::Financial as i32]);
    let ask = vault::BuildIndexRequest { dry_run: false, ..ask };
    let asked = collections.build_index(ask).await.unwrap().into_inner().operation.unwrap();
    assert_eq!(
        (asked.kind(), asked.state()),
        (OperationKind::Index, OperationState::PendingCustomer)
    );

    let mut customer_tokens = CustomerTokenServiceClient::new(running.data("svc/edge").await);
    let lend = vault::LendRequest {
        context: Some(tenant.context()),
        lifetime: Some(prost_types::Duration { seconds: 3_600, nanos: 0 }),
        ..vault::LendRequest::default()
    };
    customer_tokens.lend(lend).await.unwrap();
    let mut keys = KeyServiceClient::new(running.control("svc/operator").await);
    let get = vault::GetOperationRequest { id: asked.id };
    let done = loop {
        let operation = keys.get_operation(get.clone()).await.unwrap().into_inner().operation;
        let operation = operation.unwrap();
        if operation.state() == OperationState::Done {
            break operation;
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    };
    assert_eq!((done.total, done.collection.as_str()), (1, "customers"));
    let (context, policy_version) = (Some(tenant.bare_context()), 0);
    let get = vault::GetCollectionRequest { context, name, policy_version };
    let collection = collections.get_collection(get).await.unwrap().into_inner().collection;
    assert!(collection.unwrap().indexes[0].complete);
    running.stop().await;
}
