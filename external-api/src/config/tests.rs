use std::fs;

use super::*;

const WHOLE: &str = r#"
listen = "127.0.0.1:8443"
health_listen = "[::1]:8081"
[tls]
certificate_chain = "edge.pem"
private_key = "edge.key"
authorities = "ca.pem"
[vault]
endpoint = "https://localhost:9443"
"#;

fn load(text: &str) -> Result<Config, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("edge.toml");
    fs::write(&path, text).unwrap();
    Config::load(&path).map_err(|mistakes| mistakes.to_string())
}

#[test]
fn what_is_not_said_has_a_default() {
    let config = load(WHOLE).unwrap();
    assert_eq!(config.trust_domain.as_str(), "tresor.local");
    assert_eq!(config.limits.requests_max, 128);
    assert!(!config.is_tls12_allowed);
    assert!(config.tls.private_key.ends_with("edge.key"));
    assert_eq!(config.vault.tls, config.tls);
}

#[test]
fn health_beyond_the_loopback_is_refused() {
    let text = WHOLE.replace("[::1]:8081", "0.0.0.0:8081");
    assert!(load(&text).unwrap_err().contains("loopback"));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = WHOLE
        .replace("127.0.0.1:8443", "somewhere")
        .replace("https://", "http://")
        .replace("[tls]", "colour = 1\n[tls]");
    let mistakes = load(&text).unwrap_err();
    for key in ["listen", "vault.endpoint", "colour"] {
        assert!(mistakes.contains(key), "{key}: {mistakes}");
    }
}

#[test]
fn the_shipped_configuration_is_right() {
    let shipped = include_str!("../../../deploy/config/external-api.toml");
    assert!(load(shipped).is_ok(), "{:?}", load(shipped).err());
}

#[test]
fn proxies_are_addresses_or_networks() {
    let proxies = "[proxies]\nprotocol_v2 = [\"10.0.0.0/24\", \"2001:db8::1\"]\n";
    let config = load(&format!("{WHOLE}{proxies}")).unwrap();
    assert_eq!(config.proxies.protocol_v2.to_texts(), ["10.0.0.0/24", "2001:db8::1/128"]);
    assert!(config.proxies.x_forwarded_for.is_empty());
    for wrong in ["\"anywhere\"", "\"10.0.0.7/24\"", "7"] {
        let refusal =
            load(&format!("{WHOLE}[proxies]\nx_forwarded_for = [{wrong}]\n")).unwrap_err();
        assert!(refusal.contains("proxies.x_forwarded_for[0]"), "{refusal}");
    }
}
