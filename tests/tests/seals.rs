//! Seals of the real processes: a root key that moves into a real PKCS#11 token (SoftHSM2), the
//! token gone and back, and locking, all from the command line.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tresor_tests::{Site, Tenant, run};

const RECORDS: &str = "/v1/collections/customers/records";
const PIN: &str = "4711-4711";
const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
];

/// A token with an AES key, in the site's directory.
struct Token {
    place: PathBuf,
}

impl Token {
    fn make(site: &Site) -> Self {
        let place = site.path("hsm");
        fs::create_dir_all(place.join("tokens")).unwrap();
        let text = format!("directories.tokendir = {}\n", place.join("tokens").display());
        fs::write(place.join("softhsm2.conf"), text).unwrap();
        let token = Self { place };
        token.util(&["--init-token", "--free", "--label", "vault", "--so-pin", "so-4711"]);
        let key = site.path("hsm/key");
        fs::write(&key, [7; 32]).unwrap();
        let import = ["--import", key.to_str().unwrap(), "--aes", "--token", "vault"];
        token.util(&[&import[..], &["--label", "root", "--id", "01"]].concat());
        token
    }

    fn util(&self, arguments: &[&str]) {
        let mut command = Command::new("softhsm2-util");
        command.args(arguments).args(["--pin", PIN]);
        run(command.env("SOFTHSM2_CONF", self.configuration()), "").ok();
    }

    fn configuration(&self) -> PathBuf {
        self.place.join("softhsm2.conf")
    }

    fn take_away(&self) {
        fs::rename(self.place.join("tokens"), self.place.join("away")).unwrap();
    }

    fn bring_back(&self) {
        fs::rename(self.place.join("away"), self.place.join("tokens")).unwrap();
    }
}

/// Adds the token to the vault's configuration and starts it anew.
fn use_token(site: &mut Site, token: &Token) {
    let module = MODULES.iter().find(|path| Path::new(path).exists()).unwrap();
    let seal = format!(
        "[seal.hsm]\nprovider = \"pkcs11\"\nmodule = \"{module}\"\ntoken = \"vault\"\n\
         key = \"root\"\npin_file = \"pin\"\n[control]\n"
    );
    let configuration = fs::read_to_string(site.path("internal-api.toml")).unwrap();
    site.write_private("pin", &format!("{PIN}\n"));
    site.write_private("internal-api.toml", &configuration.replace("[control]\n", &seal));
    site.set_vault_variable("SOFTHSM2_CONF", &token.configuration());
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
}

fn put(site: &Site, tenant: &Tenant, id: &str) -> u16 {
    let body = format!("{{\"kundennr\":\"{id}\",\"vorname\":\"Anna\"}}");
    let header = "Content-Type: application/json";
    let query = format!("{RECORDS}?id_field=kundennr");
    site.curl(tenant, &query, &["-H", header, "--data-binary", &body]).status
}

fn seal(site: &Site, arguments: &[&str]) -> tresor_tests::Ran {
    site.operator(&[&["seal"], arguments, &["--output", "json"]].concat())
}

#[test]
fn a_root_key_moves_into_a_token_which_goes_and_comes_back() {
    let mut site = Site::start("sled");
    let token = Token::make(&site);
    let tenant = site.tenant("burg");
    assert_eq!(put(&site, &tenant, "k1"), 201);
    use_token(&mut site, &token);

    let before = fs::read(site.path("data/system/seal.trs")).unwrap();
    let migrate = ["migrate", "--from", "passphrase", "--to", "hsm"];
    seal(&site, &[&migrate[..], &["--dry-run"]].concat()).ok();
    assert_eq!(fs::read(site.path("data/system/seal.trs")).unwrap(), before);
    seal(&site, &[&migrate[..], &["--yes"]].concat()).ok();
    let status = seal(&site, &["status"]).ok().json();
    let holders: Vec<_> = status["seals"].as_array().unwrap().iter().collect();
    assert_eq!(holders.iter().filter(|seal| seal["holds_root_key"] == true).count(), 1);

    // Gone while it runs: serving goes on from memory, and the status says so.
    token.take_away();
    assert_eq!(put(&site, &tenant, "k2"), 201);
    let degraded = seal(&site, &["status"]);
    assert_eq!(degraded.code, 1, "{}", degraded.stdout);
    assert_eq!(degraded.json()["lock_state"], "unlocked");

    // Gone at the start: locked, until it is back.
    assert_eq!(site.vault().stop(), 0);
    site.launch_vault_and_wait_until_it_answers();
    let locked = seal(&site, &["status"]);
    assert_eq!(locked.json()["lock_state"], "locked", "{}", locked.stdout);
    assert_eq!(put(&site, &tenant, "k3"), 503);
    token.bring_back();
    site.wait_for_vault();
    for id in ["k1", "k2"] {
        let read = site.curl(&tenant, &format!("{RECORDS}/{id}?reveal=plain"), &[]);
        assert_eq!(read.status, 200, "{}", read.body);
    }

    // An operator's lock, and a wrong PIN.
    seal(&site, &["lock", "--yes"]).ok();
    assert_eq!(put(&site, &tenant, "k4"), 503);
    site.write_private("pin", "0815-0815\n");
    let refused = seal(&site, &["unlock"]);
    assert!(refused.code != 0 && refused.stderr.contains("PIN is refused"), "{}", refused.stderr);
    site.write_private("pin", &format!("{PIN}\n"));
    seal(&site, &["unlock"]).ok();
    assert_eq!(put(&site, &tenant, "k4"), 201);
}
