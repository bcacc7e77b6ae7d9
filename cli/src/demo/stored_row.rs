//! A record at rest, taken apart as far as anybody can without keys.
//!
//! Layout: `TRR1 ‖ mk_version u32 ‖ protobuf tresor.storage.v1.Record ‖ MAC 32`.

use std::path::PathBuf;

use prost::Message as _;
use tresor_proto::{CollectionName, storage};
use tresor_vault::store::{Existence, Keyspace, Store, StoreEngine, StoreKey, open_database};

use crate::error::CliError;

const HEAD_BYTES: usize = 8;
const MAC_BYTES: usize = 32;

/// A row out of a database.
pub(crate) struct StoredRow {
    /// The record's id.
    pub(crate) id: String,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// What can be read of it.
    pub(crate) message: storage::Record,
}

impl StoredRow {
    /// Reads a row out of a database nobody has open.
    pub(crate) async fn read(
        database: PathBuf,
        collection: &CollectionName,
        id: &str,
    ) -> Result<Self, CliError> {
        let store = open(database).await?;
        let rows = store.read(vec![key_of(collection, id)]).await;
        let closed = store.close().await;
        let row = rows.map_err(unreadable)?.pop().flatten();
        closed.map_err(unreadable)?;
        let bytes = row.ok_or_else(|| CliError::failed("the record is not in its database"))?;
        Self::decode(id, bytes)
    }

    fn decode(id: &str, bytes: Vec<u8>) -> Result<Self, CliError> {
        let message = bytes.len().checked_sub(MAC_BYTES).and_then(|end| bytes.get(HEAD_BYTES..end));
        let message = message.and_then(|message| storage::Record::decode(message).ok());
        let message =
            message.ok_or_else(|| CliError::failed("a row is not of the known format"))?;
        Ok(Self { id: id.to_owned(), bytes, message })
    }

    /// The row with a bit of its MAC flipped.
    pub(crate) fn with_flipped_mac(&self) -> Vec<u8> {
        self.with_flipped_bit(self.bytes.len() - 1)
    }

    /// The row with a bit of its first sealed value flipped, if it has one.
    pub(crate) fn with_flipped_ciphertext(&self) -> Option<Vec<u8>> {
        let field = self.message.groups.iter().flat_map(|group| &group.fields).next()?;
        Some(self.with_flipped_bit(self.position_of(&field.ciphertext)?))
    }

    /// The row with a bit of its first clear value flipped, if it has one.
    pub(crate) fn with_flipped_clear_value(&self) -> Option<Vec<u8>> {
        let field = self.message.clear_fields.iter().find(|field| !field.value.is_empty())?;
        Some(self.with_flipped_bit(self.position_of(&field.value)?))
    }

    fn position_of(&self, part: &[u8]) -> Option<usize> {
        self.bytes.windows(part.len().max(1)).position(|window| window == part)
    }

    fn with_flipped_bit(&self, at: usize) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1;
        }
        bytes
    }
}

/// The key of a record's row: `collection ‖ 0x00 ‖ record id`.
pub(crate) fn key_of(collection: &CollectionName, id: &str) -> StoreKey {
    let key = [collection.as_str().as_bytes(), &[0], id.as_bytes()].concat();
    StoreKey::new(Keyspace::Records, key)
}

/// Opens a database nobody has open.
pub(crate) async fn open(database: PathBuf) -> Result<std::sync::Arc<dyn Store>, CliError> {
    let opened = open_database(StoreEngine::Sled, database, Existence::MustExist).await;
    opened.map_err(unreadable)
}

/// A database that does not answer.
pub(crate) fn unreadable(error: tresor_vault::store::StoreError) -> CliError {
    CliError::failed(format!("the stolen database cannot be used: {error}"))
}
