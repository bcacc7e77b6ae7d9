//! Compiles the patterns of shaped values into one automaton.
//!
//! It promises that no process spends time on that or carries the compiler of patterns. It relies on
//! validators for whatever a form leaves open.

use std::{env, error::Error, fs, path::Path};

use regex_automata::{
    MatchKind,
    dfa::{StartKind, dense},
    nfa::thompson,
    util::syntax,
};

/// Letters, digits and Latin letters with accents, as the inside of a class.
macro_rules! alphanumeric {
    () => {
        "A-Za-z0-9À-ɏ"
    };
}

/// A dot written out, between spaces or not.
macro_rules! written_dot {
    () => {
        " ?[(\\[](?i:dot|punkt|punt|point)[)\\]] ?"
    };
}

/// What shaped values look like from where they begin, in the order of `Form` in `src/text/numbers.rs`.
/// Forms only, without counting: how long a value is and whether its digits are right, the validators
/// say.
const PATTERNS: &[&str] = &[
    // E-mail address, its signs perhaps written out: `anna (at) example (punkt) org`.
    concat!(
        "[",
        alphanumeric!(),
        "!#$%&'*+/=?^_`{|}~-][",
        alphanumeric!(),
        "!#$%&'*+/=?^_`{|}~.-]*(?:@| ?[(\\[](?i:at|ät)[)\\]] ?)[",
        alphanumeric!(),
        "](?:[",
        alphanumeric!(),
        ".-]|",
        written_dot!(),
        ")*(?:\\.|",
        written_dot!(),
        ")[A-Za-zÀ-ɏ]{2,}"
    ),
    // URL.
    r"(?-u:(?:[Hh][Tt][Tt][Pp][Ss]?://|[Ww][Ww][Ww]\.)[^\x00-\x20<>\x22\x7f]+)",
    // IPv6 and MAC addresses: groups of hexadecimal digits.
    r"(?-u:[0-9A-Fa-f]*(?:[:-][0-9A-Fa-f]*){2,})",
    // IPv4 address.
    r"(?-u:[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})",
    // IBAN.
    r"(?-u:[A-Za-z]{2}[ -]?[0-9]{2}(?:[ -]?[A-Za-z0-9])+)",
    // Coordinates.
    r"(?-u:-?[0-9]{1,3}\.[0-9]{3,}[,; ] ?-?[0-9]{1,3}\.[0-9]{3,})",
    // Card number.
    r"(?-u:[0-9]{4}(?:[ -]?[0-9])+)",
    // Telephone number with its prefix.
    r"(?-u:(?:\(?\+[1-9]|00[ ]?[1-9]|0[1-9]|\(0[0-9])\)?(?:[ ./-]?[ (/-]?[ (]?[0-9]\)?)+)",
    // Licence plate.
    r"[A-ZÄÖÜ]+-[A-Z]+[ -]?[0-9]+[EH]?|(?-u:[A-Z0-9]+-[A-Z0-9]+-[A-Z0-9]+|[A-Z]{2}[0-9]{2} [A-Z]{3})",
    // Digits and capitals in groups.
    r"(?-u:[A-Z0-9](?:[ ./-]?[A-Z0-9])*)",
];

/// Writes the automaton, in the byte order of the target, into `out`.
pub(crate) fn compile(out: &Path) -> Result<(), Box<dyn Error>> {
    // Every pattern that matches is wanted, with every end: the validators choose.
    let config = dense::Config::new()
        .match_kind(MatchKind::All)
        .start_kind(StartKind::Anchored)
        .accelerate(false);
    let automaton = dense::Builder::new()
        .configure(config)
        .syntax(syntax::Config::new().utf8(false))
        .thompson(thompson::Config::new().utf8(false))
        .build_many(PATTERNS)?;
    let is_little_endian =
        env::var_os("CARGO_CFG_TARGET_ENDIAN").is_some_and(|endian| endian == "little");
    let (bytes, padding) = if is_little_endian {
        automaton.to_bytes_little_endian()
    } else {
        automaton.to_bytes_big_endian()
    };
    Ok(fs::write(out.join("shapes.dfa"), bytes.get(padding..).unwrap_or_default())?)
}
