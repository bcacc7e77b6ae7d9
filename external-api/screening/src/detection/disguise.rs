//! Values that hide what they are: full-width digits, zero-width characters, letters of other scripts
//! that look like Latin ones, marks of direction.
//!
//! It promises that a disguise never lowers protection: a value is what it is as it is written or as
//! it reads, whichever protects more. It relies on the folding of texts, which few values need.

use super::{Detection, contradiction_in, detect_text};
use crate::{
    field_name::Hint,
    shape::{Finding, SHAPED_BYTES_MAX},
    text::Seen,
};

/// What a text is.
pub(crate) fn detect(hint: Hint, seen: Seen<'_>) -> Detection {
    let written = detect_text(hint, seen.written());
    match undisguised(seen).map(|text| detect_text(hint, text)) {
        Some(read) if weight(&read) > weight(&written) => read,
        Some(_) | None => written,
    }
}

/// What protects more, then what is surer.
fn weight(detection: &Detection) -> impl PartialOrd + use<> {
    (detection.standing, detection.confidence)
}

/// What a value of a field declared clear is, if it is personal.
pub(crate) fn contradiction(hint: Hint, seen: Seen<'_>) -> Option<Finding> {
    contradiction_in(hint, seen.written())
        .or_else(|| undisguised(seen).and_then(|text| contradiction_in(hint, text)))
}

/// How a value reads that is short enough to have a shape, if not as it is written.
fn undisguised(seen: Seen<'_>) -> Option<&str> {
    seen.undisguised().filter(|text| text.len() <= SHAPED_BYTES_MAX)
}
