//! Values that must not be found, each in the forms a leak would take, and the search for them.

use std::collections::HashMap;

use base64::{
    Engine as _,
    engine::{
        GeneralPurpose,
        general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
    },
};

/// Bytes of a needle at least: shorter ones are found by chance.
const NEEDLE_BYTES_MIN: usize = 8;

/// What is looked for.
#[derive(Debug, Default)]
pub struct Needles {
    names: Vec<String>,
    forms: Vec<(usize, Vec<u8>)>,
    /// The forms by their first two bytes.
    begins: HashMap<[u8; 2], Vec<usize>>,
    /// Whether a form begins with these two bytes: asked at every byte.
    is_begin: Vec<bool>,
}

impl Needles {
    /// Adds a text: raw, as hex, UTF-16 and base64.
    pub fn add_text(&mut self, name: &str, text: &str) {
        self.add_forms(name, encodings(text));
    }

    /// Adds a key: raw, half of it, as hex and base64, and as HMAC pads it (RFC 2104 §2).
    pub fn add_key(&mut self, name: &str, key: &[u8; 32]) {
        self.add_forms(name, encodings_of_bytes(key));
        let halves = [&key[..16], &key[16..]].map(<[u8]>::to_vec);
        self.add_forms(&format!("half of {name}"), halves.to_vec());
        let pads = [0x36, 0x5c].map(|pad| key.map(|byte| byte ^ pad).to_vec());
        self.add_forms(&format!("pad of {name}"), pads.to_vec());
    }

    /// Adds bytes: raw, as hex and base64.
    pub fn add_bytes(&mut self, name: &str, bytes: &[u8]) {
        self.add_forms(name, encodings_of_bytes(bytes));
    }

    fn add_forms(&mut self, name: &str, forms: Vec<Vec<u8>>) {
        self.is_begin.resize(1 << 16, false);
        self.names.push(name.to_owned());
        for form in forms {
            assert!(form.len() >= NEEDLE_BYTES_MIN, "{name} is too short to be looked for");
            let begin = [form[0], form[1]];
            self.is_begin[usize::from(u16::from_be_bytes(begin))] = true;
            self.begins.entry(begin).or_default().push(self.forms.len());
            self.forms.push((self.names.len() - 1, form));
        }
    }

    /// Tells of every place in `bytes` where one is.
    pub fn find(&self, bytes: &[u8], mut tell: impl FnMut(&str, usize)) {
        let mut pair = 0_u16;
        for (at, byte) in bytes.iter().enumerate() {
            pair = pair << 8 | u16::from(*byte);
            if at == 0 || !self.is_begin[usize::from(pair)] {
                continue;
            }
            let rest = &bytes[at - 1..];
            for form in self.begins.get(&pair.to_be_bytes()).into_iter().flatten() {
                let (name, form) = &self.forms[*form];
                if rest.starts_with(form) {
                    tell(&self.names[*name], at - 1);
                }
            }
        }
    }
}

/// A value raw, as hex, UTF-16 and base64 at each of its three alignments.
#[must_use]
pub fn encodings(value: &str) -> Vec<Vec<u8>> {
    let utf16: Vec<u16> = value.encode_utf16().collect();
    let mut forms = encodings_of_bytes(value.as_bytes());
    forms.push(utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect());
    forms.push(utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect());
    forms
}

/// Bytes raw, as hex and as base64, standard and for URLs, at each of its three alignments.
fn encodings_of_bytes(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![
        bytes.to_vec(),
        hex::encode(bytes).into_bytes(),
        hex::encode_upper(bytes).into_bytes(),
    ];
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        forms.extend((0..3).map(|skipped| base64_after(&engine, skipped, bytes)));
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// The digits of base64 that hang on `bytes` alone, when they come after others.
fn base64_after(engine: &GeneralPurpose, skipped: usize, bytes: &[u8]) -> Vec<u8> {
    let text = engine.encode([&vec![0; skipped], bytes].concat());
    let first = (skipped * 8).div_ceil(6);
    let last = (skipped + bytes.len()) * 8 / 6;
    text.as_bytes()[first..last].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(needles: &Needles, bytes: &[u8]) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        needles.find(bytes, |name, at| found.push((name.to_owned(), at)));
        found
    }

    #[test]
    fn every_form_of_a_key_is_found_wherever_it_begins() {
        let key: [u8; 32] = core::array::from_fn(|at| u8::try_from((at * 7 + 250) % 256).unwrap());
        let mut needles = Needles::default();
        needles.add_key("key", &key);
        let spoken = [
            hex::encode(key).into_bytes(),
            hex::encode_upper(key).into_bytes(),
            STANDARD_NO_PAD.encode([&b"x"[..], &key, b"y"].concat()).into_bytes(),
            URL_SAFE_NO_PAD.encode([&b"xy"[..], &key].concat()).into_bytes(),
        ];
        for form in spoken {
            assert_eq!(found(&needles, &[b"...", &form[..]].concat()).len(), 1, "{form:?}");
        }
        let raw = [&[0; 5], &key[..]].concat();
        let names: Vec<_> = found(&needles, &raw);
        let half = "half of key".to_owned();
        assert_eq!(names, [("key".to_owned(), 5), (half.clone(), 5), (half, 21)]);
        let pad = found(&needles, &key.map(|byte| byte ^ 0x5c));
        assert_eq!(pad, [("pad of key".to_owned(), 0)]);
        assert_eq!(found(&needles, &key[1..16]), []);
        assert_eq!(found(&needles, b""), []);
    }
}
