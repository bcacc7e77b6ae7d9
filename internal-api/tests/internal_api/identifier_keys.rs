//! Identifier keys are replaced through both planes: the operator asks, the customer lends, and its
//! services renew what they keep.

use std::time::Duration;

use tonic::Code;
use tresor_proto::vault::{
    self, OperationKind, OperationState, SurrogateFormat, SurrogateKind,
    customer_token_service_client::CustomerTokenServiceClient,
    key_service_client::KeyServiceClient, renew_result,
    surrogate_service_client::SurrogateServiceClient, tokenize_result,
};

use crate::{house::Running, tenant::Tenant};

/// How often it is looked whether the work is done.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identifier_keys_are_replaced_by_both_sides_and_surrogates_renewed() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let mut surrogates = SurrogateServiceClient::new(running.data("svc/edge").await);
    let tokenize = vault::TokenizeRequest {
        context: Some(tenant.context()),
        options: Some(vault::SurrogateOptions {
            info_type: "METER_ID".to_owned(),
            kind: SurrogateKind::FormatPreserving as i32,
            format: SurrogateFormat::Digits as i32,
            ..Default::default()
        }),
        items: vec![vault::TokenizeItem {
            value: Some(vault::Value {
                content: Some(vault::value::Content::Text("12345678".to_owned())),
            }),
            ..Default::default()
        }],
        ..Default::default()
    };
    let issued = surrogates.tokenize(tokenize).await.unwrap().into_inner().results.remove(0);
    let Some(tokenize_result::Outcome::Issued(old)) = issued.outcome else { panic!("refused") };
    assert_eq!(old.key_version, 1);

    let mut keys = KeyServiceClient::new(running.control("svc/operator").await);
    let rekey = vault::RekeyIdentifiersRequest {
        tenant: tenant.id.clone(),
        destroy_after: Some(prost_types::Duration { seconds: 3_600, nanos: 0 }),
        ..Default::default()
    };
    let dry = vault::RekeyIdentifiersRequest { dry_run: true, ..rekey.clone() };
    let planned = keys.rekey_identifiers(dry).await.unwrap().into_inner();
    assert_eq!((planned.keys.len(), planned.operation_id.as_str()), (10, ""));
    assert_eq!((planned.keys[0].old_version, planned.keys[0].new_version), (1, 2));
    let asked = keys.rekey_identifiers(rekey.clone()).await.unwrap().into_inner();
    let second = keys.rekey_identifiers(rekey).await.unwrap_err();
    assert_eq!(second.code(), Code::Aborted, "one at a time");

    let mut customer_tokens = CustomerTokenServiceClient::new(running.data("svc/edge").await);
    let lend = vault::LendRequest {
        context: Some(tenant.context()),
        lifetime: Some(prost_types::Duration { seconds: 3_600, nanos: 0 }),
        ..Default::default()
    };
    customer_tokens.lend(lend).await.unwrap();
    loop {
        let get = vault::GetOperationRequest { id: asked.operation_id.clone() };
        let operation = keys.get_operation(get).await.unwrap().into_inner().operation.unwrap();
        assert_eq!(operation.kind(), OperationKind::Identifiers);
        if operation.state() == OperationState::Destroying {
            break;
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    let renew = vault::RenewRequest {
        context: Some(tenant.context()),
        items: vec![vault::SurrogateItem {
            surrogate: old.surrogate.clone(),
            reference: "m1".to_owned(),
            ..vault::SurrogateItem::default()
        }],
        info_type: "METER_ID".to_owned(),
        format: SurrogateFormat::Digits as i32,
        key_version: old.key_version,
    };
    let renewed = surrogates.renew(renew).await.unwrap().into_inner().results.remove(0);
    assert_eq!(renewed.reference, "m1");
    let Some(renew_result::Outcome::Renewed(new)) = renewed.outcome else { panic!("refused") };
    assert_eq!(new.key_version, 2);
    assert_ne!(new.surrogate, old.surrogate);
    running.stop().await;
}
