//! Whether a random surrogate that a replaced record held can stand for its field on: so that the
//! second upload of a file changes none.
//!
//! It promises that what is kept is what would be made now, for the same value and bounded alike. It
//! relies on the surrogate's own row, not on what the record's says of it.

use subtle::ConstantTimeEq as _;
use tresor_proto::{Content, SurrogateId, SurrogateKind, SurrogateOptions, TenantId, storage};

use crate::{
    surrogate::{
        rows::Facts,
        sealed_value::{self, ValuePlace},
    },
    unlocked::Unlocked,
};

/// Whether a row is that of a random surrogate with these options.
pub(super) fn is_made_for(row: &storage::Surrogate, options: &SurrogateOptions) -> bool {
    let Ok(facts) = Facts::try_from(row) else { return false };
    let (form, bounds) = (options.form(), facts.bounds);
    form.kind == SurrogateKind::Random
        && (facts.kind, facts.info_type) == (form.kind, options.info_type())
        && (bounds.reveal, facts.mask) == (form.reveal, options.mask())
        && bounds.expires_ms == options.expires_ms().unwrap_or(0)
        && bounds.uses_max == options.uses_max().unwrap_or(0)
}

/// Whether a row opens to a value.
pub(super) fn has_value(
    unlocked: &Unlocked,
    (tenant, id): (TenantId, &SurrogateId),
    row: &storage::Surrogate,
    content: &Content,
) -> bool {
    let Ok(Facts { class, .. }) = Facts::try_from(row) else { return false };
    let (Some(keys), Some(group)) = (unlocked.class(class), &row.group) else { return false };
    let place = ValuePlace { tenant, id, class, epoch: group.epoch };
    let opened = keys.epoch(group.epoch).and_then(|key| sealed_value::open(key, place, row));
    opened.is_ok_and(|opened| {
        opened.content_type() == content.content_type()
            && bool::from(opened.as_bytes().ct_eq(content.as_bytes()))
    })
}
