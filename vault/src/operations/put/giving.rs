//! The surrogates of one record that is sealed: pure work, run on a key thread.
//!
//! It promises that random ones end with their record, and deterministic ones no earlier. It relies on the rows that were looked at before.

use tresor_proto::{Failure, InfoType, TokenOperation as Operation, storage};

use super::{
    exchange::{Exchange, Listed},
    round::Previous,
    sealer::{Sealer, Supplies},
};
use crate::{
    error::VaultError,
    idempotency,
    operations::sight::Sight,
    record::{FieldSurrogate, NewField, NewRecord, StoredRecord},
    store::Change,
    surrogate::{
        IssuedSurrogate,
        maker::{self, Draws, Maker},
        preserved_forms::format_of,
        rows::SurrogateRows,
    },
};

/// Why a field of a record with an end has no surrogate that is a function of its value.
const ENDLESS: &str = "a format-preserving surrogate would not end with its record: nothing is kept \
                       of it; choose another kind, or a record without an end";

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

    /// What was answered for a record that is sent again. Surrogates that are functions of their values
    /// are made of these again, since the text was not kept; so it holds only while no key is replaced.
    pub(super) fn recalled(
        &self,
        answer: &storage::GivenAnswer,
        record: &NewRecord,
        (supplies, still): (&mut Supplies<'_>, &mut Change),
    ) -> Result<StoredRecord, VaultError> {
        let mut stored = idempotency::stored_record(answer)?;
        for (given, kept) in stored.surrogates.iter_mut().zip(&answer.surrogates) {
            let Some(format) = format_of(kept.surrogate_format)? else { continue };
            let info_type = InfoType::from_text(&kept.info_type).ok_or(VaultError::Integrity)?;
            let field = record.fields().iter().find(|field| field.name == given.field);
            let content = &field.ok_or(VaultError::Integrity)?.content;
            let class = info_type.class();
            let unlocked = self.unlock([class])?;
            let keys = unlocked.class(class).ok_or(VaultError::WrongKey)?;
            let issued = supplies.forms.of_value(keys, (info_type, format), content)?;
            still.preconditions.extend(supplies.floors.precondition_if_read(class));
            *given = FieldSurrogate::of(given.field.clone(), issued);
        }
        Ok(stored)
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
        if expires_ms.is_some() && tokenized.form.kind.format().is_some() {
            return Err(Failure::invalid(field.name.as_str(), ENDLESS).into());
        }
        let wanted = (tokenized, expires_ms);
        let mut before = keepable.iter().filter(|held| held.field == field.name.as_str());
        let kept = before.find(|held| exchange.keep(&maker.unlocked, &held.text, wanted));
        let issued = match kept {
            Some(kept) => Ok(IssuedSurrogate::with_row(kept.text.clone())),
            None => exchange.give(maker, supplies, wanted),
        };
        let issued = issued.map_err(|error| error.of_field(&field.name))?;
        given.push(FieldSurrogate::of(field.name.clone(), issued));
    }
    Ok(given)
}

/// Writes down with each field which surrogate stands in for it.
pub(super) fn list(
    record: &NewRecord,
    surrogates: &[FieldSurrogate],
    message: &mut storage::Record,
) {
    let tokenized = record.fields().iter().filter_map(NewField::tokenized);
    for (given, tokenized) in surrogates.iter().zip(tokenized) {
        let mut fields = message.groups.iter_mut().flat_map(|group| &mut group.fields);
        if let Some(field) = fields.find(|field| field.name == given.field.as_str()) {
            let (text, format) = tokenized.written(&given.surrogate);
            (field.surrogate, field.surrogate_format) = (text.to_owned(), format);
        }
    }
}
