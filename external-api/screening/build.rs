//! Compiles the list of names and towns into a table, and the patterns of shaped values into an
//! automaton, which the crate carries with it.
//!
//! It promises the same bytes for the same list and patterns. It relies on nothing but them.

use std::{env, error::Error, path::Path};

#[path = "build/gazetteer.rs"]
mod gazetteer;
#[path = "build/layout.rs"]
mod layout;
#[path = "build/shapes.rs"]
mod shapes;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    let out = env::var_os("OUT_DIR").ok_or("cargo sets it")?;
    gazetteer::compile(Path::new(&out))?;
    shapes::compile(Path::new(&out))
}
