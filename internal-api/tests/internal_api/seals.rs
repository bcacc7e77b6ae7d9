//! Seals and locking, through the operator's door.

use std::{fs, os::unix::fs::PermissionsExt as _};

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tresor_door::Shutdown;
use tresor_internal_api::{
    Config, SealConfig, SealId, SealProvider, SecretFile, ServiceRole, start,
};
use tresor_proto::{
    Failure,
    vault::{
        AddSealRequest, GetSealStatusRequest, IngestRequest, ListTenantsRequest, LockRequest,
        LockState, MigrateSealRequest, RemoveSealRequest, SealStatus, UnlockRequest,
        seal_service_client::SealServiceClient, tenant_service_client::TenantServiceClient,
    },
};

use crate::{
    house::{House, Running, grant},
    ingest::opening,
    process::probe,
    tenant::{Tenant, get_request, put_request, record, records},
};

fn seal_config(house: &House, name: &str) -> SealConfig {
    let path = house.path(&format!("{name}.passphrase"));
    if !path.exists() {
        fs::write(&path, format!("the passphrase of {name}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let provider = SealProvider::Passphrase(SecretFile::Path(path));
    SealConfig { id: SealId::parse(name).unwrap(), provider }
}

/// A configuration with the first passphrase and others by name.
fn config(house: &House, others: &[&str]) -> Config {
    let services = vec![grant("edge", ServiceRole::Edge), grant("operator", ServiceRole::Operator)];
    let mut config = house.config(services);
    config.seals.extend(others.iter().map(|name| seal_config(house, name)));
    config
}

async fn seals(running: &Running) -> SealServiceClient<Channel> {
    SealServiceClient::new(running.control("svc/operator").await)
}

async fn status(running: &Running) -> SealStatus {
    let status = seals(running).await.get_seal_status(GetSealStatusRequest {}).await;
    status.unwrap().into_inner().status.unwrap()
}

fn holders(status: &SealStatus) -> Vec<&str> {
    let holders = status.seals.iter().filter(|seal| seal.holds_root_key);
    holders.map(|seal| seal.name.as_str()).collect()
}

fn from_to(from: &str, to: &str) -> MigrateSealRequest {
    MigrateSealRequest { from: from.to_owned(), to: to.to_owned(), dry_run: false }
}

fn code(status: &Status) -> &'static str {
    Failure::from(status).code().as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_vault_answers_locked_until_it_is_unlocked() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let mut client = records(&running).await;
    client.put(put_request(&tenant, vec![record("a-1")])).await.unwrap();

    let locked = seals(&running).await.lock(LockRequest {}).await.unwrap().into_inner();
    assert_eq!(locked.status.unwrap().lock_state(), LockState::LockedByOperator);
    let refused = client.get(get_request(&tenant, &["a-1"])).await.unwrap_err();
    assert_eq!(code(&refused), "locked");
    assert!(Failure::from(&refused).retry_after().is_some());
    let mut tenants = TenantServiceClient::new(running.control("svc/operator").await);
    let refused = tenants.list_tenants(ListTenantsRequest::default()).await.unwrap_err();
    assert_eq!(code(&refused), "locked");
    let mut health = HealthClient::new(running.data("svc/edge").await);
    let answer = health.check(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(answer.status(), ServingStatus::NotServing);
    assert_eq!(probe(&running, "/readyz").await, "HTTP/1.1 503 Service Unavailable");
    assert_eq!(probe(&running, "/healthz").await, "HTTP/1.1 200 OK");

    let unlocked = seals(&running).await.unlock(UnlockRequest {}).await.unwrap().into_inner();
    assert_eq!(unlocked.status.unwrap().lock_state(), LockState::Unlocked);
    let got = client.get(get_request(&tenant, &["a-1"])).await.unwrap().into_inner();
    assert_eq!(got.results.len(), 1);
    assert_eq!(probe(&running, "/readyz").await, "HTTP/1.1 200 OK");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn locking_ends_a_stream_that_says_nothing() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let mut client = records(&running).await;
    let (sender, receiver) = mpsc::channel::<IngestRequest>(1);
    let mut answers = client.ingest(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    sender.send(opening(&tenant)).await.unwrap();
    seals(&running).await.lock(LockRequest {}).await.unwrap();
    let ended = answers.message().await.unwrap_err();
    assert_eq!(code(&ended), "locked");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_operator_asks_for_seals_and_only_on_his_plane() {
    let running = Running::new().await;
    let mut client = SealServiceClient::new(running.data("svc/edge").await);
    let refused = client.lock(LockRequest {}).await.unwrap_err();
    assert_eq!(code(&refused), "forbidden");
    let mut client = SealServiceClient::new(running.control("svc/edge").await);
    let refused = client.lock(LockRequest {}).await.unwrap_err();
    assert_eq!(code(&refused), "forbidden");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_key_moves_from_seal_to_seal() {
    let house = Running::new().await.stop().await;
    let seal_file = house.path("data/system/seal.trs");
    let before = fs::read(&seal_file).unwrap();
    let all = config(&house, &["spare"]);
    let running = house.start_with(all).await;
    assert_eq!(holders(&status(&running).await), ["passphrase"]);
    let mut client = seals(&running).await;

    let add = |seal: &str, dry_run| AddSealRequest { seal: seal.to_owned(), dry_run };
    client.add_seal(add("spare", true)).await.unwrap();
    assert_eq!(fs::read(&seal_file).unwrap(), before, "a dry run writes nothing");
    client.add_seal(add("spare", false)).await.unwrap();
    assert_eq!(holders(&status(&running).await), ["passphrase", "spare"]);
    for (seal, refusal) in [("spare", "already_exists"), ("stranger", "not_found")] {
        let refused = client.add_seal(add(seal, false)).await.unwrap_err();
        assert_eq!(code(&refused), refusal, "{seal}");
    }

    client.migrate_seal(from_to("passphrase", "spare")).await.unwrap();
    assert_eq!(holders(&status(&running).await), ["spare"]);
    let remove = RemoveSealRequest { seal: "spare".to_owned(), dry_run: false };
    let refused = client.remove_seal(remove).await.unwrap_err();
    assert_eq!(code(&refused), "conflict");
    assert_eq!(holders(&status(&running).await), ["spare"]);
    drop(client);

    let house = running.stop().await;
    let only_old = start(config(&house, &[]), Shutdown::new()).await.unwrap_err();
    assert!(only_old.to_string().contains("does not hold the root key"), "{only_old}");
    let all = config(&house, &["spare"]);
    house.start_with(all).await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seal_stays_while_no_other_opens() {
    let house = Running::new().await.stop().await;
    let all = config(&house, &["spare"]);
    let running = house.start_with(all).await;
    let mut client = seals(&running).await;
    client.add_seal(AddSealRequest { seal: "spare".to_owned(), dry_run: false }).await.unwrap();
    fs::write(running.house.path("spare.passphrase"), "a wrong passphrase\n").unwrap();
    let remove = RemoveSealRequest { seal: "passphrase".to_owned(), dry_run: false };
    let refused = client.remove_seal(remove).await.unwrap_err();
    assert_eq!(code(&refused), "conflict");
    let refused = client.migrate_seal(from_to("passphrase", "spare")).await.unwrap_err();
    assert_eq!(code(&refused), "invalid_request");
    assert_eq!(holders(&status(&running).await), ["passphrase", "spare"]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_told_while_another_seal_serves() {
    let house = Running::new().await.stop().await;
    let all = config(&house, &["spare"]);
    let running = house.start_with(all).await;
    let add = AddSealRequest { seal: "spare".to_owned(), dry_run: false };
    seals(&running).await.add_seal(add).await.unwrap();
    let house = running.stop().await;

    // Known from the start, though the other seal has opened.
    let passphrase = fs::read(house.path("passphrase")).unwrap();
    fs::write(house.path("passphrase"), "a wrong passphrase\n").unwrap();
    let all = config(&house, &["spare"]);
    let running = house.start_with(all).await;
    for _ in 0..2 {
        let told = status(&running).await;
        assert_eq!(told.lock_state(), LockState::Unlocked);
        let problems: Vec<_> = told.seals.iter().map(|seal| seal.problem.as_str()).collect();
        assert!(problems[0].contains("is wrong") && problems[1].is_empty(), "{problems:?}");
    }
    fs::write(running.house.path("passphrase"), passphrase).unwrap();
    assert!(status(&running).await.seals.iter().all(|seal| seal.problem.is_empty()));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_passphrase_is_replaced_while_the_vault_runs() {
    let running = Running::new().await;
    let (secret, file) =
        (running.house.path("passphrase"), running.house.path("data/system/seal.trs"));
    let (lost, before) = (fs::read(&secret).unwrap(), fs::read(&file).unwrap());
    let add = |dry_run| AddSealRequest { seal: "passphrase".to_owned(), dry_run };
    let refused = seals(&running).await.add_seal(add(false)).await.unwrap_err();
    assert_eq!(code(&refused), "already_exists");
    fs::write(&secret, "another passphrase\n").unwrap();
    assert!(!status(&running).await.seals[0].problem.is_empty());
    seals(&running).await.add_seal(add(true)).await.unwrap();
    assert_eq!(fs::read(&file).unwrap(), before);
    seals(&running).await.add_seal(add(false)).await.unwrap();
    let told = status(&running).await;
    assert_eq!((told.seals.len(), told.seals[0].problem.as_str()), (1, ""));

    let house = running.stop().await;
    let alone = config(&house, &[]);
    let house = house.start_with(alone).await.stop().await;
    fs::write(&secret, lost).unwrap();
    let refused = start(config(&house, &[]), Shutdown::new()).await.unwrap_err();
    assert!(refused.to_string().contains("is wrong"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_was_cut_off_anywhere_is_finished_by_the_same_command() {
    let mut house = Running::new().await.stop().await;
    let path = house.path("data/system/seal.trs");
    let migrate = from_to("passphrase", "spare");
    let mut states = vec![fs::read(&path).unwrap()];
    let all = config(&house, &["spare"]);
    let running = house.start_with(all).await;
    let add = AddSealRequest { seal: "spare".to_owned(), dry_run: false };
    seals(&running).await.add_seal(add).await.unwrap();
    states.push(fs::read(&path).unwrap());
    seals(&running).await.migrate_seal(migrate.clone()).await.unwrap();
    states.push(fs::read(&path).unwrap());
    house = running.stop().await;

    for state in &states {
        // Besides what a write that was cut off leaves.
        fs::write(&path, state).unwrap();
        fs::write(path.with_extension("new"), &states[2][..40]).unwrap();
        let all = config(&house, &["spare"]);
        let running = house.start_with(all).await;
        seals(&running).await.migrate_seal(migrate.clone()).await.unwrap();
        assert_eq!(holders(&status(&running).await), ["spare"]);
        let unknown = from_to("pasphrase", "spare");
        let refused = seals(&running).await.migrate_seal(unknown).await.unwrap_err();
        assert_eq!(code(&refused), "not_found", "nothing was moved, nothing is said to be");
        house = running.stop().await;
    }
    let mut alone = config(&house, &["spare"]);
    alone.seals.remove(0);
    house.start_with(alone).await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seal_whose_secret_is_gone_is_told_and_serving_goes_on() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    fs::remove_file(running.house.path("passphrase")).unwrap();
    let told = status(&running).await;
    assert_eq!(told.lock_state(), LockState::Unlocked);
    assert!(told.seals[0].problem.contains("cannot be read"), "{}", told.seals[0].problem);
    let mut client = records(&running).await;
    client.put(put_request(&tenant, vec![record("a-1")])).await.unwrap();
    assert_eq!(probe(&running, "/readyz").await, "HTTP/1.1 200 OK");
    running.stop().await;
}
