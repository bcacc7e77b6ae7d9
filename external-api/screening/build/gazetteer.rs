//! Compiles the list of names and towns into a table in which a word is found by its hash.
//!
//! It promises the same bytes for the same list, and that every word of it is found. It relies on
//! `layout.rs` for what the crate reads.

use std::{
    error::Error,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::Path,
};

use super::layout::{EMPTY, OFFSET_BITS, Place, SLOTS};

const WORDS: &str = "gazetteer/words.txt";

/// The letters of the list and what they are stored as, as `src/gazetteer.rs` reads it.
const FLAGS: [(char, u8); 5] = [('f', 1), ('l', 2), ('r', 4), ('t', 8), ('w', 16)];

pub(crate) fn compile(out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={WORDS}");
    let (mut slots, mut entries) = (vec![EMPTY; SLOTS], Vec::new());
    for line in BufReader::new(File::open(WORDS)?).lines() {
        let line = line?;
        let (word, letters) = line.split_once('\t').ok_or("a word, a tab, letters")?;
        place(&mut slots, word, entries.len())?;
        let flags = FLAGS.iter().filter(|(letter, _)| letters.contains(*letter));
        entries.push(flags.map(|(_, flag)| flag).sum());
        entries.push(u8::try_from(word.len())?);
        entries.extend_from_slice(word.as_bytes());
    }
    let slots = slots.into_iter().flat_map(u32::to_le_bytes);
    Ok(fs::write(out.join("gazetteer.table"), slots.chain(entries).collect::<Vec<u8>>())?)
}

/// Puts a word whose entry begins at `offset` into the first slot that is free.
fn place(slots: &mut [u32], word: &str, offset: usize) -> Result<(), Box<dyn Error>> {
    let offset = u32::try_from(offset)?;
    if offset >> OFFSET_BITS != 0 {
        return Err("the list is too long for its table".into());
    }
    let place = Place::of(word.as_bytes());
    let free = place.slots().find(|slot| slots.get(*slot) == Some(&EMPTY));
    let slot = free.and_then(|slot| slots.get_mut(slot)).ok_or("the table is full")?;
    *slot = place.tag | offset;
    Ok(())
}
