//! `AccessService`: what an edge turns clients away by, before they cost anything, and the users'
//! login.
//!
//! A malformed user name or password is refused like a wrong one. It relies on the vault for what
//! either may cost, and hands on no password but to it.

use tonic::{Request, Response, Status};
use tresor_proto::{
    Failure, Password, PasswordRule, RefusalReason, UserName,
    vault::{
        ChangePasswordRequest, ChangePasswordResponse, IntrospectRequest, IntrospectResponse,
        LoginRequest, LoginResponse, access_service_server::AccessService,
    },
};
use zeroize::Zeroizing;

use super::to_its_end;
use crate::{caller::Origin, convert::time::to_timestamp, gate::Gate};

/// The service.
pub(crate) struct Access {
    gate: Gate,
}

impl Access {
    /// The service behind `gate`.
    pub(crate) fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

#[tonic::async_trait]
impl AccessService for Access {
    async fn introspect(
        &self,
        request: Request<IntrospectRequest>,
    ) -> Result<Response<IntrospectResponse>, Status> {
        let origin = Origin::of(&request)?;
        let context = origin.context(request.into_inner().context)?;
        let permit = self.gate.permit_admission(&origin, &context).await?;
        Ok(Response::new(IntrospectResponse {
            allowed_addresses: permit.allowed_addresses().to_texts(),
            password_required: permit.password_rule() == PasswordRule::Required,
            limits: Some(permit.limits().effective(self.gate.turnstile().seats_default())),
        }))
    }

    async fn login(
        &self,
        request: Request<LoginRequest>,
    ) -> Result<Response<LoginResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let (user, password) = credentials(&request.user, request.password);
        let context = origin.context(request.context)?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit_login(&origin, &context).await?;
        let logged_in = vault.login(&permit, &user?, password?).await.map_err(Failure::from)?;
        let is_change_due = logged_in.session.is_none();
        let (session, expires) = logged_in.session.unzip();
        Ok(Response::new(LoginResponse {
            session: session.map_or_else(String::new, |session| session.expose_text().to_owned()),
            expires: expires.map(to_timestamp),
            roles: logged_in.roles.to_wire(),
            password_change_due: is_change_due,
        }))
    }

    async fn change_password(
        &self,
        request: Request<ChangePasswordRequest>,
    ) -> Result<Response<ChangePasswordResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let (user, password) = credentials(&request.user, request.password);
        let new_password = new_password(request.new_password);
        let context = origin.context(request.context)?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit_login(&origin, &context).await?;
        let (user, password, new_password) = (user?, password?, new_password?);
        let change =
            async move { vault.change_password(&permit, &user, password, new_password).await };
        let (session, expires_ms) = to_its_end(change).await?;
        Ok(Response::new(ChangePasswordResponse {
            session: session.expose_text().to_owned(),
            expires: Some(to_timestamp(expires_ms)),
        }))
    }
}

/// Parses a user's name and password; what is malformed is told only to whom the certificate and
/// address would let log in.
fn credentials(
    user: &str,
    password: String,
) -> (Result<UserName, Failure>, Result<Password, Failure>) {
    let password = Zeroizing::new(password);
    let malformed = || Failure::from(RefusalReason::PasswordMalformed);
    let user = UserName::parse(user).ok_or_else(|| Failure::from(RefusalReason::UserUnknown));
    (user, Password::parse(&password).map_err(|_| malformed()))
}

/// Parses a password that is to be.
fn new_password(text: String) -> Result<Password, Failure> {
    let text = Zeroizing::new(text);
    Password::parse(&text).map_err(|failure| crate::convert::at_path(&failure, "new_password"))
}
