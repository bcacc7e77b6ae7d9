//! Collections on their way out.

use tresor_proto::vault;
use tresor_vault::Collection;

use super::time::to_timestamp;

/// A collection with its policy.
pub(crate) fn to_wire(collection: &Collection) -> vault::Collection {
    vault::Collection {
        name: collection.name.as_str().to_owned(),
        policy_version: collection.policy_version,
        policy: Some((&collection.policy).into()),
        updated: Some(to_timestamp(collection.updated_ms)),
        indexes: Vec::new(),
    }
}
