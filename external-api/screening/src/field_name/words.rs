//! Field names as words: `kundenTelefon_nr` is `kunden`, `telefon`, `nr`.
//!
//! It promises folded words, lower case and without accents, so that `Straße`, `STRASSE` and
//! `strasse` are one word. It relies on Unicode decomposition for accents.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// The words of a text, as they were written. Digits part words and are no words.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = None;
    let mut previous = ' ';
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if !c.is_alphabetic() {
            words.extend(start.take().map(|from| &text[from..at]));
        } else if let Some(from) = start {
            let next_is_lower = chars.peek().is_some_and(|(_, n)| n.is_lowercase());
            if begins_word(previous, c, next_is_lower) {
                words.push(&text[from..at]);
                start = Some(at);
            }
        } else {
            start = Some(at);
        }
        previous = c;
    }
    words.extend(start.map(|from| &text[from..]));
    words
}

/// `telefonNummer` parts before `N`, `GPSKoordinaten` before `K`.
fn begins_word(previous: char, c: char, next_is_lower: bool) -> bool {
    c.is_uppercase() && (previous.is_lowercase() || (previous.is_uppercase() && next_is_lower))
}

/// Folds a word, umlauts written out: `zähler` is `zaehler`.
pub(crate) fn fold_long(word: &str) -> String {
    fold(word, |c| match c {
        'ä' => Some("ae"),
        'ö' => Some("oe"),
        'ü' => Some("ue"),
        _ => None,
    })
}

/// Folds a word, umlauts without their dots: `zähler` is `zahler`.
pub(crate) fn fold_short(word: &str) -> String {
    fold(word, |_| None)
}

fn fold(word: &str, umlaut: impl Fn(char) -> Option<&'static str>) -> String {
    let mut folded = String::with_capacity(word.len() + 2);
    for c in word.nfc().flat_map(char::to_lowercase) {
        if c == 'ß' {
            folded.push_str("ss");
        } else if let Some(letters) = umlaut(c) {
            folded.push_str(letters);
        } else {
            folded.extend(core::iter::once(c).nfd().filter(|d| !is_combining_mark(*d)));
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_part_at_case_digits_and_signs() {
        assert_eq!(split("kundenTelefon_nr"), ["kunden", "Telefon", "nr"]);
        assert_eq!(split("GPSKoordinaten"), ["GPS", "Koordinaten"]);
        assert_eq!(split("Straße und Hausnr."), ["Straße", "und", "Hausnr"]);
        assert_eq!(split("adresse2-PLZ"), ["adresse", "PLZ"]);
        assert_eq!(split("PLZ"), ["PLZ"]);
        assert_eq!(split("  42 "), [""; 0]);
    }

    #[test]
    fn words_fold_both_ways() {
        assert_eq!(fold_long("STRAẞE"), "strasse");
        assert_eq!(fold_long("Zähler"), "zaehler");
        assert_eq!(fold_short("Zähler"), "zahler");
        assert_eq!(fold_long("Prénom"), "prenom");
        assert_eq!(fold_long("a\u{308}"), "ae");
    }
}
