//! What no screening is faster than: looking at each byte once.
//!
//! It promises to read every byte it is given. It relies on the same bytes being screened.

use std::hint::black_box;

use regex_automata::dfa::{Automaton as _, dense};

/// A pass over bytes.
pub(crate) type Pass = Box<dyn Fn(&[u8])>;

/// A ceiling: its name, and its pass.
pub(crate) type Ceiling = (&'static str, Pass);

/// Shapes that a search for personal data has to know at least.
const PATTERNS: [&str; 4] = [
    r"(?-u)[0-9]{5,}",
    r"(?-u)[a-zA-Z0-9.]+@[a-zA-Z0-9.]+",
    r"(?-u)[A-Z]{2}[0-9]{2}[ A-Z0-9]{11,}",
    r"(?-u)[A-Z][a-z]+",
];

pub(crate) fn all() -> [Ceiling; 4] {
    [
        ("copy", pass(<[u8]>::to_vec)),
        ("memchr of one byte", pass(|bytes| memchr::memchr(b'\0', bytes))),
        ("table of 256 classes", pass(classes)),
        ("DFA of four patterns", dfa()),
    ]
}

/// A pass whose result is made and forgotten.
fn pass<T>(make: impl Fn(&[u8]) -> T + 'static) -> Pass {
    Box::new(move |bytes| {
        black_box(make(bytes));
    })
}

/// How many bytes of each of eight classes there are.
fn classes(bytes: &[u8]) -> [u32; 8] {
    const CLASS_OF: [u8; 256] = {
        let (mut classes, mut byte) = ([0; 256], 0_u8);
        while byte < 255 {
            byte += 1;
            classes[byte as usize] = byte >> 5;
        }
        classes
    };
    let mut counts = [0; 8];
    for byte in bytes {
        counts[usize::from(CLASS_OF[usize::from(*byte)]) & 7] += 1;
    }
    counts
}

/// A pass of an automaton, from start to end whatever it meets.
fn dfa() -> Pass {
    let dfa = dense::DFA::new_many(&PATTERNS).expect("patterns");
    let anchored = regex_automata::Anchored::No;
    let start = dfa.universal_start_state(anchored).expect("no look-around");
    Box::new(move |bytes| {
        let (mut state, mut matches) = (start, 0_u32);
        for byte in bytes {
            state = dfa.next_state(state, *byte);
            if dfa.is_special_state(state) {
                matches += u32::from(dfa.is_match_state(state));
                state = if dfa.is_dead_state(state) { start } else { state };
            }
        }
        black_box(matches);
    })
}
