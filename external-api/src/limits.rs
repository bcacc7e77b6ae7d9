//! `GET /v1/limits`: what a client may send, so that it need not find out.
//!
//! It promises to say what is enforced: the same constants. It relies on `tresor_proto::limits`.

use axum::Json;
use serde_json::{Value, json};
use tresor_proto::limits;

use crate::client::Client;

/// Tells the limits to a tenant's client; services have a door of their own.
pub(crate) async fn tell(_client: Client) -> Json<Value> {
    Json(json!({
        "record_bytes_max": limits::RECORD_BYTES_MAX,
        "value_bytes_max": limits::VALUE_BYTES_MAX,
        "record_fields_max": limits::RECORD_FIELDS_MAX,
        "field_name_bytes_max": limits::FIELD_NAME_BYTES_MAX,
        "record_id_bytes_max": limits::RECORD_ID_BYTES_MAX,
        "collection_name_bytes_max": limits::COLLECTION_NAME_BYTES_MAX,
        "batch_items_max": limits::BATCH_ITEMS_MAX,
        "message_bytes_max": limits::MESSAGE_BYTES_MAX,
        "page_items_max": limits::PAGE_ITEMS_MAX,
        "page_items_default": limits::PAGE_ITEMS_DEFAULT,
        "data_classes_max": limits::DATA_CLASSES_MAX,
        "customer_tokens_max": limits::CUSTOMER_TOKENS_MAX,
        "policy_fields_max": limits::POLICY_FIELDS_MAX,
        "http_header_bytes_max": limits::HTTP_HEADER_BYTES_MAX,
        "connection_streams_max": limits::CONNECTION_STREAMS_MAX,
        "request_deadline_ms": limits::REQUEST_DEADLINE_MS,
        "idle_timeout_ms": limits::IDLE_TIMEOUT_MS,
        "tls_handshake_timeout_ms": limits::TLS_HANDSHAKE_TIMEOUT_MS,
    }))
}
