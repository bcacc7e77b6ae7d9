//! Rotations of data keys and long operations ↔ their messages.

use prost_types::Duration;
use tresor_proto::{DataClass, Failure, vault};
use tresor_vault::{
    DataKeyMark, IdentifierRekey, KeyOperation, KeyOperationKind, KeyOperationState, Lent,
    LoanRequest, RekeyRequest, Rekeying, Rotation, RotationRequest,
};
use uuid::Uuid;

use super::time::to_timestamp;

/// The longest that older keys are kept on purpose: a year.
const DESTROY_AFTER_MAX_MS: u64 = 365 * 24 * 60 * 60 * 1_000;
/// Records a second that are as good as no limit.
const RATE_MAX: u32 = 1_000_000;

/// What a request to mark data keys asks for.
pub(crate) fn rotation_request(
    wire: &vault::MarkDataKeysDueRequest,
) -> Result<RotationRequest, Failure> {
    if wire.rate_max > RATE_MAX {
        return Err(Failure::invalid("rate_max", "at most 1000000"));
    }
    Ok(RotationRequest {
        classes: classes(&wire.classes)?,
        is_compromised: wire.compromised,
        rate_max: wire.rate_max,
        destroy_after_ms: destroy_after_ms(wire.destroy_after.as_ref())?,
        is_dry_run: wire.dry_run,
    })
}

/// What a request to replace identifier keys asks for.
pub(crate) fn rekey_request(
    wire: &vault::RekeyIdentifiersRequest,
) -> Result<RekeyRequest, Failure> {
    Ok(RekeyRequest {
        classes: classes(&wire.classes)?,
        destroy_after_ms: destroy_after_ms(wire.destroy_after.as_ref())?,
        is_dry_run: wire.dry_run,
    })
}

fn destroy_after_ms(wire: Option<&Duration>) -> Result<u64, Failure> {
    match milliseconds("destroy_after", wire)? {
        span if span <= DESTROY_AFTER_MAX_MS => Ok(span),
        _ => Err(Failure::invalid("destroy_after", "at most a year")),
    }
}

/// What a request to lend asks for.
pub(crate) fn loan(wire: &vault::LendRequest) -> Result<LoanRequest, Failure> {
    Ok(LoanRequest {
        classes: classes(&wire.classes)?,
        lifetime_ms: milliseconds("lifetime", wire.lifetime.as_ref())?,
        is_dry_run: wire.dry_run,
    })
}

/// What was lent.
pub(crate) fn lent(lent: &Lent) -> vault::LendResponse {
    let classes = lent.classes.iter().map(|class| vault::DataClass::from(*class) as i32);
    vault::LendResponse {
        classes: classes.collect(),
        ends: Some(to_timestamp(lent.ends_ms)),
        operations: lent.operations.iter().map(operation).collect(),
    }
}

/// The classes of a request, each once.
fn classes(wire: &[i32]) -> Result<Vec<DataClass>, Failure> {
    let invalid = || Failure::invalid("classes", "an unknown class, or one twice");
    let mut classes = Vec::new();
    for code in wire {
        let class = DataClass::from_wire(*code).ok().flatten().ok_or_else(invalid)?;
        if classes.contains(&class) {
            return Err(invalid());
        }
        classes.push(class);
    }
    Ok(classes)
}

/// A span in milliseconds; none is 0.
fn milliseconds(field: &str, wire: Option<&Duration>) -> Result<u64, Failure> {
    let Some(Duration { seconds, nanos }) = wire else {
        return Ok(0);
    };
    let seconds = u64::try_from(*seconds).ok().and_then(|seconds| seconds.checked_mul(1_000));
    let millis = u64::try_from(*nanos).ok().map(|nanos| nanos / 1_000_000);
    let both = seconds.zip(millis).and_then(|(seconds, millis)| seconds.checked_add(millis));
    both.ok_or_else(|| Failure::invalid(field, "not a span of time"))
}

/// The id of an operation.
pub(crate) fn operation_id(text: &str) -> Result<Uuid, Failure> {
    Uuid::parse_str(text).map_err(|_| Failure::invalid("id", "not the id of an operation"))
}

/// Where a page of operations begins.
pub(crate) fn page_start(text: &str) -> Option<(bool, Uuid)> {
    let (has_ended, id) = text.split_once('.')?;
    Some((has_ended == "1", Uuid::parse_str(id).ok()?))
}

/// What was marked.
pub(crate) fn marked(rotation: &Rotation) -> vault::MarkDataKeysDueResponse {
    let mark = |mark: &DataKeyMark| vault::DataKeyMark {
        data_class: vault::DataClass::from(mark.class) as i32,
        epoch: mark.epoch,
        due: Some(to_timestamp(mark.due_ms)),
    };
    vault::MarkDataKeysDueResponse {
        tenant_id: rotation.tenant.to_string(),
        marks: rotation.marks.iter().map(mark).collect(),
        operation_id: rotation.operation.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// What is replaced.
pub(crate) fn rekeying(rekeying: &Rekeying) -> vault::RekeyIdentifiersResponse {
    let key = |key: &IdentifierRekey| vault::IdentifierRekey {
        data_class: vault::DataClass::from(key.class) as i32,
        old_version: key.old_version,
        new_version: key.new_version,
    };
    vault::RekeyIdentifiersResponse {
        tenant_id: rekeying.tenant.to_string(),
        keys: rekeying.keys.iter().map(key).collect(),
        operation_id: rekeying.operation.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// An operation, at a time.
pub(crate) fn operation(operation: &KeyOperation) -> vault::Operation {
    let target = |(class, epoch): &(DataClass, u32)| vault::OperationTarget {
        data_class: vault::DataClass::from(*class) as i32,
        epoch: *epoch,
    };
    vault::Operation {
        id: operation.id.to_string(),
        tenant_id: operation.tenant.to_string(),
        targets: operation.targets.iter().map(target).collect(),
        state: state(operation.state) as i32,
        created: Some(to_timestamp(operation.created_ms)),
        updated: Some(to_timestamp(operation.updated_ms)),
        done: operation.done,
        total: operation.total,
        resealed: operation.resealed,
        rate: operation.rate.unwrap_or_default(),
        rate_max: operation.rate_max,
        estimated_end: operation.estimated_end_ms().map(to_timestamp),
        destroy: operation.destroy_ms.map(to_timestamp),
        damaged: operation.damaged,
        damaged_records: operation.damaged_records.clone(),
        ..of_kind(&operation.kind)
    }
}

/// What is told of an operation of its kind only.
fn of_kind(kind: &KeyOperationKind) -> vault::Operation {
    let mut operation = vault::Operation::default();
    match kind {
        KeyOperationKind::Reencryption => {
            operation.set_kind(vault::OperationKind::Reencryption);
        }
        KeyOperationKind::Identifiers => operation.set_kind(vault::OperationKind::Identifiers),
        KeyOperationKind::Index { collection, fields, refused } => {
            operation.set_kind(vault::OperationKind::Index);
            operation.collection.clone_from(collection);
            operation.fields.clone_from(fields);
            operation.refused_fields.clone_from(refused);
        }
    }
    operation
}

fn state(state: KeyOperationState) -> vault::OperationState {
    match state {
        KeyOperationState::PendingCustomer => vault::OperationState::PendingCustomer,
        KeyOperationState::Counting => vault::OperationState::Counting,
        KeyOperationState::Resealing => vault::OperationState::Resealing,
        KeyOperationState::Indexing => vault::OperationState::Indexing,
        KeyOperationState::Removing => vault::OperationState::Removing,
        KeyOperationState::Moving => vault::OperationState::Moving,
        KeyOperationState::Verifying => vault::OperationState::Verifying,
        KeyOperationState::Destroying => vault::OperationState::Destroying,
        KeyOperationState::Paused => vault::OperationState::Paused,
        KeyOperationState::NeedsAttention => vault::OperationState::NeedsAttention,
        KeyOperationState::Done => vault::OperationState::Done,
        KeyOperationState::Cancelled => vault::OperationState::Cancelled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(request: &vault::MarkDataKeysDueRequest) -> String {
        rotation_request(request).unwrap_err().violations()[0].field.clone()
    }

    #[test]
    fn what_is_malformed_is_named() {
        let request = vault::MarkDataKeysDueRequest::default();
        assert!(rotation_request(&request).is_ok());
        for classes in [vec![0], vec![99], vec![1, 1]] {
            assert_eq!(
                field(&vault::MarkDataKeysDueRequest { classes, ..request.clone() }),
                "classes"
            );
        }
        let rate_max = RATE_MAX + 1;
        assert_eq!(
            field(&vault::MarkDataKeysDueRequest { rate_max, ..request.clone() }),
            "rate_max"
        );
        for (seconds, nanos) in [(-1, 0), (0, -1), (i64::MAX, 0), (366 * 86_400, 0)] {
            let destroy_after = Some(Duration { seconds, nanos });
            let request = vault::MarkDataKeysDueRequest { destroy_after, ..request.clone() };
            assert_eq!(field(&request), "destroy_after");
        }
    }

    #[test]
    fn a_page_begins_where_the_one_before_ended() {
        let id = Uuid::from_u128(7);
        assert_eq!(page_start(&format!("0.{id}")), Some((false, id)));
        assert_eq!(page_start(&format!("1.{id}")), Some((true, id)));
        assert_eq!(page_start("nonsense"), None);
    }
}
