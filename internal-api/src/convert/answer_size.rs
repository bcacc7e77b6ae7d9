//! How large the answer to a write may become: small fields in a large batch are answered with
//! surrogates and masks that are larger than they are.
//!
//! It promises that a write whose answer might not fit a message is refused before anything is
//! stored. It relies on the lengths of surrogates and masks, which are bounded.

use tresor_proto::{ErrorCode, Failure, limits::MESSAGE_BYTES_MAX, vault};

/// Bytes of the result of a record without its fields: reference, id and framing.
const RESULT_BYTES: usize = 320;
/// Bytes of a surrogate with its framing, beside what a format-preserving one has of its value.
const SURROGATE_BYTES: usize = 64;
/// Bytes of a value that has a format-preserving surrogate.
const FORMATTED_BYTES_MAX: usize = 128;
/// Bytes of a mask with info type and framing, beside what it shows of the value.
const MASK_BYTES: usize = 80;

/// Refuses a write whose answer might be over the size of a message.
pub(crate) fn check(records: &[vault::RecordInput], has_masks: bool) -> Result<(), Failure> {
    let bytes: usize = records.iter().map(|record| result_bytes(record, has_masks)).sum();
    if bytes <= MESSAGE_BYTES_MAX {
        return Ok(());
    }
    let failure = Failure::new(ErrorCode::TooLarge, "the answer might be over 4 MiB");
    Err(failure.with_violation("records", "send fewer at once"))
}

fn result_bytes(record: &vault::RecordInput, has_masks: bool) -> usize {
    let field = |field: &vault::Field| {
        let (name, value) = (field.name.len(), value_bytes(field));
        let is_tokenized = field.action == vault::Action::Tokenize as i32;
        let surrogate = name + value.min(FORMATTED_BYTES_MAX) + SURROGATE_BYTES;
        let mask = name + value + MASK_BYTES;
        usize::from(is_tokenized) * surrogate + usize::from(has_masks) * mask
    };
    RESULT_BYTES + record.fields.iter().map(field).sum::<usize>()
}

fn value_bytes(field: &vault::Field) -> usize {
    use vault::value::Content;
    match field.value.as_ref().and_then(|value| value.content.as_ref()) {
        Some(Content::Text(text) | Content::Json(text)) => text.len(),
        Some(Content::Binary(bytes)) => bytes.len(),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(action: vault::Action) -> Vec<vault::RecordInput> {
        let field =
            vault::Field { name: "f".to_owned(), action: action as i32, ..vault::Field::default() };
        vec![
            vault::RecordInput { fields: vec![field; 256], ..vault::RecordInput::default() };
            1_000
        ]
    }

    #[test]
    fn a_batch_of_tiny_tokenized_fields_is_refused_before_it_is_stored() {
        assert!(check(&records(vault::Action::Seal), false).is_ok());
        let failure = check(&records(vault::Action::Tokenize), false).unwrap_err();
        assert_eq!(failure.code(), ErrorCode::TooLarge);
        assert!(check(&records(vault::Action::Tokenize)[..200], false).is_ok());
        assert!(check(&records(vault::Action::Seal), true).is_err(), "masks take room too");
    }
}
