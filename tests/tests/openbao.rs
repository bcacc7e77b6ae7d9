//! A root key that moves under a key of a real OpenBao, which is sealed, unsealed, and stopped. Long
//! runs only: its program has 75 MB.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{fs, process::Command};

use tresor_tests::{Process, Ran, Site, free_port, is_long, run, tool};

/// What docs/operations/keys.md gives the vault leave to do.
const POLICY: &str = "path \"transit/encrypt/root\" { capabilities = [\"update\"] }\n\
                      path \"transit/decrypt/root\" { capabilities = [\"update\"] }\n";

/// An OpenBao server with an engine `transit`, in the site's directory.
struct OpenBao<'a> {
    site: &'a Site,
    address: String,
    process: Process,
    unseal_key: String,
    token: String,
}

impl<'a> OpenBao<'a> {
    fn start(site: &'a Site, port: u16) -> Self {
        fs::create_dir(site.path("bao")).unwrap();
        let names = ["--dns", "localhost", "--ip", "127.0.0.1"];
        let issue = ["ca", "issue", "service", "openbao", "--dir", "ca"];
        site.tresor(&[&issue[..], &names[..]].concat()).ok();
        let text = format!(
            "storage \"raft\" {{\n  path = {:?}\n  node_id = \"one\"\n}}\n\
             cluster_addr = \"https://127.0.0.1:{}\"\napi_addr = \"https://127.0.0.1:{port}\"\n\
             listener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  tls_cert_file = {:?}\n\
             tls_key_file = {:?}\n}}\n",
            site.path("bao"),
            free_port(),
            site.path("ca/openbao.pem"),
            site.path("ca/openbao.key"),
        );
        fs::write(site.path("bao.hcl"), text).unwrap();
        let process = Self::server(site);
        let address = format!("https://localhost:{port}");
        let (unseal_key, token) = (String::new(), String::new());
        let mut bao = Self { site, address, process, unseal_key, token };
        bao.prepare();
        bao
    }

    fn server(site: &Site) -> Process {
        let mut command = Command::new(tool("bao"));
        command.arg("server").arg("-config").arg(site.path("bao.hcl"));
        Process::start(&mut command, &site.path("bao.log"))
    }

    /// Starts it after an end, and unseals it once it answers.
    fn start_again(&mut self) {
        self.process = Self::server(self.site);
        self.until_it_does(&["operator", "unseal", &self.unseal_key.clone()]);
    }

    /// Tries until it succeeds: the server comes up, or elects itself.
    fn until_it_does(&mut self, arguments: &[&str]) -> Ran {
        loop {
            let ran = self.run(arguments);
            if ran.code == 0 {
                return ran;
            }
            assert!(self.process.is_running(), "{}", self.process.log());
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }

    fn prepare(&mut self) {
        let init = ["operator", "init", "-key-shares=1", "-key-threshold=1", "-format=json"];
        let made = self.until_it_does(&init).json();
        self.unseal_key = made["unseal_keys_b64"][0].as_str().unwrap().to_owned();
        self.token = made["root_token"].as_str().unwrap().to_owned();
        self.unseal();
        self.until_it_does(&["secrets", "enable", "transit"]);
        self.run(&["write", "-f", "transit/keys/root"]).ok();
    }

    fn unseal(&self) {
        self.run(&["operator", "unseal", &self.unseal_key]).ok();
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(tool("bao"));
        command.args(arguments).env("BAO_ADDR", &self.address).env("BAO_TOKEN", &self.token);
        run(command.env("BAO_CACERT", self.site.path("ca/ca.pem")), "")
    }
}

fn seal(site: &Site, arguments: &[&str]) -> Ran {
    site.operator(&[&["seal"], arguments, &["--output", "json"]].concat())
}

/// The table of a seal of the server, with lines of its own.
fn table(name: &str, address: &str, lines: &str) -> String {
    format!(
        "[seal.{name}]\nprovider = \"transit\"\naddress = \"{address}\"\n{lines}\
         [seal.{name}.tls]\ncertificate_chain = \"ca/internal-api.pem\"\n\
         private_key = \"ca/internal-api.key\"\nauthorities = \"bao-ca.pem\"\n"
    )
}

/// Adds seals to the vault's configuration and starts it anew.
fn use_seals(site: &mut Site, tables: &str) {
    let configuration = fs::read_to_string(site.path("internal-api.toml")).unwrap();
    let tables = format!("{tables}[control]\n");
    site.write_private("internal-api.toml", &configuration.replace("[control]\n", &tables));
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
}

/// Moves the root key and starts the vault anew with the other seal.
fn migrate(site: &mut Site, from: &str, to: &str) {
    seal(site, &["migrate", "--from", from, "--to", to, "--yes"]).ok();
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
}

/// Starts the vault anew while its seal is away; it is locked and says why.
fn start_locked(site: &mut Site, why: &str) {
    assert_eq!(site.vault().stop(), 0);
    site.launch_vault_and_wait_until_it_answers();
    let told = seal(site, &["status"]).json();
    assert_eq!(told["lock_state"], "locked", "{told}");
    assert!(told["reason"].as_str().unwrap().contains(why), "{told}");
}

#[test]
fn a_root_key_moves_under_an_openbao_which_is_sealed_stopped_and_there_again() {
    if !is_long() {
        return;
    }
    let mut site = Site::start("sled");
    let _tenant = site.tenant("burg");
    // The server borrows a site of its own: this one starts and stops its vault.
    let other = Site::start("sled");
    let mut bao = OpenBao::start(&other, free_port());
    site.write_private("bao.token", &bao.token);
    fs::copy(other.path("ca/ca.pem"), site.path("bao-ca.pem")).unwrap();
    let address = bao.address.clone();
    use_seals(&mut site, &table("bao", &address, "key = \"root\"\ntoken_file = \"bao.token\"\n"));
    migrate(&mut site, "passphrase", "bao");

    // Serving goes on while the service is sealed; a start waits until it is not.
    bao.run(&["operator", "seal"]).ok();
    let degraded = seal(&site, &["status"]);
    assert!(degraded.stdout.contains("its service is sealed"), "{}", degraded.stdout);
    assert_eq!((degraded.code, &degraded.json()["lock_state"]), (1, &"unlocked".into()));
    start_locked(&mut site, "its service is sealed");
    bao.unseal();
    site.wait_for_vault();

    // The same while nothing listens there.
    bao.process.kill();
    let degraded = seal(&site, &["status"]);
    assert!(degraded.stdout.contains("it does not answer"), "{}", degraded.stdout);
    start_locked(&mut site, "it does not answer");
    bao.start_again();
    site.wait_for_vault();

    // A token that ended is told, and a new one in its file is enough.
    site.write_private("bao.token", "s.none");
    start_locked(&mut site, "refuses our token or certificate");
    site.write_private("bao.token", &bao.token);
    site.wait_for_vault();
    migrate(&mut site, "bao", "passphrase");
}

#[test]
fn a_certificate_logs_in_to_openbao_for_one_key_and_leaves_no_token_there() {
    if !is_long() {
        return;
    }
    let mut site = Site::start("sled");
    let other = Site::start("sled");
    let bao = OpenBao::start(&other, free_port());
    fs::copy(other.path("ca/ca.pem"), site.path("bao-ca.pem")).unwrap();
    let (right, absent) = ("key = \"root\"\n", "key = \"none\"\n");
    let tables = [table("bao", &bao.address, right), table("typo", &bao.address, absent)].concat();
    use_seals(&mut site, &tables);
    bao.run(&["auth", "enable", "cert"]).ok();
    let dry_run = |name| seal(&site, &["add", name, "--dry-run"]);
    let unknown = dry_run("bao");
    assert!(unknown.stderr.contains("refuses our token or certificate"), "{}", unknown.stderr);

    fs::write(other.path("policy.hcl"), POLICY).unwrap();
    let policy = other.path("policy.hcl");
    bao.run(&["policy", "write", "tresor", policy.to_str().unwrap()]).ok();
    let certificate = format!("certificate=@{}", site.path("ca/ca.pem").display());
    let role = ["write", "auth/cert/certs/tresor", &certificate, "token_policies=tresor"];
    let name = "allowed_uri_sans=spiffe://tresor.local/svc/internal-api";
    bao.run(&[&role[..], &[name, "token_ttl=5m"]].concat()).ok();
    let tokens = || bao.run(&["list", "-format=json", "auth/token/accessors"]).ok().json();
    let before = tokens();
    assert_eq!(before.as_array().unwrap().len(), 1, "the root token's");

    let refused = dry_run("typo");
    assert!(refused.stderr.contains("refuses our token or certificate"), "{}", refused.stderr);
    migrate(&mut site, "passphrase", "bao");
    seal(&site, &["status"]).ok();
    assert_eq!(tokens(), before, "each login gave its token back");
    let keys = bao.run(&["list", "-format=json", "transit/keys"]).ok().json();
    assert_eq!(keys, serde_json::json!(["root"]), "no key was made for a wrong name");

    // A later version of the key seals anew and opens what an earlier one has sealed.
    bao.run(&["write", "-f", "transit/keys/root/rotate"]).ok();
    seal(&site, &["status"]).ok();
    site.operator(&["keys", "rotate-root", "--yes"]).ok();
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
}
