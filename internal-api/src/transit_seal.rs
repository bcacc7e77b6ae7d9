//! The transit seal: a key that never leaves OpenBao or HashiCorp Vault wraps the seal key.
//!
//! It promises to talk to the service of its authorities only, with our certificate, and to tell a
//! sealed service from an absent one and from one that refuses us. It relies on the engine `transit`
//! with an AEAD key (`aes256-gcm96`), and on `auth/cert` where no token file is given.

use core::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{Client, RequestBuilder, StatusCode, header::HeaderValue};
use serde::Deserialize;
use serde_json::json;
use tresor_door::{TlsFiles, client_config};
use tresor_proto::{
    Secret,
    storage::{self, seal_entry::Provider},
};
use tresor_vault::{Seal, SealError, SealId, SecretSource as _, entropy::Entropy};
use zeroize::Zeroizing;

use crate::seal_config::SecretFile;

/// How long one call may take: two are made to unlock.
const CALL_MAX: Duration = Duration::from_secs(5);
const TOKEN_HEADER: &str = "X-Vault-Token";
/// What the service authenticates with the seal key, before the seal's id.
const AAD: &str = "tresor/v1/seal/transit/";

/// Which key, where, and how to get at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitKey {
    /// `https://host:port`.
    pub address: String,
    /// Our certificate, and the authorities of the service.
    pub tls: TlsFiles,
    /// A token; without one the certificate logs in.
    pub token: Option<SecretFile>,
    /// Where the engine is mounted.
    pub mount: String,
    /// The name of the key.
    pub key: String,
}

/// A seal whose secret is in a service.
pub(crate) struct TransitSeal(TransitKey);

/// An answer of the service, of which each call uses a part.
#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
    auth: Option<Auth>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Data {
    ciphertext: String,
    plaintext: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    client_token: String,
}

impl TransitSeal {
    /// The seal of a key.
    pub(crate) fn new(key: TransitKey) -> Self {
        Self(key)
    }

    /// Lets the engine do one thing with its key.
    fn call(&self, verb: &str, body: &serde_json::Value) -> Result<Data, SealError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|_| SealError::Internal)?;
        // On the seals' own thread, which has no runtime: see `Seal`.
        runtime.block_on(async {
            let client = self.client()?;
            let token = self.token(&client).await?;
            let TransitKey { mount, key, .. } = &self.0;
            let request = self.post(&client, &format!("{mount}/{verb}/{key}"));
            let answer = send(request.header(TOKEN_HEADER, token.clone()).json(body)).await;
            if self.0.token.is_none() {
                self.log_out(&client, token).await;
            }
            Ok(answer?.data.unwrap_or_default())
        })
    }

    fn post(&self, client: &Client, path: &str) -> RequestBuilder {
        client.post(format!("{}/v1/{path}", self.0.address))
    }

    fn client(&self) -> Result<Client, SealError> {
        let tls = client_config(&self.0.tls, &["http/1.1"]);
        let tls = tls.map_err(|_| SealError::SecretUnreadable)?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(CALL_MAX)
            .build();
        client.map_err(|_| SealError::Internal)
    }

    async fn token(&self, client: &Client) -> Result<HeaderValue, SealError> {
        let text = match &self.0.token {
            Some(file) => file.read()?,
            None => self.log_in(client).await?,
        };
        let token = HeaderValue::from_bytes(text.trim_ascii());
        let mut token = token.map_err(|_| SealError::SecretLength)?;
        token.set_sensitive(true);
        Ok(token)
    }

    async fn log_in(&self, client: &Client) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let answer = send(self.post(client, "auth/cert/login")).await;
        // A certificate that no role knows is called a bad request.
        let is_unknown = matches!(answer, Err(SealError::Refused));
        let answer = if is_unknown { Err(SealError::Denied) } else { answer };
        Ok(Zeroizing::new(answer?.auth.unwrap_or_default().client_token.into_bytes()))
    }

    /// Gives the token back, of which the service would else keep one for each call. It ends by
    /// itself where that fails.
    async fn log_out(&self, client: &Client, token: HeaderValue) {
        let request = self.post(client, "auth/token/revoke-self").header(TOKEN_HEADER, token);
        if request.send().await.is_err() {
            tracing::debug!("a token of a seal's service stays until its end");
        }
    }
}

impl Seal for TransitSeal {
    fn provider(&self) -> &'static str {
        "transit"
    }

    fn make(
        &self,
        id: &SealId,
        entropy: &dyn Entropy,
    ) -> Result<(Secret<32>, Provider), SealError> {
        let key = Secret::try_fill(|bytes| entropy.fill(bytes)).map_err(|_| SealError::Internal)?;
        let plaintext = Zeroizing::new(BASE64_STANDARD.encode(key.expose_secret()));
        let body = json!({ "plaintext": plaintext.as_str(), "associated_data": aad(id) });
        let ciphertext = self.call("encrypt", &body)?.ciphertext;
        Ok((key, Provider::Transit(storage::TransitSeal { ciphertext })))
    }

    fn key(&self, id: &SealId, kept: &Provider) -> Result<Secret<32>, SealError> {
        let Provider::Transit(kept) = kept else {
            return Err(SealError::Refused);
        };
        let body = json!({ "ciphertext": kept.ciphertext, "associated_data": aad(id) });
        let plaintext = Zeroizing::new(self.call("decrypt", &body)?.plaintext);
        let key = BASE64_STANDARD.decode(plaintext.as_bytes()).map(Zeroizing::new);
        Secret::from_slice(&key.map_err(|_| SealError::Refused)?).ok_or(SealError::Refused)
    }
}

fn aad(id: &SealId) -> String {
    BASE64_STANDARD.encode([AAD, id.as_str()].concat())
}

/// Sends a request and tells what a refusal means.
async fn send(request: RequestBuilder) -> Result<Answer, SealError> {
    let response = request.send().await.map_err(|_| SealError::Unreachable)?;
    match response.status() {
        StatusCode::OK => response.json().await.map_err(|_| SealError::Unreachable),
        StatusCode::SERVICE_UNAVAILABLE => Err(SealError::ServiceSealed),
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => Err(SealError::Denied),
        StatusCode::BAD_REQUEST => Err(SealError::Refused),
        StatusCode::NOT_FOUND => Err(SealError::NoSuchKey),
        _ => Err(SealError::Unreachable),
    }
}
