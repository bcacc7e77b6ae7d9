//! Answers kept for whoever repeats a write with an idempotency key.
//!
//! An answer lies in the same atomic change as the record or surrogate it tells of, so that both are
//! there or neither is; it holds an id and a revision, or a surrogate, never a value. Its place and the digest of what was
//! asked hang on the customer token, so that nobody else can test a guess. It relies on the MAC of
//! the row, and on clocks that differ by less than a day.
//!
//! Store key: `day u32 BE ‖ HMAC-SHA-256 32`. The days put what is outdated first, so that it is
//! swept without looking at what is not.

use prost::Message as _;
use subtle::ConstantTimeEq as _;
use tresor_proto::{
    CollectionName, FieldName, RecordId, TenantId,
    limits::IDEMPOTENCY_LIFETIME_MS,
    storage::{GivenAnswer, GivenSurrogate},
    vault,
};

use crate::{
    crypto_error::CryptoError,
    error::VaultError,
    kdf,
    key::{Key as _, RequestKey},
    record::{FieldSurrogate, ItemKey, NewField, NewRecord, StoredRecord},
    row::{RowKeys, RowPlace},
    store::{Change, Keyspace, Precondition, RowDigest, ScanRange, StoreKey, StoreRow, Write},
    surrogate::NewSurrogate,
    tlv::Tlv,
};

/// What a mark is made for, the first value of its encoding.
const NAME: u8 = 1;
const REQUEST: u8 = 2;
const TOKENIZE: u8 = 3;
/// Not of a mark, but under the same key: of the pages of a search.
pub(crate) const SEARCH: u8 = 4;

/// Where an answer may lie: under the day before, of, or after now.
pub(crate) const PLACES: usize = 3;

/// One item of a write as the store knows it.
#[derive(Clone, Debug)]
pub(crate) struct RequestMark {
    name: [u8; 32],
    digest: [u8; 32],
}

/// Where and when answers are given.
#[derive(Clone, Copy)]
pub(crate) struct AnswerDesk<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) rows: &'a RowKeys,
    pub(crate) now_ms: u64,
}

/// What is known of a request.
pub(crate) enum Recalled {
    /// It was answered; the change that does nothing holds only once the answer is durable.
    Answer(GivenAnswer, Change),
    /// It was not; the change that does it begins with this.
    Nothing(Change),
}

impl RequestMark {
    /// The mark of a record that is to be stored.
    pub(crate) fn new(
        key: &RequestKey,
        item: &ItemKey,
        collection: &CollectionName,
        record: &NewRecord,
    ) -> Result<Self, CryptoError> {
        Ok(Self { name: name(key, item)?, digest: digest(key, collection, record)? })
    }

    /// The mark of a value that is to have a surrogate.
    pub(crate) fn of_value(
        key: &RequestKey,
        item: &ItemKey,
        value: &NewSurrogate,
    ) -> Result<Self, CryptoError> {
        let name = name(key, item)?;
        let digest = value_digest(key, &name, value)?;
        Ok(Self { name, digest })
    }

    /// Where its answer may lie.
    pub(crate) fn places(&self, now_ms: u64) -> [StoreKey; PLACES] {
        let today = day(now_ms);
        [today.saturating_sub(1), today, today.saturating_add(1)].map(|day| self.place(day))
    }

    fn place(&self, day: u32) -> StoreKey {
        StoreKey::new(Keyspace::Idempotency, [&day.to_be_bytes()[..], &self.name].concat())
    }

    /// Finds the answer among the rows at its places.
    ///
    /// # Errors
    /// `conflict` when it answers something else, `integrity` when a row does not authenticate.
    pub(crate) fn recall(
        &self,
        desk: AnswerDesk<'_>,
        rows: &[Option<&[u8]>],
    ) -> Result<Recalled, VaultError> {
        let mut change = Change::default();
        for (key, row) in self.places(desk.now_ms).into_iter().zip(rows) {
            let Some(row) = row else {
                change.preconditions.push(Precondition::Absent(key));
                continue;
            };
            let answer = desk.read(&key, row)?;
            let unchanged = Precondition::Unchanged(key.clone(), RowDigest::of(row));
            if desk.now_ms < answer.created_ms.saturating_add(IDEMPOTENCY_LIFETIME_MS) {
                let still = Change { preconditions: vec![unchanged], writes: Vec::new() };
                self.check(&answer)?;
                return Ok(Recalled::Answer(answer, still));
            }
            change.preconditions.push(unchanged);
            change.writes.push(Write::Remove(key));
        }
        Ok(Recalled::Nothing(change))
    }

    /// Makes sure that it is what was asked, and nothing else, that is repeated.
    fn check(&self, answer: &GivenAnswer) -> Result<(), VaultError> {
        let is_repeat = bool::from(self.digest.ct_eq(&answer.request_digest));
        if is_repeat { Ok(()) } else { Err(VaultError::IdempotencyKeyReused) }
    }

    /// The write that keeps what was answered.
    pub(crate) fn keep(
        &self,
        desk: AnswerDesk<'_>,
        answered: GivenAnswer,
    ) -> Result<Write, CryptoError> {
        let key = self.place(day(desk.now_ms));
        let (created_ms, request_digest) = (desk.now_ms, self.digest.to_vec());
        let answer = GivenAnswer { created_ms, request_digest, ..answered };
        let place = RowPlace { tenant: desk.tenant, key: &key };
        let row = desk.rows.encode(place, &answer.encode_to_vec())?;
        Ok(Write::Put(key, row))
    }
}

/// The answer that tells of a record as it was stored.
pub(crate) fn of_record(stored: &StoredRecord, record: &NewRecord) -> GivenAnswer {
    let tokenized = record.fields().iter().filter_map(NewField::tokenized);
    let given = stored.surrogates.iter().zip(tokenized).map(|(given, tokenized)| {
        let (text, surrogate_format) = tokenized.written(&given.surrogate);
        let info_type = Some(tokenized.info_type).filter(|_| surrogate_format != 0);
        GivenSurrogate {
            field: given.field.as_str().to_owned(),
            surrogate: text.to_owned(),
            surrogate_format,
            info_type: info_type.map_or_else(String::new, |it| it.as_str().to_owned()),
        }
    });
    GivenAnswer {
        record: stored.id.as_str().to_owned(),
        revision: stored.revision,
        surrogates: given.collect(),
        ..GivenAnswer::default()
    }
}

/// The answer that tells of a surrogate; without its text for one that a repeat comes to by itself.
pub(crate) fn of_surrogate(text: String) -> GivenAnswer {
    GivenAnswer { surrogate: text, ..GivenAnswer::default() }
}

/// The record that an answer tells of, as far as that is kept.
pub(crate) fn stored_record(answer: &GivenAnswer) -> Result<StoredRecord, VaultError> {
    let id = RecordId::parse(&answer.record).map_err(|_| VaultError::Integrity)?;
    let surrogates = answer.surrogates.iter().map(|given| {
        let field = FieldName::parse(&given.field).map_err(|_| VaultError::Integrity)?;
        Ok(FieldSurrogate { field, surrogate: given.surrogate.clone(), key_version: None })
    });
    Ok(StoredRecord {
        id,
        revision: answer.revision,
        is_replayed: true,
        is_superseded: false,
        surrogates: surrogates.collect::<Result<_, VaultError>>()?,
        masks: Vec::new(),
    })
}

impl AnswerDesk<'_> {
    fn read(&self, key: &StoreKey, row: &[u8]) -> Result<GivenAnswer, VaultError> {
        let message = self.rows.decode(RowPlace { tenant: self.tenant, key }, row);
        let message = message.map_err(|CryptoError| VaultError::Integrity)?;
        GivenAnswer::decode(message).map_err(|_| VaultError::Integrity)
    }
}

/// Where the oldest answers come first.
pub(crate) fn oldest() -> ScanRange {
    ScanRange { keyspace: Keyspace::Idempotency, prefix: Vec::new(), after: None }
}

/// Removes those of the oldest answers whose day says that they are outdated.
pub(crate) fn sweep(oldest: Vec<StoreRow>, now_ms: u64) -> Change {
    let kept_from = day(now_ms).saturating_sub(1).to_be_bytes();
    let outdated = oldest.into_iter().map(|row| row.key).take_while(|key| key[..] < kept_from[..]);
    let remove = |key| Write::Remove(StoreKey::new(Keyspace::Idempotency, key));
    Change { preconditions: Vec::new(), writes: outdated.map(remove).collect() }
}

/// The number of a day as long as answers are kept: two days on, they are outdated.
fn day(now_ms: u64) -> u32 {
    u32::try_from(now_ms / IDEMPOTENCY_LIFETIME_MS).unwrap_or(u32::MAX)
}

/// The name of an item, under which its answer lies.
fn name(key: &RequestKey, item: &ItemKey) -> Result<[u8; 32], CryptoError> {
    let name = Tlv::new()
        .with(1, &[NAME])
        .with(2, item.idempotency_key.as_str().as_bytes())
        .with(3, &item.ordinal.to_be_bytes())
        .encode()?;
    Ok(kdf::hmac_sha256(key.expose_secret(), &[&name]))
}

/// The digest of a value that is to have a surrogate, of what it is for, and of the item's name: so
/// that no two rows tell that their values are equal.
fn value_digest(
    key: &RequestKey,
    name: &[u8; 32],
    value: &NewSurrogate,
) -> Result<[u8; 32], CryptoError> {
    let NewSurrogate { content, options, .. } = value;
    let form = vault::SurrogateForm::from(options.form());
    let head = Tlv::new()
        .with(1, &[TOKENIZE])
        .with(2, options.info_type().as_str().as_bytes())
        .with(3, &form.kind.to_be_bytes())
        .with(4, &form.format.to_be_bytes())
        .with(5, &form.reveal.to_be_bytes())
        .with(6, &options.expires_ms().unwrap_or(0).to_be_bytes())
        .with(7, &options.uses_max().unwrap_or(0).to_be_bytes())
        .with(8, &[content.content_type().code()])
        .with(9, name)
        .encode()?;
    Ok(kdf::hmac_sha256(key.expose_secret(), &[&head, content.as_bytes()]))
}

/// The digest of what is asked: where to, and the record as the caller sent it. How its fields are
/// treated is left out, since that is the policy's and may change in between.
fn digest(
    key: &RequestKey,
    collection: &CollectionName,
    record: &NewRecord,
) -> Result<[u8; 32], CryptoError> {
    let fields = u16::try_from(record.fields().len()).map_err(|_| CryptoError)?;
    let mut heads = vec![
        Tlv::new()
            .with(1, &[REQUEST])
            .with(2, collection.as_str().as_bytes())
            .with(3, record.id().map_or(&[][..], |id| id.as_str().as_bytes()))
            .with(4, record.subject().map_or(&[][..], |subject| subject.as_bytes()))
            .with(5, &record.expires_ms().unwrap_or(0).to_be_bytes())
            .with(6, &fields.to_be_bytes())
            .encode()?,
    ];
    for field in record.fields() {
        // A value may be longer than a TLV takes; its length before it does the same.
        let bytes = u32::try_from(field.content.as_bytes().len()).map_err(|_| CryptoError)?;
        let head = Tlv::new()
            .with(1, field.name.as_str().as_bytes())
            .with(2, &[field.content.content_type().code()])
            .with(3, &bytes.to_be_bytes());
        heads.push(head.encode()?);
    }
    let values = record.fields().iter().map(|field| field.content.as_bytes());
    let values = core::iter::once(&[][..]).chain(values);
    let parts: Vec<&[u8]> =
        heads.iter().zip(values).flat_map(|(head, value)| [&head[..], value]).collect();
    Ok(kdf::hmac_sha256(key.expose_secret(), &parts))
}

#[cfg(test)]
mod tests;
