//! Collections on their way out.

use tresor_proto::vault;
use tresor_vault::{Collection, IndexAnalysis};

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

/// What the entries of an index tell.
pub(crate) fn analysis_to_wire(analysis: IndexAnalysis) -> vault::IndexAnalysis {
    let IndexAnalysis { field, bits, frequencies } = analysis;
    vault::IndexAnalysis {
        field: field.as_str().to_owned(),
        bits: bits.into(),
        entries: frequencies.entries,
        distinct: frequencies.distinct,
        most_frequent: frequencies.most_frequent,
        entropy_bits: frequencies.entropy_bits,
        told: frequencies.told,
        told_records: frequencies.told_records,
        advised_bits: frequencies.advised_bits.into(),
    }
}
