use core::fmt::Write as _;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::Level;

use super::LogFormat;

/// One line of the log.
pub(super) struct Line<'a> {
    pub(super) level: Level,
    pub(super) target: &'a str,
    pub(super) fields: &'a [(&'static str, Value)],
}

impl Line<'_> {
    /// The line with its end. Nothing in a field can begin another line.
    pub(super) fn render(&self, format: LogFormat) -> String {
        let mut line = match format {
            LogFormat::Json => self.to_json(),
            LogFormat::Text => self.to_text(),
        };
        line.push('\n');
        line
    }

    fn to_json(&self) -> String {
        let mut object = Map::new();
        object.insert("time".to_owned(), now().into());
        object.insert("level".to_owned(), self.level.as_str().into());
        object.insert("target".to_owned(), self.target.into());
        for (name, value) in self.fields {
            object.insert((*name).to_owned(), value.clone());
        }
        Value::Object(object).to_string()
    }

    fn to_text(&self) -> String {
        let mut line = format!("{} {:5} {}", now(), self.level, self.target);
        let message = self.fields.iter().find(|(name, _)| *name == "message");
        if let Some((_, message)) = message {
            line.push_str(": ");
            line.push_str(&printable(message));
        }
        for (name, value) in self.fields.iter().filter(|(name, _)| *name != "message") {
            // Writing to a string does not fail.
            let _ = write!(line, " {name}={}", printable(value));
        }
        line
    }
}

fn now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}

/// A text as it is, with control characters escaped; anything else as JSON.
fn printable(value: &Value) -> String {
    let Some(text) = value.as_str() else {
        return value.to_string();
    };
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}
