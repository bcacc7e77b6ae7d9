//! What items are recognised by when they are repeated: the idempotency key of their request or
//! stream, and a number.

use std::sync::Arc;

use tresor_proto::{Failure, IdempotencyKey};
use tresor_vault::ItemKey;

/// Gives each item of a request or stream its key, in order; by default none.
#[derive(Default)]
pub(crate) struct ItemKeys {
    idempotency_key: Option<Arc<IdempotencyKey>>,
    given: u64,
}

impl ItemKeys {
    /// The keys of a request or stream; none when its idempotency key is empty.
    pub(crate) fn from_wire(text: &str) -> Result<Self, Failure> {
        let parsed = (!text.is_empty()).then(|| IdempotencyKey::parse(text)).transpose()?;
        Ok(Self { idempotency_key: parsed.map(Arc::new), given: 0 })
    }

    /// The next item's key: under the number it brings along, or under its place.
    pub(crate) fn next(&mut self, ordinal: u64) -> Option<ItemKey> {
        self.given += 1;
        let ordinal = if ordinal == 0 { self.given } else { ordinal };
        let idempotency_key = self.idempotency_key.clone()?;
        Some(ItemKey { idempotency_key, ordinal })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_goes_by_its_own_number_or_by_its_place() {
        let mut keys = ItemKeys::from_wire("k").unwrap();
        let numbers = [0, 0, 9, 0].map(|ordinal| keys.next(ordinal).unwrap().ordinal);
        assert_eq!(numbers, [1, 2, 9, 4]);
    }

    #[test]
    fn without_an_idempotency_key_no_item_has_one() {
        assert!(ItemKeys::from_wire("").unwrap().next(1).is_none());
        assert!(ItemKeys::from_wire("two words").is_err());
    }
}
