//! Milliseconds since the epoch ↔ `google.protobuf.Timestamp`.

use prost_types::Timestamp;
use tresor_proto::Failure;

/// The instant `ms` milliseconds after the epoch.
pub(crate) fn to_timestamp(ms: u64) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(ms / 1_000).unwrap_or(i64::MAX),
        nanos: i32::try_from(ms % 1_000 * 1_000_000).unwrap_or_default(),
    }
}

/// Milliseconds since the epoch, rounded down.
pub(crate) fn from_timestamp(time: &Timestamp) -> Result<u64, Failure> {
    let seconds = u64::try_from(time.seconds).ok();
    let millis = u64::try_from(time.nanos).ok();
    let millis = millis.filter(|nanos| *nanos < 1_000_000_000).map(|nanos| nanos / 1_000_000);
    seconds
        .and_then(|seconds| seconds.checked_mul(1_000)?.checked_add(millis?))
        .ok_or_else(|| Failure::invalid("expires", "not a time after 1970"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_the_round_trip() {
        for ms in [0, 1, 999, 1_000, 1_795_000_000_123] {
            assert_eq!(from_timestamp(&to_timestamp(ms)).unwrap(), ms);
        }
    }

    #[test]
    fn times_before_the_epoch_and_broken_ones_are_refused() {
        for (seconds, nanos) in [(-1, 0), (0, -1), (0, 1_000_000_000), (i64::MAX, 0)] {
            assert!(from_timestamp(&Timestamp { seconds, nanos }).is_err());
        }
    }
}
