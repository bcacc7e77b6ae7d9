//! Surrogates as they are named in a request: by their texts, and by what they were made for where
//! the texts do not say it.
//!
//! It relies on the vault for which of them need that.

use serde::Deserialize;
use tresor_proto::{Failure, vault::SurrogateItem};
use utoipa::ToSchema;

use super::words;
use crate::{bounded_items::Items, openapi::bounds};

/// A surrogate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NamedSurrogate)]
pub(super) struct Item {
    surrogate: String,
    /// Echoed in the result.
    #[serde(default)]
    #[schema(schema_with = bounds::reference)]
    reference: String,
    /// Only of a format-preserving one: of the value it was made for.
    #[schema(schema_with = bounds::info_type)]
    info_type: Option<String>,
    /// Only of a format-preserving one.
    #[schema(schema_with = bounds::surrogate_format)]
    format: Option<String>,
    /// Only of a format-preserving one: of the key that made it, as tokenizing told it. The newest when
    /// not given; it has to be given where surrogates are renewed.
    #[schema(minimum = 1)]
    key_version: Option<u32>,
}

/// The items as the vault takes them.
pub(super) fn into_wire(items: Items<Item>) -> Result<Vec<SurrogateItem>, Failure> {
    let items = items.all()?.into_iter().enumerate();
    items.map(|(at, item)| item.into_wire(at)).collect()
}

impl Item {
    fn into_wire(self, at: usize) -> Result<SurrogateItem, Failure> {
        let path = |name: &str| format!("items[{at}].{name}");
        Ok(SurrogateItem {
            surrogate: self.surrogate,
            reference: self.reference,
            info_type: self.info_type.unwrap_or_default(),
            format: words::format(&path("format"), self.format.as_deref())? as i32,
            key_version: words::key_version(&path("key_version"), self.key_version)?,
        })
    }
}
