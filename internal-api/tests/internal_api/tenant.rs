//! A tenant as its customer sees it: registered, enrolled, with a collection `customers`.

use tonic::transport::Channel;
use tresor_proto::vault::{
    self, ClientEvidence, RequestContext, collection_service_client::CollectionServiceClient,
    customer_token_service_client::CustomerTokenServiceClient,
    record_service_client::RecordServiceClient, tenant_service_client::TenantServiceClient,
};

use crate::house::Doors;

pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) customer_token: String,
    pub(crate) evidence: ClientEvidence,
}

impl Tenant {
    /// Registers and enrols a tenant whose clients come from 192.0.2.0/24.
    pub(crate) async fn new(doors: &Doors, name: &str) -> Self {
        let (id, enrolment_code) = register(doors, name).await;
        let evidence = doors.house.evidence(&id);
        let mut tenant = Self { id, customer_token: String::new(), evidence };
        let context = Some(tenant.context());
        let mut tokens = CustomerTokenServiceClient::new(doors.data("svc/edge").await);
        let request = vault::EnrolRequest { context, enrolment_code };
        let enrolled = tokens.enrol(request).await.unwrap().into_inner();
        assert_eq!(enrolled.tenant_id, tenant.id);
        tenant.customer_token = enrolled.customer_token;
        tenant.put_collection(doors).await;
        tenant
    }

    /// The context an edge sends for this tenant's client.
    pub(crate) fn context(&self) -> RequestContext {
        RequestContext {
            tenant: self.id.clone(),
            customer_token: self.customer_token.clone(),
            request_id: "test-1".to_owned(),
            purpose: String::new(),
            evidence: Some(self.evidence.clone()),
        }
    }

    /// The context of the operator's own work.
    pub(crate) fn bare_context(&self) -> RequestContext {
        let tenant = self.id.clone();
        RequestContext { tenant, ..RequestContext::default() }
    }

    pub(crate) async fn put_collection(&self, doors: &Doors) {
        let mut collections = CollectionServiceClient::new(doors.control("svc/operator").await);
        let request = vault::PutCollectionRequest {
            context: Some(self.bare_context()),
            name: "customers".to_owned(),
            policy: None,
        };
        collections.put_collection(request).await.unwrap();
    }
}

/// Registers a tenant; returns its id and its enrolment code.
pub(crate) async fn register(doors: &Doors, name: &str) -> (String, String) {
    register_with(doors, name, vault::PasswordRule::NotRequired).await
}

pub(crate) async fn register_with(
    doors: &Doors,
    name: &str,
    password_rule: vault::PasswordRule,
) -> (String, String) {
    let mut tenants = TenantServiceClient::new(doors.control("svc/operator").await);
    let request = vault::CreateTenantRequest {
        name: name.to_owned(),
        allowed_addresses: vec!["192.0.2.0/24".to_owned()],
        password_rule: password_rule as i32,
    };
    let created = tenants.create_tenant(request).await.unwrap().into_inner();
    (created.tenant.unwrap().id, created.enrolment_code)
}

pub(crate) async fn records(doors: &Doors) -> RecordServiceClient<Channel> {
    RecordServiceClient::new(doors.data("svc/edge").await)
}

/// A record with an IBAN to seal and a tariff to leave clear.
pub(crate) fn record(id: &str) -> vault::RecordInput {
    vault::RecordInput {
        id: id.to_owned(),
        reference: format!("ref-{id}"),
        fields: vec![
            field("iban", "DE89370400440532013000", vault::Action::Seal, "IBAN_CODE"),
            field("tariff", "T-7", vault::Action::Clear, ""),
        ],
        ..vault::RecordInput::default()
    }
}

pub(crate) fn field(
    name: &str,
    text: &str,
    action: vault::Action,
    info_type: &str,
) -> vault::Field {
    let content = vault::value::Content::Text(text.to_owned());
    vault::Field {
        name: name.to_owned(),
        value: Some(vault::Value { content: Some(content) }),
        action: action as i32,
        info_type: info_type.to_owned(),
        data_class: 0,
    }
}

/// As the edge sends it after screening under the first policy.
pub(crate) fn destination() -> Option<vault::Destination> {
    let collection = "customers".to_owned();
    Some(vault::Destination { collection, policy_version: 1, masks: false })
}

pub(crate) fn put_request(tenant: &Tenant, records: Vec<vault::RecordInput>) -> vault::PutRequest {
    let context = Some(tenant.context());
    vault::PutRequest { context, destination: destination(), records, ..Default::default() }
}

pub(crate) fn get_request(tenant: &Tenant, ids: &[&str]) -> vault::GetRequest {
    vault::GetRequest {
        context: Some(tenant.context()),
        collection: "customers".to_owned(),
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        reveal: vault::Reveal::Plain as i32,
        fields: Vec::new(),
    }
}
