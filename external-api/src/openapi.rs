//! `GET /openapi.json`: the external API as an OpenAPI 3.1 document.
//!
//! It promises to name every route and no other: a route is registered with its description or not
//! at all. It relies on `utoipa` to derive schemas from the types that are answered, and on
//! `tresor_proto::limits` for every bound.

mod answers;
pub(crate) mod bounds;
mod uploads;

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, header};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{
        ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
    },
};

pub(crate) use self::{
    answers::{
        NotReady, Refused, RefusedBody, RefusedChange, RefusedEnrolment, RefusedKey, RefusedName,
        RefusedRecord, RefusedSize,
    },
    uploads::{CsvUpload, JsonUpload, NdJsonUpload},
};
use crate::{
    client::Client,
    customer_token,
    problem::{Problem, Refusal},
    routes::App,
};

/// The document, as it is served.
#[derive(Clone)]
pub(crate) struct Document(Bytes);

impl Document {
    /// The document of all routes; empty when it cannot be written, which a test rules out.
    pub(crate) fn new(routes: &utoipa::openapi::OpenApi) -> Self {
        Self(serde_json::to_vec(routes).unwrap_or_default().into())
    }
}

/// What the document says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tresor: external API",
        description = "Uploads, reads and deletes records with personal data, which are sealed \
                       under two keys. Every answer has the header `X-Request-Id`; every \
                       refusal is a problem document (RFC 9457) with a stable code."
    ),
    components(schemas(Problem)),
    // Routed as one: the router takes no suffix after a parameter.
    paths(
        crate::customer_tokens::rotate,
        crate::customer_tokens::revoke,
        crate::customer_tokens::lend,
    ),
    modifiers(&Schemes)
)]
pub(crate) struct Frame;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mutual_tls = SecurityScheme::MutualTls {
            description: Some(
                "A client certificate of the operator's authority; it names the tenant. The source \
                 address must be on the tenant's list."
                    .to_owned(),
            ),
            deprecated: None,
            extensions: None,
        };
        let key = ApiKeyValue::with_description(
            customer_token::HEADER.as_str(),
            "The customer token, exactly once.",
        );
        let customer_token = SecurityScheme::ApiKey(ApiKey::Header(key));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("mutual_tls", mutual_tls);
        components.add_security_scheme("customer_token", customer_token);
        components.add_security_scheme("user", user());
    }
}

fn user() -> SecurityScheme {
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Basic).description(Some(
        "A user of the tenant and its password, in UTF-8, where the tenant requires one (RFC 7617).",
    ));
    SecurityScheme::Http(scheme.build())
}

/// Tells of each route that a tenant may require a user beside what it takes anyway.
pub(crate) fn describe_users(document: &mut utoipa::openapi::OpenApi) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.delete];
        for taken in operations.into_iter().flatten().filter_map(|it| it.security.as_mut()) {
            let with_user = |other: &SecurityRequirement| other.clone().add("user", [""; 0]);
            let also = taken.iter().map(with_user).filter(|also| !taken.contains(also));
            taken.extend(also.collect::<Vec<_>>());
        }
    }
}

/// Tells the external API as an OpenAPI document.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "openapi", tag = "about",
    security(("mutual_tls" = [])),
    responses((status = 200, description = "This document.", body = Object), Refused)
)]
pub(crate) async fn tell(
    State(app): State<App>,
    Extension(document): Extension<Document>,
    client: Client,
) -> Result<Response, Refusal> {
    client.confirm(&app.vault).await?;
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((headers, document.0).into_response())
}
