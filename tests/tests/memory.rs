//! Images of the memory of both processes: a minute after the last use they hold nothing of a
//! customer, no customer token, no key it opens and no value; nor does a locked vault, which holds
//! no key of its own either.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "what was found is shown by the runner")]

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use tresor_proto::{CustomerToken, TenantId};
use tresor_tests::{MemoryImage, Needles, Process, Site, Tenant, repository, run, tool};
use tresor_vault::{KnownKey, Passphrase, Theft};

const RECORDS: &str = "/v1/collections/customers/records";
const PASSPHRASE: &str = "a passphrase of tests";

/// The time of the promise, and some for what happens every second.
const IDLE: Duration = Duration::from_secs(63);

/// How often, and how long, a thread is waited for that has not come to rest.
const REST_TRIES: usize = 20;
const REST: Duration = Duration::from_millis(100);

/// Personal values found nowhere else.
const VALUES: [&str; 4] =
    ["Xaverius-Memoriam", "memoriam.q7@example.org", "DE02120300000000202051", "Memoriamweg 77b"];

/// An installation in use, and what is looked for in its memory.
struct Scene {
    site: Site,
    tenant: Tenant,
    /// What the customer has, and what it opens.
    customers: Needles,
    /// Keys of the server that were replaced.
    replaced: Needles,
}

fn customer_token(tenant: &Tenant, file: &str) -> CustomerToken {
    let text = fs::read_to_string(tenant.directory.join(file)).unwrap();
    CustomerToken::parse(text.trim()).unwrap()
}

impl Scene {
    fn set(engine: &'static str) -> Self {
        let site = Site::start_with_log(engine, "trace");
        let tenant = site.tenant("burg");
        let (customers, replaced) = (Needles::default(), Needles::default());
        let mut scene = Self { site, tenant, customers, replaced };
        VALUES.iter().for_each(|value| scene.customers.add_text(value, value));
        scene.customers.add_text("passphrase", PASSPHRASE);
        for file in ["customer.token", "customer.token.recovery"] {
            let customer_token = customer_token(&scene.tenant, file);
            scene.add_customer_token(file, &customer_token);
        }
        scene
    }

    fn add_customer_token(&mut self, name: &str, customer_token: &CustomerToken) {
        let text = customer_token.expose_text();
        let secret = text.rsplit('_').next().unwrap();
        self.customers.add_text(&format!("secret of {name}"), secret);
        self.customers.add_key(&format!("bytes of {name}"), customer_token.expose_secret());
    }

    fn known_keys(&self) -> Vec<KnownKey> {
        let passphrase = zeroize::Zeroizing::new(PASSPHRASE.as_bytes().to_vec());
        let theft = Theft {
            data_dir: &self.site.data_dir(),
            passphrase: &Passphrase::new(passphrase).unwrap(),
            customer_token: Some(&customer_token(&self.tenant, "customer.token")),
        };
        theft.known_keys(TenantId::parse(&self.tenant.id).unwrap()).unwrap()
    }

    /// What the server works with as long as it is unlocked.
    fn servers(&self) -> Needles {
        let mut servers = Needles::default();
        for known in self.known_keys().iter().filter(|known| !known.is_customers) {
            servers.add_key(&known.name, known.key.expose_secret());
        }
        servers
    }

    /// Every way in which values, keys and customer tokens come into the processes.
    fn use_everything(&mut self) {
        self.store();
        let body = ["--json", "{\"kind\":\"read_write\"}"];
        let issued = self.site.curl(&self.tenant, "/v1/keys/tokens", &body);
        let issued = issued.json()["customer_token"].as_str().unwrap().to_owned();
        self.add_customer_token("another", &CustomerToken::parse(&issued).unwrap());
        self.replace_keys();
        self.store();
        self.read();
        for known in self.known_keys().iter().filter(|known| known.is_customers) {
            self.customers.add_key(&known.name, known.key.expose_secret());
        }
    }

    /// The cipher key, with the key of the keyring's file, and the root key: older ones are to go.
    fn replace_keys(&mut self) {
        for known in self.known_keys() {
            if ["cipher key", "file key", "root key"].contains(&known.name.as_str()) {
                self.replaced.add_key(&known.name, known.key.expose_secret());
            }
        }
        self.site.operator(&["keys", "rotate-cipher", "--all", "--compromised", "--yes"]).ok();
        self.site.operator(&["keys", "rotate-root", "--yes"]).ok();
    }

    fn store(&self) {
        let [name, mail, iban, street] = VALUES;
        let json = format!(
            "{{\"nr\":\"r1\",\"vorname\":\"{name}\",\"mail\":\"{mail}\",\"iban\":\"{iban}\",\
             \"strasse\":\"{street}\"}}\n"
        );
        let csv = format!("nr,vorname,mail,iban,strasse\nr2,{name},{mail},{iban},{street}\n");
        let screen = "/v1/screen?collection=customers";
        let path = format!("{RECORDS}?id_field=nr");
        for (path, media, body, status) in [
            (path.as_str(), "application/json", &json, 201),
            (&path, "application/x-ndjson", &json, 200),
            (&path, "text/csv", &csv, 200),
            (screen, "text/csv", &csv, 200),
        ] {
            for version in ["--http1.1", "--http2"] {
                let file = self.tenant.directory.join("body");
                fs::write(&file, body).unwrap();
                let data = format!("@{}", file.display());
                let media = format!("Content-Type: {media}");
                let arguments = ["-H", &media, "--data-binary", &data, version];
                let stored = self.site.curl(&self.tenant, path, &arguments);
                assert_eq!(stored.status, status, "{path}, {media}: {}", stored.body);
            }
        }
    }

    fn read(&self) {
        for reveal in ["plain", "masked"] {
            for path in ["", "/r1", "/r2"] {
                let path = format!("{RECORDS}{path}?reveal={reveal}");
                let read = self.site.curl(&self.tenant, &path, &[]);
                assert_eq!(read.status, 200, "{}", read.body);
            }
        }
    }
}

/// Which needles are in an image; where, is shown by the runner.
fn found(what: &str, image: &MemoryImage, needles: &Needles) -> Vec<String> {
    let hits = image.hits(needles);
    println!("{what}: {} KiB, {} kinds of hits", image.bytes() / 1_024, hits.len());
    for (hit, count) in &hits {
        println!("  {count} × {}: {}", hit.needle, hit.place);
    }
    hits.into_keys().map(|hit| hit.needle).collect()
}

/// Which needles are in a process at once, but for threads that a busy machine has not let come to
/// rest yet.
fn left(what: &str, process: &Process, needles: &Needles) -> Vec<String> {
    let mut left = found(what, &process.memory(), needles);
    for _ in 0..REST_TRIES {
        if !left.is_empty() {
            sleep(REST);
            left = found(what, &process.memory(), needles);
        }
    }
    left
}

/// What the processor keeps of threads that wait is no memory: it is told, not promised.
fn tell_of_registers(process: &Process, needles: &Needles) {
    let mut command = Command::new(tool("python3"));
    command.arg(repository().join("tests/clients/registers.py")).arg(process.id().to_string());
    let threads = run(&mut command, "").ok().stdout;
    let mut hits = 0;
    for registers in threads.lines() {
        needles.find(&hex::decode(registers).unwrap(), |_, _| hits += 1);
    }
    println!("registers of {} threads: {hits} hits", threads.lines().count());
}

fn nothing_is_left(engine: &'static str) {
    let mut scene = Scene::set(engine);
    scene.use_everything();
    let at_once = found("vault, at once", &scene.site.vault().memory(), &scene.customers);
    assert!(at_once.contains(&"data key of identity, epoch 1".to_owned()), "the search finds");
    let at_once = found("edge, at once", &scene.site.edge().memory(), &scene.customers);
    assert!(!at_once.is_empty(), "the search finds");
    sleep(IDLE);

    let (vault, edge) = (scene.site.vault().memory(), scene.site.edge().memory());
    assert_eq!(found("vault, idle", &vault, &scene.customers), [""; 0]);
    assert_eq!(found("vault, idle: keys replaced", &vault, &scene.replaced), [""; 0]);
    assert_eq!(found("edge, idle", &edge, &scene.customers), [""; 0]);
    let servers = scene.servers();
    let own = found("vault, idle: its own keys", &vault, &servers);
    assert!(["root key", "cipher key"].iter().all(|name| own.contains(&(*name).to_owned())));
    assert_eq!(found("edge, idle: the vault's keys", &edge, &servers), [""; 0]);

    scene.read();
    scene.site.operator(&["seal", "lock", "--yes"]).ok();
    assert_eq!(left("vault, locked", scene.site.vault(), &scene.customers), [""; 0]);
    assert_eq!(left("vault, locked: its own keys", scene.site.vault(), &servers), [""; 0]);
    tell_of_registers(scene.site.vault(), &scene.customers);
    scene.site.operator(&["seal", "unlock"]).ok();
    scene.read();
}

#[test]
fn a_minute_after_the_last_use_and_when_locked_nothing_is_left_in_memory_with_sled() {
    nothing_is_left("sled");
}

#[test]
fn a_minute_after_the_last_use_and_when_locked_nothing_is_left_in_memory_with_redb() {
    nothing_is_left("redb");
}

/// A program of root's without any of its rights.
fn powerless(command: &mut Command) -> &mut Command {
    command.args(["--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs"])
}

/// A process that sleeps, with a variable in its memory.
fn sleeper(value: &str) -> Child {
    let mut command = Command::new("setpriv");
    let sleeper = powerless(&mut command).args(["sleep", "600"]).env("VARIABLE", value).spawn();
    let sleeper = sleeper.unwrap();
    // Until it has become the program that sleeps.
    let name = format!("/proc/{}/comm", sleeper.id());
    while fs::read_to_string(&name).unwrap() != "sleep\n" {
        sleep(Duration::from_millis(5));
    }
    sleeper
}

#[test]
fn nobody_looks_into_the_vault_and_memory_that_cannot_be_locked_is_told() {
    let mut site = Site::start_with_log("redb", "info");
    for process in [site.vault().id(), site.edge().id()] {
        let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
    }
    let is_locked = |process: &Process| {
        let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
        !status.contains("VmLck:\t       0 kB")
    };
    let warning = "memory cannot be locked";
    for process in [Site::vault, Site::edge] {
        let process: &Process = process(&mut site);
        assert_ne!(process.log().contains(warning), is_locked(process), "locked, or said");
    }
    assert_eq!(site.vault().stop(), 0);
    fs::remove_file(site.path("internal-api.log")).unwrap();
    let mut command = Command::new("prlimit");
    powerless(command.args(["--memlock=0", "setpriv"]));
    site.start_vault_by(&mut command);
    assert!(!is_locked(site.vault()) && site.vault().log().contains(warning));

    // One of the same user, which no right of root's helps: it sees others of its kind.
    let mut sleeper = sleeper("Xaverius-Sentinel");
    let sees = |process: u32| {
        let mut look = Command::new("setpriv");
        let environment = format!("/proc/{process}/environ");
        let look = powerless(&mut look).args(["cat", &environment]).stdin(Stdio::null());
        look.output().unwrap().status.success()
    };
    assert!(sees(sleeper.id()), "the look is real");
    assert!(!sees(site.vault().id()));
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
}

#[test]
fn what_is_in_the_memory_of_a_process_is_found() {
    let mut needles = Needles::default();
    needles.add_text("planted", "Xaverius-Sentinel");
    for (value, hits) in [("Xaverius-Sentinel", 1), ("Xaverius-Sentine1", 0)] {
        let mut sleeper = sleeper(value);
        let image = MemoryImage::of(sleeper.id());
        assert_eq!(image.hits(&needles).len(), hits, "{value}");
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    }
}
