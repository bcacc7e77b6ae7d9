//! A root key that moves under a key of a real OpenBao, which is sealed, unsealed, and stopped. Long
//! runs only: its program has 75 MB.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{fs, process::Command};

use serde_json::Value;
use tresor_tests::{Process, Ran, Site, free_port, is_long, run, tool};

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
        let names = ["--dns", "localhost", "--ip", "127.0.0.1"];
        let issue = ["ca", "issue", "service", "openbao", "--dir", "ca"];
        site.tresor(&[&issue[..], &names[..]].concat()).ok();
        let text = format!(
            "storage \"inmem\" {{}}\n\
             listener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  tls_cert_file = {:?}\n\
             tls_key_file = {:?}\n}}\n",
            site.path("ca/openbao.pem"),
            site.path("ca/openbao.key"),
        );
        fs::write(site.path("bao.hcl"), text).unwrap();
        let mut command = Command::new(tool("bao"));
        command.arg("server").arg("-config").arg(site.path("bao.hcl"));
        let process = Process::start(&mut command, &site.path("bao.log"));
        let address = format!("https://localhost:{port}");
        let (unseal_key, token) = (String::new(), String::new());
        let mut bao = Self { site, address, process, unseal_key, token };
        bao.prepare();
        bao
    }

    fn prepare(&mut self) {
        let init = ["operator", "init", "-key-shares=1", "-key-threshold=1", "-format=json"];
        let made: Value = loop {
            let ran = self.run(&init);
            if ran.code == 0 {
                break ran.json();
            }
            assert!(self.process.is_running(), "{}", self.process.log());
            std::thread::sleep(std::time::Duration::from_millis(100));
        };
        self.unseal_key = made["unseal_keys_b64"][0].as_str().unwrap().to_owned();
        self.token = made["root_token"].as_str().unwrap().to_owned();
        self.unseal();
        self.run(&["secrets", "enable", "transit"]).ok();
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

#[test]
fn a_root_key_moves_under_an_openbao_which_is_sealed_and_unsealed() {
    if !is_long() {
        return;
    }
    let mut site = Site::start("sled");
    let port = free_port();
    // The server borrows a site of its own: this one starts and stops its vault.
    let other = Site::start("sled");
    let bao = OpenBao::start(&other, port);
    site.write_private("bao.token", &bao.token);
    fs::copy(other.path("ca/ca.pem"), site.path("bao-ca.pem")).unwrap();
    let table = format!(
        "[seal.bao]\nprovider = \"transit\"\naddress = \"{}\"\nkey = \"root\"\n\
         token_file = \"bao.token\"\n[seal.bao.tls]\ncertificate_chain = \"ca/internal-api.pem\"\n\
         private_key = \"ca/internal-api.key\"\nauthorities = \"bao-ca.pem\"\n[control]\n",
        bao.address
    );
    let configuration = fs::read_to_string(site.path("internal-api.toml")).unwrap();
    site.write_private("internal-api.toml", &configuration.replace("[control]\n", &table));
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
    seal(&site, &["migrate", "--from", "passphrase", "--to", "bao", "--yes"]).ok();
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();

    bao.run(&["operator", "seal"]).ok();
    let degraded = seal(&site, &["status"]);
    assert!(degraded.stdout.contains("its service is sealed"), "{}", degraded.stdout);
    assert_eq!(degraded.json()["lock_state"], "unlocked");
    assert_eq!(site.vault().stop(), 0);
    site.launch_vault_and_wait_until_it_answers();
    assert_eq!(seal(&site, &["status"]).json()["lock_state"], "locked");
    bao.unseal();
    site.wait_for_vault();
    seal(&site, &["migrate", "--from", "bao", "--to", "passphrase", "--yes"]).ok();
    let told = seal(&site, &["status"]).ok().json();
    assert_eq!(told["lock_state"], "unlocked");
}
