//! How long a vault with many tenants takes to start, and its first calls.
//!
//! The tenants are made in this process, by the vault's own code, and are those of a site; what is
//! timed is the real process. Databases are opened on demand, so a start should not hang on them.

use std::{path::Path, time::Instant};

use tonic::transport::Channel;
use tresor_proto::{
    AddressList, ClientName, CollectionName, PasswordRule, Policy, ServiceName, TenantId,
    TenantName, TenantRef,
    vault::{
        Destination, GetRequest, PutRequest, RequestContext, Reveal,
        record_service_client::RecordServiceClient,
    },
};
use tresor_tests::Site;
use tresor_vault::{Caller, Enrolled, NewTenant, Passphrase, Role, Settings, Vault};

use crate::{Engine, machine, premises::tls_files, records};

/// The collection of every tenant.
pub(crate) const COLLECTION: &str = "customers";

/// Makes the tenants, then starts the process after an orderly end and after a kill.
pub(crate) async fn run(engine: Engine, tenants: usize) {
    let mut site = Site::start_with_log(engine.name(), "info");
    assert_eq!(site.vault().stop(), 0);
    let begun = Instant::now();
    let last = fill(&site.data_dir(), engine, tenants).await;
    println!("{}: {tenants} tenants made in {:?}", engine.name(), begun.elapsed());
    site.write_configs(&[&last.tenant.to_string()]);
    for how in ["an orderly end", "a kill"] {
        let begun = Instant::now();
        site.start_vault();
        let ready = begun.elapsed();
        let resident = machine::resident_mebibytes(site.vault().id());
        let (first, second) = calls(&site, &last).await;
        println!(
            "{}, after {how}: ready in {} ms, first call {first} ms, second {second} ms; \
             {resident} MiB resident once ready",
            engine.name(),
            ready.as_millis(),
        );
        site.vault().kill();
    }
}

/// Registers and enrols tenants in a data directory that nobody holds; gives the last.
pub(crate) async fn fill(data_dir: &Path, engine: Engine, tenants: usize) -> Enrolled {
    let settings = Settings { engine: engine.store(), ..Settings::new(data_dir.to_owned()) };
    let passphrase = Passphrase::new(b"a passphrase of tests".to_vec().into());
    let vault = Vault::open(settings, &passphrase.expect("long enough")).await.expect("a vault");
    let mut last = None;
    for number in 0..tenants {
        last = Some(enrol(&vault, &format!("tenant-{number}")).await);
    }
    vault.close().await.expect("it closes");
    last.expect("one tenant at least")
}

async fn enrol(vault: &Vault, name: &str) -> Enrolled {
    let operator = Caller::Service {
        name: ServiceName::parse("operator").expect("a name"),
        role: Role::Operator,
    };
    let operator = vault.permit_operator(&operator).expect("a permit");
    let name = TenantName::parse(name).expect("a name");
    let allowed_addresses = AddressList::parse(&["127.0.0.0/8"]).expect("addresses");
    let password_rule = PasswordRule::NotRequired;
    let new = NewTenant { name, allowed_addresses, password_rule };
    let created = vault.create_tenant(&operator, new).await.expect("a tenant");
    let tenant = TenantRef::Id(created.tenant.id);
    let collection = CollectionName::parse(COLLECTION).expect("a name");
    let policy = vault.put_collection(&operator, &tenant, collection, Policy::default()).await;
    policy.expect("a collection");
    let client = client(created.tenant.id);
    let permit = vault.permit_enrol(&client, &tenant).await.expect("a permit");
    vault.enrol(permit, &created.code).await.expect("keys")
}

fn client(tenant: TenantId) -> Caller {
    Caller::Client {
        tenant,
        client: ClientName::parse("bench").expect("a name"),
        certificate_digest: [0; 32],
        source_address: [127, 0, 0, 1].into(),
        session: None,
    }
}

/// Milliseconds of the first call, which stores, and of the second, which reads; with them come
/// connection, keyring, database and keys.
async fn calls(site: &Site, enrolled: &Enrolled) -> (u128, u128) {
    let tls = tls_files(&site.path("ca"), "billing");
    let server = format!("https://{}", site.data_plane());
    let channel = tresor_door::connect(&server, &tls).await.expect("a channel");
    let mut client = RecordServiceClient::<Channel>::new(channel);
    let context = Some(RequestContext {
        tenant: enrolled.tenant.to_string(),
        customer_token: enrolled.customer_token.expose_text().to_string(),
        request_id: "bench".to_owned(),
        ..Default::default()
    });
    let destination = Destination { collection: COLLECTION.to_owned(), ..Default::default() };
    let begun = Instant::now();
    let put = PutRequest {
        context: context.clone(),
        destination: Some(destination),
        records: vec![records::input()],
        ..Default::default()
    };
    let stored = client.put(put).await.expect("an answer").into_inner();
    let first = begun.elapsed().as_millis();
    assert_eq!(stored.results.len(), 1);
    let get = GetRequest {
        context,
        collection: COLLECTION.to_owned(),
        ids: vec!["none".to_owned()],
        reveal: Reveal::Plain as i32,
        ..Default::default()
    };
    client.get(get).await.expect("an answer");
    (first, begun.elapsed().as_millis() - first)
}
