//! What is asked for when surrogates are renewed, as JSON.
//!
//! It relies on the vault for which of them are replaced and which need a version, and on the answer of a tokenization for
//! what is told.

use serde::Deserialize;
use tresor_proto::{Failure, vault::RenewRequest};
use utoipa::ToSchema;

use super::{named, words};
use crate::{bounded_items::Items, openapi::bounds};

/// Surrogates, and what format-preserving ones among them were made for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Renew)]
pub(crate) struct Order {
    /// Of format-preserving surrogates that do not say theirs.
    #[schema(schema_with = bounds::info_type)]
    info_type: Option<String>,
    /// Of format-preserving surrogates that do not say theirs; that of the info type when not given.
    #[schema(schema_with = bounds::surrogate_format)]
    format: Option<String>,
    /// Of format-preserving surrogates that do not say theirs: of the key that made them, as
    /// tokenizing told it. None of them is renewed without.
    #[schema(minimum = 1)]
    key_version: Option<u32>,
    #[schema(value_type = Vec<named::Item>, min_items = 1, max_items = 1000)]
    items: Items<named::Item>,
}

impl Order {
    /// As the vault is asked.
    pub(super) fn into_wire(self) -> Result<RenewRequest, Failure> {
        Ok(RenewRequest {
            context: None,
            items: named::into_wire(self.items)?,
            info_type: self.info_type.unwrap_or_default(),
            format: words::format("format", self.format.as_deref())? as i32,
            key_version: words::key_version("key_version", self.key_version)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_at_the_top_is_for_all_items() {
        let json = r#"{"info_type":"METER_ID","format":"digits","key_version":1,"items":[
            {"surrogate":"s1","reference":"a"},{"surrogate":"s2","format":"phone"}]}"#;
        let asked = serde_json::from_str::<Order>(json).unwrap().into_wire().unwrap();
        assert_eq!((asked.info_type.as_str(), asked.format, asked.key_version), ("METER_ID", 3, 1));
        assert_eq!((asked.items[0].format, asked.items[1].format), (0, 2));
        let json = r#"{"items":[{"surrogate":"s","format":"any"}]}"#;
        let refused = serde_json::from_str::<Order>(json).unwrap().into_wire().unwrap_err();
        assert_eq!(refused.violations()[0].field, "items[0].format");
        for (json, field) in [
            (r#"{"key_version":0,"items":[{"surrogate":"s"}]}"#, "key_version"),
            (r#"{"items":[{"surrogate":"s","key_version":0}]}"#, "items[0].key_version"),
        ] {
            let refused = serde_json::from_str::<Order>(json).unwrap().into_wire().unwrap_err();
            assert_eq!(refused.violations()[0].field, field);
        }
    }
}
