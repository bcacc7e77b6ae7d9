//! Who asks: the tenant's client with its user, and with its customer token.
//!
//! Both types are proofs: they are made only here, of visitors whose password the vault has checked
//! where their tenant requires one, or they show one. They rely on the vault to check all of it, and
//! the customer token, again.

use core::future::Future;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use tresor_proto::{
    CustomerToken, ErrorCode, Failure, RefusalReason, TenantId,
    vault::{IntrospectRequest, RequestContext},
};

use crate::{
    credentials::{self, Credentials},
    customer_token,
    problem::Refusal,
    routes::App,
    sessions::{Session, Sessions},
    vault::Vault,
    visitor::Visitor,
};

/// A tenant's client, and its user if it has one.
#[derive(Clone)]
pub(crate) struct Client {
    visitor: Arc<Visitor>,
    user: Option<User>,
}

/// A tenant's client that showed a well-formed customer token.
#[derive(Clone)]
pub(crate) struct KeyHolder {
    client: Client,
    customer_token: Arc<CustomerToken>,
}

/// A user with a password. It is kept as long as the request lasts, for an upload may go on for
/// longer than a session.
#[derive(Clone)]
struct User {
    credentials: Arc<Credentials>,
    sessions: Arc<Sessions>,
}

impl Client {
    /// Its tenant.
    pub(crate) fn tenant(&self) -> TenantId {
        self.visitor.tenant()
    }

    /// A session of its user that goes on for a while, if it has a user.
    ///
    /// # Errors
    /// What the vault refuses a password with.
    pub(crate) async fn session(&self) -> Result<Option<Session>, Failure> {
        match &self.user {
            Some(user) => user.sessions.open(&self.visitor, &user.credentials).await.map(Some),
            None => Ok(None),
        }
    }

    /// Asks the vault whether its user's session goes on: for what is answered without the vault.
    ///
    /// # Errors
    /// What the vault refuses with.
    pub(crate) async fn confirm(&self, vault: &Vault) -> Result<(), Failure> {
        if self.user.is_some() {
            self.ask(|context| vault.introspect(IntrospectRequest { context: Some(context) }))
                .await?;
        }
        Ok(())
    }

    /// What the vault is told of it.
    fn context(&self, session: Option<&Session>) -> RequestContext {
        self.visitor.context(session)
    }

    /// Asks the vault; once more, under a new session, where the old one ended before its time, as
    /// with every change of its user. A call that was refused for that has changed nothing.
    ///
    /// # Errors
    /// What the vault refuses with.
    pub(crate) async fn ask<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        call: impl Fn(RequestContext) -> F,
    ) -> Result<T, Failure> {
        let session = self.session().await?;
        let answer = call(self.context(session.as_ref())).await;
        match &answer {
            Err(failure) if self.is_for_its_session(failure, session.as_ref()).await => {
                call(self.context(self.session().await?.as_ref())).await
            }
            Ok(_) | Err(_) => answer,
        }
    }

    /// Whether a refusal is for a session that has ended, and another may be had.
    pub(crate) async fn is_for_its_session(
        &self,
        failure: &Failure,
        session: Option<&Session>,
    ) -> bool {
        match (&self.user, session) {
            (Some(user), Some(session)) if failure.code() == ErrorCode::Unauthenticated => {
                user.sessions.forget_ended(&self.visitor, &user.credentials, session).await
            }
            _ => false,
        }
    }
}

impl KeyHolder {
    /// The client, without its customer token.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// What the vault is told of it, with the customer token.
    pub(crate) fn context(&self, session: Option<&Session>) -> RequestContext {
        self.show(self.client.context(session))
    }

    /// The same as [`Client::ask`], with the customer token.
    ///
    /// # Errors
    /// What the vault refuses with.
    pub(crate) async fn ask<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        call: impl Fn(RequestContext) -> F,
    ) -> Result<T, Failure> {
        self.client.ask(|context| call(self.show(context))).await
    }

    fn show(&self, context: RequestContext) -> RequestContext {
        let customer_token = self.customer_token.expose_text().as_str().to_owned();
        RequestContext { customer_token, ..context }
    }
}

impl FromRequestParts<App> for Client {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let (visitor, admission) = Visitor::admit(parts, app).await?;
        let credentials = match parts.extensions.remove::<credentials::Shown>() {
            Some(shown) => Some(shown.credentials()?),
            None if admission.is_password_required => {
                return Err(RefusalReason::PasswordMissing.into());
            }
            None => None,
        };
        let sessions = || Arc::clone(&app.sessions);
        let user = credentials.map(|credentials| User { credentials, sessions: sessions() });
        let client = Self { visitor: Arc::new(visitor), user };
        // Before anything else is done for it.
        client.session().await?;
        Ok(client)
    }
}

impl FromRequestParts<App> for KeyHolder {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let client = Client::from_request_parts(parts, app).await?;
        let shown = parts.extensions.remove::<customer_token::Shown>();
        let shown = shown.ok_or(RefusalReason::CustomerTokenMissing)?;
        Ok(Self { client, customer_token: shown.customer_token()? })
    }
}
