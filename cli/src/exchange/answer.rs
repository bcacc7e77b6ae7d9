//! What is answered to each item.

use serde::Deserialize;
use serde_json::{Value, json};
use tresor_proto::{Content, ContentType, FieldName};

use crate::{error::CliError, https::Problem};

/// What became of a value.
#[derive(Debug)]
pub(crate) enum Answer {
    /// What stands in its place; nothing where nothing is shown.
    Traded {
        value: Option<Content>,
        /// The version of the key that made it, when that hangs on one.
        key_version: Option<u32>,
    },
    /// Why nothing does, as it came.
    Refused(Value),
}

/// A value that was refused.
pub(crate) struct Refusal {
    pub(super) row: u64,
    pub(super) line: u64,
    pub(super) field: Option<FieldName>,
    pub(super) problem: Value,
}

/// The results of a batch as they come.
#[derive(Deserialize)]
pub(super) struct Results {
    pub(super) results: Vec<Value>,
}

impl Answer {
    /// Reads a result whose value is called `key`. What may pass by itself is an error, so that
    /// it is asked for again.
    pub(super) fn read(result: &Value, key: &str) -> Result<Self, CliError> {
        let unreadable = || CliError::failed("a result of the server's answer cannot be read");
        let Some(problem) = result.get("problem") else {
            let value = content(result.get(key)).ok_or_else(unreadable)?;
            let key_version = result.get("key_version").map(u32::deserialize).transpose();
            let key_version = key_version.map_err(|_| unreadable())?;
            return Ok(Self::Traded { value, key_version });
        };
        let read: Problem = serde_json::from_value(problem.clone()).map_err(|_| unreadable())?;
        let error = read.into_error();
        if error.may_pass() {
            return Err(error);
        }
        Ok(Self::Refused(problem.clone()))
    }
}

/// A value that came as JSON; `None` for what is none.
fn content(json: Option<&Value>) -> Option<Option<Content>> {
    match json {
        None | Some(Value::Null) => Some(None),
        Some(Value::String(text)) => Content::text(text).ok().map(Some),
        Some(literal @ (Value::Bool(_) | Value::Number(_))) => {
            Content::new(ContentType::Json, literal.to_string().into_bytes()).ok().map(Some)
        }
        Some(Value::Array(_) | Value::Object(_)) => None,
    }
}

impl Refusal {
    /// As it is listed: by line, field and reason.
    pub(super) fn to_json(&self) -> Value {
        let mut entry = json!({ "row": self.row, "line": self.line });
        if let Some(field) = &self.field {
            entry["field"] = json!(field.as_str());
        }
        entry["problem"] = self.problem.clone();
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str) -> Result<Answer, CliError> {
        Answer::read(&json!({ "problem": { "code": code, "title": "" } }), "value")
    }

    #[test]
    fn a_value_is_refused_only_by_what_will_not_pass() {
        for code in ["overloaded", "locked", "storage_unavailable", "rate_limited"] {
            assert!(refusal(code).unwrap_err().may_pass(), "{code}");
        }
        for code in ["invalid_request", "wrong_key", "gone", "not_found", "too_large", "conflict"] {
            assert!(matches!(refusal(code), Ok(Answer::Refused(_))), "{code}");
        }
    }

    #[test]
    fn a_literal_stays_as_it_is_written() {
        let result: Value = serde_json::from_str(r#"{"value":1.10}"#).unwrap();
        let Answer::Traded { value: Some(content), key_version: None } =
            Answer::read(&result, "value").unwrap()
        else {
            panic!("a value")
        };
        assert_eq!(content.as_text(), Some("1.10"));
        assert!(Answer::read(&json!({ "value": {} }), "value").is_err());
        let redacted = Answer::read(&json!({ "state": "redacted" }), "value").unwrap();
        assert!(matches!(redacted, Answer::Traded { value: None, .. }));
    }

    #[test]
    fn a_surrogate_comes_with_the_version_of_its_key_or_is_none() {
        let read = |version: Value| {
            Answer::read(&json!({ "surrogate": "4711", "key_version": version }), "surrogate")
        };
        assert!(matches!(read(json!(2)), Ok(Answer::Traded { key_version: Some(2), .. })));
        for unreadable in [json!("2"), json!(-1), json!(1_u64 << 32)] {
            assert!(read(unreadable).is_err());
        }
    }
}
