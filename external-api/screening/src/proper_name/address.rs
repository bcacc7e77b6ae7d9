//! Streets and addresses: `Hauptstraße 5`, `12 rue de la Gare`, `221B Baker Street`, `30911 Burg`.
//!
//! It promises that a word that could end anything needs a house number beside it. It relies on the
//! words that make streets and on the towns of the list.

use tresor_proto::InfoType;

use super::{
    likely,
    words::{Words, is_capitalised, is_particle},
};
use crate::{gazetteer, shape::Finding, street};

/// Words of the longest street.
const STREET_WORDS_MAX: usize = 6;

/// A street, or an address.
pub(super) fn of(words: &Words<'_>) -> Option<Finding> {
    let (all, line) = (words.all(), words.before_comma());
    let first = all.first()?;
    if !first.starts_with(|c: char| c.is_ascii_digit()) {
        return named_first(all, line);
    }
    if let Some((_, rest)) = line.split_first()
        && is_house_number(first)
        && is_street(without_addition(rest), true)
    {
        return likely(InfoType::StreetAddress, "address: house number and street");
    }
    is_place(all).then(|| likely(InfoType::StreetAddress, "address: postcode and town")).flatten()
}

/// A street of one word.
pub(super) fn street_of(word: &str) -> Option<Finding> {
    let is_street = street::end(word) == Some(street::Sign::Strong) && is_capitalised(word);
    (is_street && !street::is_end_alone(word))
        .then(|| likely(InfoType::Street, "street: ends like one"))
        .flatten()
}

/// A street, perhaps with its number behind it.
fn named_first(all: &[&str], line: &[&str]) -> Option<Finding> {
    let Some(number) = line.iter().position(|word| is_house_number(word)) else {
        let is_whole = line.len() == all.len();
        let is_street = is_whole && is_street(line, false);
        return is_street.then(|| likely(InfoType::Street, "street: ends like one")).flatten();
    };
    let (street, rest) = line.split_at_checked(number)?;
    // What follows is an addition (`12 A`), or a postcode and a town.
    let is_end = rest.len() <= 2 || rest.get(1).is_some_and(|word| is_postcode(word));
    (is_end && is_street(street, true))
        .then(|| likely(InfoType::StreetAddress, "address: street and house number"))
        .flatten()
}

/// `12 bis rue …`
fn without_addition<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    match words.split_first() {
        Some((&("bis" | "ter" | "quater"), rest)) => rest,
        _ => words,
    }
}

/// Whether words look as a street's name does; a number beside them leaves more words in.
fn is_street(words: &[&str], has_number: bool) -> bool {
    let (Some(first), Some(last)) = (words.first(), words.last()) else {
        return false;
    };
    let is_word = |word: &&str| is_capitalised(word) || is_particle(word) || word.ends_with('.');
    if words.len() > STREET_WORDS_MAX || (!is_word(first) && !street::is_first_word(first)) {
        return false;
    }
    let is_french = words.len() >= 2 && street::is_first_word(first);
    if is_french && (has_number || street::is_sure_first_word(first)) {
        return true;
    }
    let is_english = words.len() >= 2 && street::is_last_word(last) && words.iter().all(is_word);
    if is_english && (has_number || street::is_sure_last_word(last)) {
        return true;
    }
    if has_number && words.len() >= 2 && street::is_preposition(first) && is_capitalised(last) {
        return true;
    }
    let is_alone = words.len() == 1 && street::is_end_alone(last);
    let sign = street::end(last).filter(|_| !is_alone && words.iter().all(is_word));
    sign.is_some_and(|sign| has_number || sign == street::Sign::Strong)
}

/// Whether a text may be a street when a house number stands beside it.
pub(crate) fn is_like_street(text: &str) -> bool {
    Words::of(text).is_some_and(|words| is_street(words.all(), true))
}

/// One to four digits, perhaps a letter, perhaps a second number: `12`, `12a`, `9-8`, `9/7`.
pub(crate) fn is_house_number(text: &str) -> bool {
    let mut parts = text.split(['-', '/']);
    let is_part = |part: &str| {
        let digits = part.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let is_number =
            (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        is_number && !digits.starts_with('0') && part.len() - digits.len() <= 2
    };
    let has_first = parts.next().is_some_and(is_part);
    let second = parts.next();
    let is_second =
        |part: &str| is_part(part) || matches!(part.as_bytes(), [b'a'..=b'z' | b'A'..=b'Z']);
    has_first && second.is_none_or(is_second) && parts.next().is_none()
}

/// `30911 Burg`, `8987 PA Buren`.
fn is_place(words: &[&str]) -> bool {
    let Some((postcode, town)) = words.split_first().filter(|(word, _)| is_postcode(word)) else {
        return false;
    };
    let is_letters = |word: &&str| word.len() == 2 && word.bytes().all(|b| b.is_ascii_uppercase());
    let is_dutch = postcode.len() == 4 && town.first().is_some_and(is_letters);
    let town = if is_dutch { town.get(1..).unwrap_or_default() } else { town };
    let is_known = || town.iter().any(|word| gazetteer::look_up(word).is_town());
    let is_name = town.iter().all(|word| is_capitalised(word) || is_particle(word));
    (1..=4).contains(&town.len()) && is_name && (is_dutch || is_known())
}

fn is_postcode(word: &str) -> bool {
    let digits = word.strip_prefix("D-").unwrap_or(word);
    matches!(digits.len(), 4 | 5) && digits.bytes().all(|b| b.is_ascii_digit())
}
