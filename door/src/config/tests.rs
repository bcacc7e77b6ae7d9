use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::*;

#[derive(Debug, PartialEq, Eq)]
struct Door {
    listen: SocketAddr,
    key: PathBuf,
    workers: u64,
    is_open: bool,
    tenants: Vec<u32>,
    services: Vec<String>,
    note: Option<String>,
}

fn door(root: &mut Table<'_>) -> Option<Door> {
    let listen = root.socket_address("listen");
    let key = root.table("tls", |tls| tls.path("key"));
    let workers = root.integer_or("workers", 1..=64, 4);
    let is_open = root.boolean_or("open", true);
    let tenants = root.list("tenants", "a number", |text| text.parse().ok());
    let services = root.tables("service", |service| service.text("name"));
    let note = root.optional_text("note");
    Some(Door {
        listen: listen?,
        key: key?,
        workers: workers?,
        is_open: is_open?,
        tenants: tenants?,
        services: services?,
        note: note?,
    })
}

fn mistakes(text: &str) -> String {
    parse(Path::new("etc/door.toml"), text, door).unwrap_err().to_string()
}

#[test]
fn a_whole_file_is_read() {
    let text = r#"
        listen = "127.0.0.1:7001"
        workers = 0x10
        open = false
        tenants = ["1", "2"]
        [tls]
        key = "edge.key"
        [[service]]
        name = "edge"
        [[service]]
        name = "billing"
    "#;
    let expected = Door {
        listen: "127.0.0.1:7001".parse().unwrap(),
        key: PathBuf::from("etc/edge.key"),
        workers: 16,
        is_open: false,
        tenants: vec![1, 2],
        services: vec!["edge".to_owned(), "billing".to_owned()],
        note: None,
    };
    assert_eq!(parse(Path::new("etc/door.toml"), text, door).unwrap(), expected);
}

#[test]
fn absent_keys_take_their_defaults() {
    let text = "listen = \"[::1]:1\"\ntls.key = \"/k\"\n";
    let read = parse(Path::new("door.toml"), text, door).unwrap();
    assert_eq!((read.workers, read.is_open, read.tenants), (4, true, vec![]));
    assert_eq!(read.key, PathBuf::from("/k"));
}

#[test]
fn all_mistakes_are_reported_at_once_with_line_and_path() {
    let text = r#"listen = "nowhere"
workers = 65
open = "yes"
tenants = ["1", "two", 3]
colour = "s3cret-value"
[tls]
kye = "s3cret-value"
[[service]]
name = "edge"
[[service]]
name = ""
role = "x"
"#;
    let expected = "\
etc/door.toml:1: listen: expected an address of the form ip:port
etc/door.toml:2: workers: expected a whole number from 1 to 64
etc/door.toml:3: open: expected true or false
etc/door.toml:4: tenants[1]: expected a number
etc/door.toml:4: tenants[2]: expected a number
etc/door.toml:5: colour: unknown key; known here: listen, note, open, service, tenants, tls, workers
etc/door.toml:6: tls.key: is missing
etc/door.toml:7: tls.kye: unknown key; known here: key
etc/door.toml:11: service[1].name: expected a text that is not empty
etc/door.toml:12: service[1].role: unknown key; known here: name";
    assert_eq!(mistakes(text), expected);
}

#[test]
fn no_value_is_ever_repeated() {
    for text in [
        "listen = \"s3cret-value\"",
        "listen = s3cret-value",
        "workers = \"s3cret-value\"\ntls = \"s3cret-value\"\nservice = \"s3cret-value\"",
        "note = [\"s3cret-value\"]\ntenants = \"s3cret-value\"",
        "note = \"s3cret-value",
        "note = 's3cret-value' 's3cret-value'",
        "note = \"\\s3cret-value\"",
    ] {
        let mistakes = mistakes(text);
        assert!(!mistakes.contains("s3cret"), "{mistakes}");
        assert!(!mistakes.is_empty());
    }
}

#[test]
fn numbers_out_of_u64_are_mistakes() {
    for number in ["-1", "0", "18446744073709551616", "1.0", "1e3"] {
        let text = format!("listen = \"[::1]:1\"\ntls.key = \"/k\"\nworkers = {number}\n");
        assert_eq!(
            mistakes(&text),
            "etc/door.toml:3: workers: expected a whole number from 1 to 64"
        );
    }
}

#[test]
fn broken_toml_is_reported_by_line() {
    let text = "listen = \"127.0.0.1:1\"\n=\nworkers = \n";
    let mistakes = mistakes(text);
    assert!(mistakes.contains("etc/door.toml:2: "), "{mistakes}");
    assert!(mistakes.contains("etc/door.toml:3: "), "{mistakes}");
}

#[test]
fn a_mistake_of_the_callers_own_is_reported_at_its_key() {
    let error = parse(Path::new("d.toml"), "\nworkers = 3\n", |root| {
        let workers = root.integer("workers", 0..=9)?;
        root.mistake("workers", "must be even");
        Some(workers)
    });
    assert_eq!(error.unwrap_err().to_string(), "d.toml:2: workers: must be even");
}

#[test]
fn one_of_names_its_choices() {
    let read = |text: &str| {
        parse(Path::new("d.toml"), text, |root| {
            root.one_of_or("format", &[("json", 1), ("text", 2)], 2)
        })
    };
    assert_eq!(read("format = \"json\"").unwrap(), 1);
    assert_eq!(read("").unwrap(), 2);
    assert_eq!(
        read("format = \"xml\"").unwrap_err().to_string(),
        "d.toml:1: format: expected one of json, text"
    );
}

#[test]
fn an_absent_table_can_stand_for_an_empty_one() {
    let read = |text: &str| {
        parse(Path::new("d.toml"), text, |root| {
            root.table_or_empty("limits", |limits| limits.integer_or("workers", 1..=9, 4))
        })
    };
    assert_eq!(read("").unwrap(), 4);
    assert_eq!(read("limits.workers = 5").unwrap(), 5);
    assert_eq!(
        read("limits.worker = 5").unwrap_err().to_string(),
        "d.toml:1: limits.worker: unknown key; known here: workers"
    );
}

#[test]
fn a_file_everybody_can_write_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("door.toml");
    std::fs::write(&path, "listen = \"[::1]:1\"\ntls.key = \"/k\"\n").unwrap();
    let set_mode = |mode| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set_mode(0o644);
    assert!(read(&path, door).is_ok());
    set_mode(0o666);
    let refusal = read(&path, door).unwrap_err().to_string();
    assert!(refusal.contains("can be written by everybody"), "{refusal}");
}

#[test]
fn a_file_that_is_not_there_is_one_mistake() {
    let error = read(Path::new("no/such.toml"), door).unwrap_err();
    assert_eq!(error.count(), 1);
    assert_eq!(error.to_string(), "no/such.toml: cannot be read: there is no such file");
}
