//! The codes of verdicts, as the documentation lists them.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use tresor_screening::Evidence;

#[test]
fn the_documentation_lists_every_code_and_no_other() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md");
    let text = std::fs::read_to_string(path).unwrap();
    let table = text.lines().skip_while(|line| !line.starts_with("| code | the verdict is"));
    let rows = table.take_while(|line| line.starts_with('|')).skip(2);
    let codes: Vec<_> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    assert_eq!(codes, Evidence::CODES);
}
