//! Surrogates: what stands in for a value outside the vault.
//!
//! A random or deterministic surrogate names a row in which its value is sealed, and shows no more,
//! no longer and no more often than it was made for; a format-preserving one is the value itself,
//! enciphered: nothing is kept of it, so that nothing bounds it. What is here relies on the MAC of
//! the rows, and on the class keys that a customer token opens.

pub(crate) mod expiry;
pub(crate) mod format_preserving;
#[cfg(test)]
mod golden;
pub(crate) mod holders;
pub(crate) mod look_up;
pub(crate) mod maker;
pub(crate) mod named;
pub(crate) mod preserved_forms;
pub(crate) mod rows;
pub(crate) mod sealed_value;
#[cfg(test)]
mod tampering;

use tresor_proto::{
    Content, DataClass, InfoType, Reveal, SurrogateFormat, SurrogateKind, SurrogateOptions,
};

use crate::record::{ItemKey, Shown};

/// A value that is to have a surrogate.
#[derive(Debug)]
pub struct NewSurrogate {
    /// The value.
    pub content: Content,
    /// What the surrogate is for.
    pub options: SurrogateOptions,
    /// Names it, so that it is recognised when it is repeated. Counts for random surrogates: of the
    /// others a repeat is the same anyway.
    pub item_key: Option<ItemKey>,
}

/// A surrogate, as given to whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedSurrogate {
    /// Its text.
    pub text: String,
    /// Whether an earlier request with the same idempotency key got it.
    pub is_replayed: bool,
    /// The version of the key that made it; only of format-preserving ones.
    pub key_version: Option<u32>,
}

impl IssuedSurrogate {
    /// One that has a row, and so keeps its text whatever becomes of keys.
    pub(crate) fn with_row(text: String) -> Self {
        Self { text, is_replayed: false, key_version: None }
    }
}

/// Names a surrogate.
#[derive(Clone, Debug)]
pub struct SurrogateQuery {
    /// Its text.
    pub text: String,
    /// What a format-preserving one does not say itself; `None` for the other kinds.
    pub form: Option<FormatPreserved>,
}

/// What a format-preserving surrogate was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatPreserved {
    /// The info type of its value.
    pub info_type: InfoType,
    /// What it looks like.
    pub format: SurrogateFormat,
    /// The version of the key that made it; the newest when none is named.
    pub key_version: Option<u32>,
}

/// The value of a surrogate, as much of it as is shown.
#[derive(Debug)]
pub struct RevealedValue {
    /// What is shown.
    pub shown: Shown,
    /// Its info type.
    pub info_type: InfoType,
    /// Its class.
    pub class: DataClass,
    /// Bytes it has at most: the size it is padded to.
    pub length_bytes_max: u32,
}

/// What is known of a surrogate without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurrogateDescription {
    /// The info type of its value.
    pub info_type: InfoType,
    /// The class of its value.
    pub class: DataClass,
    /// How it was made.
    pub kind: SurrogateKind,
    /// How much it ever shows.
    pub reveal: Reveal,
    /// When it was made, milliseconds since the epoch, where that is kept.
    pub created_ms: Option<u64>,
    /// When it expires, milliseconds since the epoch.
    pub expires_ms: Option<u64>,
    /// How often it was traded for its value or mask, where that is counted.
    pub uses: u64,
    /// How often it may be.
    pub uses_max: Option<u32>,
    /// Fields of records that hold it, where that is counted, those of ended records counted in.
    pub references: u64,
}
