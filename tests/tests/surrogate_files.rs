//! Files of values for files of surrogates, and back, with `tresor`: the same file with other values
//! in their places, whatever is refused in between and however often the run is cut off.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    collections::HashSet,
    fs,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tresor_tests::{Ran, Site, Tenant, run};

struct Setting {
    site: Site,
    tenant: Tenant,
}

impl Setting {
    fn new() -> Self {
        let site = Site::start_with_log("sled", "info");
        let tenant = site.tenant("burg");
        Self { site, tenant }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.site.customer(&self.tenant, arguments)
    }

    /// The entries of a list of refused values.
    fn refused(&self, name: &str) -> Vec<Value> {
        let text = self.site.read(name);
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn a_file_of_values_becomes_one_of_surrogates_and_comes_back() {
    let setting = Setting::new();
    let text = "Erika Muster\r\nJörg Beispiel\n\n7;\"8\nErika Muster";
    setting.site.write("names.txt", text);
    let tokenize = ["tokenize", "names.txt", "--info-type", "PERSON_NAME", "--out", "out.txt"];
    let told = setting.run(&[&tokenize[..], &["--output", "json"]].concat()).ok().json();
    assert_eq!((&told["traded"], &told["rejected"]), (&4.into(), &0.into()), "{told}");
    let out = setting.site.read("out.txt");
    let lines: Vec<_> = out.lines().collect();
    assert_eq!((lines.len(), lines[2]), (5, ""));
    assert!(lines[0].starts_with("srg_") && lines[0] != lines[4], "{out}");
    assert!(!out.contains("Muster") && out.contains("\r\n") && !out.ends_with('\n'), "{out}");
    let plain = ["detokenize", "out.txt", "--reveal", "plain", "--out", "back.txt"];
    setting.run(&plain).ok();
    assert_eq!(setting.site.read("back.txt"), text);
    let masked = setting.run(&["detokenize", "out.txt"]).ok().stdout;
    assert_eq!(masked.lines().next(), Some("E. M."), "{masked}");

    let mut piped = setting.site.customer_command(
        &setting.tenant,
        &["tokenize", "-", "--info-type", "CITY", "--kind", "deterministic"],
    );
    let piped = run(&mut piped, "Burg\nBurg\nTurm\n").ok().stdout;
    let lines: Vec<_> = piped.lines().collect();
    assert!(lines.len() == 3 && lines[0] == lines[1] && lines[0] != lines[2], "{piped}");
    let again = setting.run(&tokenize);
    assert!(again.code == 1 && again.stderr.contains("there already"), "{}", again.stderr);
    let untyped = setting.run(&["tokenize", "names.txt"]);
    assert!(untyped.code == 2 && untyped.stderr.contains("--info-type"), "{}", untyped.stderr);
}

#[test]
fn columns_of_a_csv_are_exchanged_and_what_is_refused_leaves_its_place_empty() {
    let setting = Setting::new();
    let csv =
        "nr;\"name\";meter;note\n1;Erika;12345678;\"a;b\"\n2;Jörg;123;c\n3;x\n4;;87654321;d\n";
    setting.site.write("people.csv", csv);
    let columns = ["tokenize", "people.csv", "--column", "name", "--info-type", "FIRST_NAME"];
    let out = ["--out", "out.csv"];
    let ran = setting.run(&[&columns[..], &out[..]].concat());
    assert_eq!(ran.code, 3, "a row that cannot be read: {}", ran.stderr);
    let text = setting.site.read("out.csv");
    let rows: Vec<_> = text.lines().collect();
    assert_eq!((rows.len(), rows[0]), (4, "nr;\"name\";meter;note"));
    assert!(rows[1].starts_with("1;srg_") && rows[1].ends_with(";12345678;\"a;b\""), "{text}");
    assert!(rows[3].starts_with("4;;87654321"), "{text}");
    assert!(!text.contains("Erika") && !text.contains("Jörg"), "{text}");
    let refused = setting.refused("people.csv.tokenize.rejects.ndjson");
    assert_eq!((refused.len(), &refused[0]["line"]), (1, &4.into()), "{refused:?}");

    let meters = [
        "tokenize",
        "people.csv",
        "--column",
        "meter",
        "--info-type",
        "METER_ID",
        "--kind",
        "format-preserving",
        "--format",
        "digits",
        "--out",
        "meters.csv",
    ];
    assert_eq!(setting.run(&meters).code, 3);
    let text = setting.site.read("meters.csv");
    let meter = |at: usize| text.lines().nth(at).unwrap().split(';').nth(2).unwrap().to_owned();
    assert_eq!((meter(1).len(), meter(2).as_str(), meter(3).len()), (8, "", 8), "{text}");
    assert_ne!(meter(1), "12345678");
    let refused = setting.refused("people.csv.tokenize.rejects.ndjson");
    let places: Vec<_> = refused.iter().map(|it| (&it["line"], &it["field"])).collect();
    assert_eq!(places, [(&3.into(), &"meter".into()), (&4.into(), &Value::Null)], "{refused:?}");
    assert!(!refused[0].to_string().contains("123\""), "a value is not told");

    let absent = ["tokenize", "people.csv", "--column", "Name", "--info-type", "CITY"];
    let absent = setting.run(&absent);
    assert!(absent.code == 2 && absent.stderr.contains("no column Name"), "{}", absent.stderr);
    assert_eq!(absent.stdout, "", "nothing was written before");
}

#[test]
fn standard_input_is_not_written_over() {
    let setting = Setting::new();
    setting.site.write("cities.txt", "Burg\n");
    let tokenize = ["tokenize", "-", "--info-type", "CITY", "--rejects", "cities.txt"];
    let mut over = setting.site.customer_command(&setting.tenant, &tokenize);
    let over = over.stdin(fs::File::open(setting.site.path("cities.txt")).unwrap());
    let over = over.output().unwrap();
    let told = String::from_utf8_lossy(&over.stderr);
    assert!(over.status.code() == Some(2) && told.contains("the same file"), "{told}");
    assert_eq!(setting.site.read("cities.txt"), "Burg\n");
}

#[test]
fn few_values_have_equal_surrogates_only_when_that_is_forced() {
    let setting = Setting::new();
    setting.site.write("genders.txt", "weiblich\nweiblich\ndivers\n");
    let kind = ["--info-type", "GENDER", "--kind", "deterministic"];
    let tokenize = [&["tokenize", "genders.txt"][..], &kind].concat();
    let ran = setting.run(&tokenize);
    assert_eq!(ran.code, 1, "all are refused: {}", ran.stderr);
    let refused = setting.refused("genders.txt.tokenize.rejects.ndjson");
    let violation = &refused[0]["problem"]["violations"][0];
    assert_eq!((refused.len(), &violation["field"]), (3, &"kind".into()), "{refused:?}");
    let reason = violation["description"].as_str().unwrap();
    assert!(reason.contains("so few") && reason.contains("forced"), "{reason}");
    let out = setting.run(&[&tokenize[..], &["--forced"]].concat()).ok().stdout;
    let lines: Vec<_> = out.lines().collect();
    assert!(lines.len() == 3 && lines[0] == lines[1] && lines[0] != lines[2], "{out}");

    for (name, tokenize, is_taken) in [
        ("told", "deterministic", false),
        ("forced", "{ kind: deterministic, forced: true }", true),
        ("random", "random", true),
    ] {
        let field = format!("geschlecht: {{ info_type: GENDER, tokenize: {tokenize} }}");
        setting.site.write("policy.yaml", &format!("fields:\n  {field}\n"));
        let put = ["collection", "put", name, "-f", "policy.yaml", "--tenant", "burg"];
        let ran = setting.site.operator(&put);
        assert_eq!(ran.code == 0, is_taken, "{tokenize}: {}", ran.stderr);
        assert!(is_taken || ran.stderr.contains("so few"), "{}", ran.stderr);
    }
}

#[test]
fn fields_of_json_records_are_exchanged() {
    let setting = Setting::new();
    setting.site.write(
        "people.ndjson",
        "{\"nr\":1.10,\"who\":{\"name\":\"Erika\"}}\n{\"nr\":2,\"who\":{}}\n{\"nr\":3,\"who\":{\"name\":null}}\n",
    );
    let field = ["--field", "/who/name"];
    let to = |out| ["--out", out];
    let tokenize = [&["tokenize", "people.ndjson", "--info-type", "FIRST_NAME"][..], &field];
    setting.run(&[&tokenize.concat()[..], &to("out.ndjson")].concat()).ok();
    let out = setting.site.read("out.ndjson");
    let first = out.lines().next().unwrap();
    assert!(first.starts_with("{\"nr\":1.10,\"who\":{\"name\":\"srg_"), "{out}");
    let detokenize = [&["detokenize", "out.ndjson", "--reveal", "plain"][..], &field].concat();
    setting.run(&[&detokenize[..], &to("back.ndjson")].concat()).ok();
    assert_eq!(setting.site.read("back.ndjson"), setting.site.read("people.ndjson"));
}

#[test]
fn a_file_of_surrogates_is_renewed_into_a_map_when_identifier_keys_are_replaced() {
    let setting = Setting::new();
    let values = "12345678\n87654321\n12345678\n";
    setting.site.write("meters.txt", values);
    let form = ["--info-type", "METER_ID", "--format", "digits"];
    let tokenize = ["tokenize", "meters.txt", "--kind", "format-preserving", "--out", "old.txt"];
    setting.run(&[&tokenize[..], &form].concat()).ok();
    let rekey =
        ["keys", "rekey-identifiers", "--tenant", "burg", "--destroy-after", "30d", "--yes"];
    setting.site.operator(&rekey).ok();
    setting.run(&["keys", "token", "lend", "--yes", "--wait"]).ok();
    let older = [&form[..], &["--key-version", "1"]].concat();
    let plain = |file| [&["detokenize", file, "--reveal", "plain"][..], &form].concat();
    assert_ne!(setting.run(&plain("old.txt")).ok().stdout, values, "by the newest key");
    let named = [&plain("old.txt")[..], &["--key-version", "1"]].concat();
    assert_eq!(setting.run(&named).ok().stdout, values);

    let old = setting.site.read("old.txt");
    setting.site.write("kept.txt", &format!("{old}none\n"));
    let renew = ["surrogates", "renew", "kept.txt", "--out", "map.csv", "--output", "json"];
    let of_no_version = setting.run(&[&renew[..], &form].concat());
    assert_eq!(of_no_version.code, 2, "{}", of_no_version.stderr);
    assert!(of_no_version.stderr.contains("--key-version"), "{}", of_no_version.stderr);
    assert!(!setting.site.path("map.csv").exists());
    let ran = setting.run(&[&renew[..], &older].concat());
    let told = ran.json();
    assert_eq!((ran.code, &told["traded"], &told["rejected"]), (3, &3.into(), &1.into()), "{told}");
    let refused = setting.refused("kept.txt.renew.rejects.ndjson");
    assert_eq!((refused.len(), &refused[0]["line"]), (1, &4.into()), "{refused:?}");
    let map = setting.site.read("map.csv");
    let (header, rows) = map.split_once('\n').unwrap();
    let rows: Vec<_> = rows.lines().map(|row| row.split_once(',').unwrap()).collect();
    let column = |side: fn(&(&str, &str)) -> String| rows.iter().map(side).collect::<String>();
    assert_eq!((header, column(|(old, _)| format!("{old}\n"))), ("old,new", old));
    setting.site.write("new.txt", &column(|(_, new)| format!("{new}\n")));
    assert_eq!(setting.run(&plain("new.txt")).ok().stdout, values);
}

#[test]
fn what_is_read_is_never_written_over() {
    let setting = Setting::new();
    setting.site.write("people.csv", "name\nErika\n");
    fs::hard_link(setting.site.path("people.csv"), setting.site.path("link.csv")).unwrap();
    let tokenize = ["tokenize", "people.csv", "--column", "name", "--info-type", "FIRST_NAME"];
    let upload = ["upload", "people.csv", "--collection", "people"];
    let both = ["--out", "both", "--rejects", "both"];
    let results = ["--out", "both", "--results", "both"];
    for (command, flags) in [
        (&tokenize[..], &["--out", "people.csv"][..]),
        (&tokenize, &["--rejects", "link.csv"]),
        (&tokenize, &both),
        (&upload, &["--out", "link.csv"]),
        (&upload, &["--results", "people.csv"]),
        (&upload, &results),
        (&upload, &["--out", "people.csv.rejects.ndjson"]),
    ] {
        let refused = setting.run(&[command, flags].concat());
        assert_eq!(refused.code, 2, "{flags:?}: {}", refused.stderr);
        assert!(refused.stderr.contains("the same file"), "{flags:?}: {}", refused.stderr);
        assert!(!refused.stderr.contains("remove"), "{}", refused.stderr);
    }
    assert_eq!(setting.site.read("people.csv"), "name\nErika\n");
}

/// Waits until there is a file.
fn wait_for(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} does not come", path.display());
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_file_that_comes_while_another_is_written_stays_and_so_does_what_is_written() {
    let setting = Setting::new();
    let text: String = (0..12_000).map(|at| format!("Muster-{at}\n")).collect();
    setting.site.write("names.txt", &text);
    let tokenize = ["tokenize", "names.txt", "--info-type", "LAST_NAME", "--out", "out.txt"];
    let mut command = setting.site.customer_command(&setting.tenant, &tokenize);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&setting.site.path("out.txt.tresor-progress"));
    assert!(!setting.site.path("out.txt").exists(), "it is done already");
    setting.site.write("out.txt", "another's");
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(
        told.contains("not written over") && told.contains("goes on after row 12000"),
        "{told}"
    );
    let refused = setting.run(&tokenize);
    assert!(refused.stderr.contains("not written over"), "{}", refused.stderr);
    assert_eq!(setting.site.read("out.txt"), "another's");
    let draft = setting.site.read("out.txt.tresor-part");
    fs::remove_file(setting.site.path("out.txt")).unwrap();
    setting.run(&tokenize).ok();
    assert!(setting.site.read("out.txt") == draft, "what was written is what it is");
    assert_eq!(draft.lines().count(), 12_000);
}

#[test]
fn a_run_that_is_killed_goes_on_and_no_value_is_missing_or_twice_there() {
    let setting = Setting::new();
    let text: String = (0..12_000).map(|at| format!("Muster-{at}\n")).collect();
    setting.site.write("names.txt", &text);
    let flags = ["--info-type", "LAST_NAME", "--expires", "30d", "--out", "out.txt"];
    let tokenize = [&["tokenize", "names.txt"][..], &flags].concat();
    let (out, progress) =
        (setting.site.path("out.txt"), setting.site.path("out.txt.tresor-progress"));
    let mut kills = 0;
    for _ in 0..3 {
        let mut command = setting.site.customer_command(&setting.tenant, &tokenize);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for(&progress);
        let before = fs::read(&progress);
        while child.try_wait().unwrap().is_none()
            && fs::read(&progress).ok() == before.as_ref().ok().cloned()
        {
            thread::sleep(Duration::from_millis(1));
        }
        kills += u32::from(child.try_wait().unwrap().is_none());
        let _ = child.kill();
        child.wait().unwrap();
        if out.exists() {
            break;
        }
    }
    assert!(kills > 0, "it was never cut off");
    if !out.exists() {
        let other = [&["tokenize", "names.txt", "--uses", "3"][..], &flags].concat();
        let refused = setting.run(&other);
        assert!(refused.stderr.contains("other flags"), "{}", refused.stderr);
        let ran = setting.run(&tokenize).ok();
        assert!(ran.stderr.contains("going on after row"), "{}", ran.stderr);
        let told = ran.stdout;
        assert!(told.contains("12000 values tokenized") && told.contains("in all runs"), "{told}");
    }
    assert!(!progress.exists());
    let written = setting.site.read("out.txt");
    let surrogates: HashSet<_> = written.lines().collect();
    assert_eq!((surrogates.len(), written.lines().count()), (12_000, 12_000));
    let back = ["detokenize", "out.txt", "--reveal", "plain", "--out", "back.txt"];
    setting.run(&back).ok();
    assert_eq!(setting.site.read("back.txt"), text);
}
