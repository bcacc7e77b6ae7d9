//! What is asked for and answered when surrogates are traded back, as JSON.
//!
//! It promises that what is not shown is absent, and that each result says why it shows what it
//! shows. It relies on the vault for how much that is.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tresor_proto::{
    Content, DataClass, Failure,
    vault::{
        self, DetokenizeRequest, DetokenizeResponse, DetokenizeResult, RevealedValue,
        detokenize_result::Outcome,
    },
};
use tresor_screening::reader::to_json;
use utoipa::ToSchema;

use super::{named, words};
use crate::{
    bounded_items::Items, openapi::bounds, problem::Problem, records::field_state, vault::malformed,
};

/// Surrogates, and how much to show of their values.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Detokenize)]
pub(crate) struct Order {
    /// How much to show; a surrogate never shows more than it was made for.
    #[schema(schema_with = bounds::reveal)]
    reveal: Option<String>,
    /// Of format-preserving surrogates that do not say theirs.
    #[schema(schema_with = bounds::info_type)]
    info_type: Option<String>,
    /// Of format-preserving surrogates that do not say theirs; that of the info type when not given.
    #[schema(schema_with = bounds::surrogate_format)]
    format: Option<String>,
    /// Of format-preserving surrogates that do not say theirs: of the key that made them, the newest
    /// when not given.
    #[schema(minimum = 1)]
    key_version: Option<u32>,
    #[schema(value_type = Vec<named::Item>, min_items = 1, max_items = 1000)]
    items: Items<named::Item>,
}

/// A result for each surrogate, in order.
#[derive(Serialize, ToSchema)]
#[schema(as = Detokenized)]
pub(crate) struct Answer {
    results: Vec<Told>,
}

/// A value as it is shown, or why it is not.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = DetokenizedItem)]
struct Told {
    /// As it came.
    #[serde(skip_serializing_if = "String::is_empty")]
    reference: String,
    /// The value or its mask; absent when redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = bounds::anything)]
    value: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = bounds::field_state)]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    info_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    class: Option<&'static str>,
    /// Bytes it has at most; only when redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    length_bytes_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Problem, nullable = false)]
    problem: Option<Value>,
}

impl Order {
    /// As the vault is asked.
    pub(super) fn into_wire(self) -> Result<DetokenizeRequest, Failure> {
        let reveal = self.reveal.as_deref().map(|word| words::reveal("reveal", word));
        Ok(DetokenizeRequest {
            context: None,
            items: named::into_wire(self.items)?,
            reveal: vault::Reveal::from(reveal.transpose()?.unwrap_or_default()) as i32,
            info_type: self.info_type.unwrap_or_default(),
            format: words::format("format", self.format.as_deref())? as i32,
            key_version: words::key_version("key_version", self.key_version)?,
        })
    }
}

impl Answer {
    /// The vault's answer as it is told.
    pub(super) fn from_wire(answer: DetokenizeResponse) -> Self {
        Self { results: answer.results.into_iter().map(told).collect() }
    }
}

fn told(result: DetokenizeResult) -> Told {
    let shown = match result.outcome {
        Some(Outcome::Revealed(revealed)) => shown(revealed),
        Some(Outcome::Status(status)) => Err(Failure::from_item_status(&status)),
        None => Err(malformed()),
    };
    let refused = |failure| Told { problem: Some(json!(Problem::of(&failure))), ..Told::default() };
    Told { reference: result.reference, ..shown.unwrap_or_else(refused) }
}

fn shown(revealed: RevealedValue) -> Result<Told, Failure> {
    let class = DataClass::from_wire(revealed.data_class).ok().flatten();
    let state = field_state(revealed.state());
    let value = revealed.value.map(Content::try_from).transpose().map_err(|_| malformed())?;
    Ok(Told {
        value: value.as_ref().map(to_json),
        state: Some(state),
        info_type: Some(revealed.info_type),
        class: class.map(DataClass::as_str),
        length_bytes_max: (revealed.length_bytes_max > 0).then_some(revealed.length_bytes_max),
        ..Told::default()
    })
}

#[cfg(test)]
mod tests {
    use tresor_proto::ErrorCode;

    use super::*;

    fn result(outcome: Outcome) -> Value {
        json!(told(DetokenizeResult { reference: "r".to_owned(), outcome: Some(outcome) }))
    }

    #[test]
    fn a_value_is_shown_as_it_came_in_and_a_redacted_one_by_its_length_class() {
        let number = Content::new(tresor_proto::ContentType::Json, b"1.10".to_vec()).unwrap();
        let plain = RevealedValue {
            value: Some(number.into_wire()),
            state: vault::FieldState::Plain as i32,
            info_type: "METER_ID".to_owned(),
            data_class: vault::DataClass::Device as i32,
            length_bytes_max: 0,
        };
        let told = result(Outcome::Revealed(plain.clone())).to_string();
        let expected = r#"{"reference":"r","value":1.10,"state":"plain","info_type":"METER_ID","class":"device"}"#;
        assert_eq!(told, expected);
        let redacted = RevealedValue {
            value: None,
            state: vault::FieldState::Redacted as i32,
            length_bytes_max: 32,
            ..plain
        };
        let told = result(Outcome::Revealed(redacted));
        assert_eq!((&told["state"], &told["length_bytes_max"]), (&json!("redacted"), &json!(32)));
        assert_eq!(told.get("value"), None);
    }

    #[test]
    fn a_surrogate_that_is_not_traded_says_why() {
        let status = Failure::from(ErrorCode::Gone).to_item_status();
        let told = result(Outcome::Status(status));
        assert_eq!((&told["problem"]["code"], &told["reference"]), (&json!("gone"), &json!("r")));
        assert_eq!(told.get("state"), None);
    }

    #[test]
    fn what_is_asked_for_is_what_the_vault_is_asked_for() {
        let json = r#"{"reveal":"plain","info_type":"METER_ID","format":"digits","items":[
            {"surrogate":"s1","reference":"a"},
            {"surrogate":"s2","info_type":"PHONE_NUMBER","format":"phone","key_version":2}]}"#;
        let asked = serde_json::from_str::<Order>(json).unwrap().into_wire().unwrap();
        assert_eq!((asked.reveal, asked.format, asked.info_type.as_str()), (3, 3, "METER_ID"));
        let second = &asked.items[1];
        assert_eq!((second.format, second.key_version), (2, 2));
        let json = r#"{"items":[{"surrogate":"s","format":"any"}]}"#;
        let refused = serde_json::from_str::<Order>(json).unwrap().into_wire().unwrap_err();
        assert_eq!(refused.violations()[0].field, "items[0].format");
        assert_eq!(
            serde_json::from_str::<Order>(r#"{"items":[]}"#).unwrap().into_wire().unwrap().reveal,
            2
        );
    }
}
