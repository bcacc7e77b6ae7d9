//! Dates of birth in a text: a date with a word beside it that says so.
//!
//! It promises nothing of dates alone, which notes are full of: appointments, installations. It relies
//! on the word standing within three words, before or behind: `geboren am 12. März 1985`.

use tresor_proto::InfoType;

use super::{
    Candidate, Rank,
    cues::Cue,
    prose::Prose,
    words::{Form, Gap},
};
use crate::validators::date;

/// How many words may stand between the cue and the date.
const WORDS_BETWEEN_MAX: usize = 2;

/// Words of the longest date: `12 March 1985`.
const DATE_WORDS_MAX: usize = 3;

/// Years of people who are on record.
const YEARS: core::ops::RangeInclusive<u16> = 1900..=2030;

const RULE: &str = "date of birth: a date beside a word for birth";

/// Finds dates beside words for births.
pub(super) fn find(prose: &Prose<'_>, candidates: &mut Vec<Candidate>) {
    for (index, word) in prose.words().iter().enumerate() {
        let is_star = word.form == Form::Number && has_star(prose, word.start);
        let span = if word.cue == Some(Cue::Birth) {
            behind(prose, index).or_else(|| before(prose, index))
        } else if is_star {
            date_at(prose, index)
        } else {
            None
        };
        let birth = InfoType::DateOfBirth;
        candidates.extend(span.map(|span| Candidate::new(span, birth, Rank::Form, RULE)));
    }
}

/// `* 12.03.1985`, as genealogists write it.
fn has_star(prose: &Prose<'_>, start: usize) -> bool {
    prose.text().get(..start).is_some_and(|before| before.trim_end_matches(' ').ends_with('*'))
}

fn behind(prose: &Prose<'_>, cue: usize) -> Option<(usize, usize)> {
    for index in cue + 1..=cue + 1 + WORDS_BETWEEN_MAX {
        let word = prose.word(index)?;
        if word.gap.has(Gap::LINE.and(Gap::STOP)) {
            return None;
        }
        if let Some(span) = date_at(prose, index) {
            return Some(span);
        }
        if word.form == Form::Number {
            return None;
        }
    }
    None
}

/// `12.03.1985 geboren`: right before the cue.
fn before(prose: &Prose<'_>, cue: usize) -> Option<(usize, usize)> {
    let near = |first: &usize| {
        let span = date_at(prose, *first);
        span.filter(|(_, end)| prose.before(cue).is_some_and(|last| last.end == *end))
    };
    (1..=DATE_WORDS_MAX).rev().filter_map(|back| cue.checked_sub(back)).find_map(|i| near(&i))
}

/// The date that begins with a word: in digits, with a month in letters, or a year alone.
fn date_at(prose: &Prose<'_>, first: usize) -> Option<(usize, usize)> {
    numeric(prose, first).or_else(|| with_month(prose, first)).or_else(|| year(prose, first))
}

/// `12.03.1985`, `1985-03-12`, `12. 3. 85`, `12 03 1985`.
fn numeric(prose: &Prose<'_>, first: usize) -> Option<(usize, usize)> {
    let (start, end) = prose.span(first, first + DATE_WORDS_MAX)?;
    let text = prose.slice(start, end);
    if text.len() > 14 {
        return None;
    }
    let mut compact = [0_u8; 14];
    let mut length = 0;
    for byte in text.bytes() {
        let is_behind_digit = length > 0 && compact.get(length - 1)?.is_ascii_digit();
        if byte != b' ' || is_behind_digit {
            *compact.get_mut(length)? = if byte == b' ' { b'.' } else { byte };
            length += 1;
        }
    }
    let compact = core::str::from_utf8(compact.get(..length)?).ok()?;
    matches!(date::moment(compact), Some(date::Moment::Date { .. })).then_some((start, end))
}

/// `12. März 1985`, `March 12, 1985`, `12 mars 85`.
fn with_month(prose: &Prose<'_>, first: usize) -> Option<(usize, usize)> {
    let is_month = |index: usize| matches!(prose.cue(index), Some(Cue::Month(_)));
    let is_day = |index: usize| {
        let day = prose.str(index).trim_end_matches(|c: char| c.is_ascii_lowercase());
        day.parse().is_ok_and(|day: u8| (1..=31).contains(&day))
    };
    let is_date = (is_day(first) && is_month(first + 1)) || (is_month(first) && is_day(first + 1));
    let last = prose.str(first + 2);
    let is_short = last.len() == 2 && last.bytes().all(|b| b.is_ascii_digit());
    let is_counting = prose.cue(first + 3) == Some(Cue::Unit);
    let is_year = is_year(prose, first + 2) || (is_short && !is_counting);
    (is_date && is_year).then(|| prose.span(first, first + 3)).flatten()
}

/// `Jahrgang 1954`, `born in 1954`.
fn year(prose: &Prose<'_>, first: usize) -> Option<(usize, usize)> {
    is_year(prose, first).then(|| prose.span(first, first + 1)).flatten()
}

fn is_year(prose: &Prose<'_>, index: usize) -> bool {
    let text = prose.str(index);
    text.len() == 4 && text.parse().is_ok_and(|year: u16| YEARS.contains(&year))
}
