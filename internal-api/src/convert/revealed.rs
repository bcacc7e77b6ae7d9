//! Results on their way out.
//!
//! An item carries either its result or its status; a whole answer never exceeds the size of a
//! message, so that a caller can always decode it.

use prost::Message;
use tresor_proto::{Content, ErrorCode, Failure, InfoType, limits::MESSAGE_BYTES_MAX, vault};
use tresor_vault::{
    AnswerRoom, FieldMask, RevealedField, RevealedRecord, Shown, StoredRecord, Treatment,
    VaultError,
};

use super::time::to_timestamp;

/// Bytes of an answer kept for what is not records: a thousand ids and statuses.
const ANSWER_RESERVE_BYTES: usize = 512 * 1024;

/// How much of an answer is left.
pub(crate) struct AnswerBudget {
    bytes: usize,
    is_spent: bool,
}

impl AnswerBudget {
    /// The size of a message.
    pub(crate) fn new() -> Self {
        Self { bytes: MESSAGE_BYTES_MAX - ANSWER_RESERVE_BYTES, is_spent: false }
    }

    /// Takes room for one result; `false` when it does not fit. Once one did not, none does, so
    /// that what fits is always the beginning.
    pub(crate) fn take(&mut self, result: &impl Message) -> bool {
        // The item's own tag and length are at most six bytes more.
        match self.bytes.checked_sub(result.encoded_len() + 6) {
            Some(left) if !self.is_spent => self.bytes = left,
            _ => self.is_spent = true,
        }
        !self.is_spent
    }

    /// Whether something did not fit.
    pub(crate) fn is_spent(&self) -> bool {
        self.is_spent
    }
}

/// The room of an answer of values, as the vault measures it.
pub(crate) fn answer_room() -> AnswerRoom {
    AnswerRoom::new(MESSAGE_BYTES_MAX - ANSWER_RESERVE_BYTES)
}

/// The result for one stored record.
pub(crate) fn put_result(
    reference: String,
    stored: Result<StoredRecord, VaultError>,
) -> vault::PutResult {
    use vault::put_result::Outcome;
    let record = match stored {
        Ok(record) => record,
        Err(error) => {
            let outcome = Some(Outcome::Status(Failure::from(error).to_item_status()));
            return vault::PutResult { reference, outcome, ..vault::PutResult::default() };
        }
    };
    let surrogates = record.surrogates.into_iter().map(|given| vault::FieldSurrogate {
        field: given.field.as_str().to_owned(),
        surrogate: given.surrogate,
        key_version: given.key_version.unwrap_or_default(),
    });
    vault::PutResult {
        reference,
        outcome: Some(Outcome::Stored(vault::StoredRecord {
            id: record.id.as_str().to_owned(),
            revision: record.revision,
            replayed: record.is_replayed,
            superseded: record.is_superseded,
        })),
        surrogates: surrogates.collect(),
        fields: record.masks.into_iter().map(mask_to_wire).collect(),
    }
}

fn mask_to_wire(mask: FieldMask) -> vault::RevealedField {
    vault::RevealedField {
        name: mask.field.as_str().to_owned(),
        value: Some(vault::Value { content: Some(vault::value::Content::Text(mask.mask)) }),
        state: vault::FieldState::Masked as i32,
        info_type: mask.info_type.as_ref().map_or("", InfoType::as_str).to_owned(),
        data_class: vault::DataClass::from(mask.class) as i32,
        ..vault::RevealedField::default()
    }
}

/// The result for one record read.
pub(crate) fn get_result(
    id: String,
    revealed: Result<RevealedRecord, Failure>,
) -> vault::GetResult {
    use vault::get_result::Outcome;
    let outcome = match revealed {
        Ok(record) => Outcome::Record(record_to_wire(record)),
        Err(failure) => Outcome::Status(failure.to_item_status()),
    };
    vault::GetResult { id, outcome: Some(outcome) }
}

/// The result for a record that is there and does not fit into the answer.
pub(crate) fn does_not_fit(id: String) -> vault::GetResult {
    get_result(id, Err(too_much()))
}

/// Why an item does not fit into the answer.
pub(crate) fn too_much() -> Failure {
    Failure::new(ErrorCode::TooLarge, "the answer is over 4 MiB; ask for fewer at once")
}

/// The result for one deleted record.
pub(crate) fn delete_result(id: String, deleted: Result<(), Failure>) -> vault::DeleteResult {
    let status = deleted.err().map(|failure| failure.to_item_status());
    vault::DeleteResult { id, status }
}

fn record_to_wire(record: RevealedRecord) -> vault::RevealedRecord {
    vault::RevealedRecord {
        id: record.id.as_str().to_owned(),
        revision: record.revision,
        created: Some(to_timestamp(record.created_ms)),
        updated: Some(to_timestamp(record.updated_ms)),
        expires: record.expires_ms.map(to_timestamp),
        fields: record.fields.into_iter().map(field_to_wire).collect(),
    }
}

fn field_to_wire(field: RevealedField) -> vault::RevealedField {
    let (state, content) = shown_to_wire(field.shown);
    let (info_type, class) = match field.treatment {
        Treatment::Clear => (None, vault::DataClass::Unspecified),
        Treatment::Seal { info_type, class } => (info_type, class.into()),
        Treatment::Tokenize { info_type, .. } => (Some(info_type), info_type.class().into()),
    };
    vault::RevealedField {
        name: field.name.as_str().to_owned(),
        value: content.map(Content::into_wire),
        state: state as i32,
        info_type: info_type.as_ref().map_or("", InfoType::as_str).to_owned(),
        data_class: class as i32,
        surrogate: field.surrogate.unwrap_or_default(),
        key_version: field.key_version.unwrap_or_default(),
        length_bytes_max: field.length_bytes_max.unwrap_or_default(),
    }
}

/// What of a value is shown, and why.
pub(super) fn shown_to_wire(shown: Shown) -> (vault::FieldState, Option<Content>) {
    use vault::FieldState;
    match shown {
        Shown::Clear(content) => (FieldState::Clear, Some(content)),
        Shown::Plain(content) => (FieldState::Plain, Some(content)),
        Shown::Masked(content) => (FieldState::Masked, Some(content)),
        Shown::Redacted => (FieldState::Redacted, None),
        Shown::Withheld => (FieldState::Withheld, None),
    }
}

#[cfg(test)]
#[path = "revealed/tests.rs"]
mod tests;
