//! The header `grpc-timeout`: how long the caller is going to wait.

use core::time::Duration;

use http::HeaderMap;

const HEADER: &str = "grpc-timeout";
/// The transport has a clock of its own for this header and answers CANCELLED. Ours goes first.
const HEAD_START: Duration = Duration::from_millis(2);

/// The caller's timeout, a little shortened; `None` when there is none, or none that parses.
pub(crate) fn parse(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let is_number = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let number = is_number.then(|| digits.parse::<u64>().ok()).flatten()?;
    let timeout = match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    };
    Some(timeout.saturating_sub(HEAD_START))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, text.parse().unwrap());
        parse(&headers)
    }

    #[test]
    fn every_unit_is_understood() {
        let head_start = |timeout: Duration| Some(timeout - HEAD_START);
        assert_eq!(parsed("1H"), head_start(Duration::from_secs(3_600)));
        assert_eq!(parsed("2M"), head_start(Duration::from_secs(120)));
        assert_eq!(parsed("3S"), head_start(Duration::from_secs(3)));
        assert_eq!(parsed("250m"), head_start(Duration::from_millis(250)));
        assert_eq!(parsed("10u"), Some(Duration::ZERO));
        assert_eq!(parsed("99999999n"), head_start(Duration::from_nanos(99_999_999)));
    }

    #[test]
    fn anything_else_is_no_timeout() {
        for text in ["", "S", "1", "1s", "123456789S", "-1S", "1.5S", "+1S"] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
