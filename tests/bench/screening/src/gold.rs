//! Files with the answers in them, and writing such.
//!
//! It promises to fail on a file it does not understand whole. It relies on offsets in such files
//! counting characters, as Python does.

use std::{fs, path::Path};

use serde_json::{Map, Value, json};
use tresor_proto::InfoType;

use crate::{
    forms,
    names::Origin,
    random::Random,
    sample::{Field, Sample, Span},
};

/// Reads a file.
pub(crate) fn read(path: &Path) -> Vec<Sample> {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(|line| sample(&serde_json::from_str(line).expect("a line of JSON"))).collect()
}

fn sample(line: &Value) -> Sample {
    let record = line["record"].as_object().expect("a record");
    let fields = record.iter().map(|(name, value)| {
        let value = value.as_str().expect("a text").to_owned();
        let answer = line["gold"].get(name).expect("an answer").as_str().map(info_type);
        let mut field = Field::new(name, value, answer);
        if line["note_field"] == json!(name) {
            let spans = line["note_spans"].as_array().expect("spans");
            field.spans = spans.iter().filter_map(|s| span(s, &field.value)).collect();
        }
        field
    });
    Sample { fields: fields.collect() }
}

/// A span; that of a moment is none, since no moment in a note is a person's.
fn span(span: &Value, text: &str) -> Option<Span> {
    let offset = |at: usize| {
        let character = usize::try_from(span[at].as_u64().expect("a number")).expect("an offset");
        text.char_indices().nth(character).map_or(text.len(), |(byte, _)| byte)
    };
    let label = span[2].as_str().expect("a label");
    let (start, end) = (offset(0), offset(1));
    (label != "DATE_TIME").then(|| Span { start, end, info_type: info_type(label) })
}

fn info_type(label: &str) -> InfoType {
    match label {
        "PERSON" => InfoType::PersonName,
        "LOCATION" => InfoType::StreetAddress,
        "LICENSE_PLATE" => InfoType::LicensePlateNumber,
        "VIN" => InfoType::VehicleIdentificationNumber,
        "GEO" => InfoType::LocationCoordinates,
        "NOTE" => InfoType::FreeText,
        label => InfoType::from_text(label).unwrap_or_else(|| panic!("no such answer: {label}")),
    }
}

/// Writes made-up records, names as anybody knows them.
pub(crate) fn write(records: usize, seed: u64) {
    for form in forms::all() {
        let mut random = Random::seeded(seed);
        for _ in 0..records {
            println!("{}", line(&form.sample(Origin::Common, &mut random)));
        }
    }
}

fn line(sample: &Sample) -> Value {
    let (mut record, mut gold) = (Map::new(), Map::new());
    let (mut note_field, mut note_spans) = (Value::Null, Vec::new());
    for field in &sample.fields {
        record.insert(field.name.clone(), json!(field.value));
        gold.insert(field.name.clone(), json!(field.answer.as_ref().map(InfoType::as_str)));
        if field.answer == Some(InfoType::FreeText) {
            note_field = json!(field.name);
            let character = |byte: usize| field.value[..byte].chars().count();
            let spans = field.spans.iter();
            let spans =
                spans.map(|s| json!([character(s.start), character(s.end), s.info_type.as_str()]));
            note_spans = spans.collect();
        }
    }
    json!({ "record": record, "gold": gold, "note_field": note_field, "note_spans": note_spans })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_the_same() {
        for form in forms::all() {
            let written = form.sample(Origin::Invented, &mut Random::seeded(7));
            let read = sample(&line(&written));
            assert_eq!(format!("{read:?}"), format!("{written:?}"));
        }
    }

    #[test]
    fn offsets_count_characters() {
        let line = json!({
            "record": { "notiz": "Grüße an Jörg" }, "gold": { "notiz": "NOTE" },
            "note_field": "notiz", "note_spans": [[9, 13, "PERSON"], [0, 2, "DATE_TIME"]],
        });
        let field = &sample(&line).fields[0];
        let [span] = field.spans[..] else { panic!("one span") };
        assert_eq!(&field.value[span.start..span.end], "Jörg");
    }
}
