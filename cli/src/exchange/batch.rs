//! Rows of a file, and what of them is exchanged at once.
//!
//! It promises that a batch is made of the same rows whenever the same file is read, so that it is
//! recognised when it is repeated. It relies on the reader for what a row holds.

use serde_json::{Map, Value, json};
use tresor_proto::{Content, ContentType, Failure, FieldName, InfoType, limits::BATCH_ITEMS_MAX};
use tresor_screening::reader::{Record, to_json, unflatten};

use super::{Answer, Refusal};
use crate::error::CliError;

/// Bytes of a batch as JSON, well below what a request may have.
const BATCH_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A column of which the values are exchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its name; `None` for the only one of a file with a value a line.
    pub(crate) name: Option<FieldName>,
    /// What its values are, where that is said.
    pub(crate) info_type: Option<InfoType>,
}

/// A row of a file.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Counted from 1.
    pub(crate) row: u64,
    /// Where it begins.
    pub(crate) line: u64,
    /// What it holds.
    pub(crate) content: Held,
}

/// What a row holds.
#[derive(Debug)]
pub(crate) enum Held {
    /// A value, and the end of its line. No value any more once it was refused.
    Line(Option<Content>, &'static str),
    /// Fields.
    Record(Record, Vec<usize>),
    /// Nothing that could be read.
    Nothing(Failure),
}

/// Rows that are exchanged at once.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) entries: Vec<Entry>,
    items: Vec<Item>,
    bytes: usize,
    traded: u64,
}

/// A value to be exchanged: which entry's, which of its values, and as what.
struct Item {
    entry: usize,
    value: usize,
    field: Option<FieldName>,
    key: &'static str,
    json: Value,
}

impl Batch {
    /// Adds a row, unless the batch is full: then it is given back.
    pub(crate) fn add(
        &mut self,
        entry: Entry,
        columns: &[Column],
        key: &'static str,
    ) -> Option<Entry> {
        let at = self.entries.len();
        let items: Vec<_> =
            columns.iter().filter_map(|column| item(&entry, at, column, key)).collect();
        let bytes =
            entry.bytes() + items.iter().map(|item| item.json.to_string().len()).sum::<usize>();
        let is_over = self.items.len() + items.len() > BATCH_ITEMS_MAX
            || self.entries.len() >= BATCH_ITEMS_MAX
            || self.bytes + bytes > BATCH_BYTES_MAX;
        if is_over && !self.entries.is_empty() {
            return Some(entry);
        }
        self.entries.push(entry);
        self.items.extend(items);
        self.bytes += bytes;
        None
    }

    /// The values to be exchanged, as they are asked for.
    pub(crate) fn items(&self) -> Vec<&Value> {
        self.items.iter().map(|item| &item.json).collect()
    }

    /// What was asked for beside what was answered; without what was refused.
    pub(crate) fn pairs<'a>(
        &'a self,
        answers: &'a [Answer],
    ) -> impl Iterator<Item = (&'a str, &'a Content)> {
        self.items.iter().zip(answers).filter_map(|(item, answer)| match answer {
            Answer::Traded { value: Some(new), .. } => Some((item.text()?, new)),
            Answer::Traded { value: None, .. } | Answer::Refused(_) => None,
        })
    }

    /// The versions of the keys that made what was answered, each with the info type it is for.
    pub(crate) fn key_versions(&self, answers: &[Answer]) -> impl Iterator<Item = (&str, u32)> {
        self.items.iter().zip(answers).filter_map(|(item, answer)| match answer {
            Answer::Traded { key_version, .. } => Some((item.info_type(), (*key_version)?)),
            Answer::Refused(_) => None,
        })
    }

    /// The number of its first row.
    pub(crate) fn first_row(&self) -> u64 {
        self.entries.first().map_or(0, |entry| entry.row)
    }

    /// The number of its last row.
    pub(crate) fn last_row(&self) -> u64 {
        self.entries.last().map_or(0, |entry| entry.row)
    }

    /// How many values were exchanged.
    pub(crate) fn traded(&self) -> u64 {
        self.traded
    }

    /// Puts what was answered in the places of what was asked for; gives what was refused.
    pub(crate) fn put(&mut self, answers: Vec<Answer>) -> Result<Vec<Refusal>, CliError> {
        if answers.len() != self.items.len() {
            return Err(CliError::failed("the server's answer has another number of results"));
        }
        let unreadable = self.entries.iter().filter_map(Entry::refusal);
        let mut refused: Vec<_> = unreadable.collect();
        for (item, answer) in self.items.iter().zip(answers) {
            let Some(entry) = self.entries.get_mut(item.entry) else { continue };
            let value = match answer {
                Answer::Traded { value, .. } => {
                    self.traded += 1;
                    value
                }
                Answer::Refused(problem) => {
                    let (row, line) = (entry.row, entry.line);
                    refused.push(Refusal { row, line, field: item.field.clone(), problem });
                    None
                }
            };
            entry.put(item.value, value);
        }
        refused.sort_by_key(|refusal| refusal.row);
        Ok(refused)
    }
}

/// What is exchanged of a column; nothing where there is nothing.
fn item(entry: &Entry, at: usize, column: &Column, key: &'static str) -> Option<Item> {
    let (value, content) = entry.value_of(column)?;
    let is_nothing = content.as_bytes().is_empty()
        || content.content_type() == ContentType::Json && content.as_bytes() == b"null";
    if is_nothing {
        return None;
    }
    let mut json = json!({ key: to_json(content) });
    if let Some(info_type) = column.info_type {
        json["info_type"] = json!(info_type.as_str());
    }
    Some(Item { entry: at, value, field: column.name.clone(), key, json })
}

impl Item {
    /// What was asked for, when it is a text.
    fn text(&self) -> Option<&str> {
        self.json.get(self.key)?.as_str()
    }

    /// What the value is, where that is said.
    fn info_type(&self) -> &str {
        self.json.get("info_type").and_then(Value::as_str).unwrap_or_default()
    }
}

impl Entry {
    fn value_of(&self, column: &Column) -> Option<(usize, &Content)> {
        match (&self.content, &column.name) {
            (Held::Line(content, _), None) => Some((0, content.as_ref()?)),
            (Held::Record(record, _), Some(name)) => {
                let at = record.names.iter().position(|other| other == name)?;
                Some((at, record.values.get(at)?))
            }
            (Held::Line(..) | Held::Record(..) | Held::Nothing(_), _) => None,
        }
    }

    /// Puts another value, or nothing, in the place of one.
    fn put(&mut self, at: usize, value: Option<Content>) {
        match &mut self.content {
            Held::Line(content, _) => *content = value,
            Held::Record(record, refused) => match (record.values.get_mut(at), value) {
                (Some(place), Some(value)) => *place = value,
                (Some(_), None) => refused.push(at),
                (None, _) => {}
            },
            Held::Nothing(_) => {}
        }
    }

    /// Its fields as JSON; nothing stands in the places of what was refused.
    pub(crate) fn fields(&self) -> Option<Map<String, Value>> {
        let Held::Record(record, refused) = &self.content else { return None };
        let values = record.values.iter().enumerate();
        let values = values.map(|(at, value)| (!refused.contains(&at)).then_some(value));
        match unflatten(&*record.names, values) {
            Value::Object(fields) => Some(fields),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => None,
        }
    }

    fn refusal(&self) -> Option<Refusal> {
        let Held::Nothing(failure) = &self.content else { return None };
        let problem = json!({ "code": failure.code().as_str(), "title": failure.code().title(),
            "detail": failure.message() });
        Some(Refusal { row: self.row, line: self.line, field: None, problem })
    }

    fn bytes(&self) -> usize {
        match &self.content {
            Held::Line(content, _) => content.as_ref().map_or(0, |it| it.as_bytes().len()),
            Held::Record(record, _) => record.values.iter().map(|it| it.as_bytes().len()).sum(),
            Held::Nothing(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(row: u64, text: &str) -> Entry {
        let content = Held::Line(Some(Content::text(text).unwrap()), "\n");
        Entry { row, line: row, content }
    }

    fn only() -> [Column; 1] {
        [Column { name: None, info_type: Some(InfoType::City) }]
    }

    fn rows(text: &str, bytes: usize) -> usize {
        let mut batch = Batch::default();
        let mut row = 0;
        while batch.add(line(row, &text.repeat(bytes)), &only(), "value").is_none() {
            row += 1;
        }
        batch.entries.len()
    }

    #[test]
    fn a_batch_has_a_thousand_values_or_two_mebibytes() {
        assert_eq!(rows("x", 5), 1_000);
        assert!((10..20).contains(&rows("x", 65_536)));
        // A control character takes six bytes as JSON.
        assert!((3..6).contains(&rows("\u{1}", 65_536)));
    }

    #[test]
    fn what_is_answered_stands_in_the_place_of_what_was_asked_for() {
        let mut batch = Batch::default();
        let unreadable = Held::Nothing(Failure::from(tresor_proto::ErrorCode::TooLarge));
        for entry in [
            line(1, "Burg"),
            line(2, ""),
            line(3, "Turm"),
            Entry { row: 4, line: 9, content: unreadable },
        ] {
            assert!(batch.add(entry, &only(), "value").is_none());
        }
        let asked = batch.items();
        assert_eq!(
            json!(asked),
            json!([{ "value": "Burg", "info_type": "CITY" },
            { "value": "Turm", "info_type": "CITY" }])
        );
        let value = Some(Content::text("srg_1").unwrap());
        let surrogate = Answer::Traded { value, key_version: Some(2) };
        let answers = vec![surrogate, Answer::Refused(json!({ "code": "gone" }))];
        assert_eq!(batch.key_versions(&answers).collect::<Vec<_>>(), [("CITY", 2)]);
        let refused = batch.put(answers).unwrap();
        let told: Vec<_> =
            refused.iter().map(|it| (it.row, it.line, it.problem["code"].clone())).collect();
        assert_eq!(told, [(3, 3, json!("gone")), (4, 9, json!("too_large"))]);
        let text = |at: usize| match &batch.entries[at].content {
            Held::Line(content, _) => content.as_ref().map(|it| it.as_text().unwrap().to_owned()),
            Held::Record(..) | Held::Nothing(_) => panic!("a line"),
        };
        assert_eq!([text(0), text(1), text(2)], [Some("srg_1".into()), Some("".into()), None]);
        assert_eq!((batch.traded(), batch.first_row(), batch.last_row()), (1, 1, 4));
    }

    #[test]
    fn another_number_of_answers_is_none() {
        let mut batch = Batch::default();
        batch.add(line(1, "Burg"), &only(), "value");
        assert!(batch.put(Vec::new()).is_err());
    }
}
