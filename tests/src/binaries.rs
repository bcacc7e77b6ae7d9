//! Where the built binaries and the installed tools lie.

use std::{
    env,
    path::{Path, PathBuf},
};

/// A binary of this workspace, built by `./check`: beside the tests, or beside the benchmarks.
///
/// # Panics
/// When it is not built.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let this = env::current_exe().expect("the path of this program");
    let binaries = this.ancestors().skip(1).take(2).map(|directory| directory.join(name));
    let built = binaries.into_iter().find(|binary| binary.exists());
    built.unwrap_or_else(|| panic!("{name} is not built; run: cargo build --workspace --bins"))
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
