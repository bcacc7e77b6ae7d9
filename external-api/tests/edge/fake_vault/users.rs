//! One user of the tenant: `planner`, with a password that can be checked, changed and taken away.

use std::collections::HashSet;

use rustls_pki_types::UnixTime;
use tonic::{Request, Response, Status, async_trait};
use tresor_proto::{
    ErrorCode, Failure,
    vault::{
        ChangePasswordRequest, ChangePasswordResponse, IntrospectRequest, IntrospectResponse,
        LoginRequest, LoginResponse, RequestContext, access_service_server::AccessService,
    },
};

use super::Services;

pub(crate) const USER: &str = "planner";
pub(crate) const PASSWORD: &str = "korrekt-pferd-99";

/// The users of the tenant, and who has asked for them.
pub(crate) struct Users {
    is_required: bool,
    is_suspended: bool,
    /// How often somebody asked what clients are measured by.
    introspections: usize,
    password: String,
    is_change_due: bool,
    lifetime_seconds: i64,
    /// Sessions that go on.
    sessions: HashSet<String>,
    logins: usize,
    /// Where from nobody may log in for 42 seconds.
    delayed_address: Option<String>,
}

impl Default for Users {
    fn default() -> Self {
        Self {
            is_required: false,
            is_suspended: false,
            introspections: 0,
            password: PASSWORD.to_owned(),
            is_change_due: false,
            lifetime_seconds: 900,
            sessions: HashSet::new(),
            logins: 0,
            delayed_address: None,
        }
    }
}

impl Users {
    /// Has every client show a password.
    pub(crate) fn require(&mut self) {
        self.is_required = true;
    }

    /// Has every client refused, or none any more.
    pub(crate) fn suspend(&mut self, is_suspended: bool) {
        self.is_suspended = is_suspended;
    }

    /// How often the vault was asked what clients are measured by.
    pub(crate) fn introspections(&self) -> usize {
        self.introspections
    }

    /// Makes the password one that is only good for another.
    pub(crate) fn reset(&mut self) {
        self.is_change_due = true;
        self.sessions.clear();
    }

    /// Takes the password away.
    pub(crate) fn disable(&mut self) {
        self.password.clear();
        self.sessions.clear();
    }

    /// Ends all sessions, as another role does.
    pub(crate) fn end_sessions(&mut self) {
        self.sessions.clear();
    }

    /// Lets sessions last for so long.
    pub(crate) fn set_lifetime(&mut self, seconds: i64) {
        self.lifetime_seconds = seconds;
    }

    /// Has everybody at an address wait before the next login.
    pub(crate) fn delay(&mut self, address: &str) {
        self.delayed_address = Some(address.to_owned());
    }

    /// How often a password was checked.
    pub(crate) fn logins(&self) -> usize {
        self.logins
    }

    /// Whether a call shows a session that goes on, where one is needed.
    pub(super) fn admit(&self, context: &RequestContext) -> bool {
        let session = context.evidence.as_ref().map_or("", |evidence| evidence.session.as_str());
        if session.is_empty() { !self.is_required } else { self.sessions.contains(session) }
    }

    /// The same, as an answer.
    pub(super) fn check(&self, context: &RequestContext) -> Result<(), Failure> {
        if self.admit(context) { Ok(()) } else { Err(ErrorCode::Unauthenticated.into()) }
    }

    fn log_in(&mut self, asked: &LoginRequest) -> Result<LoginResponse, Failure> {
        let LoginRequest { context, user, password } = asked;
        let evidence = context.as_ref().unwrap().evidence.as_ref().unwrap();
        if self.delayed_address.as_ref() == Some(&evidence.source_address) {
            let failure = Failure::from(ErrorCode::RateLimited);
            return Err(failure.with_retry_after(core::time::Duration::from_secs(42)));
        }
        self.logins += 1;
        if user != USER || *password != self.password {
            return Err(ErrorCode::Unauthenticated.into());
        }
        if self.is_change_due {
            return Ok(LoginResponse { password_change_due: true, ..LoginResponse::default() });
        }
        let (session, expires) = self.open();
        Ok(LoginResponse { session, expires: Some(expires), ..LoginResponse::default() })
    }

    fn open(&mut self) -> (String, prost_types::Timestamp) {
        let session = format!("session-{}", self.logins);
        self.sessions.insert(session.clone());
        let now = i64::try_from(UnixTime::now().as_secs()).unwrap();
        let seconds = now + self.lifetime_seconds;
        (session, prost_types::Timestamp { seconds, nanos: 0 })
    }

    fn change(&mut self, asked: &ChangePasswordRequest) -> Result<ChangePasswordResponse, Failure> {
        self.logins += 1;
        if asked.user != USER || asked.password != self.password {
            return Err(ErrorCode::Unauthenticated.into());
        }
        self.password.clone_from(&asked.new_password);
        self.is_change_due = false;
        self.sessions.clear();
        let (session, expires) = self.open();
        Ok(ChangePasswordResponse { session, expires: Some(expires) })
    }
}

#[async_trait]
impl AccessService for Services {
    async fn introspect(
        &self,
        request: Request<IntrospectRequest>,
    ) -> Result<Response<IntrospectResponse>, Status> {
        let mut users = self.0.users.lock().unwrap();
        users.introspections += 1;
        if users.is_suspended {
            return Err(Failure::from(ErrorCode::Unauthenticated).into());
        }
        let context = request.into_inner().context.unwrap();
        let has_session = context.evidence.as_ref().is_some_and(|it| !it.session.is_empty());
        if has_session {
            users.check(&context)?;
        }
        let allowed = self.0.allowed_address.lock().unwrap().to_string();
        Ok(Response::new(IntrospectResponse {
            allowed_addresses: vec![allowed],
            password_required: users.is_required,
            ..IntrospectResponse::default()
        }))
    }

    async fn login(
        &self,
        request: Request<LoginRequest>,
    ) -> Result<Response<LoginResponse>, Status> {
        // As long as a real one takes, so that others come meanwhile.
        tokio::time::sleep(core::time::Duration::from_millis(100)).await;
        Ok(Response::new(self.0.users.lock().unwrap().log_in(&request.into_inner())?))
    }

    async fn change_password(
        &self,
        request: Request<ChangePasswordRequest>,
    ) -> Result<Response<ChangePasswordResponse>, Status> {
        Ok(Response::new(self.0.users.lock().unwrap().change(&request.into_inner())?))
    }
}
