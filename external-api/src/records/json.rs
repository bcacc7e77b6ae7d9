//! A revealed record as JSON.
//!
//! It promises that what is not shown is null, and that each field says why it shows what it
//! shows. It relies on the screening reader to rebuild what it flattened.

use serde::Serialize;
use serde_json::{Value, json};
use tresor_proto::{
    Content, DataClass, Failure, FieldName,
    vault::{FieldState, GetResult, RevealedField, RevealedRecord, get_result::Outcome},
};
use tresor_screening::reader::unflatten;
use utoipa::ToSchema;

use crate::{openapi::bounds, problem::Problem, vault::malformed};

/// A page of records.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page {
    pub(crate) records: Vec<Item>,
    /// Null on the last page.
    pub(crate) next_page_token: Option<String>,
}

/// A record of a page, or why it is not given.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Item {
    Record(Record),
    Refused(Refused),
}

/// A record that is not given.
#[derive(Serialize, ToSchema)]
#[schema(as = RefusedItem)]
pub(crate) struct Refused {
    id: String,
    #[schema(value_type = Problem)]
    problem: Value,
}

/// A record as it is shown.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Record {
    #[schema(schema_with = bounds::record_id)]
    id: String,
    revision: u64,
    #[schema(format = DateTime)]
    created: Option<String>,
    #[schema(format = DateTime)]
    updated: Option<String>,
    /// The record as it was uploaded; what is not shown is null.
    #[schema(schema_with = bounds::anything)]
    record: Value,
    /// What is known of each value.
    fields: Vec<Field>,
}

#[derive(Debug, PartialEq, Serialize, ToSchema)]
struct Field {
    name: String,
    #[schema(schema_with = bounds::field_state)]
    state: &'static str,
    info_type: Option<String>,
    class: Option<&'static str>,
    /// The surrogate that stands in for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    surrogate: Option<String>,
    /// The version of the key that made the surrogate; only of format-preserving ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key_version: Option<u32>,
    /// Bytes that the value has at most, as far as its padding tells. Only when redacted.
    length_bytes_max: Option<u32>,
}

/// One record.
pub(super) fn record(found: GetResult) -> Result<Record, Failure> {
    match found.outcome {
        Some(Outcome::Record(record)) => revealed(record),
        Some(Outcome::Status(status)) => Err(Failure::from_item_status(&status)),
        None => Err(malformed()),
    }
}

/// One record of a page; one that is not given has a problem in its place.
pub(crate) fn item(found: GetResult) -> Item {
    let id = found.id.clone();
    let refused = |failure| Refused { id, problem: json!(Problem::of(&failure)) };
    record(found).map_or_else(|failure| Item::Refused(refused(failure)), Item::Record)
}

fn revealed(record: RevealedRecord) -> Result<Record, Failure> {
    let mut names = Vec::with_capacity(record.fields.len());
    let mut values = Vec::with_capacity(record.fields.len());
    let mut fields = Vec::with_capacity(record.fields.len());
    for field in record.fields {
        fields.push(told(&field));
        names.push(FieldName::parse(&field.name).map_err(|_| malformed())?);
        values.push(field.value.map(Content::try_from).transpose()?);
    }
    Ok(Record {
        id: record.id,
        revision: record.revision,
        created: record.created.map(|time| time.to_string()),
        updated: record.updated.map(|time| time.to_string()),
        record: unflatten(&names, values.iter().map(Option::as_ref)),
        fields,
    })
}

fn told(field: &RevealedField) -> Field {
    let class = DataClass::from_wire(field.data_class).ok().flatten();
    Field {
        name: field.name.clone(),
        state: field_state(field.state()),
        info_type: Some(field.info_type.clone()).filter(|text| !text.is_empty()),
        class: class.map(DataClass::as_str),
        surrogate: Some(field.surrogate.clone()).filter(|text| !text.is_empty()),
        key_version: Some(field.key_version).filter(|version| *version > 0),
        length_bytes_max: Some(field.length_bytes_max).filter(|bytes| *bytes > 0),
    }
}

/// The word for why a field shows what it shows.
pub(crate) fn field_state(state: FieldState) -> &'static str {
    match state {
        FieldState::Unspecified => "unspecified",
        FieldState::Clear => "clear",
        FieldState::Plain => "plain",
        FieldState::Masked => "masked",
        FieldState::Redacted => "redacted",
        FieldState::Withheld => "withheld",
    }
}

#[cfg(test)]
mod tests {
    use tresor_proto::{ErrorCode, vault};

    use super::*;

    fn field(name: &str, value: Option<&str>, state: FieldState, class: i32) -> RevealedField {
        let text = |text: &str| Content::text(text).unwrap().into_wire();
        RevealedField {
            name: name.to_owned(),
            value: value.map(text),
            state: state as i32,
            info_type: if class == 0 { "" } else { "CITY" }.to_owned(),
            data_class: class,
            ..RevealedField::default()
        }
    }

    #[test]
    fn a_record_is_rebuilt_with_its_fields_told() {
        let location = vault::DataClass::Location as i32;
        let record = RevealedRecord {
            id: "a".to_owned(),
            revision: 2,
            fields: vec![
                field("tariff", Some("T1"), FieldState::Clear, 0),
                field("/home/city", None, FieldState::Withheld, location),
                RevealedField {
                    length_bytes_max: 28,
                    ..field("/home/town", None, FieldState::Redacted, location)
                },
                RevealedField {
                    surrogate: "4711".to_owned(),
                    key_version: 2,
                    ..field("postcode", Some("•••"), FieldState::Masked, location)
                },
            ],
            ..RevealedRecord::default()
        };
        let expected = json!({
            "id": "a", "revision": 2, "created": null, "updated": null,
            "record": {"tariff": "T1", "home": {"city": null, "town": null}, "postcode": "•••"},
            "fields": [
                {"name": "tariff", "state": "clear", "info_type": null, "class": null,
                 "length_bytes_max": null},
                {"name": "/home/city", "state": "withheld", "info_type": "CITY",
                 "class": "location", "length_bytes_max": null},
                {"name": "/home/town", "state": "redacted", "info_type": "CITY",
                 "class": "location", "length_bytes_max": 28},
                {"name": "postcode", "state": "masked", "info_type": "CITY", "class": "location",
                 "surrogate": "4711", "key_version": 2, "length_bytes_max": null},
            ],
        });
        assert_eq!(json!(revealed(record).unwrap()), expected);
    }

    #[test]
    fn a_record_that_is_not_given_says_why() {
        let failure = Failure::from(ErrorCode::Integrity);
        let status = Outcome::Status(failure.to_item_status());
        let found = GetResult { id: "a".to_owned(), outcome: Some(status) };
        assert_eq!(json!(item(found))["problem"]["code"], "integrity");
        let absent = GetResult::default();
        assert_eq!(record(absent).unwrap_err().code(), ErrorCode::Internal);
    }
}
