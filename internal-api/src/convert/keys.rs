//! The state of keys on its way out.

use tresor_proto::{DataClass, vault};
use tresor_vault::{Census, KeyDue, KeyKind, KeyState, KeyVersion, TenantKeyStatus, TenantState};

use super::time::to_timestamp;

/// One version of a key.
pub(crate) fn key_to_wire(key: &KeyVersion) -> vault::KeyVersion {
    vault::KeyVersion {
        kind: kind(key.kind) as i32,
        data_class: key.class.map_or(0, class_to_wire),
        version: key.version,
        state: state(key.state) as i32,
        created: key.created_ms.map(to_timestamp),
        seal_count: key.seals,
        due: due(key.due) as i32,
        // A data key is made by whoever has its class open, which is never the operator.
        pending_customer: key.due.is_some() && key.kind == KeyKind::Data,
        groups: key.groups,
        compromised: key.compromised_ms.map(to_timestamp),
        destroyed: key.destroyed_ms.map(to_timestamp),
        identifier_rows: key.identifier_rows,
    }
}

/// The keys of a tenant.
pub(crate) fn status_to_wire(status: &TenantKeyStatus) -> vault::TenantKeyStatus {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let tokens = &status.customer_tokens;
    vault::TenantKeyStatus {
        tenant_id: status.tenant.id.to_string(),
        tenant_name: status.tenant.name.as_str().to_owned(),
        keys: status.keys.iter().map(key_to_wire).collect(),
        working_tokens: count(tokens.working),
        expired_tokens: count(tokens.expired),
        revoked_tokens: count(tokens.revoked),
        exposed_tokens: count(tokens.exposed),
        census: status.census.as_ref().map(census_to_wire),
        damaged: status.keys.is_empty() && status.tenant.state == TenantState::Quarantined,
    }
}

/// What hangs on the keys of a tenant.
pub(crate) fn census_to_wire(census: &Census) -> vault::Census {
    let epoch = |((class, epoch), groups): (&(DataClass, u32), &u64)| vault::CensusEpoch {
        data_class: class_to_wire(*class),
        epoch: *epoch,
        groups: *groups,
    };
    let identifier = |((class, version), rows): (&(DataClass, u32), &u64)| {
        let (data_class, version) = (class_to_wire(*class), *version);
        vault::CensusIdentifier { data_class, version, rows: *rows }
    };
    vault::Census {
        begun: Some(to_timestamp(census.begun_ms)),
        ended: (census.ended_ms > 0).then(|| to_timestamp(census.ended_ms)),
        records: census.records,
        damaged: census.damaged,
        epochs: census.groups.iter().map(epoch).collect(),
        index_entries: census.index_entries,
        surrogates: census.surrogates,
        identifiers: census.identifiers.iter().map(identifier).collect(),
        damaged_side_rows: census.damaged_side_rows,
    }
}

fn class_to_wire(class: DataClass) -> i32 {
    i32::from(class.code())
}

fn kind(kind: KeyKind) -> vault::KeyKind {
    match kind {
        KeyKind::Root => vault::KeyKind::Root,
        KeyKind::Pepper => vault::KeyKind::Pepper,
        KeyKind::SystemMetadata => vault::KeyKind::SystemMetadata,
        KeyKind::Cipher => vault::KeyKind::Cipher,
        KeyKind::Metadata => vault::KeyKind::Metadata,
        KeyKind::Data => vault::KeyKind::Data,
        KeyKind::Identifier => vault::KeyKind::Identifier,
    }
}

fn state(state: KeyState) -> vault::KeyState {
    match state {
        KeyState::PreActive => vault::KeyState::PreActive,
        KeyState::Active => vault::KeyState::Active,
        KeyState::Deactivated => vault::KeyState::Deactivated,
        KeyState::Compromised => vault::KeyState::Compromised,
        KeyState::Destroyed => vault::KeyState::Destroyed,
    }
}

fn due(due: Option<KeyDue>) -> vault::KeyDue {
    match due {
        None => vault::KeyDue::Unspecified,
        Some(KeyDue::Age) => vault::KeyDue::Age,
        Some(KeyDue::Seals) => vault::KeyDue::Seals,
        Some(KeyDue::Requested) => vault::KeyDue::Requested,
        Some(KeyDue::Compromised) => vault::KeyDue::Compromised,
    }
}
