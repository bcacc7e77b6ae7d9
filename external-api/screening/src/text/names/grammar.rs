//! How far a name goes: particles, initials, first names, a last name.
//!
//! It promises that a name ends before a word that is nobody's name, and goes on in the next line only
//! with what is known or follows a first name. It relies on the reach: where all nouns are capitalised, a capital alone does not make a second word a name.

use crate::{
    gazetteer::Entry,
    text::{
        cues::Cue,
        prose::Prose,
        words::{Form, Gap},
    },
};

/// Words of the longest name.
const NAME_WORDS_MAX: usize = 6;

/// Particles before one part of a name: `von und zu der`.
const PARTICLES_MAX: usize = 3;

/// Which words go on with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Nouns are capitalised: only what is known goes on.
    German,
    /// Every capital goes on.
    Others,
}

/// The end of the name that begins with a word; after a title nearly any word can be one.
pub(super) fn name(
    prose: &Prose<'_>,
    first: usize,
    reach: Reach,
    has_title: bool,
) -> Option<usize> {
    let mut end = part(prose, first, has_title)?;
    while end < first + NAME_WORDS_MAX {
        let is_next = prose.word(end).is_some_and(|word| is_near(prose, end, word.gap));
        let next = part(prose, end, false).filter(|_| is_next);
        let Some(next) = next.filter(|_| goes_on(prose, end, reach)) else {
            break;
        };
        end = next;
    }
    // Initials alone are nobody's name.
    let is_name = (first..end).any(|index| prose.form(index) != Some(Form::Initial));
    is_name.then_some(end)
}

/// Whether the part that begins with a word belongs to the name before it.
fn goes_on(prose: &Prose<'_>, index: usize, reach: Reach) -> bool {
    let Some(before) = index.checked_sub(1) else {
        return false;
    };
    // Where a line begins, a capital may be that of a sentence.
    let begins_line = prose.word(index).is_some_and(|word| word.begins_line);
    let is_any = reach == Reach::Others && !begins_line;
    if is_any || prose.form(before) == Some(Form::Initial) {
        return true;
    }
    let entry = prose.entry(index);
    let is_last_name = entry.is_last_name() && !entry.is_common_word();
    let is_after_first_name = prose.entry(before).is_first_name() && !is_noun(prose.str(index));
    is_after_first_name || is_last_name
}

/// One part of a name: particles and a capital word, or an initial.
fn part(prose: &Prose<'_>, first: usize, has_title: bool) -> Option<usize> {
    let mut index = first;
    while index < first + PARTICLES_MAX && prose.cue(index) == Some(Cue::Particle) {
        index += 1;
        if prose.word(index)?.gap != Gap::SPACE {
            return None;
        }
    }
    can_be_name(prose, index, has_title).then_some(index + 1)
}

/// Whether a word can be of a name.
fn can_be_name(prose: &Prose<'_>, index: usize, has_title: bool) -> bool {
    let is_capital = match prose.form(index) {
        Some(Form::Capital) => true,
        Some(Form::Initial) => prose.gap_after(index).has(Gap::DOT) || !has_title,
        // `herr müller`, in haste.
        Some(Form::Small) => has_title && prose.entry(index).is_frequent_last_name(),
        Some(Form::Number | Form::Mixed) | None => false,
    };
    is_capital
        && match prose.cue(index) {
            None => true,
            Some(Cue::Month(_) | Cue::StreetBeginning | Cue::Unit | Cue::ShortTitle) => has_title,
            Some(
                Cue::GermanTitle
                | Cue::Title
                | Cue::Degree
                | Cue::Salutation
                | Cue::Closing
                | Cue::Particle
                | Cue::Birth
                | Cue::GermanBeside
                | Cue::Beside
                | Cue::Within
                | Cue::Residence
                | Cue::Verb,
            ) => false,
            Some(Cue::GermanPerson | Cue::Person | Cue::Plain) => {
                has_title
                    && prose.form(index) == Some(Form::Capital)
                    && prose.entry(index).is_frequent_last_name()
            }
        }
}

fn is_near(prose: &Prose<'_>, index: usize, gap: Gap) -> bool {
    let after_initial = prose.before(index).is_some_and(|word| word.form == Form::Initial);
    gap == Gap::SPACE || (after_initial && gap.is_within(Gap::SPACE.and(Gap::DOT)))
}

/// A word that German makes of another, and never a name.
fn is_noun(word: &str) -> bool {
    ["ung", "ungen", "heit", "keit", "tion", "tionen", "schaft"]
        .iter()
        .any(|end| word.ends_with(end))
}

/// `Anna Krause`, `Jan van Dijk`, `J. Krause`: the end of the name.
pub(super) fn pair(prose: &Prose<'_>, first: usize) -> Option<usize> {
    let is_initial = prose.form(first) == Some(Form::Initial);
    if is_initial && !prose.gap_after(first).has(Gap::DOT) {
        return None;
    }
    let entry = if is_initial { Entry::default() } else { prose.entry_of_capital(first)? };
    if !is_initial && !entry.is_first_name() {
        return None;
    }
    let reach = if is_initial { Reach::Others } else { Reach::German };
    let end = name(prose, first, reach, false).filter(|end| *end > first + 1)?;
    let last = prose.entry(end - 1);
    let is_known = last.is_last_name() && !last.is_common_word();
    let has_particle = (first + 1..end).any(|index| prose.cue(index) == Some(Cue::Particle));
    let is_sure = if is_initial || entry.is_common_word() {
        is_known || (has_particle && prose.form(end - 1) == Some(Form::Capital))
    } else {
        true
    };
    is_sure.then_some(end)
}

/// `Krause, Anna`: the end of the name.
pub(super) fn name_in_front(prose: &Prose<'_>, last: usize) -> Option<usize> {
    let first = last + 1;
    let comma = Gap::COMMA.and(Gap::SPACE);
    if prose.word(first)?.gap != comma {
        return None;
    }
    let (last, first_name) = (prose.entry_of_capital(last)?, prose.entry_of_capital(first)?);
    let is_first = first_name.is_first_name() && !first_name.is_common_word();
    (is_first && last.is_last_name() && !last.is_town()).then_some(first + 1)
}
