//! The surrogates of one record that is sealed: pure work, run on a key thread.
//!
//! It promises that they end no later than their record, as far as they are not held by another one
//! or were asked for without any. It relies on the rows that were looked at before.

use tresor_proto::{TokenOperation as Operation, storage};

use super::{
    exchange::{Exchange, Listed},
    round::Previous,
    sealer::{Sealer, Supplies},
};
use crate::{
    error::VaultError,
    operations::sight::Sight,
    record::{FieldSurrogate, NewField, NewRecord},
    store::Change,
    surrogate::{
        maker::{self, Draws, Maker},
        rows::SurrogateRows,
    },
};

impl Sealer {
    /// Gives the surrogates of a record, and takes back those that the one it replaces held.
    pub(super) fn exchange(
        &self,
        record: &NewRecord,
        previous: Option<&Previous>,
        (sight, supplies): (&Sight, &mut Supplies<'_>),
    ) -> Result<(Vec<FieldSurrogate>, Change), VaultError> {
        let tokenized: Vec<_> = record.fields().iter().filter_map(NewField::tokenized).collect();
        let held = previous.map_or(&[][..], |previous| previous.surrogates.as_slice());
        if tokenized.is_empty() && held.is_empty() {
            return Ok((Vec::new(), Change::default()));
        }
        let mut maker = Maker {
            keyring: self.holder.keyring(),
            unlocked: self.unlock(tokenized.iter().map(|it| it.info_type.class()))?,
            floors: supplies.floors,
            draws: Draws::new(self.entropy.as_ref(), tokenized.len())?,
            now_ms: self.now_ms,
        };
        let mut exchange = Exchange::new(self.surrogate_rows(), sight);
        // Who keeps one learns that the value is the same.
        let may_keep = self.holder.may(Operation::Detokenize);
        let keepable = if may_keep { held } else { &[] };
        let given = give(&mut exchange, &mut maker, (record, keepable), supplies)?;
        if let Some(previous) = previous {
            held.iter().for_each(|held| exchange.take_back(&held.text, previous.end));
        }
        Ok((given, exchange.into_change()?))
    }

    /// Reads and writes rows of surrogates.
    pub(super) fn surrogate_rows(&self) -> SurrogateRows<'_> {
        SurrogateRows { tenant: self.tenant, keys: &self.holder.keyring().rows }
    }
}

/// Gives the surrogates of a record; of those that are `keepable` each that would be made anew for
/// nothing stays.
fn give(
    exchange: &mut Exchange<'_>,
    maker: &mut Maker<'_>,
    (record, keepable): (&NewRecord, &[Listed]),
    supplies: &mut Supplies<'_>,
) -> Result<Vec<FieldSurrogate>, VaultError> {
    let mut given = Vec::new();
    let expires_ms = record.expires_ms();
    for field in record.fields() {
        let Some(tokenized) = field.tokenized() else { continue };
        maker::check_end(expires_ms.unwrap_or(0), maker.now_ms)?;
        let wanted = (tokenized, expires_ms);
        let mut before = keepable.iter().filter(|held| held.field == field.name.as_str());
        let kept = before.find(|held| exchange.keep(&maker.unlocked, &held.text, wanted));
        let surrogate = match kept {
            Some(kept) => Ok(kept.text.clone()),
            None => exchange.give(maker, &mut supplies.look_ups, wanted),
        };
        let surrogate = surrogate.map_err(|error| error.of_field(&field.name))?;
        given.push(FieldSurrogate { field: field.name.clone(), surrogate });
    }
    Ok(given)
}

/// Writes down with each field which surrogate stands in for it.
pub(super) fn list(surrogates: &[FieldSurrogate], record: &mut storage::Record) {
    for given in surrogates {
        let mut fields = record.groups.iter_mut().flat_map(|group| &mut group.fields);
        if let Some(field) = fields.find(|field| field.name == given.field.as_str()) {
            field.surrogate.clone_from(&given.surrogate);
        }
    }
}
