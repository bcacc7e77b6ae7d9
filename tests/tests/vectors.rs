//! The golden vectors, opened by independent decoders in Python (`cryptography`).

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::process::Command;

use tresor_tests::{repository, run, tool};

#[test]
fn an_independent_decoder_opens_the_golden_vectors() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(tool("python3"));
    command.arg(repository().join("tests/clients/open_vectors.py"));
    command.arg(repository().join("vault/vectors/v1.json"));
    command.arg(repository().join("proto")).arg(directory.path().join("stubs"));
    let ran = run(&mut command, "").ok();
    assert!(ran.stdout.contains("18 passed, 0 failed"), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn an_independent_ff1_opens_the_golden_surrogates() {
    let mut command = Command::new(tool("python3"));
    command.arg(repository().join("tests/clients/open_surrogates.py"));
    command.arg(repository().join("vault/vectors/format_preserving.json"));
    let ran = run(&mut command, "").ok();
    assert!(ran.stdout.contains("55 passed, 0 failed"), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn an_independent_decoder_opens_the_rows_of_surrogates() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(tool("python3"));
    command.arg(repository().join("tests/clients/open_surrogate_rows.py"));
    command.arg(repository().join("vault/vectors/surrogate_rows.json"));
    command.arg(repository().join("proto")).arg(directory.path().join("stubs"));
    let ran = run(&mut command, "").ok();
    assert!(ran.stdout.contains("17 passed, 0 failed"), "{}{}", ran.stdout, ran.stderr);
}
