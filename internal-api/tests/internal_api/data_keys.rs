//! A rotation of data keys through both planes: the operator marks, the customer lends.

use std::time::Duration;

use tonic::Code;
use tresor_proto::vault::{
    self, OperationState, customer_token_service_client::CustomerTokenServiceClient,
    key_service_client::KeyServiceClient,
};

use crate::{
    house::Running,
    tenant::{Tenant, put_request, record, records},
};

/// How often it is looked whether the work is done.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_keys_are_marked_by_the_operator_and_replaced_with_a_lent_customer_token() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let put = put_request(&tenant, vec![record("r1")]);
    records(&running).await.put(put).await.unwrap();
    let mut keys = KeyServiceClient::new(running.control("svc/operator").await);
    let mark = vault::MarkDataKeysDueRequest { tenant: tenant.id.clone(), ..Default::default() };
    let dry = vault::MarkDataKeysDueRequest { dry_run: true, ..mark.clone() };
    let planned = keys.mark_data_keys_due(dry).await.unwrap().into_inner();
    assert_eq!((planned.marks.len(), planned.operation_id.as_str()), (10, ""));
    let marked = keys.mark_data_keys_due(mark).await.unwrap().into_inner();
    let get = vault::GetOperationRequest { id: marked.operation_id.clone() };
    let waiting = keys.get_operation(get.clone()).await.unwrap().into_inner().operation.unwrap();
    assert_eq!(waiting.state(), OperationState::PendingCustomer);

    let mut customer_tokens = CustomerTokenServiceClient::new(running.data("svc/edge").await);
    let lend = vault::LendRequest {
        context: Some(tenant.context()),
        classes: Vec::new(),
        lifetime: Some(prost_types::Duration { seconds: 3_600, nanos: 0 }),
        id: "00000000000000000".to_owned(),
        dry_run: true,
    };
    let other = customer_tokens.lend(lend.clone()).await.unwrap_err();
    assert_eq!(other.code(), Code::NotFound, "only the one that is shown is lent");
    let lend = vault::LendRequest { id: String::new(), ..lend };
    let shown = customer_tokens.lend(lend.clone()).await.unwrap().into_inner();
    let states = |lent: &vault::LendResponse| {
        let operations = lent.operations.iter();
        operations.map(|one| (one.id.clone(), one.state())).collect::<Vec<_>>()
    };
    let waits = (marked.operation_id.clone(), OperationState::PendingCustomer);
    assert_eq!((shown.classes.len(), states(&shown)), (10, vec![waits.clone()]));
    let waiting = keys.get_operation(get.clone()).await.unwrap().into_inner().operation.unwrap();
    assert_eq!(waiting.state(), waits.1, "a dry run lends nothing");
    let lend = vault::LendRequest { dry_run: false, ..lend };
    let lent = customer_tokens.lend(lend).await.unwrap().into_inner();
    assert_eq!((lent.classes.len(), states(&lent)[0].0.as_str()), (10, waits.0.as_str()));
    assert_ne!(states(&lent)[0].1, OperationState::PendingCustomer);

    let done = loop {
        let operation = keys.get_operation(get.clone()).await.unwrap().into_inner().operation;
        let operation = operation.unwrap();
        if operation.state() == OperationState::Done {
            break operation;
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    };
    assert_eq!((done.total, done.damaged), (1, 0));
    assert!(done.resealed > 0);
    let resume = vault::ResumeOperationRequest { id: done.id };
    assert_eq!(keys.resume_operation(resume).await.unwrap_err().code(), Code::Aborted);
    let list = vault::ListOperationsRequest { tenant: tenant.id.clone(), ..Default::default() };
    assert_eq!(keys.list_operations(list).await.unwrap().into_inner().operations.len(), 1);
    running.stop().await;
}
