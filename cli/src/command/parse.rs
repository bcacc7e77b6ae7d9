//! Identifiers in arguments, parsed by clap so that a wrong one is a usage error.

use tresor_proto::{CollectionName, RecordId};

/// A collection's name.
pub(super) fn collection(text: &str) -> Result<CollectionName, &'static str> {
    CollectionName::parse(text).map_err(|_| "a collection's name is [a-z][a-z0-9_-]{0,62}")
}

/// A record's id.
pub(super) fn record_id(text: &str) -> Result<RecordId, &'static str> {
    RecordId::parse(text).map_err(|_| "a record's id is [A-Za-z0-9._~-]{1,128}")
}
