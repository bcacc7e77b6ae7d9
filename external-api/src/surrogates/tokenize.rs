//! What is asked for and answered when values are tokenized, as JSON.
//!
//! It promises that an item says only what differs from the rest of its batch. It relies on the
//! vault to check what belongs together.

use prost_types::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use tresor_proto::{
    Failure, Reveal, SurrogateFormat, SurrogateKind,
    vault::{
        self, SurrogateOptions, TokenizeItem, TokenizeRequest, TokenizeResponse, TokenizeResult,
        tokenize_result::Outcome,
    },
};
use utoipa::ToSchema;

use super::value;
use crate::{bounded_items::Items, openapi::bounds, problem::Problem, vault::malformed};

/// Values to tokenize, and what the surrogates are for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Tokenize)]
pub(crate) struct Order {
    /// Of the values, for instance `IBAN_CODE`; its class locks them.
    #[schema(schema_with = bounds::info_type)]
    info_type: Option<String>,
    #[schema(schema_with = bounds::surrogate_kind)]
    kind: Option<String>,
    /// Only of format-preserving ones; that of the info type when not given.
    #[schema(schema_with = bounds::surrogate_format)]
    format: Option<String>,
    /// How much they ever show; not of format-preserving ones.
    #[schema(schema_with = bounds::reveal_bound)]
    reveal: Option<String>,
    /// When they expire; only of random ones.
    #[schema(format = DateTime)]
    expires: Option<String>,
    /// How often each may be traded for its value or mask; only of random ones.
    #[schema(minimum = 1)]
    uses: Option<u32>,
    #[schema(value_type = Vec<Item>, min_items = 1, max_items = 1000)]
    items: Items<Item>,
}

/// A value to tokenize. What it says of its surrogate goes before what the batch says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenizeItem)]
struct Item {
    #[schema(schema_with = bounds::scalar)]
    value: Box<RawValue>,
    /// Echoed in the result.
    #[serde(default)]
    #[schema(schema_with = bounds::reference)]
    reference: String,
    #[schema(schema_with = bounds::info_type)]
    info_type: Option<String>,
    #[schema(schema_with = bounds::surrogate_kind)]
    kind: Option<String>,
    #[schema(schema_with = bounds::surrogate_format)]
    format: Option<String>,
    #[schema(schema_with = bounds::reveal_bound)]
    reveal: Option<String>,
    #[schema(format = DateTime)]
    expires: Option<String>,
    #[schema(minimum = 1)]
    uses: Option<u32>,
}

/// What a surrogate is for, as far as it is said.
#[derive(Clone, Default, PartialEq)]
struct Options {
    info_type: Option<String>,
    kind: Option<String>,
    format: Option<String>,
    reveal: Option<String>,
    expires: Option<String>,
    uses: Option<u32>,
}

/// A result for each value, in order.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokenized)]
pub(crate) struct Answer {
    results: Vec<Told>,
}

/// A surrogate, or why there is none.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenizedItem)]
struct Told {
    /// As it came.
    #[serde(skip_serializing_if = "String::is_empty")]
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    surrogate: Option<String>,
    /// Given before, to a request with the same idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    replayed: Option<bool>,
    /// Of the key that made it; only of format-preserving ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key_version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Problem, nullable = false)]
    problem: Option<Value>,
}

impl Order {
    /// As the vault is asked.
    pub(super) fn into_wire(self, idempotency_key: &str) -> Result<TokenizeRequest, Failure> {
        let common = Options {
            info_type: self.info_type,
            kind: self.kind,
            format: self.format,
            reveal: self.reveal,
            expires: self.expires,
            uses: self.uses,
        };
        let items = self.items.all()?.into_iter().enumerate();
        let items = items.map(|(at, item)| item.into_wire(&common, at));
        Ok(TokenizeRequest {
            context: None,
            items: items.collect::<Result<_, _>>()?,
            options: Some(common.into_wire("")?),
            idempotency_key: idempotency_key.to_owned(),
        })
    }
}

impl Item {
    fn into_wire(self, common: &Options, at: usize) -> Result<TokenizeItem, Failure> {
        let own = Options {
            info_type: self.info_type,
            kind: self.kind,
            format: self.format,
            reveal: self.reveal,
            expires: self.expires,
            uses: self.uses,
        };
        let is_same = own == Options::default();
        let options = (!is_same).then(|| own.over(common).into_wire(&format!("items[{at}].")));
        Ok(TokenizeItem {
            value: value::to_wire(&self.value),
            reference: self.reference,
            ordinal: 0,
            options: options.transpose()?,
        })
    }
}

impl Options {
    /// These where they say something, the others elsewhere. A format belongs to its kind.
    fn over(self, common: &Self) -> Self {
        let format = common.format.clone().filter(|_| self.kind.is_none());
        Self {
            info_type: self.info_type.or_else(|| common.info_type.clone()),
            kind: self.kind.or_else(|| common.kind.clone()),
            format: self.format.or(format),
            reveal: self.reveal.or_else(|| common.reveal.clone()),
            expires: self.expires.or_else(|| common.expires.clone()),
            uses: self.uses.or(common.uses),
        }
    }

    /// As the vault takes them; a word it does not know is refused by its place.
    fn into_wire(self, path: &str) -> Result<SurrogateOptions, Failure> {
        let unknown = |field: &str| Failure::invalid(&format!("{path}{field}"), "an unknown word");
        let kind = self.kind.map(|word| kind(&word).ok_or_else(|| unknown("kind")));
        let reveal =
            self.reveal.map(|word| Reveal::from_text(&word).ok_or_else(|| unknown("reveal")));
        let reveal = reveal.transpose()?.map_or(vault::Reveal::Unspecified, Into::into);
        let expires = self.expires.map(|text| text.parse::<Timestamp>()).transpose();
        let no_time = |_| Failure::invalid(&format!("{path}expires"), "not a time (RFC 3339)");
        // On the wire nothing and 0 are the same, and mean as often as asked.
        if self.uses == Some(0) {
            return Err(Failure::invalid(
                &format!("{path}uses"),
                "at least 1; leave it out for no end",
            ));
        }
        Ok(SurrogateOptions {
            info_type: self.info_type.unwrap_or_default(),
            kind: kind.transpose()?.unwrap_or_default() as i32,
            format: format(self.format.as_deref()).ok_or_else(|| unknown("format"))? as i32,
            reveal: reveal as i32,
            expires: expires.map_err(no_time)?,
            uses_max: self.uses.unwrap_or_default(),
        })
    }
}

/// The kind of a name, whose format stands elsewhere.
fn kind(word: &str) -> Option<vault::SurrogateKind> {
    let any_format = SurrogateKind::FormatPreserving(SurrogateFormat::Digits);
    let kinds = [SurrogateKind::Random, SurrogateKind::Deterministic, any_format];
    kinds.into_iter().find(|kind| kind.as_str() == word).map(Into::into)
}

/// The format of a name; `None` for an unknown one.
pub(super) fn format(word: Option<&str>) -> Option<vault::SurrogateFormat> {
    let Some(word) = word else { return Some(vault::SurrogateFormat::Unspecified) };
    SurrogateFormat::from_text(word).map(Into::into)
}

impl Answer {
    /// The vault's answer as it is told.
    pub(super) fn from_wire(answer: TokenizeResponse) -> Self {
        Self { results: answer.results.into_iter().map(told).collect() }
    }
}

fn told(result: TokenizeResult) -> Told {
    let failure = match result.outcome {
        Some(Outcome::Issued(issued)) => {
            return Told {
                reference: result.reference,
                surrogate: Some(issued.surrogate),
                replayed: issued.replayed.then_some(true),
                key_version: (issued.key_version > 0).then_some(issued.key_version),
                problem: None,
            };
        }
        Some(Outcome::Status(status)) => Failure::from_item_status(&status),
        None => malformed(),
    };
    Told {
        reference: result.reference,
        surrogate: None,
        replayed: None,
        key_version: None,
        problem: Some(json!(Problem::of(&failure))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(json: &str) -> Result<TokenizeRequest, Failure> {
        serde_json::from_str::<Order>(json).unwrap().into_wire("k")
    }

    #[test]
    fn an_item_says_what_differs_and_the_rest_is_the_batch_s() {
        let asked = wire(
            r#"{"info_type":"PHONE_NUMBER","kind":"format-preserving","format":"digits","uses":3,
                "items":[{"value":"0123","reference":"a"},{"value":7,"kind":"random"},
                         {"value":"x","reveal":"masked","expires":"2030-01-01T00:00:00Z"}]}"#,
        )
        .unwrap();
        let common = asked.options.unwrap();
        assert_eq!((common.kind, common.format, common.uses_max, common.reveal), (3, 3, 3, 0));
        let own = |at: usize| asked.items[at].options.clone();
        assert!(own(0).is_none());
        let random = own(1).unwrap();
        assert_eq!((random.kind, random.format, random.uses_max), (1, 0, 3));
        assert_eq!(random.info_type, "PHONE_NUMBER");
        let masked = own(2).unwrap();
        assert_eq!((masked.kind, masked.format, masked.reveal), (3, 3, 2));
        assert_eq!(masked.expires.unwrap().seconds, 1_893_456_000);
        assert_eq!((asked.items[0].reference.as_str(), asked.idempotency_key.as_str()), ("a", "k"));
    }

    #[test]
    fn an_unknown_word_is_refused_by_its_place() {
        for (json, field) in [
            (r#"{"kind":"Random","items":[]}"#, "kind"),
            (r#"{"format":"any","items":[]}"#, "format"),
            (r#"{"items":[{"value":1,"reveal":"all"}]}"#, "items[0].reveal"),
            (r#"{"items":[{"value":1,"expires":"soon"}]}"#, "items[0].expires"),
        ] {
            assert_eq!(wire(json).unwrap_err().violations()[0].field, field, "{json}");
        }
    }

    #[test]
    fn a_refused_value_has_a_problem_in_the_place_of_a_surrogate() {
        let failure = Failure::from(tresor_proto::ErrorCode::WrongKey);
        let outcome = Some(Outcome::Status(failure.to_item_status()));
        let refused = TokenizeResult { reference: "r".to_owned(), outcome };
        let told = json!(told(refused));
        assert_eq!(told["problem"]["code"], "wrong_key");
        assert_eq!((&told["reference"], told.get("surrogate")), (&json!("r"), None));
    }

    #[test]
    fn no_uses_at_all_are_not_taken_for_no_end() {
        assert!(wire(r#"{"info_type":"CITY","uses":1,"items":[{"value":"x"}]}"#).is_ok());
        for (json, field) in [
            (r#"{"info_type":"CITY","uses":0,"items":[{"value":"x"}]}"#, "uses"),
            (r#"{"info_type":"CITY","uses":1,"items":[{"value":"x","uses":0}]}"#, "items[0].uses"),
        ] {
            assert_eq!(wire(json).unwrap_err().violations()[0].field, field);
        }
    }
}
