//! The copy of a text on which rules look: without what hides a value from a reader of bytes.
//!
//! It promises plain digits, Latin letters for those that only look like them, plain spaces, ends of
//! lines and dashes, signs for their HTML entities, no control or zero-width characters, and for every
//! byte where it came from. It relies on Unicode's compatibility decompositions, and on short tables.

use super::entities;
use unicode_normalization::char::{compose, decompose_compatible, is_combining_mark};

/// Letters of other scripts, and the Latin ones they look like.
const LOOK_ALIKES: &[(&str, &str)] = &[
    ("аеорсухіјѕһԁԛԝ", "aeopcyxijshdqw"),
    ("АВЕКМНОРСТУХІЈЅԜ", "ABEKMHOPCTYXIJSW"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),
    ("ονικυϲϳ", "ovikucj"),
];

/// The zero of each set of decimal digits that is not a compatibility form of the plain ones.
const ZEROS: &str = "٠۰߀०০੦૦୦௦౦೦൦෦๐໐༠၀႐០᠐᥆᧐᪀᪐᭐᮰᱀᱐꘠꣐꤀꧐꧰꩐꯰";

/// A folded text; used again for the next.
#[derive(Clone, Default)]
pub(crate) struct Folding {
    text: String,
    /// Where each byte came from, and behind the last one where the text ended.
    origins: Vec<usize>,
}

/// A text as it is written, and as it reads.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    written: &'a str,
    folding: Option<&'a Folding>,
}

impl<'a> Seen<'a> {
    pub(crate) fn written(self) -> &'a str {
        self.written
    }

    /// How it reads, if that is not how it is written.
    pub(crate) fn undisguised(self) -> Option<&'a str> {
        self.folding.map(|folding| folding.text.as_str())
    }

    /// How it reads.
    pub(crate) fn read(self) -> &'a str {
        self.undisguised().unwrap_or(self.written)
    }

    /// Where a byte of what it reads is written.
    pub(crate) fn origin(self, at: usize) -> usize {
        self.folding.map_or(at, |folding| folding.origin(at))
    }
}

impl core::fmt::Debug for Folding {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Folding")
    }
}

/// What becomes of a character.
enum Fold {
    Same,
    As(char),
    Nothing,
}

impl Folding {
    /// Looks at a text, which nearly always reads as it is written.
    pub(crate) fn see<'a>(&'a mut self, text: &'a str) -> Seen<'a> {
        if !is_needed(text) {
            return Seen { written: text, folding: None };
        }
        self.fold(text);
        Seen { written: text, folding: Some(self) }
    }

    fn fold(&mut self, text: &str) {
        self.text.clear();
        self.origins.clear();
        let (mut at, mut before) = (0, '\0');
        while let Some((c, length)) = sign_at(text, at) {
            // Two signs that end one line are one.
            if (before, c) != ('\r', '\n') {
                self.push(at, c);
            }
            (at, before) = (at + length, c);
        }
        self.origins.push(text.len());
    }

    /// Where a byte of the folded copy came from.
    fn origin(&self, at: usize) -> usize {
        self.origins.get(at).or(self.origins.last()).copied().unwrap_or_default()
    }

    fn push(&mut self, at: usize, c: char) {
        if is_combining_mark(c) {
            return self.compose(c);
        }
        match fold(c) {
            Fold::Same => self.append(at, c),
            Fold::As(folded) => self.append(at, folded),
            Fold::Nothing => {}
        }
    }

    fn append(&mut self, at: usize, c: char) {
        self.text.push(c);
        self.origins.resize(self.text.len(), at);
    }

    /// Joins a mark with its letter; a mark that makes no letter says nothing.
    fn compose(&mut self, mark: char) {
        let base = self.text.chars().next_back();
        if let Some(composed) = base.and_then(|base| compose(base, mark)) {
            self.text.pop();
            let at = self.origins.get(self.text.len()).copied().unwrap_or_default();
            self.origins.truncate(self.text.len());
            self.append(at, composed);
        }
    }
}

/// The sign at a place of a text, and how many bytes it takes there.
fn sign_at(text: &str, at: usize) -> Option<(char, usize)> {
    let rest = text.get(at..)?;
    let c = rest.chars().next()?;
    let entity = if c == '&' { entities::decode(rest) } else { None };
    Some(entity.unwrap_or((c, c.len_utf8())))
}

/// Whether a text is not its own folded copy.
fn is_needed(text: &str) -> bool {
    let is_plain = |b: u8| matches!(b, b' '..=b'%' | b'\''..=b'~' | b'\n');
    // To its end, without a branch: that is faster for what is short or plain, as most texts are.
    !text.bytes().fold(true, |all, b| all & is_plain(b))
        && !text.char_indices().all(|(at, c)| {
            let is_entity = c == '&' && sign_at(text, at).is_some_and(|(_, length)| length > 1);
            !is_entity && matches!(fold(c), Fold::Same)
        })
}

fn fold(c: char) -> Fold {
    match c {
        ' '..='~' | '\n' => Fold::Same,
        '\t' => Fold::As(' '),
        '²' | '³' | '¹' => compatible(c).map_or(Fold::Same, Fold::As),
        '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Fold::As('\n'),
        '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{24f}' => Fold::Same,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            Fold::As(' ')
        }
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => {
            Fold::As('-')
        }
        '\u{2018}' | '\u{2019}' | '\u{2bc}' => Fold::As('\''),
        '\u{3002}' | '\u{ff61}' => Fold::As('.'),
        '\u{2236}' => Fold::As(':'),
        _ if is_invisible(c) => Fold::Nothing,
        _ if is_combining_mark(c) => Fold::Nothing,
        _ => look_alike(c).map_or(Fold::Same, Fold::As),
    }
}

/// Controls, and what takes no room: soft hyphens, joiners, marks of direction, variation selectors.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// The plain character that a foreign one looks like.
fn look_alike(c: char) -> Option<char> {
    let pairs = LOOK_ALIKES.iter().flat_map(|(from, to)| from.chars().zip(to.chars()));
    let script = || pairs.clone().find(|(from, _)| *from == c).map(|(_, to)| to);
    match c {
        '\u{370}'..='\u{52f}' => script(),
        '\u{660}'..='\u{abff}' => digit(c).or_else(|| compatible(c)),
        _ => compatible(c),
    }
}

fn digit(c: char) -> Option<char> {
    let value = |zero: char| u32::from(c).checked_sub(u32::from(zero));
    let value = ZEROS.chars().filter_map(value).find(|value| *value < 10)?;
    char::from_digit(value, 10)
}

/// The one plain character of which `c` is another form: full width, bold, raised, in a circle.
fn compatible(c: char) -> Option<char> {
    let (mut first, mut count) = (None, 0);
    decompose_compatible(c, |part| {
        first = first.or(Some(part));
        count += 1;
    });
    first.filter(|part| count == 1 && part.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        Folding::default().see(text).read().to_owned()
    }

    #[test]
    fn what_hides_a_value_is_folded_away() {
        for (text, plain) in [
            ("D\u{200b}E89\u{ad}37\u{7}04", "DE893704"),
            ("\u{ff24}\u{ff25}\u{ff18}\u{ff19}", "DE89"),
            ("\u{202e}DE89\u{202c}", "DE89"),
            ("0171\u{c}er\u{b}sie", "0171\ner\nsie"),
            ("аnnа＠ехаmрlе.org", "anna@example.org"),
            ("ΙΒΑΝ", "IBAN"),
            ("anna&#64;x.org &amp; M&uuml;ller&#x200b;s", "anna@x.org & Müllers"),
            ("a\tb\r\nc\rd\n\ne", "a b\nc\nd\n\ne"),
            ("٠١٢ ۹ ०९", "012 9 09"),
            ("𝟎𝟏𝟕𝟏 ①²", "0171 12"),
            ("Herr\u{a0}Mu\u{308}ller – ‘x’", "Herr Müller - 'x'"),
        ] {
            assert_eq!(folded(text), plain, "{text:?}");
        }
    }

    #[test]
    fn ordinary_text_is_its_own_copy() {
        for text in ["", "R&D; &x;", "Grüße aus Köln, 12 °C\nß é € „gut“", "12½"] {
            assert!(Folding::default().see(text).undisguised().is_none(), "{text:?}");
        }
    }

    #[test]
    fn every_byte_knows_where_it_came_from() {
        let text = "x\u{200b}１e\u{301}y";
        let mut folding = Folding::default();
        let seen = folding.see(text);
        assert_eq!(seen.read(), "x1éy");
        let origins: Vec<usize> = (0..=seen.read().len()).map(|at| seen.origin(at)).collect();
        assert_eq!(origins, [0, 4, 7, 7, 10, 11]);
        let seen = folding.see("a&#64;b\r\nc");
        let origins: Vec<usize> = (0..=seen.read().len()).map(|at| seen.origin(at)).collect();
        assert_eq!((seen.read(), &*origins), ("a@b\nc", &[0, 1, 6, 7, 9, 10][..]));
    }
}
