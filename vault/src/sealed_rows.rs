//! All rows of a database that hold sealed values, as one list to walk through: the records, then the
//! surrogates.
//!
//! It promises that a walk from the beginning meets every such row that is there all the while.
//! Whoever counts or seals anew what hangs on data keys walks it, so that no keyspace is forgotten.

use tresor_proto::storage;

use crate::{
    store::{Keyspace, ScanRange, Store, StoreError, StoreKey},
    surrogate::rows,
};

/// The keyspaces, in order, each with what the keys of such rows begin with.
const PARTS: [(Keyspace, &[u8]); 2] =
    [(Keyspace::Records, &[]), (Keyspace::Surrogates, &[rows::SEALED])];

/// A row by its key.
pub(crate) type SealedRow = (StoreKey, Vec<u8>);

/// Reads up to `limit` rows after a place; fewer only at the end.
pub(crate) async fn scan(
    store: &dyn Store,
    after: Option<&StoreKey>,
    limit: usize,
) -> Result<Vec<SealedRow>, StoreError> {
    let mut found = Vec::new();
    for (keyspace, prefix) in PARTS {
        let is_behind = after.is_some_and(|after| after.keyspace > keyspace);
        if is_behind || found.len() >= limit {
            continue;
        }
        let after = after.filter(|after| after.keyspace == keyspace).map(|after| after.key.clone());
        let range = ScanRange { keyspace, prefix: prefix.to_vec(), after };
        let rows = store.scan(range, limit - found.len()).await?;
        found.extend(rows.into_iter().map(|row| (StoreKey::new(keyspace, row.key), row.value)));
    }
    Ok(found)
}

/// The place of an operation's scan; `None` at its beginning.
pub(crate) fn place(operation: &storage::OperationRow) -> Option<StoreKey> {
    let (first, rest) = operation.cursor.split_first()?;
    let part = PARTS.into_iter().find(|(keyspace, _)| *keyspace as u8 == *first);
    // A cursor of before there were surrogates is a record's key, which begins with a letter.
    let (keyspace, key) =
        part.map_or((Keyspace::Records, &operation.cursor[..]), |(keyspace, _)| (keyspace, rest));
    Some(StoreKey::new(keyspace, key))
}

/// What an operation keeps of its place.
pub(crate) fn cursor(place: &StoreKey) -> Vec<u8> {
    [&[place.keyspace as u8], &place.key[..]].concat()
}

#[cfg(test)]
mod tests {
    use tresor_proto::storage::OperationRow;

    use super::*;

    #[test]
    fn a_place_survives_its_cursor_and_those_of_before_are_among_the_records() {
        let places = [
            StoreKey::new(Keyspace::Records, "customers\0r1"),
            StoreKey::new(Keyspace::Surrogates, [&[1], &[7; 16][..]].concat()),
        ];
        for expected in places {
            let row = OperationRow { cursor: cursor(&expected), ..OperationRow::default() };
            assert_eq!(place(&row), Some(expected));
        }
        let older = OperationRow { cursor: b"customers\0r1".to_vec(), ..OperationRow::default() };
        assert_eq!(place(&older), Some(StoreKey::new(Keyspace::Records, "customers\0r1")));
        assert_eq!(place(&OperationRow::default()), None);
    }
}
