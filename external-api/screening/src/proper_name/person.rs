//! Names of people: `Erika Mustermann`, `Jansen, P.`, `Frau Dr. Weiß`, `Vincent van Gogh`.
//!
//! It promises two signs for whatever it takes for a name: two known names, a known name and one
//! that is written like it, or a title. It relies on the list of names.

use tresor_proto::InfoType;

use super::{
    likely,
    words::{Words, is_capitalised, is_initial, is_particle},
};
use crate::{gazetteer, shape::Finding, word_set::WordSet};

/// Words before a name that say that one follows.
static TITLES: WordSet = WordSet::new(&[
    "herr", "herrn", "frau", "hr.", "fr.", "dhr", "dhr.", "mevr", "mevr.", "mevrouw", "mw", "mw.",
    "m.", "mme", "mme.", "mlle", "mr", "mr.", "mrs", "mrs.", "ms", "ms.", "miss", "dr", "dr.",
    "prof", "prof.", "drs", "drs.", "ir.", "ing.", "monsieur", "madame", "familie", "fam.", "sir",
]);

/// Words of names that are nobody's.
static OTHERS: WordSet = WordSet::new(&[
    "gmbh",
    "ag",
    "kg",
    "ohg",
    "ug",
    "mbh",
    "ev",
    "e.v.",
    "eg",
    "bv",
    "b.v.",
    "nv",
    "n.v.",
    "vof",
    "ltd",
    "ltd.",
    "plc",
    "llp",
    "inc",
    "inc.",
    "llc",
    "sarl",
    "sas",
    "sa",
    "s.a.",
    "hotel",
    "schule",
    "klinik",
    "verein",
    "stadt",
    "gemeinde",
    "bank",
    "service",
    "team",
    "test",
    "center",
    "centre",
    "group",
    "gruppe",
    "kita",
    "praxis",
    "apotheke",
    "restaurant",
    "werke",
    "stadtwerke",
    "energie",
    "university",
    "school",
    "college",
    "hospital",
    "church",
    "station",
    "airport",
    "park",
    "club",
    "edition",
    "model",
    "modell",
    "plus",
    "pro",
    "max",
    "mini",
    "set",
    "kit",
    "royal",
    "grand",
]);

/// The name of a person.
pub(super) fn of(words: &Words<'_>) -> Option<Finding> {
    if words.all().iter().any(|word| OTHERS.contains(word)) {
        return None;
    }
    let untitled = without_titles(words.all());
    let is_titled = untitled.len() < words.all().len();
    match words.around_comma() {
        Some((last, first)) if !is_titled => last_first(last, first),
        Some(_) => None,
        None if is_titled && is_titled_name(untitled) => {
            likely(InfoType::PersonName, "name: after a title")
        }
        None => first_last(untitled),
    }
}

fn without_titles<'a, 'b>(mut words: &'a [&'b str]) -> &'a [&'b str] {
    while let Some((title, rest)) = words.split_first()
        && !rest.is_empty()
        && TITLES.contains(title)
    {
        words = rest;
    }
    words
}

fn is_titled_name(words: &[&str]) -> bool {
    words.len() <= 4 && words.last().is_some_and(|w| is_capitalised(w)) && are_name_words(words)
}

fn are_name_words(words: &[&str]) -> bool {
    words.iter().all(|word| is_capitalised(word) || is_initial(word) || is_particle(word))
}

/// `Mustermann, Erika`, `Gogh, Vincent van`.
fn last_first(last: &[&str], first: &[&str]) -> Option<Finding> {
    let are_names =
        last.len() <= 3 && first.len() <= 3 && are_name_words(last) && are_name_words(first);
    let (surname, given) = (*last.last()?, *first.first()?);
    if !are_names || !is_capitalised(surname) {
        return None;
    }
    let (surname, initial) = (gazetteer::look_up(surname), is_initial(given));
    let given = gazetteer::look_up(given);
    let is_place = surname.is_town() && given.is_common_word();
    let has_given = given.is_first_name() && (!given.is_common_word() || surname.is_last_name());
    let has_surname = surname.is_frequent_last_name() && !surname.is_common_word();
    match () {
        () if is_place => None,
        () if has_given => likely(InfoType::PersonName, "name: known first name after a comma"),
        () if has_surname || (initial && surname.is_last_name()) => {
            likely(InfoType::PersonName, "name: known last name before a comma")
        }
        () => None,
    }
}

/// Small words that stand before last names, and hardly before anything else.
const LAST_NAME_PARTICLES: &[&str] = &["van", "von", "de", "der", "den", "ter", "ten", "vom"];

/// Words that are names, too: two of them side by side are a product sooner than a person.
static NOT_IN_PAIRS: WordSet = WordSet::new(&[
    "gold", "silver", "silber", "bronze", "platin", "blue", "green", "red", "black", "white",
    "pink", "orange", "summer", "winter", "sommer", "spring", "may", "april", "june", "july",
    "august", "day", "light", "star", "stern", "sky", "royal", "magic", "premium", "basic",
    "frost", "sun", "natur", "golf", "power", "prime", "max", "mini", "alpha", "beta", "nova",
    "ford", "schwarz", "weiss", "rot", "blau", "braun", "rose", "klein", "lang", "kurz", "gross",
    "new", "old",
]);

fn is_product_word(word: &str) -> bool {
    NOT_IN_PAIRS.contains(word)
}

/// `van der Meer`, `de Groot`.
fn is_last_name_with_particle(words: &[&str]) -> bool {
    let Some((last, particles)) = words.split_last() else {
        return false;
    };
    let is_particle = |word: &&str| LAST_NAME_PARTICLES.contains(word);
    (1..=3).contains(&particles.len()) && particles.iter().all(is_particle) && is_capitalised(last)
}

/// `SIMON Léa`, `DE LA TOUR Isabelle`: the last name in capitals, the first name as usual.
fn is_capitals_first(words: &[&str]) -> bool {
    let has_small = |word: &str| word.chars().any(char::is_lowercase);
    let Some((given, surname)) = words.split_last().filter(|(_, rest)| !rest.is_empty()) else {
        return false;
    };
    let are_capitals = surname.iter().all(|word| !has_small(word));
    are_capitals && has_small(given) && gazetteer::look_up(given).is_first_name()
}

/// `Erika Mustermann`, `E. Mustermann`, `Mustermann Erika`.
fn first_last(words: &[&str]) -> Option<Finding> {
    let [first, middle @ .., last] = words else {
        return None;
    };
    let is_name = middle.len() <= 3 && are_name_words(words) && is_capitalised(last);
    if !is_name {
        return None;
    }
    if is_last_name_with_particle(words) {
        return likely(InfoType::LastName, "name: a capitalised word after a particle");
    }
    if is_capitals_first(words) {
        return likely(InfoType::PersonName, "name: known first name after capitals");
    }
    if is_particle(first) {
        return None;
    }
    let (given, surname) = (gazetteer::look_up(first), gazetteer::look_up(last));
    let has_particle = is_capitalised(first) && is_last_name_with_particle(words.get(1..)?);
    let is_product = is_product_word(first) || is_product_word(last);
    let are_words = given.is_common_word() && surname.is_common_word() && is_product;
    let are_known = given.is_first_name() && surname.is_last_name();
    let is_turned = given.is_last_name() && surname.is_first_name();
    let rule = match () {
        () if has_particle && (given.is_first_name() || !middle.contains(&"de")) => {
            "name: a particle between capitalised words"
        }
        () if is_initial(first) && surname.is_frequent_last_name() && !surname.is_common_word() => {
            "name: an initial and a known last name"
        }
        () if (are_known || is_turned) && !are_words => "name: known first and last name",
        () if given.is_first_name() && !given.is_common_word() && !surname.is_common_word() => {
            "name: known first name and a capitalised word"
        }
        () => return None,
    };
    likely(InfoType::PersonName, rule)
}
