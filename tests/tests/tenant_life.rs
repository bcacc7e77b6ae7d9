//! A tenant's settings change, it is suspended, resumed and deleted, with the real command, while
//! its customer's programs are at work.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tresor_tests::{Answer, Ran, Random, Site, Tenant, is_long, repository, run, tool};

const RECORDS: &str = "/v1/collections/customers/records";
/// Far more than a second, for a busy machine.
const SOON: Duration = Duration::from_secs(15);

/// An upload that is kept open by another program, with a row told as stored.
struct Upload {
    python: Child,
    words: ChildStdin,
    said: BufReader<ChildStdout>,
}

impl Upload {
    fn open(site: &Site, tenant: &Tenant) -> Self {
        let mut command = Command::new(tool("python3"));
        command.arg(repository().join("tests/clients/open_upload.py"));
        command.arg(site.url("").rsplit(':').next().unwrap()).arg(site.path("ca/ca.pem"));
        let client = tenant.directory.join("client");
        command.arg(client.with_extension("pem")).arg(client.with_extension("key"));
        let mut python = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut words = python.stdin.take().unwrap();
        let mut said = BufReader::new(python.stdout.take().unwrap());
        write!(words, "Tresor-Customer-Token: {}\n\n", tenant.customer_token()).unwrap();
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        assert_eq!(line, "open\n");
        Self { python, words, said }
    }

    /// What is said when another row comes, Berta's.
    fn end(mut self) -> String {
        writeln!(self.words, "go on").unwrap();
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        assert!(self.python.wait().unwrap().success());
        said
    }
}

fn put(site: &Site, tenant: &Tenant, id: &str) -> u16 {
    let body = format!("{{\"nr\":\"{id}\",\"vorname\":\"Anna\"}}");
    site.curl(tenant, &format!("{RECORDS}?id_field=nr"), &["--json", &body]).status
}

fn get(site: &Site, tenant: &Tenant, id: &str) -> Answer {
    site.curl(tenant, &format!("{RECORDS}/{id}"), &[])
}

/// Waits until a route that the vault does not answer has this status.
fn wait_for_limits(site: &Site, tenant: &Tenant, status: u16) {
    let begun = Instant::now();
    while site.curl(tenant, "/v1/limits", &[]).status != status {
        assert!(begun.elapsed() < SOON, "the edge has not taken it up");
        sleep(Duration::from_millis(50));
    }
}

/// A problem without what tells one request from another.
fn problem(answer: &Answer) -> Value {
    let mut problem = answer.json();
    problem.as_object_mut().unwrap().remove("request_id").unwrap();
    problem
}

#[test]
fn an_address_taken_off_the_list_is_refused_at_once_and_in_an_open_upload() {
    let site = Site::start("sled");
    let (burg, herne) = (site.tenant("burg"), site.tenant("herne"));
    assert_eq!(put(&site, &burg, "r0"), 201);
    let upload = Upload::open(&site, &burg);
    assert_eq!(get(&site, &burg, "r0").status, 200);

    let update = ["tenant", "update", "burg", "--add", "192.0.2.0/24", "--remove", "127.0.0.0/8"];
    let looked = site.operator(&[&update[..], &["--dry-run"]].concat()).ok();
    assert!(looked.stdout.contains("- 127.0.0.0/8"), "{}", looked.stdout);
    assert_eq!(get(&site, &burg, "r0").status, 200, "that was a look");
    let unasked = site.operator(&update);
    assert!(unasked.stderr.contains("--yes"), "{}", unasked.stderr);
    site.operator(&[&update[..], &["--yes"]].concat()).ok();

    assert_eq!(get(&site, &burg, "r0").status, 401, "on the next request");
    let said = upload.end();
    assert!(!said.contains("stored") && said.contains("unauthenticated"), "{said}");
    wait_for_limits(&site, &burg, 401);
    assert_eq!(put(&site, &herne, "r1"), 201, "the other tenant is served");
    site.operator(&["tenant", "update", "burg", "--allow", "127.0.0.0/8", "--yes"]).ok();
    wait_for_limits(&site, &burg, 200);
    assert_eq!(get(&site, &burg, "r0").status, 200);
    let listed = site.curl(&burg, &format!("{RECORDS}?reveal=plain"), &[]).body;
    assert!(listed.contains("Anna") && !listed.contains("Berta"), "nothing came in after it");
}

fn grpcurl(site: &Site, customer_token: &str, tenant: &Tenant) -> Ran {
    let mut command = Command::new(tool("grpcurl"));
    command.arg("-cacert").arg(site.path("ca/ca.pem"));
    command.arg("-cert").arg(site.path("ca/billing.pem"));
    command.arg("-key").arg(site.path("ca/billing.key"));
    command.args(["-d", "@", &site.data_plane(), "tresor.vault.v1.RecordService/Get"]);
    let context = json!({"tenant": tenant.id, "customer_token": customer_token});
    let body = json!({"context": context, "collection": "customers", "ids": ["r1"]});
    run(&mut command, body.to_string())
}

#[test]
fn a_suspended_tenant_is_refused_like_any_wrong_credential_and_loses_nothing() {
    let mut site = Site::start("redb");
    let (burg, herne) = (site.tenant("burg"), site.tenant("herne"));
    site.write_configs(&[&burg.id]);
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
    assert_eq!(put(&site, &burg, "r0"), 201);
    let upload = Upload::open(&site, &burg);
    grpcurl(&site, &burg.customer_token(), &burg).ok();
    let wrong_service = grpcurl(&site, &herne.customer_token(), &burg);
    let with_another = Tenant { directory: burg.directory.join("wrong"), ..burg.clone() };
    fs::create_dir(&with_another.directory).unwrap();
    for file in ["client.pem", "client.key"] {
        fs::copy(burg.directory.join(file), with_another.directory.join(file)).unwrap();
    }
    fs::write(with_another.directory.join("customer.token"), herne.customer_token()).unwrap();
    let wrong_client = problem(&get(&site, &with_another, "r1"));
    assert_eq!(wrong_client["code"], "unauthenticated");

    site.operator(&["tenant", "suspend", "burg", "--yes"]).ok();
    let refused = get(&site, &burg, "r0");
    assert_eq!((refused.status, problem(&refused)), (401, wrong_client.clone()));
    let service = grpcurl(&site, &burg.customer_token(), &burg);
    assert_eq!((service.code, &service.stderr), (wrong_service.code, &wrong_service.stderr));
    let said = upload.end();
    assert!(!said.contains("stored") && said.contains("unauthenticated"), "{said}");
    wait_for_limits(&site, &burg, 401);
    let limits = site.curl(&burg, "/v1/limits", &[]);
    assert_eq!(problem(&limits), wrong_client);
    let log = site.vault().log();
    assert!(log.contains("tenant_suspended"), "the log says why");
    let shown = site.operator(&["tenant", "show", "burg"]).ok().stdout;
    assert!(shown.contains("suspended  since 20"), "{shown}");
    assert_eq!(put(&site, &herne, "r1"), 201, "the other tenant is served");

    site.operator(&["tenant", "resume", "burg", "--yes"]).ok();
    wait_for_limits(&site, &burg, 200);
    assert_eq!(get(&site, &burg, "r0").status, 200);
    grpcurl(&site, &burg.customer_token(), &burg).ok();
}

/// Whether any file or directory of the vault is named after a tenant.
fn has_files(site: &Site, tenant: &Tenant) -> bool {
    ["keyrings", "databases"].iter().any(|directory| {
        let entries = fs::read_dir(site.data_dir().join(directory)).unwrap();
        let mut names = entries.map(|entry| entry.unwrap().file_name());
        names.any(|name| name.to_string_lossy().contains(&tenant.id))
    })
}

fn is_gone(site: &Site, tenant: &Tenant) -> bool {
    let shown = site.operator(&["tenant", "show", &tenant.id, "--output", "json"]);
    shown.stderr.contains("not_found")
}

#[test]
fn a_tenant_is_deleted_when_it_is_suspended_and_named() {
    let site = Site::start("sled");
    let (burg, herne) = (site.tenant("burg"), site.tenant("herne"));
    assert_eq!((put(&site, &burg, "r1"), put(&site, &herne, "r1")), (201, 201));
    let delete = ["tenant", "delete", "burg", "--confirm", "burg"];
    let served = site.operator(&delete);
    assert!(served.stderr.contains("not suspended"), "{}", served.stderr);
    site.operator(&["tenant", "suspend", "burg", "--yes"]).ok();
    let misnamed = site.operator(&["tenant", "delete", "burg", "--confirm", "herne"]);
    assert!(misnamed.stderr.contains("confirmed_name"), "{}", misnamed.stderr);
    let unasked = site.operator(&["tenant", "delete", "burg"]);
    assert!(unasked.stderr.contains("--confirm"), "{}", unasked.stderr);
    let looked = site.operator(&["tenant", "delete", "burg", "--dry-run"]).ok();
    assert!(looked.stdout.contains("would be deleted"), "{}", looked.stdout);
    assert!(has_files(&site, &burg) && !is_gone(&site, &burg), "nothing happened so far");

    let deleted = site.operator(&[&delete[..], &["--output", "json"]].concat()).ok().json();
    assert_eq!((&deleted["status"], &deleted["collections"]), (&json!("deleted"), &json!(1)));
    assert!(is_gone(&site, &burg) && !has_files(&site, &burg));
    assert_eq!(get(&site, &burg, "r1").status, 401);
    assert_eq!(get(&site, &herne, "r1").status, 200);
    site.operator(&["tenant", "create", "burg", "--allow", "192.0.2.1"]).ok();
}

/// Deletes a tenant while the vault is killed: at any moment, or once the keys are gone.
fn delete_with_a_kill(site: &mut Site, tenant: &Tenant, random: &mut Random, is_late: bool) {
    let keyring = site.data_dir().join("keyrings").join(format!("{}.trk", tenant.id));
    let wait = Duration::from_millis(random.within(0..if is_late { 20 } else { 1_500 }));
    let delete = ["tenant", "delete", &tenant.name, "--confirm", &tenant.name];
    std::thread::scope(|scope| {
        let (operator, begun) = (&*site, Instant::now());
        let asking = scope.spawn(move || operator.operator(&delete));
        while is_late && keyring.exists() && begun.elapsed() < SOON {
            std::thread::yield_now();
        }
        sleep(wait);
        run(Command::new("kill").arg("-KILL").arg(operator.vault_id().to_string()), "");
        asking.join().unwrap();
    });
    site.vault().kill();
    site.start_vault();
    let shown = site.operator(&["tenant", "show", &tenant.id, "--output", "json"]);
    if shown.stdout.contains("\"suspended\",") {
        assert!(keyring.exists() && !is_late, "it has not begun");
        site.operator(&delete).ok();
    }
    let begun = Instant::now();
    while !is_gone(site, tenant) {
        assert!(begun.elapsed() < SOON, "the deletion does not go on");
        sleep(Duration::from_millis(50));
    }
    assert!(!has_files(site, tenant));
}

#[test]
fn a_deletion_that_a_kill_cuts_off_goes_on_and_harms_nobody_else() {
    let mut random = Random::of_this_run();
    let mut site = Site::start_with_log("redb", "info");
    let kept = site.tenant("kept");
    assert_eq!(put(&site, &kept, "r1"), 201);
    for number in 0..if is_long() { 60 } else { 4 } {
        let tenant = site.tenant(&format!("tenant-{number}"));
        assert_eq!(put(&site, &tenant, "r1"), 201);
        site.operator(&["tenant", "suspend", &tenant.name, "--yes"]).ok();
        delete_with_a_kill(&mut site, &tenant, &mut random, number % 2 == 0);
        assert_eq!(site.curl(&kept, &format!("{RECORDS}/r1"), &[]).status, 200);
    }
}
