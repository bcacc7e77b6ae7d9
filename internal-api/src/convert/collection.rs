//! Collections on their way out.

use tresor_proto::{DataClass, vault};
use tresor_vault::{Collection, HeldField, IndexAnalysis, IndexBuild, IndexState, Inventory};

use super::{key_operations, time::to_timestamp};

/// A collection with its policy, and how it stands with its indexes.
pub(crate) fn to_wire(collection: &Collection, indexes: &[IndexState]) -> vault::Collection {
    vault::Collection {
        name: collection.name.as_str().to_owned(),
        policy_version: collection.policy_version,
        policy: Some((&collection.policy).into()),
        updated: Some(to_timestamp(collection.updated_ms)),
        indexes: indexes.iter().map(index).collect(),
    }
}

fn index(state: &IndexState) -> vault::IndexStatus {
    vault::IndexStatus {
        field: state.field.as_str().to_owned(),
        bits: u32::from(state.bits),
        complete: state.is_complete,
        refused: state.is_refused,
    }
}

/// What is built, or would be.
pub(crate) fn build(build: &IndexBuild) -> vault::BuildIndexResponse {
    let class = |class: &DataClass| vault::DataClass::from(*class) as i32;
    vault::BuildIndexResponse {
        fields: build.fields.iter().map(|field| field.as_str().to_owned()).collect(),
        data_classes: build.classes.iter().map(class).collect(),
        operation: build.operation.as_ref().map(key_operations::operation),
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

/// What a collection holds, or the surrogates of a tenant.
pub(crate) fn inventory_to_wire(inventory: &Inventory) -> vault::GetInventoryResponse {
    let collection = inventory.collection.as_ref();
    vault::GetInventoryResponse {
        fields: inventory.fields.iter().map(held).collect(),
        records: inventory.records,
        expired_records: inventory.expired_records,
        damaged: inventory.damaged,
        unlisted_values: inventory.unlisted_values,
        policy_version: collection.map_or(0, |collection| collection.policy_version),
        policy_updated: collection.map(|collection| to_timestamp(collection.updated_ms)),
        is_flagging: collection.is_some_and(|it| it.policy.is_flagging()),
    }
}

fn held(field: &HeldField) -> vault::HeldField {
    let HeldField { field, info_type, class, held } = field;
    vault::HeldField {
        field: field.as_ref().map(|field| field.as_str().to_owned()).unwrap_or_default(),
        info_type: info_type.map(|info_type| info_type.as_str().to_owned()).unwrap_or_default(),
        data_class: class.map_or(vault::DataClass::Unspecified, vault::DataClass::from) as i32,
        records: held.records,
        tokenized: held.tokenized,
        searchable: held.searchable,
        earliest: Some(to_timestamp(held.earliest_ms)),
        latest: Some(to_timestamp(held.latest_ms)),
        policy_version_first: held.policy_version_first,
        policy_version_last: held.policy_version_last,
    }
}
