//! Which words make a name of a street: `Hauptstraße`, `Kerkstraat`, `Rue de la Gare`, `High Street`.
//!
//! It promises to know the ends of German and Dutch street names, the last words of English and the
//! first words of French ones. It relies on small lists; a house number beside it makes it sure.

/// Ends of German and Dutch words, and what stands alone after other words (`Am Alten Markt`).
const ENDS: &[&str] = &[
    "straße",
    "strasse",
    "strase",
    "str.",
    "str",
    "weg",
    "gasse",
    "gässle",
    "gaessle",
    "platz",
    "allee",
    "ring",
    "damm",
    "ufer",
    "chaussee",
    "steig",
    "stieg",
    "pfad",
    "stiege",
    "promenade",
    "zeile",
    "graben",
    "winkel",
    "twiete",
    "straat",
    "laan",
    "plein",
    "dijk",
    "kade",
    "gracht",
    "singel",
    "steeg",
    "dreef",
    "plantsoen",
    "hof",
    "pad",
    "markt",
    "wall",
    "berg",
    "kamp",
    "park",
];

/// Ends that many words have which are no streets: they need a house number, or to stand in a pair.
const WEAK_ENDS: &[&str] = &[
    "ring", "hof", "pad", "markt", "wall", "berg", "kamp", "park", "str", "steig", "winkel",
    "zeile", "stiege",
];

/// Words of English streets, after a name.
const LAST_WORDS: &[&str] = &[
    "street", "road", "avenue", "lane", "drive", "close", "crescent", "terrace", "gardens",
    "grove", "court", "place", "square", "way", "hill", "mews", "row", "walk", "rise", "st", "rd",
    "ave", "ln", "dr",
];

/// Words of French streets, before a name.
const FIRST_WORDS: &[&str] = &[
    "rue",
    "avenue",
    "av.",
    "av",
    "boulevard",
    "bd",
    "bld",
    "blvd",
    "chemin",
    "allée",
    "allee",
    "allées",
    "impasse",
    "quai",
    "route",
    "cours",
    "ruelle",
    "sentier",
    "villa",
    "passage",
    "place",
    "square",
    "faubourg",
    "esplanade",
    "rond-point",
];

/// Compounds that end like streets and are none.
const OTHERS: &[&str] = &[
    "umweg",
    "ausweg",
    "rückweg",
    "hinweg",
    "heimweg",
    "arbeitsweg",
    "vertriebsweg",
    "durchweg",
    "bahnhof",
    "friedhof",
    "schulhof",
    "bauernhof",
    "hinterhof",
    "innenhof",
    "stellplatz",
    "parkplatz",
    "arbeitsplatz",
    "spielplatz",
    "campingplatz",
    "sportplatz",
    "rastplatz",
    "kopfplatz",
    "ersatz",
    "supermarkt",
    "baumarkt",
    "arbeitsmarkt",
    "strommarkt",
    "energiemarkt",
    "fuhrpark",
    "windpark",
    "solarpark",
    "fahrring",
    "dichtring",
    "hering",
    "januaring",
    "bürgersteig",
    "fahrsteig",
    "einstieg",
    "ausstieg",
    "umstieg",
    "abstieg",
    "aufstieg",
    "anstieg",
    "zählerplatz",
    "zaehlerplatz",
    "steckplatz",
    "lagerplatz",
    "liegeplatz",
    "speicherplatz",
    "staudamm",
    "firewall",
    "burggraben",
    "schützengraben",
    "tiefgarage",
    "notausgang",
];

/// How much a word at a street's end says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It makes a street of what it ends.
    Strong,
    /// It does with a house number beside it.
    Weak,
}

/// What the last word of a German or Dutch street says.
pub(crate) fn end(word: &str) -> Option<Sign> {
    let last = word.bytes().next_back()?.to_ascii_lowercase();
    // Nearly all of them are told apart by one byte.
    let is_end = |end: &&&str| end.bytes().next_back() == Some(last) && ends_with(word, end);
    let end = ENDS.iter().filter(is_end).max_by_key(|end| end.len())?;
    let is_other = OTHERS.iter().any(|other| is_end(&other));
    // `Ring` alone is a thing to wear, `Straße` alone a thing to drive on.
    let is_alone = word.len() == end.len();
    let is_weak = is_alone || WEAK_ENDS.contains(end);
    (!is_other).then_some(if is_weak { Sign::Weak } else { Sign::Strong })
}

/// Whether a word is nothing but such an end: a `Ring` with a number may be any.
pub(crate) fn is_end_alone(word: &str) -> bool {
    ENDS.iter().any(|end| end.len() == word.len() && ends_with(word, end))
}

/// Whether a word is the last of an English street's name.
pub(crate) fn is_last_word(word: &str) -> bool {
    LAST_WORDS.iter().any(|last| last.eq_ignore_ascii_case(word))
}

/// Whether a word is the first of a French street's name.
pub(crate) fn is_first_word(word: &str) -> bool {
    FIRST_WORDS.iter().any(|first| word.len() == first.len() && ends_with(word, first))
}

/// Whether a word begins names of streets like `Unter den Linden`, `Zum Wasserturm`, `Aan de Dijk`.
pub(crate) fn is_preposition(word: &str) -> bool {
    let known = ["am", "an", "auf", "hinter", "im", "unter", "vor", "zum", "zur", "op", "aan"];
    known.iter().any(|preposition| preposition.eq_ignore_ascii_case(word))
}

/// Whether such a word makes a street without a house number.
pub(crate) fn is_sure_last_word(word: &str) -> bool {
    let sure = ["street", "road", "avenue", "lane", "crescent", "terrace", "mews"];
    sure.iter().any(|last| last.eq_ignore_ascii_case(word))
}

/// Whether such a word makes a street without a house number.
pub(crate) fn is_sure_first_word(word: &str) -> bool {
    let sure = ["rue", "boulevard", "bd", "chemin", "impasse", "quai", "ruelle", "allée", "avenue"];
    is_first_word(word) && sure.iter().any(|first| ends_with(word, first))
}

/// Whether a word ends with small letters, in whatever case it has; `ß` and umlauts in either.
fn ends_with(word: &str, end: &str) -> bool {
    let mut letters = word.chars().rev();
    end.chars().rev().all(|expected| letters.next().is_some_and(|c| is_letter(c, expected)))
}

fn is_letter(c: char, expected: char) -> bool {
    if c.is_ascii() {
        return c.to_ascii_lowercase() == expected;
    }
    c == expected || c.to_lowercase().eq(core::iter::once(expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streets_of_four_countries_are_told_by_a_word() {
        for word in ["Hauptstraße", "HAUPTSTRASSE", "Gartenstr.", "Kerkstraat", "Phileinehof-weg"]
        {
            assert_eq!(end(word), Some(Sign::Strong), "{word}");
        }
        for word in ["Lindenhof", "Ring", "Markt", "Straße"] {
            assert_eq!(end(word), Some(Sign::Weak), "{word}");
        }
        assert!(is_last_word("Street") && is_first_word("Rue") && is_first_word("Allée"));
    }

    #[test]
    fn words_that_only_end_like_a_street_are_none() {
        for word in ["Umweg", "Hauptbahnhof", "Parkplatz", "Supermarkt", "Keller", "", "ß"] {
            assert_eq!(end(word), None, "{word}");
        }
    }
}
