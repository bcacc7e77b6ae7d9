//! IBAN, BIC, payment cards and account numbers.
//!
//! It promises ISO 13616 with the length of each country, ISO 9362, and ISO/IEC 7812 with a table of
//! issuers. It relies on the check digit algorithms.

use tresor_proto::passes_luhn;

use super::{check_digits::mod97, compact::Compact};
use crate::Rule;

/// Countries of the IBAN registry and the length of their IBANs.
const IBAN_LENGTHS: &[(&[u8; 2], u8)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// An IBAN: the length of its country, mod 97 is 1.
pub(crate) fn iban(text: &str) -> Option<Rule> {
    let compact = Compact::of(text, b" -._:/")?;
    let bytes = compact.as_bytes();
    let (head, body) = bytes.split_at_checked(4)?;
    let country: [u8; 2] = head.get(..2)?.try_into().ok()?;
    let has_check = head.get(2..)?.iter().all(u8::is_ascii_digit);
    let entry = IBAN_LENGTHS.iter().find(|(known, _)| has_check && **known == country)?;
    let has_length = usize::from(entry.1) == bytes.len();
    let has_form = has_length && has_form(country, body);
    let is_valid = has_form && mod97(body.iter().chain(head)) == Some(1);
    let length = entry.1;
    is_valid.then_some(Rule::Iban { country, length })
}

/// What of an account is digits or letters: what mod 97 lets through by chance, this stops.
fn has_form(country: [u8; 2], body: &[u8]) -> bool {
    let (bank, rest) = body.split_at_checked(4).unwrap_or_default();
    let is_digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    match &country {
        b"DE" | b"BE" | b"AT" | b"DK" | b"FI" | b"ES" | b"PL" | b"SE" | b"NO" | b"CZ" | b"SK"
        | b"PT" | b"HU" | b"HR" | b"SI" | b"EE" | b"LT" | b"IS" => is_digits(body),
        b"NL" | b"GB" | b"IE" => bank.iter().all(u8::is_ascii_uppercase) && is_digits(rest),
        b"FR" | b"MC" => body.get(..10).is_some_and(is_digits),
        b"CH" | b"LI" | b"LU" => body.get(..3).is_some_and(is_digits),
        _ => true,
    }
}

/// Countries with banks that write to Europe, ISO 3166.
const BIC_COUNTRIES: &str = "AD AE AL AM AR AT AU AZ BA BD BE BG BH BR BY CA CH CL CN CO CR CY CZ DE DK DO DZ EC \
     EE EG ES ET FI FJ FO FR GB GE GG GH GI GL GR GT HK HN HR HU ID IE IL IM IN IQ IR IS IT JE JO \
     JP KE KR KW KZ LB LC LI LK LT LU LV LY MA MC MD ME MK MN MR MT MU MX MY NG NI NL NO NP NZ OM \
     PA PE PH PK PL PS PT PY QA RO RS RU SA SC SD SE SG SI SK SM SN SO ST SV SY TH TL TN TR TW TZ \
     UA UG US UY UZ VA VE VG VN XK YE ZA";

/// A BIC: four letters, a country, a place, perhaps a branch.
pub(crate) fn bic(text: &str) -> Option<Rule> {
    let compact = Compact::of(text, b" ")?;
    let bytes = compact.as_bytes();
    let letters = bytes.get(..6)?.iter().all(u8::is_ascii_uppercase);
    let country = bytes.get(4..6)?;
    let is_known = || BIC_COUNTRIES.split(' ').any(|known| known.as_bytes() == country);
    let is_valid = letters && matches!(bytes.len(), 8 | 11) && is_known();
    is_valid.then_some(Rule::Named("bic: ISO 9362 form, known country"))
}

/// A payment card: an issuer's prefix, the length of that issuer, Luhn.
pub(crate) fn card(text: &str) -> Option<Rule> {
    let compact = Compact::digits(text, b" -")?;
    let digits = compact.as_bytes();
    let rule = issuer(digits)?;
    passes_luhn(digits).then_some(Rule::Named(rule))
}

/// A payment card written in groups, as on the card; a bare number is too often an order's.
pub(crate) fn grouped_card(text: &str) -> Option<Rule> {
    let mut sizes = [0_usize; 5];
    for (index, group) in text.split([' ', '-']).enumerate() {
        *sizes.get_mut(index)? = group.len();
    }
    let is_grouped = matches!(sizes, [4, 4, 4, 4, 0..=3] | [4, 6, 5 | 4, 0, 0]);
    is_grouped.then(|| card(text)).flatten()
}

/// The issuer of a prefix of digits, when the number has a length of that issuer.
fn issuer(digits: &[u8]) -> Option<&'static str> {
    let prefix = digits.get(..6)?.iter();
    let prefix = prefix.fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'));
    match (prefix, digits.len()) {
        (400_000..=499_999, 13 | 16 | 19) => Some("card: Luhn ok, Visa"),
        (510_000..=559_999 | 222_100..=272_099, 16) => Some("card: Luhn ok, Mastercard"),
        (340_000..=349_999 | 370_000..=379_999, 15) => Some("card: Luhn ok, American Express"),
        (300_000..=305_999 | 360_000..=369_999 | 380_000..=399_999, 14) => {
            Some("card: Luhn ok, Diners Club")
        }
        (352_800..=358_999, 16..=19) => Some("card: Luhn ok, JCB"),
        (601_100..=601_199 | 644_000..=659_999, 16..=19) => Some("card: Luhn ok, Discover"),
        (620_000..=629_999, 16..=19) => Some("card: Luhn ok, UnionPay"),
        (
            500_000..=509_999 | 560_000..=589_999 | 630_000..=639_999 | 670_000..=679_999,
            12..=19,
        ) => Some("card: Luhn ok, Maestro"),
        _ => None,
    }
}

/// A national account number or bank code.
pub(crate) fn bank_account(text: &str) -> Option<Rule> {
    let compact = Compact::digits(text, b" -./")?;
    let is_valid = (5..=30).contains(&compact.as_bytes().len());
    is_valid.then_some(Rule::Named("bank account: 5 to 30 digits"))
}

/// The country of a BIC.
pub(crate) fn bic_country(text: &str) -> Option<&[u8]> {
    bic(text).and_then(|_| text.as_bytes().get(4..6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_have_the_form_of_their_country() {
        assert!(iban("NL91ABNA0417164300").is_some() && iban("GB82WEST12345698765432").is_some());
        // The check digits are right; a Dutch account begins with a bank's four letters.
        assert!(
            iban("NL580123456789ABCD").is_none() && mod97(b"0123456789ABCDNL58".iter()).is_some()
        );
        assert!(bic("DEUTDEFF").is_some() && bic("BBRODEHHXXX").is_some());
        assert!(bic("ELEKXXOM").is_none() && bic("DEUTXXFF").is_none());
    }

    #[test]
    fn ibans_of_many_countries_pass() {
        for text in [
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "NL91ABNA0417164300",
            "GB29NWBK60161331926819",
            "FR1420041010050500013M02606",
            "BE68539007547034",
            "AT611904300234573201",
            "CH9300762011623852957",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
            "nl91abna0417164300",
        ] {
            assert!(iban(text).is_some(), "{text}");
        }
        let rule = iban("DE89370400440532013000").map(|rule| rule.to_string());
        assert_eq!(rule.as_deref(), Some("iban: mod-97 ok, length DE 22"));
    }

    #[test]
    fn ibans_with_a_wrong_digit_length_or_country_fail() {
        for text in [
            "DE89370400440532013001",
            "DE8937040044053201300",
            "XX89370400440532013000",
            "NL91ABNA041716430",
            "",
            "DE",
            "DE89",
            "DE893704004405320130000",
        ] {
            assert!(iban(text).is_none(), "{text}");
        }
    }

    #[test]
    fn cards_need_issuer_length_and_luhn() {
        for text in [
            "4111111111111111",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "6011111111111117",
            "3530111333300000",
            "30569309025904",
            "4111-1111-1111-1111",
        ] {
            assert!(card(text).is_some(), "{text}");
        }
        for text in ["4111111111111112", "9999999999999995", "411111111111", "0000000000000000", ""]
        {
            assert!(card(text).is_none(), "{text}");
        }
        assert!(grouped_card("4111 1111 1111 1111").is_some());
        assert!(grouped_card("3782 822463 10005").is_some());
        assert!(grouped_card("4111111111111111").is_none());
        assert!(grouped_card("41 11 11 11 11 11 11 11").is_none());
    }

    #[test]
    fn bics_have_eight_or_eleven_signs() {
        assert!(bic("DEUTDEFF").is_some());
        assert!(bic("DEUTDEFF500").is_some());
        assert!(bic("DEUTDEFF5").is_none());
        assert!(bic("D3UTDEFF").is_none());
    }
}
