//! Numbers and codes of people, of their accounts, cars, meters and devices.
//!
//! It promises that each passes the check of its own kind. It relies on `check_digits`.

use crate::{check_digits, names::Language, random::Random};

/// `count` digits, the first of them not 0.
pub(crate) fn digits(count: usize, random: &mut Random) -> String {
    let first = (1 + random.below(9)).to_string();
    (1..count).fold(first, |digits, _| format!("{digits}{}", random.below(10)))
}

/// `count` of the signs of `alphabet`.
pub(crate) fn signs(alphabet: &[u8], count: usize, random: &mut Random) -> String {
    (0..count).map(|_| char::from(*random.pick(alphabet))).collect()
}

const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const UPPER_AND_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const HEXADECIMAL: &[u8] = b"0123456789abcdef";

pub(crate) fn iban(language: Language, random: &mut Random) -> String {
    let iban = match language {
        Language::German => check_digits::iban("DE", &digits(18, random)),
        Language::Dutch => {
            let bank = *random.pick(&["ABNA", "INGB", "RABO", "TRIO", "KNAB"]);
            check_digits::iban("NL", &format!("{bank}0{}", digits(9, random)))
        }
        Language::French => check_digits::iban("FR", &digits(23, random)),
        Language::English => {
            let bank = *random.pick(&["BARC", "NWBK", "LOYD", "HBUK", "MIDL"]);
            check_digits::iban("GB", &format!("{bank}{}", digits(14, random)))
        }
    };
    if random.below(2) == 0 { iban } else { grouped(&iban, 4) }
}

fn grouped(text: &str, size: usize) -> String {
    let groups = text.as_bytes().chunks(size);
    let groups: Vec<&str> = groups.map(|g| std::str::from_utf8(g).expect("ASCII")).collect();
    groups.join(" ")
}

pub(crate) fn bic(language: Language, random: &mut Random) -> String {
    let country = match language {
        Language::German => "DE",
        Language::Dutch => "NL",
        Language::French => "FR",
        Language::English => "GB",
    };
    let branch = if random.below(2) == 0 { "XXX" } else { "" };
    format!("{}{country}{}{branch}", signs(UPPER, 4, random), signs(b"ABFHMP23", 2, random))
}

pub(crate) fn card(random: &mut Random) -> String {
    let issuer = *random.pick(&["4", "51", "53", "55", "2221", "2720"]);
    let card = check_digits::luhn(&format!("{issuer}{}", digits(15 - issuer.len(), random)));
    if random.below(4) == 0 { card } else { grouped(&card, 4) }
}

pub(crate) fn phone(language: Language, random: &mut Random) -> String {
    let (country, trunk, area) = match language {
        Language::German => {
            ("49", "0", *random.pick(&["30", "40", "89", "221", "5141", "151", "172"]))
        }
        Language::Dutch => ("31", "0", *random.pick(&["20", "10", "30", "6", "50", "299"])),
        Language::French => ("33", "0", *random.pick(&["1", "2", "4", "5", "6", "7"])),
        Language::English => ("44", "0", *random.pick(&["20", "121", "161", "7700", "7911"])),
    };
    let length = match language {
        Language::German => 10,
        Language::Dutch | Language::French => 9,
        Language::English => 10,
    };
    let number = digits(length - area.len(), random);
    match random.below(6) {
        0 => format!("+{country} {area} {number}"),
        1 => format!("+{country}{area}{number}"),
        2 => format!("00{country} {area} {number}"),
        3 => format!("+{country} ({trunk}) {area} {number}"),
        4 => format!("{trunk}{area}/{number}"),
        _ => format!("{trunk}{area} {number}"),
    }
}

pub(crate) fn plate(language: Language, random: &mut Random) -> String {
    let number = random.below(9_000) + 100;
    match language {
        Language::German => {
            let town = *random.pick(&["B", "HH", "M", "K", "F", "BRA", "OS", "KI", "LER"]);
            let letters = signs(b"ABCDEFGHJKLMNPRSTUVWXYZ", 2, random);
            if random.below(2) == 0 {
                format!("{town}-{letters} {number}")
            } else {
                format!("{town} {letters} {number}")
            }
        }
        Language::Dutch => {
            let consonants = b"BDFGHJKLNPRSTXZ";
            let (two, three, one) = (
                signs(consonants, 2, random),
                signs(consonants, 3, random),
                signs(consonants, 1, random),
            );
            match random.below(3) {
                0 => format!("{}-{two}-{}", digits(2, random), signs(consonants, 2, random)),
                1 => format!("{one}-{}-{two}", digits(3, random)),
                _ => format!("{}-{three}-{}", digits(2, random), random.below(10)),
            }
        }
        Language::French => {
            let letters = b"ABCDEFGHJKLMNPQRSTVWXYZ";
            format!(
                "{}-{}-{}",
                signs(letters, 2, random),
                digits(3, random),
                signs(letters, 2, random)
            )
        }
        Language::English => {
            let letters = b"ABCDEFGHJKLMNOPRSTUVWXY";
            format!(
                "{}{:02} {}",
                signs(letters, 2, random),
                2 + random.below(73),
                signs(letters, 3, random)
            )
        }
    }
}

pub(crate) fn vin(random: &mut Random) -> String {
    let maker = *random.pick(&["WVW", "WBA", "WDB", "VF1", "VF3", "ZFA", "TMB", "SAL", "WAU"]);
    let signs = signs(b"ABCDEFGHJKLMNPRSTUVWXYZ0123456789", 8, random);
    format!("{maker}{signs}{}", digits(6, random))
}

pub(crate) fn meter(language: Language, random: &mut Random) -> String {
    let maker = *random.pick(&["EMH", "ISK", "LGZ", "EBZ", "ITR", "APA"]);
    match (language, random.below(3)) {
        (Language::Dutch, 0) => format!("E{}", digits(16, random)),
        (Language::Dutch, _) => check_digits::gs1(&format!("8716{}", digits(13, random))),
        (Language::German, 0) => {
            format!("DE{}{}", digits(11, random), signs(UPPER_AND_DIGITS, 20, random))
        }
        (Language::German, 1) => check_digits::market_location(&digits(10, random)),
        _ => format!("1{maker}00{}", digits(8, random)),
    }
}

/// A serial number of a device with a radio of its own.
pub(crate) fn imei(random: &mut Random) -> String {
    check_digits::luhn(&format!("35{}", digits(12, random)))
}

pub(crate) fn ip(random: &mut Random) -> String {
    if random.below(4) == 0 {
        let groups: Vec<String> = (0..4).map(|_| format!("{:x}", random.below(65_536))).collect();
        return format!("2001:db8::{}", groups.join(":"));
    }
    let part = |random: &mut Random| 1 + random.below(254);
    format!("{}.{}.{}.{}", part(random), part(random), part(random), part(random))
}

pub(crate) fn mac(random: &mut Random) -> String {
    let separator = *random.pick(&[":", "-"]);
    let groups: Vec<String> = (0..6).map(|_| signs(HEXADECIMAL, 2, random)).collect();
    groups.join(separator)
}

pub(crate) fn coordinates(random: &mut Random) -> String {
    let (north, east) = (43_000_000 + random.below(11_000_000), random.below(14_000_000));
    let separator = *random.pick(&[",", ", ", ";"]);
    let degrees = |n: usize| format!("{}.{:06}", n / 1_000_000, n % 1_000_000);
    format!("{}{separator}{}", degrees(north), degrees(east))
}

/// What somebody's government knows them by.
pub(crate) fn government(language: Language, random: &mut Random) -> String {
    match language {
        Language::German => loop {
            // Of its first ten digits one comes twice, or thrice.
            let digits = digits(10, random);
            let counts = (b'0'..=b'9').map(|d| digits.bytes().filter(|b| *b == d).count());
            let counts: Vec<usize> = counts.filter(|count| *count > 1).collect();
            if counts == [2] {
                return check_digits::mod_11_10(&digits);
            }
        },
        Language::Dutch => first_that_is(random, |random| check_digits::bsn(&digits(8, random))),
        Language::French => {
            let (month, department) = (1 + random.below(12), 1 + random.below(95));
            let birth = format!("{}{:02}{month:02}", 1 + random.below(2), random.below(100));
            check_digits::nir(&format!("{birth}{department:02}{}", digits(6, random)))
        }
        Language::English => {
            let prefix = *random.pick(&["AB", "CE", "HJ", "JW", "PX", "SN", "YZ"]);
            format!("{prefix}{}{}", digits(6, random), signs(b"ABCD", 1, random))
        }
    }
}

pub(crate) fn nhs(random: &mut Random) -> String {
    first_that_is(random, |random| check_digits::nhs(&digits(9, random)))
}

fn first_that_is(random: &mut Random, make: impl Fn(&mut Random) -> Option<String>) -> String {
    loop {
        if let Some(made) = make(random) {
            return made;
        }
    }
}

/// A day of a year, in the notations of a language.
pub(crate) fn date(language: Language, year: usize, random: &mut Random) -> String {
    let (month, day) = (1 + random.below(12), 1 + random.below(28));
    match (language, random.below(3)) {
        (_, 0) => format!("{year}-{month:02}-{day:02}"),
        (Language::German, _) => format!("{day:02}.{month:02}.{year}"),
        (Language::Dutch, _) => format!("{day:02}-{month:02}-{year}"),
        (Language::French | Language::English, _) => format!("{day:02}/{month:02}/{year}"),
    }
}
