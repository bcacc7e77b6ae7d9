//! Text without what its spellings differ in: case, composition, width, what is not seen.
//!
//! Unicode's compatibility caseless form (§3.13 D147) without ignorable characters, with one
//! apostrophe, one hyphen, one letter i and single spaces. It promises the same text for ever, and
//! relies on tables that do not change under it: its crates are pinned, its own tables are those of
//! Unicode 16, and a test holds a digest of what becomes of every character.

use caseless::Caseless as _;
use unicode_normalization::{UnicodeNormalization as _, char::canonical_combining_class};
use zeroize::Zeroizing;

/// Characters that nobody sees (`Default_Ignorable_Code_Point`), such as soft hyphens and joiners.
const IGNORABLE: [(char, char); 17] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fff8}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];
const DOT_ABOVE: char = '\u{307}';

/// The folded text.
pub(super) fn fold(text: &str) -> Zeroizing<String> {
    let caseless = text.nfd().filter_map(plain).default_case_fold();
    let caseless = caseless.nfkd().filter_map(plain).default_case_fold();
    let folded = Zeroizing::new(undotted(caseless.nfkd()).nfkc().collect::<String>());
    Zeroizing::new(collapse(folded.split_whitespace()))
}

/// The words that there are, a space between them.
pub(super) fn collapse<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for word in words.filter(|word| !word.is_empty()) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// The one of the characters that people take for each other; none for one that nobody sees.
fn plain(c: char) -> Option<char> {
    match c {
        // An accent by itself is typed for an apostrophe; it would decompose to a space.
        '`'
        | '\u{b4}'
        | '\u{2b9}'
        | '\u{2bb}'
        | '\u{2bc}'
        | '\u{2018}'..='\u{201b}'
        | '\u{2032}' => Some('\''),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        // Both have the capital I where the language is not known.
        '\u{131}' => Some('i'),
        _ => (!is_ignorable(c)).then_some(c),
    }
}

fn is_ignorable(c: char) -> bool {
    IGNORABLE.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// Decomposed text without the dots that a capital I with a dot leaves on its small letter.
fn undotted(decomposed: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    let mut base = None;
    decomposed.filter(move |c| {
        if canonical_combining_class(*c) == 0 {
            base = Some(*c);
        }
        !(*c == DOT_ABOVE && base == Some('i'))
    })
}
