//! The record that everything is measured with: eight sealed fields in four classes.

use tresor_proto::{
    Content, FieldName, InfoType,
    vault::{self, Action, Field, RecordInput, Value, value},
};
use tresor_vault::{NewField, NewRecord, Treatment};

/// Sealed fields of a record.
pub(crate) const FIELDS: u64 = 8;

/// Names, info types and values; invented.
const RECORD: [(&str, &str, &str); FIELDS as usize] = [
    ("first_name", "FIRST_NAME", "Wilhelmina"),
    ("last_name", "LAST_NAME", "Ostermann-Beispiel"),
    ("email", "EMAIL_ADDRESS", "w.ostermann@mail.example"),
    ("phone", "PHONE_NUMBER", "+49 30 23125 014"),
    ("street", "STREET_ADDRESS", "Am Musterdeich 17b"),
    ("postcode", "POSTCODE", "10115"),
    ("city", "CITY", "Berlin"),
    ("iban", "IBAN_CODE", "DE02120300000000202051"),
];

/// The record as a service sends it.
pub(crate) fn input() -> RecordInput {
    let field = |(name, info_type, text): &(&str, &str, &str)| Field {
        name: (*name).to_owned(),
        value: Some(Value { content: Some(value::Content::Text((*text).to_owned())) }),
        action: Action::Seal as i32,
        info_type: (*info_type).to_owned(),
        data_class: vault::DataClass::Unspecified as i32,
    };
    RecordInput { fields: RECORD.iter().map(field).collect(), ..Default::default() }
}

/// The record as the vault gets it from its door.
pub(crate) fn parsed() -> NewRecord {
    let field = |(name, info_type, text): &(&str, &str, &str)| {
        let info_type = InfoType::from_text(info_type).expect("an info type");
        let class = info_type.class();
        NewField {
            name: FieldName::parse(name).expect("a name"),
            content: Content::text(text).expect("a text"),
            treatment: Treatment::Seal { info_type: Some(info_type), class },
        }
    };
    NewRecord::new(None, RECORD.iter().map(field).collect()).expect("a record")
}

/// The record as a line of NDJSON.
pub(crate) fn line() -> String {
    let fields = RECORD.iter().map(|(name, _, text)| (*name, serde_json::Value::from(*text)));
    serde_json::Value::Object(fields.map(|(name, text)| (name.to_owned(), text)).collect())
        .to_string()
}

/// The record as the vault gives it back in plain.
pub(crate) fn revealed(id: &str) -> vault::GetResult {
    let field = |(name, info_type, text): &(&str, &str, &str)| vault::RevealedField {
        name: (*name).to_owned(),
        value: Some(Value { content: Some(value::Content::Text((*text).to_owned())) }),
        state: vault::FieldState::Plain as i32,
        info_type: (*info_type).to_owned(),
        data_class: vault::DataClass::Identity as i32,
        ..vault::RevealedField::default()
    };
    let record = vault::RevealedRecord {
        id: id.to_owned(),
        revision: 1,
        created: Some(Default::default()),
        updated: Some(Default::default()),
        expires: None,
        fields: RECORD.iter().map(field).collect(),
    };
    vault::GetResult {
        id: id.to_owned(),
        outcome: Some(vault::get_result::Outcome::Record(record)),
    }
}
