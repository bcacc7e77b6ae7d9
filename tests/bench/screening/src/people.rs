//! Somebody, whose values agree with each other.

use crate::{
    identifiers,
    names::{Language, Origin},
    random::Random,
};

/// Somebody.
pub(crate) struct Person {
    pub(crate) language: Language,
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) street: String,
    pub(crate) house: String,
    pub(crate) postcode: String,
    pub(crate) town: String,
    pub(crate) phone: String,
    pub(crate) email: String,
    pub(crate) birth: String,
    pub(crate) iban: String,
    pub(crate) plate: String,
}

impl Person {
    pub(crate) fn new(language: Language, origin: Origin, random: &mut Random) -> Self {
        let first = language.first_name(origin, random);
        let last = language.last_name(origin, random);
        let email = email(&first, &last, random);
        let year = 1930 + random.below(78);
        Self {
            language,
            street: language.street(origin, random),
            house: house(random),
            postcode: postcode(language, random),
            town: language.town(origin, random),
            phone: identifiers::phone(language, random),
            birth: identifiers::date(language, year, random),
            iban: identifiers::iban(language, random),
            plate: identifiers::plate(language, random),
            first,
            last,
            email,
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }

    /// The street with its number: the number stands first in French and English.
    pub(crate) fn street_line(&self) -> String {
        match self.language {
            Language::German | Language::Dutch => format!("{} {}", self.street, self.house),
            Language::French | Language::English => format!("{} {}", self.house, self.street),
        }
    }

    pub(crate) fn address(&self) -> String {
        match self.language {
            Language::English => {
                format!("{}, {}, {}", self.street_line(), self.town, self.postcode)
            }
            Language::German | Language::Dutch | Language::French => {
                format!("{}, {} {}", self.street_line(), self.postcode, self.town)
            }
        }
    }

    pub(crate) fn salutation(&self, random: &mut Random) -> String {
        let salutations = match self.language {
            Language::German => ["Herr", "Frau"],
            Language::Dutch => ["Dhr.", "Mevr."],
            Language::French => ["M.", "Mme"],
            Language::English => ["Mr", "Mrs"],
        };
        (*random.pick(&salutations)).to_owned()
    }
}

fn house(random: &mut Random) -> String {
    let number = 1 + random.below(180);
    match random.below(8) {
        0 => format!("{number}a"),
        1 => format!("{number}-{}", number + 2),
        _ => number.to_string(),
    }
}

fn postcode(language: Language, random: &mut Random) -> String {
    let letters = |random: &mut Random| identifiers::signs(b"ABDEFGHJLNPQRSTUWXYZ", 2, random);
    match language {
        Language::German | Language::French => format!("{:05}", 1_000 + random.below(94_000)),
        Language::Dutch => format!("{} {}", 1_000 + random.below(8_999), letters(random)),
        Language::English => {
            let area = *random.pick(&["M", "LS", "B", "SW", "EH", "BS", "CF"]);
            format!("{area}{} {}{}", 1 + random.below(20), random.below(10), letters(random))
        }
    }
}

/// The plain letters of a name, as e-mail addresses have them.
fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    let spelled = [
        ("ä", "ae"),
        ("ö", "oe"),
        ("ü", "ue"),
        ("ß", "ss"),
        ("é", "e"),
        ("è", "e"),
        ("ë", "e"),
        ("ç", "c"),
        ("ş", "s"),
        ("ı", "i"),
        ("á", "a"),
    ];
    let spelled = spelled.into_iter().fold(lower, |name, (from, to)| name.replace(from, to));
    spelled.chars().filter(char::is_ascii_alphabetic).collect()
}

fn email(first: &str, last: &str, random: &mut Random) -> String {
    let (first, last) = (plain(first), plain(last));
    let user = match random.below(4) {
        0 => format!("{first}.{last}"),
        1 => format!("{}{last}", first.chars().next().unwrap_or('x')),
        2 => format!("{last}{}", 10 + random.below(89)),
        _ => format!("{first}_{last}"),
    };
    let host =
        *random.pick(&["post.example", "mail.example.net", "example.org", "web.example.com"]);
    format!("{user}@{host}")
}
