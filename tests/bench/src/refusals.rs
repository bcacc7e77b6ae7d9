//! Whether the time of a refusal tells why: customer tokens that never were, whose secret is wrong
//! or that are revoked; users that there are not, and wrong passwords.
//!
//! Asked over HTTPS through the real edge, one call after the other, the reasons in turn, so that a
//! busy moment of the machine falls on all. Each password is tried from an address of loopback of
//! its own, since who fails often waits.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use reqwest::{Client, StatusCode, header::AUTHORIZATION};
use tresor_proto::{CustomerToken, Secret};
use tresor_tests::{Site, Tenant, basic};

use crate::{Engine, premises::tls_files};

const RECORD: &str = "/v1/collections/customers/records/none";
/// Of the right form, never issued.
const UNKNOWN: &str = "trsr_14fhprYCYlTyUewFx_EHaKB2qyjGii2QpQPwpQat5bqPfpaJ2HRtLYCZ2jm4i4ORhGB";

/// Times that many refusals of each kind.
pub(crate) async fn run(engine: Engine, calls: usize) {
    let site = Site::start_with_log(engine.name(), "info");
    let tenant = site.tenant("bench");
    let user_tenant = site.tenant_with_user("users");
    println!("| refusal, {} | calls | median, ms | 90 % | longest |", engine.name());
    println!("|---|--:|--:|--:|--:|");
    customer_tokens(&site, &tenant, calls).await;
    passwords(&site, &user_tenant, calls).await;
}

async fn customer_tokens(site: &Site, tenant: &Tenant, calls: usize) {
    let shown = [
        ("never issued", UNKNOWN.to_owned()),
        ("wrong secret", wrong_secret(tenant)),
        ("revoked", revoked(site, tenant)),
    ];
    let client = client(site, tenant, Ipv4Addr::LOCALHOST);
    let mut times = shown.each_ref().map(|_| Vec::new());
    for _ in 0..calls {
        for ((_, customer_token), times) in shown.iter().zip(&mut times) {
            times.push(refused(&client, site, "Tresor-Customer-Token", customer_token).await);
        }
    }
    for ((name, _), times) in shown.iter().zip(&mut times) {
        report(&format!("customer token, {name}"), times);
    }
}

async fn passwords(site: &Site, tenant: &Tenant, calls: usize) {
    let [mut unknown, mut wrong] = [Vec::new(), Vec::new()];
    for (call, last) in (0..calls).zip((1..u32::MAX).cycle()) {
        let address = Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 0).to_bits() + last);
        let client = client(site, tenant, address);
        // The handshake is over before anything is timed.
        client.get(site.url("/healthz")).send().await.expect("an answer");
        let nobody = authorization(&format!("u{call}"));
        let somebody = authorization("planner");
        // In turn who comes first, so that neither has the warmer connection.
        let mut both = [(&mut unknown, nobody), (&mut wrong, somebody)];
        both.rotate_left(call % 2);
        for (times, header) in both {
            times.push(refused(&client, site, AUTHORIZATION.as_str(), &header).await);
        }
    }
    report("password, unknown user", &mut unknown);
    report("password, wrong", &mut wrong);
}

/// The value of the header for a password that nobody has.
fn authorization(user: &str) -> String {
    let header = basic(user, "no password of anybody");
    header.split_once(": ").expect("a header").1.to_owned()
}

/// How long a refusal takes.
async fn refused(client: &Client, site: &Site, header: &str, value: &str) -> Duration {
    let request = client.get(site.url(RECORD)).header(header, value);
    let begun = Instant::now();
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let body = answer.bytes().await.expect("a body");
    let elapsed = begun.elapsed();
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{}", String::from_utf8_lossy(&body));
    elapsed
}

/// The id of the tenant's customer token, with another secret.
fn wrong_secret(tenant: &Tenant) -> String {
    let own = CustomerToken::parse(&tenant.customer_token()).expect("a customer token");
    let secret = Secret::try_fill::<()>(|bytes| {
        bytes.fill(7);
        Ok(())
    });
    let other = CustomerToken::new(own.kind(), own.id(), secret.expect("a secret"));
    other.expose_text().to_string()
}

/// A customer token that worked, and was revoked.
fn revoked(site: &Site, tenant: &Tenant) -> String {
    let file = tenant.directory.join("revoked");
    let path = file.to_str().expect("a path");
    let issue = ["keys", "token", "issue", "--kind", "read_write", "--token-file", path];
    site.customer(tenant, &issue).ok();
    let text = fs::read_to_string(&file).expect("a customer token").trim().to_owned();
    let id = text.split('_').nth(1).expect("an id").to_owned();
    site.customer(tenant, &["keys", "token", "revoke", &id, "--yes"]).ok();
    text
}

fn client(site: &Site, tenant: &Tenant, address: Ipv4Addr) -> Client {
    let mut tls = tls_files(&tenant.directory, "client");
    tls.authorities = site.path("ca/ca.pem");
    let tls = tresor_door::client_config(&tls, &["http/1.1"]).expect("TLS files");
    let client = Client::builder().tls_backend_preconfigured(tls).no_proxy();
    client.local_address(IpAddr::V4(address)).build().expect("a client")
}

/// The median, and what nine of ten and the slowest took, in milliseconds.
fn report(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
    println!("| {name} | {} | {:.2} | {:.2} | {:.2} |", times.len(), at(50), at(90), at(100));
}
