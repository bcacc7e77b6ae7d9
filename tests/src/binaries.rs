//! Where the built binaries and the installed tools lie.

use std::{
    env,
    path::{Path, PathBuf},
};

/// A binary of this workspace, built by `./check` beside the tests.
///
/// # Panics
/// When it is not built.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let test = env::current_exe().expect("the path of this test");
    let directory = test.parent().and_then(Path::parent).expect("the target directory");
    let binary = directory.join(name);
    assert!(binary.exists(), "{name} is not built; run: cargo build --workspace --bins");
    binary
}

/// The root of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").to_owned()
}

/// A tool that `./check` installs.
///
/// # Panics
/// When it is not installed.
#[must_use]
pub fn tool(name: &str) -> PathBuf {
    let directory = env::var_os("TRESOR_TEST_TOOLS")
        .map_or_else(|| repository().join("target/tools/bin"), PathBuf::from);
    let tool = directory.join(name);
    assert!(tool.exists(), "{name} is not installed; run ./check once");
    tool
}
