//! Check digits, computed apart from the code that is measured.

/// Digits of a text, letters as 10 to 35.
fn expanded(text: &str) -> impl Iterator<Item = u64> {
    text.chars().map(|c| u64::from(c.to_digit(36).expect("a letter or a digit")))
}

/// The remainder by 97 of a text whose letters count two digits (ISO 7064 mod 97-10).
fn mod_97(text: &str) -> u64 {
    expanded(text).fold(0, |rest, n| (rest * if n > 9 { 100 } else { 10 } + n) % 97)
}

/// An IBAN of a country and a basic account number.
pub(crate) fn iban(country: &str, account: &str) -> String {
    let check = 98 - mod_97(&format!("{account}{country}00"));
    format!("{country}{check:02}{account}")
}

/// A French NIR: thirteen digits and a key.
pub(crate) fn nir(digits: &str) -> String {
    let number: u64 = digits.parse().expect("a number");
    format!("{digits}{:02}", 97 - number % 97)
}

/// Digits followed by that of Luhn.
pub(crate) fn luhn(digits: &str) -> String {
    let doubled =
        |(at, n): (usize, u64)| if at % 2 == 0 { 2 * n - if n > 4 { 9 } else { 0 } } else { n };
    let numbers: Vec<u64> = expanded(digits).collect();
    let sum: u64 = numbers.into_iter().rev().enumerate().map(doubled).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// Digits followed by that of GS1.
pub(crate) fn gs1(digits: &str) -> String {
    let numbers: Vec<u64> = expanded(digits).collect();
    let weighted = numbers.into_iter().rev().enumerate();
    let sum: u64 = weighted.map(|(at, n)| n * if at % 2 == 0 { 3 } else { 1 }).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// Ten digits followed by that of a market location.
pub(crate) fn market_location(digits: &str) -> String {
    let sum: u64 = expanded(digits).enumerate().map(|(at, n)| n * (1 + at as u64 % 2)).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// Digits followed by that of ISO 7064 mod 11,10: a German tax identification number.
pub(crate) fn mod_11_10(digits: &str) -> String {
    let product = expanded(digits).fold(10, |product, n| {
        let sum = (product + n) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    format!("{digits}{}", (11 - product) % 10)
}

/// Eight digits followed by that of a BSN; `None` when there is none.
pub(crate) fn bsn(digits: &str) -> Option<String> {
    let sum: u64 = expanded(digits).zip((2..=9).rev()).map(|(n, weight)| n * weight).sum();
    (sum % 11 < 10).then(|| format!("{digits}{}", sum % 11))
}

/// Nine digits followed by that of an NHS number; `None` when there is none.
pub(crate) fn nhs(digits: &str) -> Option<String> {
    let sum: u64 = expanded(digits).zip((2..=10).rev()).map(|(n, weight)| n * weight).sum();
    let check = (11 - sum % 11) % 11;
    (check < 10).then(|| format!("{digits}{check}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_published_examples() {
        assert_eq!(iban("DE", "370400440532013000"), "DE89370400440532013000");
        assert_eq!(iban("GB", "NWBK60161331926819"), "GB29NWBK60161331926819");
        assert_eq!(nir("2550814168025"), "255081416802538");
        assert_eq!(luhn("411111111111111"), "4111111111111111");
        assert_eq!(gs1("629104150021"), "6291041500213");
        assert_eq!(market_location("4137355924"), "41373559241");
        assert_eq!(mod_11_10("8609574271"), "86095742719");
        assert_eq!(bsn("11122233").unwrap(), "111222333");
        assert_eq!(nhs("943476591").unwrap(), "9434765919");
    }
}
