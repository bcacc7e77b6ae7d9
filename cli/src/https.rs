//! The customer's way to the external API: HTTPS with the customer's certificate.
//!
//! It promises that a customer token and a password travel in their headers only, marked sensitive,
//! and never to another address: redirects and proxies are not followed. Problem documents become errors with
//! their code and violations.

use std::{sync::Arc, time::Duration};

use reqwest::{
    Client, Method, RequestBuilder, Response, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tresor_proto::{CustomerToken, ErrorCode, Password, Violation};

use crate::{
    connection::Endpoint,
    error::{CliError, innermost},
    user::User,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Without a byte for so long, nothing will come any more: twice what the server allows itself.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const CUSTOMER_TOKEN: HeaderName = HeaderName::from_static("tresor-customer-token");

/// A client of the external API.
#[derive(Clone)]
pub(crate) struct Https {
    client: Client,
    base: Url,
    user: Option<Arc<User>>,
}

/// The password to be.
#[derive(Serialize)]
struct NewPassword<'a> {
    new_password: &'a str,
}

/// What a service says is wrong, RFC 9457.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    /// The stable code.
    pub(crate) code: String,
    /// What the code means.
    pub(crate) title: String,
    /// One sentence on this case.
    pub(crate) detail: Option<String>,
    /// Fields at fault.
    pub(crate) violations: Vec<ProblemViolation>,
    /// For the operator's logs.
    pub(crate) request_id: Option<String>,
}

/// A field at fault.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ProblemViolation {
    /// Its name.
    pub(crate) field: String,
    /// What is wrong with it.
    pub(crate) description: String,
}

impl Https {
    /// Prepares a client; it connects with the first request.
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Self, CliError> {
        let base = Url::parse(&endpoint.server).ok().filter(|url| url.scheme() == "https");
        let base = base.ok_or_else(|| {
            CliError::usage("the server's address is not of the form https://host:port")
        })?;
        let tls = tresor_door::client_config(&endpoint.tls, &["h2", "http/1.1"]);
        let tls = tls.map_err(|error| CliError::usage(error.to_string()))?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .user_agent(concat!("tresor/", env!("CARGO_PKG_VERSION")))
            .build();
        let client = client.map_err(|_| CliError::failed("the TLS settings were refused"))?;
        Ok(Self { client, base, user: None })
    }

    /// The same, asking as a user, if one is given.
    pub(crate) fn with_user(self, user: Option<Arc<User>>) -> Self {
        Self { user, ..self }
    }

    /// The user it asks as.
    pub(crate) fn user(&self) -> Option<&Arc<User>> {
        self.user.as_ref()
    }

    /// Changes the password of the user it asks as, and asks by the new one.
    pub(crate) async fn with_new_password(self, password: Password) -> Result<Self, CliError> {
        let user = self.user().map(|user| user.name.clone());
        let name = user.ok_or_else(|| {
            CliError::usage("missing: --user")
                .advise("or set TRESOR_USER, or write `user` in the profile")
        })?;
        let request = self.request(Method::POST, &["v1", "password"]);
        let body = NewPassword { new_password: password.expose_secret() };
        send(request.json(&body)).await?;
        Ok(self.with_user(Some(Arc::new(User { name, password }))))
    }

    /// Begins a request to the path made of `segments`.
    pub(crate) fn request(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        let request = self.client.request(method, below(&self.base, segments));
        match self.user.as_deref() {
            Some(User { name, password }) => {
                request.basic_auth(name.as_str(), Some(password.expose_secret()))
            }
            None => request,
        }
    }

    /// Begins a request that shows the customer token.
    pub(crate) fn request_with(
        &self,
        method: Method,
        segments: &[&str],
        customer_token: &CustomerToken,
    ) -> Result<RequestBuilder, CliError> {
        let value = HeaderValue::from_str(&customer_token.expose_text());
        let mut value = value.map_err(|_| CliError::failed("that is not a customer token"))?;
        value.set_sensitive(true);
        let headers = HeaderMap::from_iter([(CUSTOMER_TOKEN, value)]);
        Ok(self.request(method, segments).headers(headers))
    }
}

fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// Sends a request; anything but success becomes an error.
pub(crate) async fn send(request: RequestBuilder) -> Result<Response, CliError> {
    let response = request.send().await.map_err(|error| unanswered(&error))?;
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status().as_u16();
    let retry_after = response.headers().get(reqwest::header::RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
    let is_problem = response
        .headers()
        .get(reqwest::header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/problem+json"));
    let problem = if is_problem { response.json::<Problem>().await.ok() } else { None };
    let error = problem.map_or_else(
        || CliError::failed(format!("the server answered {status} without saying why")),
        |problem| problem.into_error(),
    );
    Err(error.with_retry_after(retry_after.map(Duration::from_secs)))
}

/// Sends a request and reads its answer.
pub(crate) async fn fetch<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, CliError> {
    let response = send(request).await?;
    let answer = response.json().await;
    answer.map_err(|_| CliError::failed("the server's answer cannot be read"))
}

/// Why there was no answer.
pub(crate) fn unanswered(error: &reqwest::Error) -> CliError {
    let cause = match innermost(error).as_str() {
        // What hyper says when the peer hangs up: in TLS 1.3 that is how a certificate is refused.
        "channel closed" => "the server closed it".to_owned(),
        // What rustls says, with an address to read on at, when the peer is gone all at once.
        cause if cause.contains("close_notify") => "the server is gone".to_owned(),
        cause => cause.to_owned(),
    };
    if error.is_timeout() {
        let late = CliError::failed("the server did not answer in time").advise("try again");
        // A certificate that is refused is told at once: who is slow has let us in.
        return if error.is_connect() { late.passing() } else { late.passing().reached() };
    }
    let advice =
        "check --server, and that --ca, --cert and --key belong to this service and are valid now";
    if error.is_connect() {
        let error = CliError::failed(format!("cannot connect: {cause}")).advise(advice);
        return error.passing().unsent();
    }
    CliError::failed(format!("the connection broke: {cause}")).advise(advice).passing()
}

impl Problem {
    /// As an error.
    pub(crate) fn into_error(self) -> CliError {
        let sentence = self.detail.filter(|detail| !detail.is_empty()).unwrap_or(self.title);
        let sentence = match self.request_id {
            Some(id) => format!("{sentence} [request {id}]"),
            None => sentence,
        };
        let violation =
            |v: ProblemViolation| Violation { field: v.field, description: v.description };
        let violations = self.violations.into_iter().map(violation).collect();
        let error = CliError::failed(sentence).with_violations(violations);
        match ErrorCode::from_text(&self.code) {
            Some(code) => error.with_code(code),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_becomes_an_error_with_code_and_violations() {
        let text = r#"{"type":"about:blank","title":"invalid request","status":400,
            "detail":"the row is broken","code":"invalid_request","request_id":"r1",
            "violations":[{"field":"iban","description":"too long"}]}"#;
        let error = serde_json::from_str::<Problem>(text).unwrap().into_error();
        assert_eq!(error.to_string(), "the row is broken [request r1]");
        assert_eq!(error.code(), Some(ErrorCode::InvalidRequest));
        assert_eq!(error.violations()[0].field, "iban");
    }

    #[test]
    fn a_path_is_escaped() {
        let base = Url::parse("https://localhost:1").unwrap();
        let url = below(&base, &["v1", "a/b"]);
        assert_eq!(url.as_str(), "https://localhost:1/v1/a%2Fb");
    }
}
