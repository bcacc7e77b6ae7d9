//! Identifiers in arguments, parsed by clap so that a wrong one is a usage error.

use prost_types::Duration;
use tresor_proto::{CollectionName, DataClass, RecordId};

/// A collection's name.
pub(super) fn collection(text: &str) -> Result<CollectionName, &'static str> {
    CollectionName::parse(text).map_err(|_| "a collection's name is [a-z][a-z0-9_-]{0,62}")
}

/// A record's id.
pub(super) fn record_id(text: &str) -> Result<RecordId, &'static str> {
    RecordId::parse(text).map_err(|_| "a record's id is [A-Za-z0-9._~-]{1,128}")
}

/// A class.
pub(super) fn data_class(text: &str) -> Result<DataClass, String> {
    let names = || DataClass::ALL.map(DataClass::as_str).join(", ");
    DataClass::from_text(text).ok_or_else(|| format!("a class is one of {}", names()))
}

/// A span of time: a number with `s`, `m`, `h` or `d`.
pub(super) fn span(text: &str) -> Result<Duration, &'static str> {
    let expected = "a number with s, m, h or d: 90s, 45m, 12h, 30d";
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let parsed = units.iter().find_map(|(unit, seconds)| {
        let number = text.strip_suffix(*unit)?;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse::<i64>().ok().filter(|_| is_number)?;
        number.checked_mul(*seconds)
    });
    parsed.map(|seconds| Duration { seconds, nanos: 0 }).ok_or(expected)
}

/// A span of time that is not over at once.
pub(super) fn lasting_span(text: &str) -> Result<Duration, &'static str> {
    let lasting = span(text)?;
    Some(lasting).filter(|span| span.seconds > 0).ok_or("longer than nothing")
}

/// A span of whole seconds as `span` reads it, in the largest unit that tells it exactly.
pub(super) fn span_in_words(span: &Duration) -> String {
    let units = [('d', 86_400), ('h', 3_600), ('m', 60)];
    let exact = units.iter().find(|(_, seconds)| span.seconds > 0 && span.seconds % seconds == 0);
    let (unit, seconds) = exact.copied().unwrap_or(('s', 1));
    format!("{}{unit}", span.seconds / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_exactly() {
        for text in ["40s", "90s", "45m", "13h", "30d"] {
            assert_eq!(span_in_words(&span(text).unwrap()), text);
        }
        assert_eq!(span_in_words(&span("720h").unwrap()), "30d");
    }

    #[test]
    fn what_lasts_is_longer_than_nothing() {
        assert_eq!(lasting_span("1s"), Ok(Duration { seconds: 1, nanos: 0 }));
        assert!(lasting_span("0d").is_err());
    }

    #[test]
    fn a_span_has_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("45m", 2_700), ("12h", 43_200), ("30d", 2_592_000)] {
            assert_eq!(span(text), Ok(Duration { seconds, nanos: 0 }));
        }
        for text in ["", "h", "12", "-1h", "+1h", "1.5h", "9223372036854775807d", "1 h"] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
