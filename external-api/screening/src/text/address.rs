//! Addresses in a text: street and house number, postcode and town.
//!
//! It promises that a street needs a number beside it, and a postcode a street or a town: numbers alone
//! mean anything. It relies on the words that streets are made of, and on the gazetteer for towns.

mod street;
mod town;

use tresor_proto::InfoType;

use super::{
    Candidate, Rank,
    cues::Cue,
    prose::Prose,
    words::{Form, Gap},
};

/// Finds addresses.
pub(super) fn find(prose: &Prose<'_>, candidates: &mut Vec<Candidate>) {
    let mut index = 0;
    while index < prose.words().len() {
        let end = match prose.form(index) {
            Some(Form::Number | Form::Mixed) => at_number(prose, index, candidates),
            Some(Form::Capital | Form::Initial | Form::Small) => town(prose, index, candidates),
            None => None,
        };
        index = end.unwrap_or(index).max(index + 1);
    }
}

/// What a number is: one of a house, before or behind its street, or a postcode.
fn at_number(prose: &Prose<'_>, number: usize, candidates: &mut Vec<Candidate>) -> Option<usize> {
    if let Some(street) = street::around(prose, number) {
        let place = town::behind(prose, street.end, true);
        let end = place.map_or(street.end, |place| place.end);
        let rule = if place.is_some() {
            "address: street, house number, place"
        } else {
            "address: street and house number"
        };
        push(prose, (street.first, end), InfoType::StreetAddress, rule, candidates);
        return Some(end);
    }
    let place = town::at(prose, number, false)?;
    // `Kirchwinkel 3, 30911 Burg`: before a place nearly any word is a street.
    if let Some(first) = street::before_place(prose, number) {
        let rule = "address: words, house number, place";
        push(prose, (first, place.end), InfoType::StreetAddress, rule, candidates);
        return Some(place.end);
    }
    let code = (place.first, place.code_end);
    push(prose, code, InfoType::Postcode, "address: postcode before its town", candidates);
    let name = (place.code_end, place.end);
    push(prose, name, InfoType::City, "address: town behind its postcode", candidates);
    Some(place.end)
}

/// A town where somebody lives, or where something is.
fn town(prose: &Prose<'_>, index: usize, candidates: &mut Vec<Candidate>) -> Option<usize> {
    let (mut first, mut rank) = (index + 1, Rank::Likely);
    match prose.cue(index) {
        Some(Cue::Within) => {}
        Some(Cue::Residence) => {
            // `wohnt in`, `verzogen nach`, `habite à`.
            first += usize::from(prose.form(first) == Some(Form::Small));
            rank = Rank::Grammar;
        }
        _ => return None,
    }
    let is_near = (index + 1..=first).all(|i| prose.word(i).is_some_and(|w| w.gap == Gap::SPACE));
    let end = town::name(prose, first).filter(|_| is_near)?;
    // `in Essen` may be about a meal.
    let is_word = end == first + 1 && prose.entry(first).is_common_word();
    if is_word && rank == Rank::Likely {
        return None;
    }
    let rule = "address: town after a preposition";
    let span = prose.span(first, end)?;
    candidates.push(Candidate::new(span, InfoType::City, rank, rule));
    Some(end)
}

fn push(
    prose: &Prose<'_>,
    words: (usize, usize),
    info_type: InfoType,
    rule: &'static str,
    candidates: &mut Vec<Candidate>,
) {
    // A postcode may stand alone.
    let span = prose.span(words.0, words.1).filter(|_| words.0 < words.1);
    candidates.extend(span.map(|span| Candidate::new(span, info_type, Rank::Grammar, rule)));
}
