//! How long all cipher keys of a vault with many tenants take to be replaced, and how long a
//! request waits meanwhile.
//!
//! Timed is the operator's command against the real process, from its start to its end; one client
//! asks all the while, one call after the other.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tonic::transport::Channel;
use tresor_proto::vault::{GetRequest, RequestContext, record_service_client::RecordServiceClient};
use tresor_tests::Site;
use tresor_vault::Enrolled;

use crate::{
    Engine,
    premises::tls_files,
    starts::{COLLECTION, fill},
};

const ROTATE_ALL: [&str; 6] = ["keys", "rotate-cipher", "--all", "--yes", "--output", "json"];
/// Rotations timed.
const ROTATIONS: usize = 3;

/// Makes the tenants, then replaces all their cipher keys.
pub(crate) async fn run(engine: Engine, tenants: usize) {
    let mut site = Site::start_with_log(engine.name(), "info");
    assert_eq!(site.vault().stop(), 0);
    let last = fill(&site.data_dir(), engine, tenants).await;
    site.write_configs(&[&last.tenant.to_string()]);
    site.start_vault();
    for rotation in 1..=ROTATIONS {
        let is_over = Arc::new(AtomicBool::new(false));
        let asking = tokio::spawn(ask(client(&site).await, request(&last), Arc::clone(&is_over)));
        let begun = Instant::now();
        let rotated = tokio::task::block_in_place(|| site.operator(&ROTATE_ALL).ok().json());
        let elapsed = begun.elapsed();
        is_over.store(true, Ordering::SeqCst);
        let (calls, longest) = asking.await.expect("calls");
        assert_eq!(rotated["replaced"], tenants, "{}", rotated["failed"]);
        println!(
            "{}, rotation {rotation}: {tenants} cipher keys in {elapsed:?}; beside it {calls} calls, \
             the longest {longest:?}",
            engine.name()
        );
    }
}

async fn client(site: &Site) -> RecordServiceClient<Channel> {
    let tls = tls_files(&site.path("ca"), "billing");
    let server = format!("https://{}", site.data_plane());
    RecordServiceClient::new(tresor_door::connect(&server, &tls).await.expect("a channel"))
}

fn request(enrolled: &Enrolled) -> GetRequest {
    let context = RequestContext {
        tenant: enrolled.tenant.to_string(),
        customer_token: enrolled.customer_token.expose_text().to_string(),
        ..Default::default()
    };
    GetRequest {
        context: Some(context),
        collection: COLLECTION.to_owned(),
        ids: vec!["none".to_owned()],
        ..Default::default()
    }
}

/// Asks until it is over; gives how often, and the longest an answer took.
async fn ask(
    mut client: RecordServiceClient<Channel>,
    request: GetRequest,
    is_over: Arc<AtomicBool>,
) -> (usize, Duration) {
    let (mut calls, mut longest) = (0, Duration::ZERO);
    while !is_over.load(Ordering::SeqCst) {
        let begun = Instant::now();
        client.get(request.clone()).await.expect("an answer");
        longest = longest.max(begun.elapsed());
        calls += 1;
    }
    (calls, longest)
}
