use std::{fs, os::unix::fs::PermissionsExt as _};

use tempfile::TempDir;

use super::*;

const GOOD: &str = r#"
data_dir = "data"
listen = "127.0.0.1:7443"
trust_domain = "tresor.local"
[seal]
passphrase_file = "passphrase"
[control]
listen = "127.0.0.1:7444"
[tls]
certificate_chain = "a.pem"
private_key = "a.key"
authorities = "ca.pem"
[[services]]
name = "edge"
role = "edge"
[[services]]
name = "billing"
role = "service"
tenants = ["0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b1"]
methods = ["RecordService/Get", "CollectionService/*"]
"#;

fn directory(mode: u32) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let passphrase = directory.path().join("passphrase");
    fs::write(&passphrase, "correct horse battery staple\n").unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(mode)).unwrap();
    directory
}

fn read_in(directory: &TempDir, text: &str) -> Result<Config, String> {
    let path = directory.path().join("internal-api.toml");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    Config::read(&path).map_err(|mistakes| mistakes.to_string())
}

fn read(text: &str) -> Result<Config, String> {
    read_in(&directory(0o600), text)
}

#[test]
fn a_good_file_is_read_with_its_defaults() {
    let directory = directory(0o600);
    let config = read_in(&directory, GOOD).unwrap();
    assert_eq!(config.engine, StoreEngine::Sled);
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.data_dir, directory.path().join("data"));
    assert_eq!(config.services.len(), 2);
    assert_eq!(config.health_listen, None);
}

#[test]
fn every_mistake_is_told_at_once() {
    let text = GOOD
        .replace("127.0.0.1:7443", "nowhere")
        .replace("role = \"edge\"", "role = \"king\"")
        .replace("[control]", "[control]\ncolour = \"red\"")
        .replace("trust_domain = \"tresor.local\"", "");
    let mistakes = read(&text).unwrap_err();
    for key in ["listen", "role", "control.colour", "trust_domain"] {
        assert!(mistakes.contains(key), "{key} is missing in:\n{mistakes}");
    }
}

#[test]
fn each_branch_may_have_an_authority_of_its_own() {
    let own = "[clients]\nauthorities = \"clients.pem\"\nrevocation_lists = [\"clients.crl\"]\n";
    let config = read(&format!("{GOOD}{own}")).unwrap();
    let names = |files: &TrustFiles| {
        let lists = files.revocation_lists.iter();
        let paths = [&files.authorities].into_iter().chain(lists).chain(&files.denied_certificates);
        paths.map(|path| path.file_name().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&config.trust.services), ["ca.pem"]);
    assert_eq!(names(&config.trust.operators), ["ca.pem"]);
    assert_eq!(names(&config.trust.clients), ["clients.pem", "clients.crl"]);
    // A list without an authority would revoke nothing.
    let lonely = GOOD.replace("[control]", "[control]\ndenied_certificates = \"denied\"");
    assert!(read(&lonely).unwrap_err().contains("control.denied_certificates: needs"));
}

#[test]
fn a_passphrase_file_that_others_can_read_is_refused() {
    let mistakes = read_in(&directory(0o640), GOOD).unwrap_err();
    assert!(mistakes.contains("seal.passphrase_file"), "{mistakes}");
}

#[test]
fn tenants_belong_to_the_role_service_and_to_no_other() {
    let without = GOOD.replace("tenants = [\"0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b1\"]", "");
    assert!(read(&without).unwrap_err().contains("tenants"));
    let operator = GOOD.replace("role = \"service\"", "role = \"operator\"");
    let mistakes = read(&operator).unwrap_err();
    assert!(mistakes.contains("tenants") && mistakes.contains("methods"), "{mistakes}");
}

#[test]
fn a_service_is_granted_methods_that_there_are_and_no_others() {
    let granted = |methods: &str| {
        read(&GOOD.replace("\"RecordService/Get\", \"CollectionService/*\"", methods))
    };
    let role = |config: Config| config.services.into_iter().next_back().unwrap().role;
    let ServiceRole::Service(rights) = role(granted("\"RecordService/*\"").unwrap()) else {
        panic!("not a service");
    };
    assert_eq!(rights.methods, GrantedMethods::parse("RecordService/*").unwrap());
    for wrong in ["RecordService/Steal", "KeyService/*", "CustomerTokenService/Lend", "*"] {
        let mistakes = granted(&format!("\"RecordService/Get\", \"{wrong}\"")).unwrap_err();
        assert!(mistakes.contains("services[1].methods[1]: expected a method"), "{mistakes}");
    }
    for none in ["methods = []", ""] {
        let text = GOOD.replace("methods = [\"RecordService/Get\", \"CollectionService/*\"]", none);
        assert!(read(&text).unwrap_err().contains("services[1].methods"));
    }
}

#[test]
fn operators_have_one_of_four_roles() {
    let roles = [
        ("operator", ServiceRole::Operator),
        ("deployer", ServiceRole::Deployer),
        ("auditor", ServiceRole::Auditor),
        ("ca-officer", ServiceRole::CaOfficer),
    ];
    for (name, role) in roles {
        let text = format!("{GOOD}[[services]]\nname = \"someone\"\nrole = \"{name}\"\n");
        assert_eq!(read(&text).unwrap().services[2].role, role);
    }
    let unknown = format!("{GOOD}[[services]]\nname = \"someone\"\nrole = \"root\"\n");
    assert!(read(&unknown).unwrap_err().contains("deployer, auditor, ca-officer"));
}

#[test]
fn a_service_listed_twice_is_a_mistake() {
    let twice = format!("{GOOD}\n[[services]]\nname = \"edge\"\nrole = \"operator\"\n");
    assert!(read(&twice).unwrap_err().contains("name"));
}

#[test]
fn probes_listen_on_loopback_only() {
    let health = |address: &str| format!("{GOOD}\n[health]\nlisten = \"{address}\"\n");
    assert!(read(&health("127.0.0.1:7445")).is_ok());
    assert!(read(&health("0.0.0.0:7445")).unwrap_err().contains("health.listen"));
}

#[test]
fn the_shipped_configuration_has_no_mistake_but_the_missing_passphrase() {
    let shipped = include_str!("../../../deploy/config/internal-api.toml");
    let directory = directory(0o600);
    let passphrase = directory.path().join("passphrase");
    let text = shipped.replace("/etc/tresor/passphrase", passphrase.to_str().unwrap());
    let config = read_in(&directory, &text).unwrap();
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.services.len(), 2);
}

#[test]
fn the_policy_of_keys_has_bounds_and_defaults() {
    let day_ms = 24 * 60 * 60 * 1_000;
    let keys = |more: &str| read(&format!("{GOOD}[keys]\n{more}")).map(|config| config.keys);
    assert_eq!(keys("").unwrap(), KeySettings::default());
    let given = keys(
        "cipher_age_days_max = 30\ndata_age_days_max = 60\nidentifier_age_days_max = 400\n\
         data_seals_max = 1000\nautomatic = false\ndestroy_after_days = 0\ncheck_interval_s = 5\n",
    );
    let policy = KeyPolicy {
        cipher_age_ms_max: 30 * day_ms,
        data_age_ms_max: 60 * day_ms,
        identifier_age_ms_max: 400 * day_ms,
        data_seals_max: 1_000,
        is_automatic: false,
        destroy_after_ms: 0,
    };
    assert_eq!(given.unwrap(), KeySettings { policy, check_interval: Duration::from_secs(5) });
    for wrong in [
        "cipher_age_days_max = 0",
        "data_age_days_max = 3651",
        "data_seals_max = 0",
        "automatic = 1",
        "check_interval_s = 0",
        "rotate = true",
    ] {
        let (key, _) = wrong.split_once(' ').unwrap();
        assert!(keys(wrong).unwrap_err().contains(&format!("keys.{key}")), "{wrong}");
    }
}

#[test]
fn seals_have_names_and_providers() {
    let seals = |more: &str| read(&format!("{GOOD}{more}")).map(|config| config.seals);
    let ids = |seals: Vec<SealConfig>| seals.iter().map(|seal| seal.id.to_string()).collect();
    let ids: Vec<String> = ids(seals("[seal.zone]\nprovider = \"passphrase\"\npassphrase_file = \"passphrase\"\n[seal.machine]\nprovider = \"credential\"\ncredential = \"root-key\"\n").unwrap());
    assert_eq!(ids, ["passphrase", "zone", "machine"], "in the order of the file");
    for (more, key) in [
        ("[seal.machine]\n", "seal.machine.provider"),
        (
            "[seal.hsm]\nprovider = \"pkcs11\"\nmodule = \"m.so\"\ntoken = \"t\"\nkey = \"k\"\n",
            "seal.hsm.pin_file",
        ),
        ("[seal.machine]\nprovider = \"telepathy\"\n", "seal.machine.provider"),
        (
            "[seal.machine]\nprovider = \"credential\"\ncredential = \"../key\"\n",
            "seal.machine.credential",
        ),
        ("[seal.Machine]\nprovider = \"credential\"\ncredential = \"key\"\n", "seal.Machine"),
        (
            "[seal.machine]\nprovider = \"credential\"\ncredential = \"key\"\npin = 1\n",
            "seal.machine.pin",
        ),
        ("[seal.passphrase]\nprovider = \"credential\"\ncredential = \"key\"\n", "seal.passphrase"),
    ] {
        let mistakes = seals(more).unwrap_err();
        assert!(mistakes.contains(key), "{key} is missing in:\n{mistakes}");
    }
    let none = GOOD.replace("passphrase_file = \"passphrase\"", "");
    assert!(read(&none).unwrap_err().contains("[seal.NAME]"));
}
