//! Checksums that a policy asks for by name.
//!
//! It promises to ask each about the characters that it is defined over, and to refuse where there are
//! none. It relies on the algorithms beside it.

use tresor_proto::{Checksum, passes_luhn};

use super::check_digits::{gs1, icao, mod11_10, mod97};

/// Characters of a value that are looked at: more have no check digit of one kind.
const CHARACTERS_MAX: usize = 256;

/// Whether the digits of a value, or its letters and digits, pass a checksum.
pub(crate) fn passes(checksum: Checksum, value: &str) -> bool {
    let is_wanted: fn(u8) -> bool = match checksum {
        Checksum::Luhn | Checksum::Gs1 | Checksum::Mod11 => |byte| byte.is_ascii_digit(),
        Checksum::Mod97 | Checksum::Iban | Checksum::Icao => |byte| byte.is_ascii_alphanumeric(),
    };
    let (mut kept, mut length) = ([0; CHARACTERS_MAX], 0);
    for byte in value.bytes().filter(|byte| is_wanted(*byte)) {
        let Some(slot) = kept.get_mut(length) else { return false };
        *slot = byte.to_ascii_uppercase();
        length += 1;
    }
    let kept = kept.get(..length).unwrap_or_default();
    match checksum {
        Checksum::Luhn => passes_luhn(kept),
        Checksum::Gs1 => gs1(kept),
        Checksum::Mod11 => mod11_10(kept),
        Checksum::Mod97 => mod97(kept.iter()) == Some(1),
        Checksum::Iban => {
            let (head, body) = kept.split_at(kept.len().min(4));
            mod97(body.iter().chain(head)) == Some(1)
        }
        Checksum::Icao => icao(kept),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_checksum_is_asked_about_its_own_characters() {
        for (checksum, value) in [
            (Checksum::Luhn, "K-7992739871-3"),
            (Checksum::Gs1, "EAN 4006381333931"),
            (Checksum::Mod11, "86 095 742 719"),
            (Checksum::Mod97, "3214282912345698765432161182"),
            (Checksum::Iban, "de65 8844 7294 0557 6169 87"),
            (Checksum::Icao, "L898902C3-6"),
        ] {
            assert!(passes(checksum, value), "{checksum:?}");
            let last = value.len() - 1;
            let other = if value.ends_with('1') { "2" } else { "1" };
            assert!(!passes(checksum, &format!("{}{other}", &value[..last])), "{checksum:?}");
            for nothing in ["", "-", "é", &"0".repeat(257)] {
                assert!(!passes(checksum, nothing), "{checksum:?} {nothing}");
            }
        }
    }
}
