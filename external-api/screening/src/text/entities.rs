//! Signs as HTML writes them: `&#64;`, `&#x40;`, `&amp;`, `&uuml;`.
//!
//! It promises every number, the names of the signs that values are made of, and Latin letters with
//! their accents. It relies on a name being short, so that each is looked at once.

use unicode_normalization::char::compose;

/// Bytes of the longest name or number that is read.
const NAME_BYTES_MAX: usize = 10;

/// The sign that a text begins with, and how many bytes it takes there.
pub(super) fn decode(text: &str) -> Option<(char, usize)> {
    let rest = text.strip_prefix('&')?;
    let length = rest.bytes().take(NAME_BYTES_MAX + 1).position(|b| b == b';')?;
    let name = rest.get(..length)?;
    let sign = match name.strip_prefix('#') {
        Some(number) => numbered(number),
        None => named(name).or_else(|| accented(name)),
    };
    Some((sign?, length + 2))
}

fn numbered(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    char::from_u32(code.ok()?)
}

fn named(name: &str) -> Option<char> {
    let sign = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "commat" => '@',
        "period" => '.',
        "colon" => ':',
        "sol" => '/',
        "plus" => '+',
        "lowbar" => '_',
        "hyphen" | "ndash" => '-',
        "shy" => '\u{ad}',
        "szlig" => 'ß',
        _ => return None,
    };
    Some(sign)
}

/// `uuml`, `eacute`: a letter and the name of its accent.
fn accented(name: &str) -> Option<char> {
    let mut letters = name.chars();
    let letter = letters.next()?;
    let mark = match letters.as_str() {
        "grave" => '\u{300}',
        "acute" => '\u{301}',
        "circ" => '\u{302}',
        "tilde" => '\u{303}',
        "uml" => '\u{308}',
        "ring" => '\u{30a}',
        "caron" => '\u{30c}',
        "cedil" => '\u{327}',
        _ => return None,
    };
    compose(letter, mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_read_by_number_and_by_name() {
        for (text, sign) in [
            ("&#64;x", '@'),
            ("&#x40;", '@'),
            ("&#0000064;", '@'),
            ("&commat;", '@'),
            ("&uuml;ller", 'ü'),
            ("&Eacute;", 'É'),
            ("&szlig;", 'ß'),
        ] {
            let length = text.find(';').unwrap() + 1;
            assert_eq!(decode(text), Some((sign, length)), "{text}");
        }
        for text in ["&", "&;", "&#;", "&#x;", "&#xd800;", "& x;", "&quuml;", "R&D", "&#64"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
