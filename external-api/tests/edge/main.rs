//! The edge as its clients see it: real TLS on both sides, a vault made for the test behind it.

#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod fake_vault;
mod house;
mod process;
mod refusals;
mod requests;
mod surrogates;
mod uploads;
mod users;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use tresor_door::{Shutdown, TlsFiles, TrustFiles, client_config, logs::LogSettings};
use tresor_external_api::{Config, Edge, Limits, Proxies, VaultAddress, start};
use tresor_proto::TrustDomain;

use self::{fake_vault::FakeVault, house::House};

const CLIENT: &str =
    "spiffe://tresor.local/tenant/0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b1/client/planner";
const TENANT: &str = "0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b1";
const RECORDS: &str = "/v1/collections/customers/records";

/// A running edge with its vault and one client.
struct Setting {
    vault: FakeVault,
    edge: Edge,
    client: Client,
    house: House,
    shutdown: Shutdown,
}

impl Setting {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let house = House::new();
        let vault = FakeVault::start(&house).await;
        let mut config = config(house.issue_service("edge"), &vault);
        change(&mut config);
        let shutdown = Shutdown::new();
        let edge = start(config, shutdown.clone()).await.unwrap();
        Self {
            client: client(&house.issue_client("planner", CLIENT), "h2"),
            vault,
            edge,
            house,
            shutdown,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.edge.local_addr().port())
    }

    /// A request with the client's certificate and nothing else.
    fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// A request with the customer token.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.bare(method, path);
        request.header("Tresor-Customer-Token", self.vault.customer_token())
    }

    async fn upload(&self, query: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        let request = self.request(Method::POST, &format!("{RECORDS}{query}"));
        let request = request.header("Content-Type", content_type);
        request.body(body.into()).send().await.unwrap()
    }
}

fn config(tls: TlsFiles, vault: &FakeVault) -> Config {
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Config {
        listen: any_port,
        health_listen: Some(any_port),
        trust_domain: TrustDomain::parse("tresor.local").unwrap(),
        trust: TrustFiles::new(tls.authorities.clone()),
        vault: VaultAddress { endpoint: vault.endpoint(), tls: tls.clone() },
        tls,
        is_tls12_allowed: false,
        proxies: Proxies::default(),
        limits: Limits::default(),
        log: LogSettings::default(),
    }
}

fn client(files: &TlsFiles, protocol: &str) -> Client {
    client_from([127, 0, 0, 1], files, protocol)
}

/// A client that connects from an address of the loopback.
fn client_from(address: [u8; 4], files: &TlsFiles, protocol: &str) -> Client {
    let tls = client_config(files, &[protocol]).unwrap();
    let builder = Client::builder().tls_backend_preconfigured(tls).no_proxy();
    builder.local_address(IpAddr::from(address)).build().unwrap()
}

async fn lines(response: Response) -> Vec<Value> {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let text = response.text().await.unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The code of a problem document, whose status must be the response's.
async fn code(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let request_id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let problem: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(problem["status"], status);
    assert_eq!(problem["request_id"], request_id);
    (status, problem["code"].as_str().unwrap().to_owned())
}
