//! Finds again what was found in a text once: elsewhere, what spoke for it may be missing.
//!
//! It promises to look for every finding in time linear in the text: names word by word, in any case
//! and with the ending of a genitive, everything else as it is written. It relies on a text in which a
//! name was found using it again without its title.

use std::hash::Hasher as _;

use aho_corasick::{AhoCorasick, MatchKind};
use fnv::FnvHasher;
use tresor_proto::InfoType;

use super::{
    Candidate, Rank,
    cues::without_accent,
    prose::Prose,
    words::{Form, Word},
};
use crate::gazetteer;

/// How many findings are looked for one by one, which takes no memory; more of them all at once.
const FEW: usize = 16;

/// Digits from which a number is the same one wherever it stands.
const NUMBER_DIGITS_MIN: usize = 6;

/// Letters from which a part of a name is looked for.
const NAME_LETTERS_MIN: usize = 3;

/// Appends the places where candidates, which are in order, stand again.
pub(super) fn find(
    prose: &Prose<'_>,
    candidates: &mut Vec<Candidate>,
    known: &mut Vec<(u64, usize)>,
) {
    let found = candidates.len();
    names(prose, candidates, known);
    others(prose, candidates, found);
}

/// Looks for the words of names.
fn names(prose: &Prose<'_>, candidates: &mut Vec<Candidate>, known: &mut Vec<(u64, usize)>) {
    let initials = learn(prose, candidates, known);
    let found = candidates.len();
    let mut next = 0;
    for word in prose.words().iter().filter(|word| can_be_name(word) && !known.is_empty()) {
        while next < found && candidates.get(next).is_some_and(|c| c.end <= word.start) {
            next += 1;
        }
        let is_known = next < found && candidates.get(next).is_some_and(|c| c.start <= word.start);
        if is_known {
            continue;
        }
        for (start, end) in parts(prose, word) {
            let part = prose.slice(start, end);
            let origin = if initial(part) & initials == 0 { None } else { look_up(known, part) };
            let origin = origin.and_then(|index| candidates.get(index).copied());
            let repeated = |origin| Candidate { start, end, rank: Rank::Repeated, ..origin };
            candidates.extend(origin.map(repeated));
        }
    }
}

/// Notes each word of a name that says nothing else; gives the set of the letters they begin with.
fn learn(prose: &Prose<'_>, candidates: &[Candidate], known: &mut Vec<(u64, usize)>) -> u32 {
    known.clear();
    let mut initials = 0;
    for (index, origin) in candidates.iter().enumerate() {
        if origin.info_type != InfoType::PersonName {
            continue;
        }
        let words = prose.words_within(origin.start, origin.end).iter();
        for (start, end) in words.filter(|word| can_be_name(word)).flat_map(|w| parts(prose, w)) {
            let part = prose.slice(start, end);
            if !gazetteer::look_up(part).is_common_word() {
                initials |= initial(part);
                known.extend(key(part).map(|key| (key, index)));
                known.extend(without_genitive(part).and_then(key).map(|key| (key, index)));
            }
        }
    }
    known.sort_unstable();
    known.dedup_by_key(|(key, _)| *key);
    initials
}

fn can_be_name(word: &Word) -> bool {
    matches!(word.form, Form::Capital | Form::Small) && word.cue.is_none()
}

/// The parts of `Müller-Lüdenscheidt`, and any other word as a whole.
fn parts<'a>(prose: &Prose<'a>, word: &Word) -> impl Iterator<Item = (usize, usize)> + use<'a> {
    let start = word.start;
    let text = prose.text().get(start..word.end).unwrap_or_default();
    let mut at = start;
    text.split('-').map(move |part| {
        let span = (at, at + part.len());
        at = span.1 + 1;
        span
    })
}

/// The candidate that has a name, or the name whose genitive it is.
fn look_up(known: &[(u64, usize)], name: &str) -> Option<usize> {
    let of = |name: &str| {
        let key = key(name)?;
        let at = known.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        known.get(at).map(|(_, index)| *index)
    };
    of(name).or_else(|| of(without_genitive(name)?))
}

/// `Mustermann` of `Mustermanns` and of `Mustermann's`.
fn without_genitive(name: &str) -> Option<&str> {
    let stem = name.strip_suffix(['s', 'S'])?.trim_end_matches('\'');
    (stem.len() > NAME_LETTERS_MIN).then_some(stem)
}

/// A hash of a name, whichever case it has and however its umlauts are written.
fn key(name: &str) -> Option<u64> {
    let mut hasher = FnvHasher::default();
    let (mut letters, mut before) = (0, '\0');
    for letter in name.chars().flat_map(|c| plain(c).to_lowercase()) {
        // `Mueller` is `Müller`.
        let is_umlaut = letter == 'e' && matches!(before, 'a' | 'o' | 'u');
        before = letter;
        letters += 1;
        match letter {
            '\'' | '.' => {}
            _ if is_umlaut => {}
            'ß' => hasher.write(b"ss"),
            _ => hasher.write_u32(u32::from(letter)),
        }
    }
    (letters >= NAME_LETTERS_MIN).then(|| hasher.finish())
}

/// A bit for the letter that a name begins with.
fn initial(name: &str) -> u32 {
    let first = name.chars().next().and_then(|c| plain(c).to_lowercase().next());
    first.map_or(0, |first| 1 << (u32::from(first) & 31))
}

/// A letter without its accent, and without the dot that Turkish has or has not.
fn plain(c: char) -> char {
    if c == 'ı' { 'i' } else { without_accent(c) }
}

/// Looks for all but names.
fn others(prose: &Prose<'_>, candidates: &mut Vec<Candidate>, found: usize) {
    let mut needles = [("", 0); FEW];
    let mut count = 0;
    for index in 0..found {
        let Some(needle) = candidates.get(index).and_then(|origin| whole(prose, origin)) else {
            continue;
        };
        if needles.iter().take(count).any(|(earlier, _)| *earlier == needle) {
            continue;
        }
        let Some(slot) = needles.get_mut(count) else {
            return all_at_once(prose, candidates, found);
        };
        *slot = (needle, index);
        count += 1;
    }
    for (needle, index) in needles.into_iter().take(count) {
        prose.look(prose.text().len());
        for (start, text) in prose.text().match_indices(needle) {
            append(prose, candidates, index, (start, start + text.len()));
        }
    }
}

/// What is looked for of a finding that is no name.
fn whole<'a>(prose: &Prose<'a>, origin: &Candidate) -> Option<&'a str> {
    let is_name = origin.info_type == InfoType::PersonName;
    let text = if is_name { "" } else { prose.slice(origin.start, origin.end) };
    Some(text).filter(|text| !text.is_empty())
}

/// Looks for many findings in one pass.
fn all_at_once(prose: &Prose<'_>, candidates: &mut Vec<Candidate>, found: usize) {
    let (mut needles, mut origins) = (Vec::new(), Vec::new());
    for (index, origin) in candidates.iter().enumerate().take(found) {
        let needle = whole(prose, origin);
        needles.extend(needle);
        origins.extend(needle.map(|_| index));
    }
    let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(needles);
    // Only more needles than a text has bytes would be too many.
    let Ok(automaton) = automaton else {
        return;
    };
    prose.look(prose.text().len());
    for place in automaton.find_iter(prose.text()) {
        let origin = origins.get(place.pattern().as_usize()).copied();
        let span = (place.start(), place.end());
        if let Some(origin) = origin {
            append(prose, candidates, origin, span);
        }
    }
}

/// Appends a place where a finding stands: a word as a whole, a number in whatever it is stuck to.
fn append(
    prose: &Prose<'_>,
    candidates: &mut Vec<Candidate>,
    origin: usize,
    (start, end): (usize, usize),
) {
    let Some(origin) = candidates.get(origin).copied() else {
        return;
    };
    let digits = prose.slice(start, end).bytes().filter(u8::is_ascii_digit).count();
    let is_outside = end <= origin.start || start >= origin.end;
    if is_outside && (digits >= NUMBER_DIGITS_MIN || prose.is_apart(start, end)) {
        candidates.push(Candidate { start, end, rank: Rank::Repeated, ..origin });
    }
}
