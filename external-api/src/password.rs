//! `POST /v1/password`: a user changes its password, by the old one.
//!
//! It promises that neither password is kept, and that sessions by the old one end with it. It
//! relies on the vault to check the old password and to judge the new one.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{FromRequestParts, State},
};
use http::{StatusCode, request::Parts};
use serde::Deserialize;
use tresor_proto::{Failure, Password, RefusalReason};
use utoipa::ToSchema;
use zeroize::ZeroizeOnDrop;

use crate::{
    credentials::{Credentials, Shown},
    openapi::{Refused, RefusedSize, bounds},
    problem::Refusal,
    query::Parameters,
    routes::App,
    small_body,
    visitor::Visitor,
};

/// A client that showed a user and a password which nobody has checked: a one-time password gives
/// no session, and is good for this alone.
pub(crate) struct Unchecked {
    visitor: Visitor,
    credentials: Arc<Credentials>,
}

/// The password to be.
#[derive(Deserialize, ZeroizeOnDrop, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPassword)]
struct Request {
    /// Without control characters, and neither the user's nor the tenant's name.
    #[schema(schema_with = bounds::password)]
    new_password: String,
}

/// Changes the password of the user that is shown, by the password that is shown. From the next
/// request on only the new one counts.
#[utoipa::path(
    post, path = "/v1/password", tag = "access", operation_id = "change_password",
    security(("mutual_tls" = [], "user" = [])),
    request_body(content = Request, description = "At most 4096 bytes."),
    responses((status = 204, description = "It is changed."), Refused, RefusedSize)
)]
pub(crate) async fn change(
    State(app): State<App>,
    user: Unchecked,
    parameters: Parameters,
    body: Body,
) -> Result<StatusCode, Refusal> {
    parameters.finish()?;
    let new_password = read(body).await?;
    app.sessions.change_password(&user.visitor, &user.credentials, &new_password).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn read(body: Body) -> Result<Password, Failure> {
    let request: Request = small_body::read(body).await?;
    let description = "12 to 128 bytes of UTF-8 without control characters";
    let password = Password::parse(&request.new_password);
    password.map_err(|_| Failure::invalid("new_password", description))
}

impl FromRequestParts<App> for Unchecked {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let visitor = Visitor::from_request_parts(parts, app).await?;
        let shown = parts.extensions.remove::<Shown>().ok_or(RefusalReason::PasswordMissing)?;
        Ok(Self { visitor, credentials: shown.credentials()? })
    }
}
