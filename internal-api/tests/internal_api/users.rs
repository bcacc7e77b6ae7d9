//! Users over gRPC: logging in through an edge, and what their sessions are asked for.

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, transport::Channel};
use tresor_proto::vault::{
    self, AddUserRequest, ChangePasswordRequest, DisableUserRequest, IntrospectRequest,
    LoginRequest, LoginResponse, PasswordRule, RequestContext, TenantRole,
    access_service_client::AccessServiceClient,
    customer_token_service_client::CustomerTokenServiceClient, ingest_request::Message,
    tenant_service_client::TenantServiceClient,
};

use crate::{
    house::{Doors, Running},
    ingest::opening,
    tenant::{Tenant, get_request, put_request, record, records, register_with},
};

const PASSWORD: &str = "correct horse battery";

/// A tenant that requires passwords, whose admin `erika` has logged in and enrolled.
async fn tenant(doors: &Doors) -> Tenant {
    let (id, enrolment_code) = register_with(doors, "burg", PasswordRule::Required).await;
    let mut tenant =
        Tenant { evidence: doors.house.evidence(&id), id, customer_token: String::new() };
    tenant.evidence.session = add_user(doors, &tenant, "erika", TenantRole::Admin).await;
    let mut tokens = CustomerTokenServiceClient::new(doors.data("svc/edge").await);
    let request = vault::EnrolRequest { context: Some(tenant.context()), enrolment_code };
    let enrolled = tokens.enrol(request).await.unwrap().into_inner();
    tenant.customer_token = enrolled.customer_token;
    tenant.put_collection(doors).await;
    tenant
}

/// Adds a user who chooses a password; gives its session.
async fn add_user(doors: &Doors, tenant: &Tenant, user: &str, role: TenantRole) -> String {
    let mut tenants = TenantServiceClient::new(doors.control("svc/operator").await);
    let roles = vec![role as i32];
    let request = AddUserRequest { tenant: tenant.id.clone(), name: user.to_owned(), roles };
    let added = tenants.add_user(request).await.unwrap().into_inner();
    let request = ChangePasswordRequest {
        context: Some(tenant.context()),
        user: user.to_owned(),
        password: added.one_time_password,
        new_password: PASSWORD.to_owned(),
    };
    access(doors).await.change_password(request).await.unwrap().into_inner().session
}

async fn access(doors: &Doors) -> AccessServiceClient<Channel> {
    AccessServiceClient::new(doors.data("svc/edge").await)
}

async fn login(
    doors: &Doors,
    context: RequestContext,
    user: &str,
    password: &str,
) -> Result<LoginResponse, Status> {
    let (user, password) = (user.to_owned(), password.to_owned());
    let request = LoginRequest { context: Some(context), user, password };
    access(doors).await.login(request).await.map(tonic::Response::into_inner)
}

/// All of a refusal that a caller sees.
fn told(refused: Result<impl core::fmt::Debug, Status>) -> (Code, String, Vec<u8>) {
    let status = refused.unwrap_err();
    (status.code(), status.message().to_owned(), status.details().to_vec())
}

#[tokio::test]
async fn a_user_logs_in_and_is_let_in_by_the_session_only() {
    let running = Running::new().await;
    let doors: &Doors = &running;
    let mut tenant = tenant(doors).await;
    let request = IntrospectRequest { context: Some(tenant.context()) };
    let told = access(doors).await.introspect(request).await.unwrap().into_inner();
    assert!(told.password_required);
    let logged_in = login(doors, tenant.context(), "erika", PASSWORD).await.unwrap();
    assert_eq!(logged_in.roles, [TenantRole::Admin as i32]);
    assert!(!logged_in.password_change_due && logged_in.expires.is_some());
    tenant.evidence.session = logged_in.session;
    let mut records = records(doors).await;
    records.put(put_request(&tenant, vec![record("r1")])).await.unwrap();
    records.get(get_request(&tenant, &["r1"])).await.unwrap();
    let session = core::mem::take(&mut tenant.evidence.session);
    for shown in ["", "AQABAQ", "not base64url!", &session[..session.len() - 1]] {
        tenant.evidence.session = shown.to_owned();
        let refused = records.get(get_request(&tenant, &["r1"])).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{shown}");
    }
    tenant.evidence = doors.house.evidence(&tenant.id);
    tenant.evidence.session = session;
    let refused = records.get(get_request(&tenant, &["r1"])).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated, "another certificate of the same client");
    running.stop().await;
}

#[tokio::test]
async fn whoever_does_not_get_in_is_told_the_same_to_the_byte() {
    let running = Running::new().await;
    let doors: &Doors = &running;
    let tenant = tenant(doors).await;
    let context = tenant.context();
    let wrong = told(login(doors, context.clone(), "erika", "incorrect horse").await);
    assert_eq!(wrong.0, Code::Unauthenticated);
    for (user, password) in [
        ("nobody", PASSWORD),
        ("No User's Name", PASSWORD),
        ("", ""),
        ("erika", "short"),
        ("erika", &"long".repeat(1_000)),
    ] {
        assert_eq!(told(login(doors, context.clone(), user, password).await), wrong, "{user}");
    }
    let mut elsewhere = context;
    elsewhere.evidence.as_mut().unwrap().source_address = "198.51.100.7".to_owned();
    assert_eq!(told(login(doors, elsewhere, "erika", PASSWORD).await), wrong);
    running.stop().await;
}

#[tokio::test]
async fn a_stream_ends_with_the_next_batch_once_its_user_is_disabled() {
    let running = Running::new().await;
    let doors: &Doors = &running;
    let tenant = tenant(doors).await;
    let (sender, receiver) = mpsc::channel(8);
    sender.send(opening(&tenant)).await.unwrap();
    sender.send(batch("r1")).await.unwrap();
    let mut records = records(doors).await;
    let requests = ReceiverStream::new(receiver);
    let mut answers = records.ingest(requests).await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().results.len(), 1);
    let mut tenants = TenantServiceClient::new(doors.control("svc/operator").await);
    let request = DisableUserRequest { tenant: tenant.id.clone(), name: "erika".to_owned() };
    tenants.disable_user(request).await.unwrap();
    sender.send(batch("r2")).await.unwrap();
    assert_eq!(answers.message().await.unwrap_err().code(), Code::Unauthenticated);
    running.stop().await;
}

fn batch(id: &str) -> vault::IngestRequest {
    let batch = vault::IngestBatch { records: vec![record(id)] };
    vault::IngestRequest { message: Some(Message::Batch(batch)) }
}
