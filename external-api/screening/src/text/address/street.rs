//! Streets around a house number.
//!
//! It promises a number that can be one of a house, beside a word that streets are made of. It relies
//! on German and Dutch streets ending with such a word, English ones having it last behind the number,
//! and French ones first.

use crate::{
    street::{self, Sign},
    text::{
        cues::Cue,
        prose::Prose,
        words::{Form, Gap},
    },
};

/// Words of the longest name of a street.
const STREET_WORDS_MAX: usize = 6;

/// A street and its house number: the words from the first to before the end.
#[derive(Clone, Copy)]
pub(super) struct Street {
    pub(super) first: usize,
    pub(super) end: usize,
}

/// The street before or behind a number.
pub(super) fn around(prose: &Prose<'_>, number: usize) -> Option<Street> {
    if !is_house_number(prose, number) {
        return None;
    }
    before(prose, number).or_else(|| behind(prose, number))
}

/// Digits, perhaps a letter, not what is counted, not a part of a date, a time or a decimal.
fn is_house_number(prose: &Prose<'_>, number: usize) -> bool {
    let text = prose.str(number);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let letters = text.get(digits..).unwrap_or_default();
    let is_number = (1..=4).contains(&digits) && !text.starts_with("00");
    let has_letter = letters.len() <= 1 && letters.bytes().all(|b| b.is_ascii_alphabetic());
    let next = prose.word(number + 1);
    let is_counting =
        prose.cue(number + 1) == Some(Cue::Unit) && prose.gap_after(number) == Gap::SPACE;
    let tight = |gap: Gap| gap == Gap::DOT || gap == Gap::COLON || gap == Gap::COMMA;
    let is_digit = |form: Form| matches!(form, Form::Number | Form::Mixed);
    let is_decimal = next.is_some_and(|next| tight(next.gap) && is_digit(next.form));
    is_number && has_letter && !is_counting && !is_decimal
}

/// `Hauptstraße 12a`, `Alte Landstr. 5`, `Laan van Meerdervoort 70`.
fn before(prose: &Prose<'_>, number: usize) -> Option<Street> {
    let gap = prose.word(number)?.gap;
    let last = number.checked_sub(1)?;
    let has_dot = gap == Gap::DOT.and(Gap::SPACE) || gap == Gap::DOT;
    if gap != Gap::SPACE && !has_dot {
        return None;
    }
    let is_capital = prose.form(last) == Some(Form::Capital);
    let sign = street::end(prose.str(last)).filter(|_| !has_dot || is_abbreviated(prose.str(last)));
    let first = match sign {
        Some(Sign::Strong) if is_capital => beginning(prose, last),
        // `Ring 5` alone says nothing, `Alter Markt 5` does.
        Some(Sign::Weak) if is_capital => {
            let first = beginning(prose, last);
            let is_compound = prose.str(last).len() > 5 || first < last;
            is_compound.then_some(first)?
        }
        // `Wilhelm laan 4`, `Karl-Marx-straße 4`: the rest is written apart.
        Some(_) => words_before(prose, last).filter(|first| *first < last)?,
        None => kind_first(prose, last)?,
    };
    Some(Street { first, end: end_of_number(prose, number) })
}

fn is_abbreviated(word: &str) -> bool {
    ["str", "Str", "STR", "pl", "Pl"].iter().any(|end| word.ends_with(end))
}

/// Words that belong to the street before its last word: `Alte`, `Am`, `Van der`, `Karl`.
fn beginning(prose: &Prose<'_>, last: usize) -> usize {
    let mut first = last;
    while let Some(index) = first.checked_sub(1) {
        let is_near = prose.word(first).is_some_and(|word| word.gap == Gap::SPACE);
        let is_capital = prose.form(index) == Some(Form::Capital);
        let belongs = match prose.cue(index) {
            Some(Cue::StreetBeginning) => is_capital,
            Some(Cue::Particle) => is_capital || is_capital_at(prose, index.checked_sub(1)),
            // A kind that is a word of its own has its name before it.
            None => is_capital && is_kind(prose.str(last)),
            Some(_) => false,
        };
        if !is_near || !belongs || last - index >= STREET_WORDS_MAX {
            break;
        }
        first = index;
    }
    first
}

fn is_capital_at(prose: &Prose<'_>, index: Option<usize>) -> bool {
    index.is_some_and(|index| {
        prose.form(index) == Some(Form::Capital)
            && matches!(prose.cue(index), None | Some(Cue::StreetBeginning | Cue::Particle))
    })
}

/// Whether a word is a kind of street and nothing more.
fn is_kind(word: &str) -> bool {
    street::end(word) == Some(Sign::Weak) || word.len() <= 4
}

/// The first of the capital words before a place in the text, particles between them included.
fn words_before(prose: &Prose<'_>, end: usize) -> Option<usize> {
    let mut first = None;
    for back in 1..STREET_WORDS_MAX {
        let Some(index) = end.checked_sub(back) else {
            break;
        };
        let is_near = prose.word(index + 1).is_some_and(|word| {
            word.gap == Gap::SPACE || (word.gap == Gap::DOT.and(Gap::SPACE) && index + 1 < end)
        });
        let is_capital = matches!(prose.form(index), Some(Form::Capital | Form::Initial));
        match prose.cue(index) {
            _ if !is_near => break,
            None | Some(Cue::StreetBeginning) if is_capital => first = Some(index),
            Some(Cue::Particle | Cue::StreetBeginning) => {}
            _ => break,
        }
    }
    first
}

/// `Laan van Meerdervoort`, `Straße der Einheit`, `rue de la Paix`: the kind of street comes first.
fn kind_first(prose: &Prose<'_>, last: usize) -> Option<usize> {
    for back in 1..STREET_WORDS_MAX {
        let index = last.checked_sub(back)?;
        if prose.word(index + 1)?.gap != Gap::SPACE {
            return None;
        }
        let is_particle = prose.cue(index + 1) == Some(Cue::Particle);
        let word = prose.str(index);
        if is_particle && (street::is_first_word(word) || street::end(word).is_some()) {
            return Some(index);
        }
    }
    None
}

/// `12 High Street`, `12 bis, rue de la Gare`.
fn behind(prose: &Prose<'_>, number: usize) -> Option<Street> {
    let mut first = number + 1;
    if matches!(prose.str(first), "bis" | "ter" | "quater") {
        first += 1;
    }
    let near = Gap::SPACE.and(Gap::COMMA);
    let gap = prose.word(first)?.gap;
    if !gap.has(Gap::SPACE) || !gap.is_within(near) {
        return None;
    }
    let end = french(prose, first).or_else(|| english(prose, first))?;
    Some(Street { first: with_flat(prose, number), end })
}

/// `Flat 3, 12 High Street`.
fn with_flat(prose: &Prose<'_>, number: usize) -> usize {
    let flat = number.checked_sub(2);
    let is_flat =
        |index: &usize| matches!(prose.str(*index), "Flat" | "Apartment" | "Apt" | "Unit");
    flat.filter(is_flat).unwrap_or(number)
}

/// The end of `rue de la Gare`: capitals, or one small word, behind the kind and its particles.
fn french(prose: &Prose<'_>, kind: usize) -> Option<usize> {
    if !street::is_first_word(prose.str(kind)) {
        return None;
    }
    let mut end = None;
    for index in kind + 1..kind + 1 + STREET_WORDS_MAX {
        let is_near = prose.word(index).is_some_and(|word| {
            word.gap == Gap::SPACE || (index == kind + 1 && word.gap == Gap::DOT.and(Gap::SPACE))
        });
        let is_particle = prose.cue(index) == Some(Cue::Particle);
        let is_capital = matches!(prose.form(index), Some(Form::Capital | Form::Initial));
        match () {
            () if !is_near => break,
            () if is_particle => {}
            () if is_capital => end = Some(index + 1),
            () if end.is_none() => return Some(index + 1),
            () => break,
        }
    }
    end
}

/// The end of `Old Church Road`: one to three capitals and the kind.
fn english(prose: &Prose<'_>, first: usize) -> Option<usize> {
    for kind in first + 1..=first + 3 {
        let is_near = prose.word(kind).is_some_and(|word| word.gap == Gap::SPACE);
        let is_capital = prose.form(kind - 1) == Some(Form::Capital);
        if !is_near || !is_capital {
            return None;
        }
        let is_kind =
            prose.form(kind) == Some(Form::Capital) && street::is_last_word(prose.str(kind));
        if is_kind {
            return Some(kind + 1);
        }
    }
    None
}

/// The end of `9-8`, `12/3`, `5 a`: what belongs to a house number.
fn end_of_number(prose: &Prose<'_>, number: usize) -> usize {
    let Some(next) = prose.word(number + 1) else {
        return number + 1;
    };
    let is_short = next.end - next.start <= 4;
    let is_joined = next.gap == Gap::DASH || next.gap == Gap::OTHER;
    let is_number = matches!(next.form, Form::Number | Form::Mixed);
    let is_letter = next.end - next.start == 1 && next.form == Form::Small;
    let is_last = prose.ends_clause(number + 1);
    let belongs =
        is_joined && is_number && is_short || is_letter && is_last && next.gap == Gap::SPACE;
    if belongs { number + 2 } else { number + 1 }
}

/// The first word of `Kirchwinkel 3,` before a postcode.
pub(super) fn before_place(prose: &Prose<'_>, code: usize) -> Option<usize> {
    for back in 1..=2 {
        let number = code.checked_sub(back)?;
        let gap = prose.word(number)?.gap;
        if gap == Gap::SPACE && is_house_number(prose, number) {
            return words_before(prose, number);
        }
        if gap != Gap::DASH && gap != Gap::OTHER {
            return None;
        }
    }
    None
}
