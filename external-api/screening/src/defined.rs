//! The info types that a policy defines: which fields their words name, and which values are theirs.
//!
//! It promises to know whole words, as the lexicon does, and whole values; and never to take a value
//! for one of a type by a form that numbers and words everywhere have. It relies on patterns that need
//! no Unicode, and on checksums that are asked about letters and digits only.

use tresor_proto::{Checksum, FieldName, InfoType, InfoTypeDefinition, InfoTypes, Matcher};

use crate::{
    Rule,
    field_name::{last_words, words},
    shape::{Certainty, Finding, trimmed},
    text::Seen,
    validators::{Check, passes},
};

/// What stands for the word of a definition in evidence, which holds no text of a policy.
pub(crate) const WORD: &str = "a word of the policy";

/// The info types of a policy, ready to be asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defined(InfoTypes);

impl Defined {
    pub(crate) fn of(info_types: &InfoTypes) -> Self {
        Self(info_types.clone())
    }

    /// The info type that a field's name names: the longest phrase decides. Where the name is that of
    /// something technical, the phrase has to end it: `kundennummer_status` is a status.
    pub(crate) fn named(&self, name: &FieldName, is_technical: bool) -> Option<InfoType> {
        let of_name = Folded::of(&last_words(name));
        let hits = self.0.definitions().iter().filter_map(|definition| {
            let phrases = definition.words.iter();
            let lengths = phrases.filter_map(|phrase| of_name.length(phrase, is_technical));
            Some((lengths.max()?, definition.info_type()))
        });
        hits.max_by_key(|(length, _)| *length).map(|(_, info_type)| info_type)
    }

    /// What the definition of an info type says about a value of a field that is named by it.
    pub(crate) fn check(&self, info_type: InfoType, seen: Seen<'_>) -> Check {
        match self.0.definition(info_type.as_str()) {
            Some(definition) if definition.pattern.is_some() => {
                fits(definition, seen).map_or(Check::Fails, Check::Holds)
            }
            Some(_) | None => Check::Silent,
        }
    }

    /// What a value is by itself; the first definition that is sure of it, or else the first.
    pub(crate) fn finding(&self, seen: Seen<'_>) -> Option<Finding> {
        let mut likely = None;
        for definition in self.0.definitions() {
            let Some(certainty) = certainty(definition) else { continue };
            let Some(rule) = fits(definition, seen) else { continue };
            let finding = Finding { info_type: definition.info_type(), rule, certainty };
            if certainty == Certainty::Sure {
                return Some(finding);
            }
            likely = likely.or(Some(finding));
        }
        likely
    }

    /// The definitions whose values are looked for inside of texts, and how sure they are.
    pub(crate) fn in_text(&self) -> impl Iterator<Item = (InText<'_>, Certainty)> {
        self.0.definitions().iter().filter_map(|definition| {
            let matcher = matcher(definition).filter(|matcher| matcher.is_short())?;
            Some((InText { definition, matcher }, certainty(definition)?))
        })
    }
}

/// A definition whose values are looked for inside of texts.
pub(crate) struct InText<'a> {
    definition: &'a InfoTypeDefinition,
    matcher: &'a Matcher,
}

impl InText<'_> {
    pub(crate) fn info_type(&self) -> InfoType {
        self.definition.info_type()
    }

    pub(crate) fn rule(&self) -> &'static str {
        rule(self.definition.checksum)
    }

    /// Bytes of the longest value at the beginning of a text that ends where it may.
    pub(crate) fn longest(
        &self,
        text: &str,
        may_end: impl Fn(usize) -> bool,
        look: impl Fn(usize),
    ) -> Option<usize> {
        let passes_too = |end: usize| {
            let value = text.get(..end).unwrap_or_default();
            may_end(end) && self.definition.checksum.is_none_or(|checksum| passes(checksum, value))
        };
        self.matcher.longest(text.bytes().inspect(|_| look(1)), passes_too)
    }
}

fn matcher(definition: &InfoTypeDefinition) -> Option<&Matcher> {
    // The vault takes no policy with a pattern that it cannot use.
    definition.pattern.as_ref().and_then(|pattern| pattern.matcher().ok())
}

/// How sure it is that a value is of a type when it fits; not at all when many others fit.
fn certainty(definition: &InfoTypeDefinition) -> Option<Certainty> {
    let is_distinct = matcher(definition)?.is_distinct();
    match definition.checksum {
        Some(checksum) if is_distinct || checksum.is_strong() => Some(Certainty::Sure),
        None if is_distinct => Some(Certainty::Likely),
        Some(_) | None => None,
    }
}

/// Whether a value has the form of a type, as it is written or as it reads.
fn fits(definition: &InfoTypeDefinition, seen: Seen<'_>) -> Option<Rule> {
    let matcher = matcher(definition)?;
    let is_value = |text: &str| {
        let text = trimmed(text);
        matcher.is_match(text) && definition.checksum.is_none_or(|checksum| passes(checksum, text))
    };
    let fits = is_value(seen.written()) || seen.undisguised().is_some_and(is_value);
    fits.then(|| Rule::Named(rule(definition.checksum)))
}

fn rule(checksum: Option<Checksum>) -> &'static str {
    match checksum {
        None => "custom pattern",
        Some(Checksum::Luhn) => "custom pattern, custom checksum luhn ok",
        Some(Checksum::Gs1) => "custom pattern, custom checksum gs1 ok",
        Some(Checksum::Mod11) => "custom pattern, custom checksum mod11-10 ok",
        Some(Checksum::Mod97) => "custom pattern, custom checksum mod97-10 ok",
        Some(Checksum::Iban) => "custom pattern, custom checksum iban ok",
        Some(Checksum::Icao) => "custom pattern, custom checksum icao ok",
    }
}

/// The words of a name, folded with umlauts written out and without their dots.
struct Folded([Vec<String>; 2]);

impl Folded {
    fn of(words: &[&str]) -> Self {
        let fold = |fold: fn(&str) -> String| words.iter().map(|word| fold(word)).collect();
        Self([fold(words::fold_long), fold(words::fold_short)])
    }

    /// Letters of a phrase that stands in the name as whole words, together or apart.
    fn length(&self, phrase: &str, must_end: bool) -> Option<usize> {
        let parts = words::split(phrase);
        let phrases = Self::of(&parts).0.map(|parts| parts.concat());
        let is_there = |wanted: &String| {
            self.0
                .iter()
                .any(|words| (0..words.len()).any(|from| ends_of(words, from, wanted, must_end)))
        };
        phrases.iter().any(is_there).then(|| phrase.chars().count())
    }
}

/// Whether some words from one on make a phrase, and are the last ones where they have to be.
fn ends_of(words: &[String], from: usize, wanted: &str, must_end: bool) -> bool {
    let mut rest = wanted;
    for (at, word) in words.iter().enumerate().skip(from) {
        let Some(left) = rest.strip_prefix(word.as_str()) else { return false };
        rest = left;
        if rest.is_empty() {
            return !must_end || at + 1 == words.len();
        }
    }
    false
}

#[cfg(test)]
mod tests;
