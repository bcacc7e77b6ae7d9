//! Names of people in a text, by what stands around them.
//!
//! It promises a second sign for each: a title, a letter's beginning or end, a word for somebody, or a
//! first name beside a last name. It relies on the gazetteer for the latter, and on nobody's name
//! being one of the plain words of the cues.

mod grammar;

use tresor_proto::InfoType;

use super::{
    Candidate, Rank,
    cues::Cue,
    prose::Prose,
    words::{Form, Gap},
};
use grammar::{Reach, name, name_in_front, pair};

/// Titles one after the other: `Herr Prof. Dr.`
const TITLES_MAX: usize = 5;

/// Words between a word for somebody and its colon: `Ansprechpartner vor Ort:`.
const WORDS_BEFORE_COLON_MAX: usize = 2;

/// What a rule found: the words from the first to before the end, how sure, and why.
struct Found {
    first: usize,
    end: usize,
    rank: Rank,
    rule: &'static str,
}

/// Finds names.
pub(super) fn find(prose: &Prose<'_>, candidates: &mut Vec<Candidate>) {
    let mut index = 0;
    while index < prose.words().len() {
        let found = at(prose, index);
        let end = found.as_ref().map_or(index + 1, |found| found.end);
        candidates.extend(found.and_then(|found| {
            let span = prose.span(found.first, found.end)?;
            Some(Candidate::new(span, InfoType::PersonName, found.rank, found.rule))
        }));
        index = end.max(index + 1);
    }
}

fn at(prose: &Prose<'_>, index: usize) -> Option<Found> {
    match prose.cue(index) {
        Some(Cue::GermanTitle) => titled(prose, index, Reach::German),
        Some(Cue::Title) => titled(prose, index, Reach::Others),
        Some(Cue::ShortTitle) if prose.gap_after(index).has(Gap::DOT) => {
            titled(prose, index, Reach::German)
        }
        Some(Cue::Salutation) => greeted(prose, index),
        Some(Cue::Closing) => signed(prose, index),
        Some(Cue::GermanPerson | Cue::Person) => called(prose, index),
        Some(Cue::GermanBeside | Cue::Beside) => beside(prose, index),
        _ => bare(prose, index),
    }
}

/// `Frau Dr. Anna von der Au`, `dhr. P. de Vries`, `Mrs Jones`.
fn titled(prose: &Prose<'_>, title: usize, reach: Reach) -> Option<Found> {
    let mut first = title + 1;
    let is_title = |cue| matches!(cue, Some(Cue::GermanTitle | Cue::Title | Cue::Degree));
    while first <= title + TITLES_MAX && is_title(prose.cue(first)) && follows(prose, first) {
        first += 1;
    }
    if !follows(prose, first) {
        return None;
    }
    let end = name(prose, first, reach, true)?;
    Some(Found { first, end, rank: Rank::Grammar, rule: "name: after a title" })
}

/// Whether a word follows the one before it directly, but for the dot of an abbreviation.
fn follows(prose: &Prose<'_>, index: usize) -> bool {
    let near = Gap::SPACE.and(Gap::DOT);
    prose.word(index).is_some_and(|word| word.gap.is_within(near))
}

/// `Dear John,` and `Hallo Anna!` where a clause begins.
fn greeted(prose: &Prose<'_>, salutation: usize) -> Option<Found> {
    let first = salutation + 1;
    if !prose.begins_clause(salutation) || !follows(prose, first) {
        return None;
    }
    alone(prose, first, "name: after a salutation")
}

/// `Mit freundlichen Grüßen` and a name at the end of a line.
fn signed(prose: &Prose<'_>, closing: usize) -> Option<Found> {
    let first = closing + 1;
    let near = Gap::SPACE.and(Gap::COMMA).and(Gap::LINE).and(Gap::DOT).and(Gap::STOP);
    if !prose.word(first)?.gap.is_within(near.and(Gap::DASH)) {
        return None;
    }
    alone(prose, first, "name: after the end of a letter")
}

/// A name that is all there is up to the end of its clause, or begins with a known first name.
fn alone(prose: &Prose<'_>, first: usize, rule: &'static str) -> Option<Found> {
    let end = name(prose, first, Reach::Others, false)?;
    if prose.ends_clause(end - 1) {
        return Some(Found { first, end, rank: Rank::Grammar, rule });
    }
    let end = name(prose, first, Reach::German, false)?;
    let is_known = prose.entry(first).is_first_name();
    is_known.then_some(Found { first, end, rank: Rank::Likely, rule })
}

/// `Mieter Krause`, `Eigentümer ist Anna Krause`, `Ansprechpartner vor Ort: Krause`, `tenant Smith`.
fn called(prose: &Prose<'_>, person: usize) -> Option<Found> {
    let rule = "name: after a word for somebody";
    let (first, has_colon) = after_person(prose, person)?;
    let is_sure = has_colon || has_capital_sign(prose, person, first) || is_known(prose, first);
    if is_sure && let Some(end) = name(prose, first, Reach::German, false) {
        return Some(Found { first, end, rank: Rank::Likely, rule });
    }
    // `kd krause nicht da`, in haste.
    let entry = prose.entry(first);
    let is_small = prose.form(first) == Some(Form::Small) && prose.cue(first).is_none();
    let is_name = entry.is_first_name() || entry.is_frequent_last_name();
    (is_small && is_name && !entry.is_common_word()).then_some(Found {
        first,
        end: first + 1,
        rank: Rank::Likely,
        rule,
    })
}

/// Where a name may begin behind a word for somebody, and whether a colon says that it does.
fn after_person(prose: &Prose<'_>, person: usize) -> Option<(usize, bool)> {
    for first in person + 1..=person + 1 + WORDS_BEFORE_COLON_MAX {
        let gap = prose.word(first)?.gap;
        if gap == Gap::COLON.and(Gap::SPACE) {
            return Some((first, true));
        }
        if gap != Gap::SPACE {
            break;
        }
    }
    let is_verb = prose.cue(person + 1) == Some(Cue::Verb);
    let first = if is_verb { person + 2 } else { person + 1 };
    let is_near = (person + 1..=first).all(|i| prose.word(i).is_some_and(|w| w.gap == Gap::SPACE));
    is_near.then_some((first, false))
}

/// Where nouns are small, a capital after one is a name.
fn has_capital_sign(prose: &Prose<'_>, before: usize, first: usize) -> bool {
    let is_other = matches!(prose.cue(before), Some(Cue::Person | Cue::Beside));
    let is_initial = prose.form(first) == Some(Form::Initial);
    is_other || (is_initial && prose.gap_after(first).has(Gap::DOT))
}

/// Whether the gazetteer knows a word as a name and nothing else, or it and the next one as names.
fn is_known(prose: &Prose<'_>, first: usize) -> bool {
    let (entry, next) = (prose.entry(first), prose.entry(first + 1));
    let is_beside = prose.word(first + 1).is_some_and(|word| word.gap == Gap::SPACE)
        && prose.form(first + 1) == Some(Form::Capital);
    let is_pair = is_beside && next.is_last_name() && !next.is_common_word();
    let is_name = entry.is_first_name() || entry.is_last_name();
    (is_name && !entry.is_common_word()) || is_pair
}

/// `mit Schmidt gesprochen`: a name alone, but no town.
fn beside(prose: &Prose<'_>, word: usize) -> Option<Found> {
    let first = word + 1;
    if prose.word(first)?.gap != Gap::SPACE || prose.form(first) != Some(Form::Capital) {
        return None;
    }
    if let Some(found) = bare(prose, first) {
        return Some(found);
    }
    let entry = prose.entry(first);
    let is_person = entry.is_first_name() || entry.is_frequent_last_name();
    let is_other = entry.is_town() && !entry.is_first_name();
    let is_word = entry.is_common_word() && !has_capital_sign(prose, word, first);
    if !is_person || is_other || is_word {
        return None;
    }
    let end = name(prose, first, Reach::German, false)?;
    Some(Found { first, end, rank: Rank::Likely, rule: "name: known, after a preposition" })
}

/// A name without a word before it: two of its parts, or one and what people do.
fn bare(prose: &Prose<'_>, first: usize) -> Option<Found> {
    if let Some(end) = pair(prose, first) {
        let rule = "name: a first name beside a last name";
        return Some(Found { first, end, rank: Rank::Likely, rule });
    }
    if let Some(end) = name_in_front(prose, first) {
        let rule = "name: a last name, a comma, a first name";
        return Some(Found { first, end, rank: Rank::Likely, rule });
    }
    let entry = prose.entry_of_capital(first)?;
    let is_person = entry.is_first_name() || entry.is_frequent_last_name();
    let is_acting = prose.cue(first + 1) == Some(Cue::Verb)
        && prose.word(first + 1).is_some_and(|next| next.gap == Gap::SPACE);
    let is_sure = is_acting && is_person && !entry.is_common_word() && !entry.is_town();
    let rule = "name: known, before a verb";
    is_sure.then_some(Found { first, end: first + 1, rank: Rank::Likely, rule })
}
