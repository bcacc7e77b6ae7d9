//! Headers that carry a secret.
//!
//! It promises that such a header is gone before any other part sees the request, and that one
//! which comes twice is as good as none that could be read. It relies on being asked first.

use http::{HeaderMap, HeaderName, HeaderValue, header::Entry};

/// What there was of a header.
pub(crate) enum Taken {
    /// It was not sent.
    Nothing,
    /// It was sent once.
    Once(HeaderValue),
    /// It was sent again and again.
    Often,
}

/// Removes a header, every time it occurs.
pub(crate) fn take(headers: &mut HeaderMap, name: HeaderName) -> Taken {
    let values: Vec<HeaderValue> = match headers.entry(name) {
        Entry::Occupied(entry) => entry.remove_entry_mult().1.collect(),
        Entry::Vacant(_) => return Taken::Nothing,
    };
    let Ok([mut value]) = <[HeaderValue; 1]>::try_from(values) else { return Taken::Often };
    value.set_sensitive(true);
    Taken::Once(value)
}
