//! Seals of the real processes: a root key that moves into a real PKCS#11 token (SoftHSM2) and under
//! a credential, what they keep when it is not there or not the right one, and locking, all from the
//! command line.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
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
        Self::make_with(site, 7)
    }

    /// A token whose key has this byte throughout.
    fn make_with(site: &Site, byte: u8) -> Self {
        let place = site.path("hsm");
        let _ = fs::remove_dir_all(place.join("tokens"));
        fs::create_dir_all(place.join("tokens")).unwrap();
        let text = format!("directories.tokendir = {}\n", place.join("tokens").display());
        fs::write(place.join("softhsm2.conf"), text).unwrap();
        let token = Self { place };
        token.util(&["--init-token", "--free", "--label", "vault", "--so-pin", "so-4711"]);
        let key = site.path("hsm/key");
        fs::write(&key, [byte; 32]).unwrap();
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

/// Adds seals to the vault's configuration and starts it anew.
fn use_seals(site: &mut Site, tables: &str) {
    let configuration = fs::read_to_string(site.path("internal-api.toml")).unwrap();
    let tables = format!("{tables}[control]\n");
    site.write_private("internal-api.toml", &configuration.replace("[control]\n", &tables));
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
}

/// Adds the token to the vault's configuration and starts it anew.
fn use_token(site: &mut Site, token: &Token) {
    let module = MODULES.iter().find(|path| Path::new(path).exists()).unwrap();
    site.write_private("pin", &format!("{PIN}\n"));
    site.set_vault_variable("SOFTHSM2_CONF", &token.configuration());
    let table = format!(
        "[seal.hsm]\nprovider = \"pkcs11\"\nmodule = \"{module}\"\ntoken = \"vault\"\n\
         key = \"root\"\npin_file = \"pin\"\n"
    );
    use_seals(site, &table);
}

/// The names of the seals that hold the root key.
fn holders(site: &Site) -> Vec<String> {
    let status = seal(site, &["status"]).json();
    let seals = status["seals"].as_array().unwrap().iter();
    let holders = seals.filter(|seal| seal["holds_root_key"] == true);
    holders.map(|seal| seal["name"].as_str().unwrap().to_owned()).collect()
}

/// What the vault's probe says.
fn readiness(site: &Site) -> String {
    let url = site.vault_health("readyz");
    run(Command::new("curl").args(["--silent", "--max-time", "5", &url]), "").ok().stdout
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
    assert_eq!(holders(&site), ["hsm"]);
    assert_eq!(readiness(&site), "ready\n");

    // Gone while it runs: serving goes on from memory, and the status says so.
    token.take_away();
    assert_eq!(put(&site, &tenant, "k2"), 201);
    let degraded = seal(&site, &["status"]);
    assert_eq!(degraded.code, 1, "{}", degraded.stdout);
    assert_eq!(degraded.json()["lock_state"], "unlocked");
    assert!(degraded.stdout.contains("it does not answer"), "{}", degraded.stdout);
    assert_eq!(readiness(&site), "ready; degraded: a seal does not open\n");
    token.bring_back();
    seal(&site, &["status"]).ok();
    assert_eq!(readiness(&site), "ready\n");
    token.take_away();

    // No new unlock while it is gone; and by itself once it is back.
    seal(&site, &["lock", "--yes"]).ok();
    let refused = seal(&site, &["unlock"]);
    assert!(refused.code != 0 && refused.stderr.contains("stays locked"), "{}", refused.stderr);
    assert_eq!(readiness(&site), "locked\n");
    token.bring_back();
    site.wait_for_vault();
    assert_eq!(put(&site, &tenant, "k2"), 201);
    token.take_away();

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

#[test]
fn the_old_seal_stays_while_the_token_is_not_there_or_has_another_key() {
    let mut site = Site::start("redb");
    let token = Token::make(&site);
    let tenant = site.tenant("burg");
    use_token(&mut site, &token);
    let file = site.path("data/system/seal.trs");
    let alone = fs::read(&file).unwrap();
    let migrate = ["migrate", "--from", "passphrase", "--to", "hsm", "--yes"];
    // Another slot's token is there, or none.
    token.take_away();
    fs::create_dir(site.path("hsm/tokens")).unwrap();
    let away = seal(&site, &migrate);
    assert!(away.code != 0 && away.stderr.contains("no slot has a token"), "{}", away.stderr);
    assert_eq!(fs::read(&file).unwrap(), alone);
    fs::remove_dir(site.path("hsm/tokens")).unwrap();
    token.bring_back();

    // Cut off half way, by a kill; meanwhile the token is replaced by one with another key.
    seal(&site, &["add", "hsm", "--yes"]).ok();
    site.vault().kill();
    let both = fs::read(&file).unwrap();
    token.take_away();
    Token::make_with(&site, 8);
    site.start_vault();
    let status = seal(&site, &["status"]);
    assert!(status.code != 0 && status.stdout.contains("is wrong"), "{}", status.stdout);
    for refused in [&migrate[..], &["remove", "passphrase", "--yes"]] {
        let refused = seal(&site, refused);
        assert_ne!(refused.code, 0, "{}", refused.stdout);
        assert_eq!(fs::read(&file).unwrap(), both);
    }

    // The right one is back: the same command ends what it began, and says so again when asked.
    fs::remove_dir_all(site.path("hsm/tokens")).unwrap();
    token.bring_back();
    for _ in 0..2 {
        seal(&site, &migrate).ok();
        assert_eq!(holders(&site), ["hsm"]);
        site.vault().kill();
        site.start_vault();
    }
    assert_eq!(put(&site, &tenant, "k1"), 201);
}

#[test]
fn a_root_key_moves_under_credentials_of_the_service_manager() {
    let mut site = Site::start("redb");
    let tenant = site.tenant("burg");
    let credentials = site.path("credentials");
    fs::create_dir(&credentials).unwrap();
    // As systemd gives them to a service that runs as a user of its own.
    let hand_over = |name: &str, bytes: &[u8]| {
        let path = credentials.join(name);
        let _ = fs::remove_file(&path);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
    };
    hand_over("root-key", &[7; 32]);
    hand_over("words", b"a passphrase in a credential\n");
    site.set_vault_variable("CREDENTIALS_DIRECTORY", &credentials);
    use_seals(
        &mut site,
        "[seal.machine]\nprovider = \"credential\"\ncredential = \"root-key\"\n[seal.words]\n\
         provider = \"credential\"\ncredential = \"words\"\nform = \"passphrase\"\n",
    );
    for (from, to) in [("passphrase", "words"), ("words", "machine")] {
        seal(&site, &["migrate", "--from", from, "--to", to, "--yes"]).ok();
        assert_eq!(holders(&site), [to]);
        assert_eq!(site.vault().stop(), 0);
        site.start_vault();
        assert_eq!(put(&site, &tenant, "k1"), 201);
    }

    // Not handed over, wrong, too short: the vault that runs says so, and one that starts ends.
    let troubles: [(&dyn Fn(), &str); 3] = [
        (&|| fs::remove_file(credentials.join("root-key")).unwrap(), "was not handed over"),
        (&|| hand_over("root-key", &[8; 32]), "passphrase or key is wrong"),
        (&|| hand_over("root-key", &[7; 31]), "too short or too long"),
    ];
    for (trouble, told) in troubles {
        trouble();
        let status = seal(&site, &["status"]);
        assert!(status.code != 0 && status.stdout.contains(told), "{told}: {}", status.stdout);
        assert_eq!(put(&site, &tenant, "k1"), 201);
        assert_eq!(site.vault().stop(), 0);
        site.launch_vault();
        assert_eq!(site.vault().end_within(core::time::Duration::from_secs(30)), 1);
        let log = site.vault().log();
        let last = log.lines().rfind(|line| line.contains("machine:")).unwrap_or_default();
        assert!(last.contains(told), "{told}: {log}");
        hand_over("root-key", &[7; 32]);
        site.start_vault();
    }
}
