//! `tresor get`: reads one record, masked unless asked otherwise.

use clap::{Args, ValueEnum};
use comfy_table::Cell;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tresor_proto::{CollectionName, RecordId};

use super::parse;
use crate::{
    connection::CustomerFlags,
    error::{CliError, Exit},
    https::fetch,
    output::{Output, Tone, printable},
    secret_input::CustomerTokenSource,
    session::Session,
};

/// Reads one record.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor get A-03405927 --collection customers
  tresor get A-03405927 --collection customers --reveal plain --output json")]
pub(crate) struct GetCommand {
    /// Id of the record
    #[arg(value_parser = parse::record_id)]
    id: RecordId,
    #[command(flatten)]
    target: Target,
    /// How much to show
    #[arg(long, value_enum, default_value = "masked")]
    reveal: RevealFlag,
}

/// The collection, and how to get at it.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Collection of the record
    #[arg(long, value_name = "NAME", value_parser = parse::collection, env = "TRESOR_COLLECTION")]
    pub(crate) collection: CollectionName,
    #[command(flatten)]
    pub(crate) customer_token: CustomerTokenSource,
    #[command(flatten)]
    pub(crate) connection: CustomerFlags,
}

/// How much to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RevealFlag {
    /// Type, class and greatest length of sealed fields only
    Redacted,
    /// Sealed fields masked
    Masked,
    /// Everything
    Plain,
}

/// A record as the external API gives it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct RecordDocument {
    /// Its id.
    pub(crate) id: String,
    /// Its revision.
    pub(crate) revision: u64,
    /// When it was first stored.
    pub(crate) created: Option<String>,
    /// When it was last changed.
    pub(crate) updated: Option<String>,
    /// Its content.
    pub(crate) record: Value,
    /// What is shown of each field.
    pub(crate) fields: Vec<FieldDocument>,
}

/// What is shown of a field.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct FieldDocument {
    /// Its name; a pointer into the record when it begins with `/`.
    pub(crate) name: String,
    /// clear, plain, masked, redacted or withheld.
    pub(crate) state: String,
    /// Its info type, when sealed and known.
    pub(crate) info_type: Option<String>,
    /// Its class, when sealed.
    pub(crate) class: Option<String>,
    /// Bytes it has at most, when redacted.
    pub(crate) length_bytes_max: Option<u32>,
    /// The surrogate that stands in for it, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) surrogate: Option<String>,
    /// The version of the key that made the surrogate, when that hangs on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key_version: Option<u32>,
}

impl GetCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let https = self.target.connection.https(session)?;
        let customer_token = self.target.customer_token.read(session)?;
        let segments =
            ["v1", "collections", self.target.collection.as_str(), "records", self.id.as_str()];
        let request = https.request_with(Method::GET, &segments, &customer_token)?;
        let request = request.query(&[("reveal", self.reveal.as_str())]);
        let record: RecordDocument = fetch(request).await?;
        session.output.give(&record, |output| show(output, &record))?;
        Ok(Exit::Done)
    }
}

impl RevealFlag {
    /// Its name in the API.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Redacted => "redacted",
            Self::Masked => "masked",
            Self::Plain => "plain",
        }
    }
}

impl RecordDocument {
    /// The value of a field as text; empty when it is not given.
    pub(crate) fn text_of(&self, field: &str) -> String {
        match self.value_of(field) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    /// The value of a field as it was uploaded: a text, or a JSON literal, `null` included.
    #[cfg(feature = "dev")]
    pub(crate) fn literal_of(&self, field: &str) -> String {
        match self.value_of(field) {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    fn value_of(&self, field: &str) -> Option<&Value> {
        if field.starts_with('/') { self.record.pointer(field) } else { self.record.get(field) }
    }
}

fn show(output: &Output, record: &RecordDocument) -> Result<(), CliError> {
    let updated = record.updated.as_deref().unwrap_or("unknown");
    output.line(format!("{}, revision {}, updated {updated}", record.id, record.revision))?;
    show_fields(output, record)
}

/// Shows the fields of a record as a table.
pub(crate) fn show_fields(output: &Output, record: &RecordDocument) -> Result<(), CliError> {
    let has_surrogates = record.fields.iter().any(|field| field.surrogate.is_some());
    let has_versions = record.fields.iter().any(|field| field.key_version.is_some());
    let row = |field: &FieldDocument| {
        let tone = if field.state == "clear" { Tone::Faint } else { Tone::Notable };
        let mut row = vec![
            Cell::new(printable(&field.name)),
            Cell::new(printable(&shown(record, field))),
            output.cell(tone, &printable(&field.state)),
            Cell::new(field.info_type.as_deref().unwrap_or("")),
            Cell::new(field.class.as_deref().unwrap_or("")),
        ];
        let surrogate = field.surrogate.as_deref().unwrap_or("");
        row.extend(has_surrogates.then(|| Cell::new(printable(surrogate))));
        let version = field.key_version.map_or_else(String::new, |version| version.to_string());
        row.extend(has_versions.then(|| Cell::new(version)));
        row
    };
    let mut header = vec!["field", "value", "shown", "info type", "class"];
    header.extend(has_surrogates.then_some("surrogate"));
    header.extend(has_versions.then_some("key version"));
    output.table(&header, record.fields.iter().map(row))
}

/// The value of a field, or how long it is at most.
fn shown(record: &RecordDocument, field: &FieldDocument) -> String {
    match field.length_bytes_max {
        Some(bytes) => format!("(up to {bytes} bytes)"),
        None => record.text_of(&field.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_name_and_by_pointer() {
        let text = r#"{"id":"a","revision":1,"created":null,"updated":null,
            "record":{"a":"x","n":1.10,"address":{"city":"Burg"},"/x":"slash"},"fields":[]}"#;
        let record: RecordDocument = serde_json::from_str(text).unwrap();
        assert_eq!(record.text_of("a"), "x");
        assert_eq!(record.text_of("n"), "1.10");
        assert_eq!(record.text_of("/address/city"), "Burg");
        assert_eq!(record.text_of("/~1x"), "slash");
        assert_eq!(record.text_of("absent"), "");
    }

    #[test]
    fn a_redacted_field_tells_how_long_it_is_at_most() {
        let text = r#"{"id":"a","revision":1,"created":null,"updated":null,"record":{"a":null,"b":"x"},
            "fields":[
                {"name":"a","state":"redacted","info_type":null,"class":"device","length_bytes_max":28},
                {"name":"b","state":"clear","info_type":null,"class":null,"length_bytes_max":null}]}"#;
        let record: RecordDocument = serde_json::from_str(text).unwrap();
        let told: Vec<_> = record.fields.iter().map(|field| shown(&record, field)).collect();
        assert_eq!(told, ["(up to 28 bytes)", "x"]);
    }
}
