//! Makes surrogates: ids, and rows with the sealed values. Pure work, run on a key thread.
//!
//! What it gives is a change that holds only as long as the id is nobody's and no older data key
//! had to be given up; whoever needs more adds it to that change, so that all of it happens at once.

use tresor_proto::{
    Content, DataClass, Failure, Mask, Surrogate, SurrogateId, SurrogateOptions, TenantId, storage,
    vault,
};

use super::{
    expiry,
    rows::{Facts, SurrogateRows, count_key, mask_bytes, row_key},
    sealed_value::{self, ValuePlace},
};
use crate::{
    aead::SALT_BYTES,
    crypto_error::CryptoError,
    entropy::Entropy,
    epoch_floor::Floors,
    error::VaultError,
    keyring::LoadedKeyring,
    mask,
    store::{Change, Precondition, StoreKey, Write},
    unlocked::{ClassKeys, Unlocked},
};

const ID_BYTES: usize = 16;

/// What is needed to make surrogates.
pub(crate) struct Maker<'a> {
    pub(crate) keyring: &'a LoadedKeyring,
    pub(crate) unlocked: Unlocked,
    pub(crate) floors: &'a Floors,
    pub(crate) draws: Draws,
    pub(crate) now_ms: u64,
}

/// Fresh ids and salts, drawn at once: a call to the system costs several times the cipher.
pub(crate) struct Draws {
    bytes: Vec<u8>,
    used: usize,
}

/// Where a deterministic surrogate is found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundAt<'a> {
    /// The key of its look-up, under the newest identifier key.
    pub(crate) look_up: &'a StoreKey,
    /// Whether it is for a record, and does not end before those that hold it.
    pub(crate) is_held: bool,
}

impl Maker<'_> {
    /// Reads and writes rows of its tenant.
    pub(crate) fn rows(&self) -> SurrogateRows<'_> {
        SurrogateRows { tenant: self.tenant(), keys: &self.keyring.rows }
    }

    /// The tenant it makes them for.
    pub(crate) fn tenant(&self) -> TenantId {
        self.keyring.keyring.tenant
    }

    /// Makes a surrogate for a value; `found_at` is where a deterministic one is found.
    ///
    /// # Errors
    /// `wrong_key` when the customer token does not open the class, `invalid_request` when it would
    /// have expired already.
    pub(crate) fn make(
        &mut self,
        content: &Content,
        options: &SurrogateOptions,
        found_at: Option<FoundAt<'_>>,
    ) -> Result<(Surrogate, Change), VaultError> {
        let mut row = self.row(options, found_at);
        check_end(row.expires_ms, self.now_ms)?;
        let (id, salt) = self.draws.take()?;
        let class = options.info_type().class();
        if found_at.is_some() {
            row.look_up_version = look_up_version(self.keys(class)?.newest_identifier()?.0);
        }
        self.seal(&mut row, content, class, (&id, &salt))?;
        let key = row_key(&id);
        let preconditions =
            vec![Precondition::Absent(key.clone()), self.floors.precondition(class)];
        let writes = self.writes((&id, key), &row, found_at.map(|it| it.look_up))?;
        let surrogate = Surrogate::new(self.tenant(), options.info_type(), id);
        Ok((surrogate, Change { preconditions, writes }))
    }

    /// The row of a surrogate, sealed anew, that shows masked no more than it did and no more than
    /// a mask does; `None` when it shows no more already, or nothing at all, as it does not open.
    ///
    /// # Errors
    /// `wrong_key` when the customer token does not open the class, `conflict` when its data key is
    /// newer than the keyring.
    pub(crate) fn narrow(
        &mut self,
        id: &SurrogateId,
        mut row: storage::Surrogate,
        mask: Option<Mask>,
    ) -> Result<Option<storage::Surrogate>, VaultError> {
        let Ok(Facts { class, info_type, mask: own, .. }) = Facts::try_from(&row) else {
            return Ok(None);
        };
        if own == mask {
            return Ok(None);
        }
        let (keys, epoch) = (self.keys(class)?, row.group.as_ref().map_or(0, |it| it.epoch));
        if keys.newest()?.0 < epoch {
            return Err(VaultError::Conflict);
        }
        let place = ValuePlace { tenant: self.tenant(), id, class, epoch };
        let opened = keys.epoch(epoch).and_then(|key| sealed_value::open(key, place, &row));
        let Ok(content) = opened else { return Ok(None) };
        let narrower = mask::narrower_mask(info_type, [own, mask], &content);
        if narrower == own {
            return Ok(None);
        }
        row.mask = mask_bytes(narrower);
        let (_, salt) = self.draws.take()?;
        self.seal(&mut row, &content, class, (id, &salt))?;
        Ok(Some(row))
    }

    fn keys(&self, class: DataClass) -> Result<&ClassKeys, VaultError> {
        self.unlocked.class(class).ok_or(VaultError::WrongKey)
    }

    /// The row and what finds, counts and ends it.
    fn writes(
        &self,
        (id, key): (&SurrogateId, StoreKey),
        row: &storage::Surrogate,
        look_up: Option<&StoreKey>,
    ) -> Result<Vec<Write>, VaultError> {
        let rows = self.rows();
        let mut writes = Vec::with_capacity(1);
        if let Some(look_up) = look_up {
            let message = storage::SurrogateLookUp { id: id.as_bytes().to_vec() };
            writes.push(rows.put(look_up.clone(), &message)?);
        }
        if row.uses_max != 0 {
            writes.push(rows.put(count_key(&key), &storage::SurrogateCount::default())?);
        }
        if row.expires_ms != 0 {
            writes.push(Write::Put(expiry::entry(row.expires_ms, id), Vec::new()));
        }
        writes.push(rows.put(key, row)?);
        Ok(writes)
    }

    fn row(&self, options: &SurrogateOptions, found_at: Option<FoundAt<'_>>) -> storage::Surrogate {
        let (form, info_type) = (options.form(), options.info_type());
        storage::Surrogate {
            created_ms: self.now_ms,
            expires_ms: options.expires_ms().unwrap_or(0),
            uses_max: options.uses_max().unwrap_or(0),
            kind: vault::SurrogateKind::from(form.kind) as i32,
            info_type: info_type.as_str().to_owned(),
            data_class: vault::DataClass::from(info_type.class()) as i32,
            reveal: vault::Reveal::from(form.reveal) as i32,
            group: None,
            look_up: found_at.map_or_else(Vec::new, |it| it.look_up.key.clone()),
            look_up_version: 0,
            mask: mask_bytes(options.mask()),
            is_held: found_at.is_some_and(|it| it.is_held),
        }
    }

    fn seal(
        &self,
        row: &mut storage::Surrogate,
        content: &Content,
        class: DataClass,
        (id, salt): (&SurrogateId, &[u8; SALT_BYTES]),
    ) -> Result<(), VaultError> {
        let newest = self.keys(class)?.newest();
        let (epoch, data_key) = newest.map_err(|CryptoError| VaultError::Integrity)?;
        let place = ValuePlace { tenant: self.tenant(), id, class, epoch };
        row.group = Some(sealed_value::seal(data_key, place, salt, (row, content))?);
        self.keyring.seals.count(class, epoch);
        Ok(())
    }
}

/// What the row of a surrogate keeps of the version that its look-up is under: rows of before there
/// was a second one keep none.
pub(crate) fn look_up_version(version: u32) -> u32 {
    if version == 1 { 0 } else { version }
}

/// Refuses an end that has passed; 0 is none.
pub(crate) fn check_end(expires_ms: u64, now_ms: u64) -> Result<(), VaultError> {
    if expires_ms != 0 && expires_ms <= now_ms {
        return Err(Failure::invalid("expires", "it has passed already").into());
    }
    Ok(())
}

impl Draws {
    /// Draws for `count` surrogates.
    pub(crate) fn new(entropy: &dyn Entropy, count: usize) -> Result<Self, CryptoError> {
        let mut bytes = vec![0; count * (ID_BYTES + SALT_BYTES)];
        entropy.fill(&mut bytes)?;
        Ok(Self { bytes, used: 0 })
    }

    fn take(&mut self) -> Result<(SurrogateId, [u8; SALT_BYTES]), CryptoError> {
        let rest = self.bytes.get(self.used..).unwrap_or_default();
        let (id, rest) = rest.split_first_chunk::<ID_BYTES>().ok_or(CryptoError)?;
        let salt = *rest.first_chunk::<SALT_BYTES>().ok_or(CryptoError)?;
        self.used += ID_BYTES + SALT_BYTES;
        Ok((SurrogateId::from_bytes(*id), salt))
    }
}
