//! Values behind a word that says what they are: `IBAN:DE89…`, `tel:0171…`.
//!
//! It promises that such a word is to a value what a field's name is: the rule of its type has to hold,
//! too. It relies on the lexicon of field names.

use super::Finding;
use crate::{
    field_name::words::fold_long,
    lexicon::{self, Sense},
    shape::{Certainty, trimmed},
    validators::{Check, check},
};

/// Bytes of the longest word before a value.
const LABEL_BYTES_MAX: usize = 24;

/// What a value is by the word before it.
pub(super) fn labelled(text: &str) -> Option<Finding> {
    let starts_with_word = text.starts_with(char::is_alphabetic);
    let (label, value) = starts_with_word.then(|| text.split_once([':', '=']))??;
    if label.len() > LABEL_BYTES_MAX {
        return None;
    }
    let Sense::Type(info_type) = lexicon::lookup(&fold_long(label))?.sense else {
        return None;
    };
    match check(info_type, trimmed(value)) {
        Check::Holds(rule) => Some(Finding { info_type, rule, certainty: Certainty::Sure }),
        Check::Fails | Check::Silent => None,
    }
}
