//! Masks of a few values, so that a reader of a report recognises what a column holds.
//!
//! It promises to keep no value: a mask hides at least half of it, and what has no mask is dots. It
//! relies on the masks by info type that reading records shows, too.

use tresor_proto::{InfoType, MASK_DOTS, Mask, mask_text};

use crate::Value;

/// Examples of a column.
const EXAMPLES_MAX: usize = 3;

/// Values looked at for examples: values of which a mask shows nothing would all be looked at.
const TRIES_MAX: u8 = 64;

/// Characters of an example; some masks keep words, which may be long.
const EXAMPLE_CHARS_MAX: usize = 48;

/// A value, and its mask when that is not its info type's.
pub(super) type Example<'a> = (Value<'a>, Option<Mask>);

/// Masks, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Examples {
    masks: Vec<String>,
    tries: u8,
}

impl Examples {
    /// Looks at a value that was found to be of an info type.
    pub(super) fn see(&mut self, info_type: Option<InfoType>, (value, own): Example<'_>) {
        if self.tries >= TRIES_MAX || self.masks.len() >= EXAMPLES_MAX {
            return;
        }
        self.tries += 1;
        let text = match value {
            Value::Text(text) => text,
            Value::Json(literal) => literal.trim_matches('"'),
            Value::Binary(_) => return,
        };
        let mask = mask_text(info_type, own, text.trim());
        let mask = mask.filter(|mask| mask.chars().count() <= EXAMPLE_CHARS_MAX);
        if let Some(mask) = mask.filter(|mask| !self.masks.contains(mask)) {
            self.masks.push(mask);
        }
    }

    /// The masks; dots when none shows anything.
    pub(super) fn masks(&self) -> Vec<String> {
        if self.masks.is_empty() { vec![MASK_DOTS.to_owned()] } else { self.masks.clone() }
    }
}
