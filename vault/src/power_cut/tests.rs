//! Whether power cuts cut: what was not synced has to go missing.

use std::{collections::BTreeSet, fs, io::Write as _, path::Path};

use super::{Random, Recording, recorded_program, say};

const WRITER: &str = "power_cut::tests::the_writer_of_a_file";

/// Writes `a` under a draft's name, syncs it, renames it, syncs the name; then `b`, unsynced.
#[test]
fn the_writer_of_a_file() {
    let Some((place, _)) = recorded_program() else { return check_the_control() };
    let mut file = fs::File::create(place.join("draft")).unwrap();
    file.write_all(&[1; 2_000]).unwrap();
    file.sync_all().unwrap();
    fs::rename(place.join("draft"), place.join("a")).unwrap();
    fs::File::open(&place).unwrap().sync_all().unwrap();
    say("a");
    fs::write(place.join("b"), [2; 2_000]).unwrap();
    say("b");
}

fn check_the_control() {
    assert!(Recording::of(WRITER, "").events.len() > 8);
}

/// How many kinds of remains there are of a file once it was said to be written.
fn kinds(recording: &Recording, name: &str) -> BTreeSet<&'static str> {
    let mut kinds = BTreeSet::new();
    recording.cut(200, &mut Random::new(7), |remains| {
        if remains.said.iter().any(|said| said == name) {
            kinds.insert(kind(&remains.place.join(name)));
        }
    });
    kinds
}

fn kind(path: &Path) -> &'static str {
    match fs::read(path) {
        Err(_) => "missing",
        Ok(bytes) if bytes.is_empty() => "empty",
        Ok(bytes) if bytes.len() == 2_000 && !bytes.contains(&0) => "whole",
        Ok(_) => "torn",
    }
}

#[test]
fn what_was_synced_is_whole_and_what_was_not_may_be_anything() {
    let recording = Recording::of(WRITER, "");
    assert_eq!(kinds(&recording, "a"), BTreeSet::from(["whole"]));
    let anything = BTreeSet::from(["empty", "missing", "torn", "whole"]);
    assert_eq!(kinds(&recording, "b"), anything);
}

#[test]
fn a_missing_sync_is_missed() {
    let without_data = Recording::of(WRITER, "").without_syncs(|path| path.ends_with("draft"));
    assert!(kinds(&without_data, "a").contains("empty"));
    let without_name = Recording::of(WRITER, "").without_syncs(|path| path == Path::new(""));
    assert!(kinds(&without_name, "a").contains("missing"));
}
