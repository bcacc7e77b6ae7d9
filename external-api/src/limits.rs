//! `GET /v1/limits`: what a client may send, so that it need not find out.
//!
//! It promises to say what is enforced: the same constants, and what the operator set for the
//! tenant. It relies on `tresor_proto::limits`, and on the vault.

use axum::{Json, extract::State};
use serde::Serialize;
use tresor_proto::limits;
use utoipa::ToSchema;

use crate::{client::Client, openapi::Refused, problem::Refusal, routes::App};

/// The limits; each is named like its constant.
#[derive(Serialize, ToSchema)]
pub(crate) struct Limits {
    record_bytes_max: usize,
    value_bytes_max: usize,
    record_fields_max: usize,
    field_name_bytes_max: usize,
    record_id_bytes_max: usize,
    collection_name_bytes_max: usize,
    idempotency_key_bytes_max: usize,
    idempotency_lifetime_ms: u64,
    batch_items_max: usize,
    message_bytes_max: usize,
    page_items_max: usize,
    page_items_default: usize,
    data_classes_max: usize,
    customer_tokens_max: usize,
    customer_tokens_reserved: usize,
    customer_token_name_bytes_max: usize,
    overlap_default_ms: u64,
    overlap_max_ms: u64,
    policy_fields_max: usize,
    http_header_bytes_max: usize,
    connection_streams_max: u32,
    request_deadline_ms: u64,
    idle_timeout_ms: u64,
    tls_handshake_timeout_ms: u64,
    requests_per_second: u32,
    user_requests_per_second: u32,
    customer_token_requests_per_second: u32,
    address_requests_per_second: u32,
    reveals_per_day: u64,
    searches_per_day: u64,
}

/// Tells the limits to a tenant's client; services have a door of their own.
#[utoipa::path(
    get, path = "/v1/limits", operation_id = "limits", tag = "about",
    security(("mutual_tls" = [])),
    responses((status = 200, description = "The limits.", body = Limits), Refused)
)]
pub(crate) async fn tell(State(app): State<App>, client: Client) -> Result<Json<Limits>, Refusal> {
    client.confirm(&app.vault).await?;
    let own = app.admissions.limits(client.tenant()).unwrap_or_default();
    Ok(Json(Limits {
        record_bytes_max: limits::RECORD_BYTES_MAX,
        value_bytes_max: limits::VALUE_BYTES_MAX,
        record_fields_max: limits::RECORD_FIELDS_MAX,
        field_name_bytes_max: limits::FIELD_NAME_BYTES_MAX,
        record_id_bytes_max: limits::RECORD_ID_BYTES_MAX,
        collection_name_bytes_max: limits::COLLECTION_NAME_BYTES_MAX,
        idempotency_key_bytes_max: limits::IDEMPOTENCY_KEY_BYTES_MAX,
        idempotency_lifetime_ms: limits::IDEMPOTENCY_LIFETIME_MS,
        batch_items_max: limits::BATCH_ITEMS_MAX,
        message_bytes_max: limits::MESSAGE_BYTES_MAX,
        page_items_max: limits::PAGE_ITEMS_MAX,
        page_items_default: limits::PAGE_ITEMS_DEFAULT,
        data_classes_max: limits::DATA_CLASSES_MAX,
        customer_tokens_max: limits::CUSTOMER_TOKENS_MAX,
        customer_tokens_reserved: limits::CUSTOMER_TOKENS_RESERVED,
        customer_token_name_bytes_max: limits::CUSTOMER_TOKEN_NAME_BYTES_MAX,
        overlap_default_ms: limits::OVERLAP_DEFAULT_MS,
        overlap_max_ms: limits::OVERLAP_MAX_MS,
        policy_fields_max: limits::POLICY_FIELDS_MAX,
        http_header_bytes_max: limits::HTTP_HEADER_BYTES_MAX,
        connection_streams_max: limits::CONNECTION_STREAMS_MAX,
        request_deadline_ms: limits::REQUEST_DEADLINE_MS,
        idle_timeout_ms: limits::IDLE_TIMEOUT_MS,
        tls_handshake_timeout_ms: limits::TLS_HANDSHAKE_TIMEOUT_MS,
        requests_per_second: own.requests_per_second,
        user_requests_per_second: own.user_requests_per_second,
        customer_token_requests_per_second: own.customer_token_requests_per_second,
        address_requests_per_second: own.address_requests_per_second,
        reveals_per_day: own.reveals_per_day,
        searches_per_day: own.searches_per_day,
    }))
}
