//! What is asked for when values are tokenized, as JSON.
//!
//! It promises that an item says only what differs from the rest of its batch. It relies on the
//! vault to check what belongs together.

use prost_types::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use tresor_proto::{
    Failure,
    vault::{self, SurrogateOptions, TokenizeItem, TokenizeRequest},
};
use utoipa::ToSchema;

use super::{value, words};
use crate::{bounded_items::Items, openapi::bounds};

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
    /// Also of an info type with few values, where equal values have equal surrogates.
    forced: Option<bool>,
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
    forced: Option<bool>,
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
    forced: Option<bool>,
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
            forced: self.forced,
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
            forced: self.forced,
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
            forced: self.forced.or(common.forced),
        }
    }

    /// As the vault takes them; a word it does not know is refused by its place.
    fn into_wire(self, path: &str) -> Result<SurrogateOptions, Failure> {
        let at = |field: &str| format!("{path}{field}");
        let kind = self.kind.map(|word| words::kind(&at("kind"), &word));
        let reveal = self.reveal.map(|word| words::reveal(&at("reveal"), &word));
        let reveal = reveal.transpose()?.map_or(vault::Reveal::Unspecified, Into::into);
        let expires = self.expires.map(|text| text.parse::<Timestamp>()).transpose();
        let no_time = |_| Failure::invalid(&at("expires"), "not a time (RFC 3339)");
        // On the wire nothing and 0 are the same, and mean as often as asked.
        if self.uses == Some(0) {
            return Err(Failure::invalid(&at("uses"), "at least 1; leave it out for no end"));
        }
        Ok(SurrogateOptions {
            info_type: self.info_type.unwrap_or_default(),
            kind: kind.transpose()?.unwrap_or_default() as i32,
            format: words::format(&at("format"), self.format.as_deref())? as i32,
            reveal: reveal as i32,
            expires: expires.map_err(no_time)?,
            uses_max: self.uses.unwrap_or_default(),
            forced: self.forced.unwrap_or_default(),
        })
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
                "forced":true,
                "items":[{"value":"0123","reference":"a"},
                         {"value":7,"kind":"random","forced":false},
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
        assert_eq!((common.forced, random.forced, masked.forced), (true, false, true));
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
