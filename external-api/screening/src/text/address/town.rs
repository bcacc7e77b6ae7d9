//! Postcodes and towns.
//!
//! It promises that five digits are a postcode only before a town that is known, or behind a street. It
//! relies on the gazetteer, and on Dutch and British postcodes having a form of their own.

use crate::{
    gazetteer,
    text::{
        cues::Cue,
        prose::Prose,
        words::{Form, Gap},
    },
};

/// Words of the longest name of a town that is looked up: `Frankfurt an der Oder`.
const TOWN_WORDS_MAX: usize = 5;

/// A postcode and a town: the words from the first to before the end.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) first: usize,
    /// Where the words of the postcode end.
    pub(super) code_end: usize,
    pub(super) end: usize,
}

/// The place behind a street: after a comma or on the next line, a town perhaps before its postcode.
pub(super) fn behind(prose: &Prose<'_>, end: usize, has_street: bool) -> Option<Place> {
    let gap = prose.word(end)?.gap;
    let near = Gap::SPACE.and(Gap::COMMA).and(Gap::LINE).and(Gap::DASH);
    if !gap.is_within(near) || gap == Gap::NONE {
        return None;
    }
    // `D-30911 Burg`.
    let first = if matches!(prose.str(end), "D" | "NL" | "F" | "A" | "CH") { end + 1 } else { end };
    at(prose, first, has_street).or_else(|| british(prose, end, gap)).or_else(|| {
        let town = name(prose, end).filter(|_| gap.has(Gap::COMMA))?;
        Some(Place { first: end, code_end: end, end: town })
    })
}

/// `London NW1 6XE` and `NW1 6XE`.
fn british(prose: &Prose<'_>, first: usize, gap: Gap) -> Option<Place> {
    let has_comma = gap.has(Gap::COMMA.and(Gap::LINE).and(Gap::SPACE));
    for code in first..first + 3 {
        if let Some(end) = british_code(prose, code).filter(|_| has_comma) {
            return Some(Place { first, code_end: end, end });
        }
        if !matches!(prose.form(code), Some(Form::Capital)) {
            return None;
        }
    }
    None
}

/// The postcode that begins with a word, and its town; with a street before it any capital is one.
pub(super) fn at(prose: &Prose<'_>, first: usize, has_street: bool) -> Option<Place> {
    if let Some(end) = british_code(prose, first) {
        return Some(Place { first, code_end: end, end });
    }
    let dutch = dutch_code(prose, first);
    let code_end = dutch.or_else(|| is_five_digits(prose.str(first)).then_some(first + 1))?;
    let is_near = prose.word(code_end).is_some_and(|word| word.gap == Gap::SPACE);
    let known = name(prose, code_end).filter(|_| is_near);
    let has_street = has_street || street_before(prose, first);
    let any = capitals(prose, code_end).filter(|_| is_near && has_street);
    let alone = (dutch.is_some() && has_street).then_some(code_end);
    let end = known.or(any).or(alone)?;
    Some(Place { first, code_end, end })
}

/// The end of what may be any town: a capital word, perhaps behind one of those that begin towns
/// (`Den Helder`, `Bad Orb`).
fn capitals(prose: &Prose<'_>, first: usize) -> Option<usize> {
    let begins = matches!(prose.cue(first), Some(Cue::Particle | Cue::StreetBeginning));
    let last = first + usize::from(begins);
    let is_near = last == first || prose.word(last)?.gap == Gap::SPACE;
    let is_capital = |index: usize| prose.form(index) == Some(Form::Capital);
    (is_near && is_capital(first) && is_capital(last) && prose.cue(last).is_none())
        .then_some(last + 1)
}

/// Whether a number that is not counted stands before, as in `Kirchwinkel 3, 30911`.
fn street_before(prose: &Prose<'_>, first: usize) -> bool {
    let gap = prose.word(first).map_or(Gap::NONE, |word| word.gap);
    let number = first.checked_sub(1).and_then(|index| prose.form(index));
    gap == Gap::COMMA.and(Gap::SPACE) && matches!(number, Some(Form::Number | Form::Mixed))
}

fn is_five_digits(text: &str) -> bool {
    text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit())
}

/// The end of `8987 PA` or `8987PA`.
fn dutch_code(prose: &Prose<'_>, first: usize) -> Option<usize> {
    let text = prose.str(first);
    let (digits, letters) = text.split_at_checked(4)?;
    let is_number = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    let is_pair = |text: &str| {
        text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()) && !is_unit(text)
    };
    if !is_number {
        return None;
    }
    if is_pair(letters) {
        return Some(first + 1);
    }
    let next = prose.word(first + 1)?;
    (letters.is_empty() && next.gap == Gap::SPACE && is_pair(prose.str(first + 1)))
        .then_some(first + 2)
}

fn is_unit(text: &str) -> bool {
    matches!(
        text,
        "KW" | "MW" | "GW" | "KG" | "KM" | "MM" | "CM" | "KV" | "EU" | "MB" | "GB" | "HZ"
    )
}

/// The end of `SW1A 1AA`: area, district, sector, unit.
fn british_code(prose: &Prose<'_>, first: usize) -> Option<usize> {
    let (outward, inward) = (prose.str(first).as_bytes(), prose.str(first + 1).as_bytes());
    let letters = outward.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let district = outward.get(letters..)?;
    let is_district = match district {
        [digit] => digit.is_ascii_digit(),
        [digit, sign] => digit.is_ascii_digit() && sign.is_ascii_alphanumeric(),
        _ => false,
    };
    let is_inward = matches!(inward, [b'0'..=b'9', b'A'..=b'Z', b'A'..=b'Z']);
    let is_near = prose.word(first + 1).is_some_and(|word| word.gap == Gap::SPACE);
    ((1..=2).contains(&letters) && is_district && is_inward && is_near).then_some(first + 2)
}

/// The end of the town that begins with a word; the longest that is known.
pub(super) fn name(prose: &Prose<'_>, first: usize) -> Option<usize> {
    if prose.form(first) != Some(Form::Capital) {
        return None;
    }
    let mut end = None;
    for last in first..first + TOWN_WORDS_MAX {
        let is_near = last == first || prose.word(last).is_some_and(|word| word.gap == Gap::SPACE);
        let Some((start, stop)) = prose.span(first, last + 1).filter(|_| is_near) else {
            break;
        };
        // Only a town's name goes on with a small word, and only with one of a few.
        let is_small = prose.form(last) == Some(Form::Small);
        let joins = matches!(
            prose.cue(last),
            Some(
                Cue::Particle | Cue::StreetBeginning | Cue::GermanBeside | Cue::Within | Cue::Plain
            )
        );
        if is_small && !joins {
            break;
        }
        if !is_small && gazetteer::look_up(prose.slice(start, stop)).is_town() {
            end = Some(last + 1);
        }
    }
    end
}
