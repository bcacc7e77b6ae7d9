//! Compiles the list of names and towns into a transducer, and the patterns of shaped values into an
//! automaton, which the crate carries with it.
//!
//! It promises the same bytes for the same list and patterns. It relies on the list being sorted,
//! which the transducer's builder checks.

use std::{
    env,
    error::Error,
    fs::File,
    io::{BufRead as _, BufReader, BufWriter},
    path::Path,
};

#[path = "build/shapes.rs"]
mod shapes;

const WORDS: &str = "gazetteer/words.txt";

/// The letters of the list and what they are stored as, as `src/gazetteer.rs` reads it.
const FLAGS: [(char, u64); 5] = [('f', 1), ('l', 2), ('r', 4), ('t', 8), ('w', 16)];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    let out = env::var_os("OUT_DIR").ok_or("cargo sets it")?;
    compile_gazetteer(Path::new(&out))?;
    shapes::compile(Path::new(&out))
}

fn compile_gazetteer(out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={WORDS}");
    let target = BufWriter::new(File::create(out.join("gazetteer.fst"))?);
    let mut map = fst::MapBuilder::new(target)?;
    for line in BufReader::new(File::open(WORDS)?).lines() {
        let line = line?;
        let (word, letters) = line.split_once('\t').ok_or("a word, a tab, letters")?;
        let flags = FLAGS.iter().filter(|(letter, _)| letters.contains(*letter));
        map.insert(word, flags.map(|(_, flag)| flag).sum())?;
    }
    Ok(map.finish()?)
}
