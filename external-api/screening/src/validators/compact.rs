//! A short value without its separators: `DE65 8844 …` as `DE658844…`.
//!
//! It promises capitals and digits only, on the stack. It relies on values of interest being short:
//! anything longer is no candidate.

/// Bytes of the longest value of interest: an IBAN has 34, a metering location 33.
const CAPACITY: usize = 40;

/// Capitals and digits of a value.
pub(super) struct Compact {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl Compact {
    /// Leaves out `separators`; `None` when there is any other sign, or too much.
    pub(super) fn of(text: &str, separators: &[u8]) -> Option<Self> {
        let mut compact = Self { bytes: [0; CAPACITY], length: 0 };
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() {
                *compact.bytes.get_mut(compact.length)? = byte.to_ascii_uppercase();
                compact.length += 1;
            } else if !separators.contains(&byte) {
                return None;
            }
        }
        Some(compact)
    }

    /// Digits only.
    pub(super) fn digits(text: &str, separators: &[u8]) -> Option<Self> {
        Self::of(text, separators).filter(|c| c.as_bytes().iter().all(u8::is_ascii_digit))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}
