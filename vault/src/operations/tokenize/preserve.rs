//! Gives format-preserving surrogates: a row is written only for those with bounds.

use tresor_proto::{ErrorCode, Failure, storage};

use super::issuer::Issued;
use crate::{
    crypto_error::CryptoError,
    error::VaultError,
    operations::sight::Sight,
    store::{Change, StoreKey, Write},
    surrogate::{
        IssuedSurrogate, NewSurrogate,
        maker::{self, Maker},
        named::Preserved,
        rows::{Bounds, Facts, SurrogateRows, count_key},
    },
};

/// Gives the surrogate as it is, or with the bounds that are asked for when it has none yet; one
/// that has ended or was deleted begins anew.
pub(super) fn preserve(
    maker: &Maker<'_>,
    value: &NewSurrogate,
    preserved: &Preserved,
    sight: &Sight,
) -> Issued {
    let (rows, options) = (maker.rows(), &value.options);
    let asked = Bounds {
        reveal: options.form().reveal,
        expires_ms: options.expires_ms().unwrap_or(0),
        uses_max: options.uses_max().unwrap_or(0),
    };
    maker::check_end(asked.expires_ms, maker.now_ms)?;
    let is_bounded = asked != Bounds::NONE;
    let (key, count_key) = (&preserved.key, count_key(&preserved.key));
    let floor = maker.floors.precondition(options.info_type().class());
    let preconditions = vec![sight.unchanged(key), sight.unchanged(&count_key), floor];
    let writes = match living(rows, preserved, sight, maker.now_ms)? {
        Some(bounds) if is_bounded && bounds != asked => {
            let message = "the surrogate has other bounds already";
            return Err(Failure::new(ErrorCode::Conflict, message).into());
        }
        Some(_) => Vec::new(),
        None if is_bounded => {
            let (created_ms, row) = (maker.now_ms, preserved.row(&asked));
            let row = storage::FormatPreserved { created_ms, ..row };
            vec![rows.put(key.clone(), &row)?, count(rows, count_key, &asked)?]
        }
        None if sight.row(key).is_none() => Vec::new(),
        None => vec![Write::Remove(key.clone()), Write::Remove(count_key)],
    };
    let (text, key_version) = (preserved.text.clone(), Some(preserved.key_version));
    let issued = IssuedSurrogate { text, is_replayed: false, key_version };
    Ok((issued, Change { preconditions, writes }))
}

/// The count begins anew where uses are counted, and goes where they are not.
fn count(rows: SurrogateRows<'_>, key: StoreKey, bounds: &Bounds) -> Result<Write, VaultError> {
    match bounds.uses_max {
        0 => Ok(Write::Remove(key)),
        _ => rows.put(key, &storage::SurrogateCount::default()),
    }
}

/// The bounds of a surrogate that has a row and has neither ended nor been deleted.
fn living(
    rows: SurrogateRows<'_>,
    preserved: &Preserved,
    sight: &Sight,
    now_ms: u64,
) -> Result<Option<Bounds>, VaultError> {
    let Some(row) = sight.row(&preserved.key) else { return Ok(None) };
    let message: storage::FormatPreserved = rows.decode(&preserved.key, row)?;
    let facts = Facts::try_from(&message).map_err(|CryptoError| VaultError::Integrity)?;
    let count_key = count_key(&preserved.key);
    let count = sight.row(&count_key).map(|row| rows.decode(&count_key, row)).transpose()?;
    let uses = count.map_or(0, |count: storage::SurrogateCount| count.uses);
    let bounds = facts.bounds;
    let has_ended = bounds.has_expired(now_ms) || bounds.is_used_up(uses);
    Ok(Some(bounds).filter(|_| !has_ended && message.deleted_ms == 0))
}
