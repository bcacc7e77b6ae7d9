//! The keys that are gone: of each its number, its times, and whether others may know it.
//!
//! It promises that a history is bounded, and that a compromised key is the last to be forgotten.

use tresor_proto::storage::RetiredKey;

/// Keys a history holds: eight years of cipher keys that are replaced every quarter.
const RETIRED_MAX: usize = 32;

/// Adds a key to a history.
pub(super) fn retire(history: &mut Vec<RetiredKey>, key: RetiredKey) {
    history.push(key);
    while history.len() > RETIRED_MAX {
        let sound = history.iter().position(|key| key.compromised_ms == 0);
        history.remove(sound.unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_bounded_and_forgets_compromised_keys_last() {
        let mut history = Vec::new();
        for version in 1..=40 {
            let compromised_ms = u64::from(version == 3);
            retire(&mut history, RetiredKey { version, compromised_ms, ..RetiredKey::default() });
        }
        let versions: Vec<_> = history.iter().map(|key| key.version).collect();
        assert_eq!(versions.len(), RETIRED_MAX);
        assert_eq!((versions[0], versions[1], versions[31]), (3, 10, 40));
        for version in 41..=80 {
            retire(
                &mut history,
                RetiredKey { version, compromised_ms: 1, ..RetiredKey::default() },
            );
        }
        assert_eq!((history.len(), history[0].version), (RETIRED_MAX, 49));
    }
}
