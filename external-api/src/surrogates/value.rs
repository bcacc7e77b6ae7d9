//! A value in JSON: a string, a number or a boolean.
//!
//! It promises that a number stays as it is written. It relies on the vault to refuse an item whose
//! value is none, or too long.

use serde_json::value::RawValue;
use tresor_proto::vault::{Value, value::Content};

/// A value as the vault takes it; `None` for what is no string, number or boolean.
pub(crate) fn to_wire(json: &RawValue) -> Option<Value> {
    let literal = json.get();
    let content = match literal.as_bytes().first()? {
        b'"' => Content::Text(serde_json::from_str(literal).ok()?),
        b'{' | b'[' | b'n' => return None,
        _ => Content::Json(literal.to_owned()),
    };
    Some(Value { content: Some(content) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(json: &str) -> Option<Content> {
        let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
        to_wire(&raw)?.content
    }

    #[test]
    fn strings_become_text_and_scalars_stay_as_they_are_written() {
        assert_eq!(content(r#""M\u00fcller""#), Some(Content::Text("Müller".to_owned())));
        for literal in ["1.10", "-7e2", "true"] {
            assert_eq!(content(literal), Some(Content::Json(literal.to_owned())));
        }
    }

    #[test]
    fn nothing_else_is_a_value() {
        for json in ["null", "{}", "[1]"] {
            assert_eq!(content(json), None);
        }
    }
}
