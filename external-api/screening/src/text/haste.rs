//! Texts written in haste, without capitals: `kunde erika krause, hauptstr. 5, k-ab 1234`.
//!
//! It promises that the rules see capitals where care would have written them: in names and towns that
//! are known, behind titles, in words that end as streets do, and in codes. It relies on the gazetteer
//! knowing which names are plain words too: those stay small.

use super::{
    cues::Cue,
    words::{Form, Gap, Word},
};
use crate::{gazetteer, street};

/// Bytes of the longest beginning of a licence plate: `mtk-ab`.
const PLATE_BYTES_MAX: usize = 7;

/// Bytes from which letters among digits are a code, and no `nr12`.
const CODE_BYTES_MIN: usize = 7;

/// Whether a text has small words and none that begins with a capital and goes on small.
pub(super) fn is_hasty(text: &str, words: &[Word]) -> bool {
    let is_careful = |word: &Word| {
        let letters = text.get(word.start..word.end).unwrap_or_default();
        word.form == Form::Capital && letters.chars().any(char::is_lowercase)
    };
    !words.iter().any(is_careful) && words.iter().any(|word| word.form == Form::Small)
}

/// What the words before say of the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Nothing,
    /// Somebody: a first name would have a last one behind it.
    Person,
    /// A title, or a title and a first name: any word is a name.
    Title,
    /// What may be a postcode: a town needs no other sign.
    Postcode,
}

/// Gives words the form that they would have.
pub(super) fn capitalise(text: &str, words: &mut [Word]) {
    let mut before = Before::Nothing;
    for index in 0..words.len() {
        let (earlier, rest) = words.split_at_mut(index);
        let Some(word) = rest.first_mut() else {
            return;
        };
        if !word.gap.is_within(Gap::SPACE.and(Gap::DOT).and(Gap::COLON)) {
            before = Before::Nothing;
        }
        let letters = text.get(word.start..word.end).unwrap_or_default();
        if word.form == Form::Small && word.cue.is_none() {
            before = small(letters, word, before);
            if street::end(letters).is_some() {
                earlier.last_mut().into_iter().for_each(begin_street);
            }
        } else {
            before = after(letters, word, before);
        }
    }
}

/// Gives a small word that says nothing its form; tells what it says of the next.
fn small(letters: &str, word: &mut Word, before: Before) -> Before {
    let entry = gazetteer::look_up(letters);
    let is_name = entry.is_first_name() || entry.is_last_name();
    let is_known = (is_name || entry.is_town()) && !entry.is_common_word();
    let is_town = before == Before::Postcode && entry.is_town();
    let is_street = street::end(letters).is_some();
    if is_known || is_town || is_street || before == Before::Title {
        (word.form, word.entry) = (Form::Capital, entry);
    }
    let has_last_name = is_known && entry.is_first_name();
    match before {
        Before::Title | Before::Person if has_last_name => Before::Title,
        Before::Nothing | Before::Person | Before::Title | Before::Postcode => Before::Nothing,
    }
}

/// What any other word says of the next.
fn after(letters: &str, word: &Word, before: Before) -> Before {
    match word.cue {
        Some(Cue::GermanTitle | Cue::Title) => Before::Title,
        Some(Cue::GermanPerson | Cue::Person) => Before::Person,
        Some(Cue::Degree | Cue::Particle) => before,
        _ if word.form == Form::Number && letters.len() == 5 => Before::Postcode,
        _ => Before::Nothing,
    }
}

/// `alte` before `landstr`.
fn begin_street(word: &mut Word) {
    if word.cue == Some(Cue::StreetBeginning) && word.end - word.start > 3 {
        word.form = Form::Capital;
    }
}

/// Writes a text with capitals in its codes.
pub(super) fn write_codes(text: &str, words: &[Word], codes: &mut String) {
    codes.clear();
    codes.push_str(text);
    for word in words {
        let length = word.end - word.start;
        let letters = codes.get_mut(word.start..word.end);
        let is_plate = |letters: &str| length <= PLATE_BYTES_MAX && letters.contains('-');
        let is_code = |letters: &str| match word.form {
            Form::Mixed => length >= CODE_BYTES_MIN,
            Form::Small => is_plate(letters),
            Form::Initial | Form::Capital | Form::Number => false,
        };
        if let Some(letters) = letters.filter(|letters| is_code(letters)) {
            letters.make_ascii_uppercase();
        }
    }
}
