//! Field names that are personal data themselves: a CSV whose header row is missing, a JSON object
//! keyed by e-mail address.
//!
//! Names are stored readable, so it promises to find in them what has an unmistakable shape or a
//! checksum, also inside of them and in disguise. It relies on the rules of values and of texts; a name
//! like `Erika`, or a bare number, is not told from a field's.

use tresor_proto::{FieldName, InfoType};

use crate::{
    defined::Defined,
    detection::{self, Standing},
    field_name::Hint,
    text::{self, CONTRADICTION_CONFIDENCE, Folding, Seen, Workspace},
};

/// Whether the name, or a segment of a pointer, is personal data.
pub(crate) fn is_personal_itself(name: &FieldName) -> bool {
    let name = name.as_str();
    let is_pointer = name.starts_with('/');
    let segments = name.split('/').filter(|_| is_pointer);
    is_personal(name) || segments.map(unescape).any(|key| is_personal(&key))
}

/// The key of a pointer's segment (RFC 6901 §4).
fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

fn is_personal(text: &str) -> bool {
    let mut folding = Folding::default();
    let seen = folding.see(text);
    let whole = detection::detect(Hint::Nothing, seen);
    let is_whole = whole.standing == Standing::Personal;
    (is_whole && whole.info_type.is_some_and(is_never_a_name)) || holds_personal(seen)
}

/// Whether something personal is inside of it.
fn holds_personal(seen: Seen<'_>) -> bool {
    let mut findings = Vec::new();
    text::find(seen, 0, &Defined::default(), &mut Workspace::default(), &mut findings);
    let mut sure = findings.iter().filter(|it| it.confidence >= CONTRADICTION_CONFIDENCE);
    sure.any(|finding| is_never_a_name(finding.info_type))
}

/// Whether values of a type never name a field. URLs do, and short codes are too much like names.
fn is_never_a_name(info_type: InfoType) -> bool {
    [
        InfoType::EmailAddress,
        InfoType::IbanCode,
        InfoType::PhoneNumber,
        InfoType::CreditCardNumber,
        InfoType::IpAddress,
        InfoType::MacAddress,
        InfoType::DateOfBirth,
        InfoType::MeterId,
        InfoType::VehicleIdentificationNumber,
    ]
    .contains(&info_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_found(name: &str) -> bool {
        is_personal_itself(&FieldName::parse(name).unwrap())
    }

    #[test]
    fn personal_data_is_found_in_names_and_keys() {
        for name in [
            "anna@example.org",
            " anna@example.org",
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "+49 30 123456",
            "4111 1111 1111 1111",
            "192.168.2.17",
            "00:1a:2b:3c:4d:5e",
            "12.03.1985",
            "1985-03-12",
            "/customers/anna@example.org/city",
            "/births/12~103~11985",
            "erika＠example.org",
            "mail:erika@example.org",
            "notes for erika@example.org",
        ] {
            assert!(is_found(name), "{name}");
        }
    }

    #[test]
    fn names_of_fields_are_no_personal_data() {
        for name in [
            "email",
            "e-mail@work",
            "@id",
            "E-Mail (privat)",
            "Zählerstand 01.01.",
            "2026-01-01",
            "2026",
            "1",
            "v1.2.3",
            "+",
            "/phones/0",
            "/~1x",
            "/address/city",
            "http://schema.org/name",
            "IBAN / BIC",
            "Straße, Nr.",
            "Telefon 1",
            "20260101",
            "1000000001",
            "4111111111111111",
            "Lieferung bis 31.12.2026",
        ] {
            assert!(!is_found(name), "{name}");
        }
    }
}
