//! How a row lies in sled's one tree: in chunks of at most 4 KiB.
//!
//! sled moves a leaf over a quarter of a log segment to a file of its own that it never syncs; a
//! leaf has up to 16 entries, so entries of 4 KiB keep it in the log. A chunk's key is the row's key,
//! escaped and ended so that no row's chunks run into another's and the order of rows is kept, and
//! the number of the chunk.

use crate::store::StoreError;

/// Bytes of a chunk.
pub(super) const CHUNK_BYTES_MAX: usize = 4 * 1024;
/// Bytes at the start of a row's first chunk: the length of the value, u32 big-endian.
const LENGTH_BYTES: usize = 4;
/// What ends an escaped key; less than any escaped byte, so a key comes before those it begins.
const END: [u8; 2] = [0, 0];

/// The beginning that all keys have at rest whose row keys begin with `prefix`.
pub(super) fn escape(prefix: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(prefix.len() + END.len() + 2);
    for &byte in prefix {
        escaped.push(byte);
        if byte == 0 {
            escaped.push(0xFF);
        }
    }
    escaped
}

/// The key of a row's chunk.
pub(super) fn chunk_key(key: &[u8], chunk: u16) -> Vec<u8> {
    let mut chunk_key = escape(key);
    chunk_key.extend_from_slice(&END);
    chunk_key.extend_from_slice(&chunk.to_be_bytes());
    chunk_key
}

/// The row key and number in a chunk's key.
pub(super) fn parse_chunk_key(chunk_key: &[u8]) -> Result<(Vec<u8>, u16), StoreError> {
    let (rest, number) = chunk_key.split_last_chunk().ok_or(StoreError::Quarantined)?;
    let (escaped, end) = rest.split_last_chunk().ok_or(StoreError::Quarantined)?;
    if *end != END {
        return Err(StoreError::Quarantined);
    }
    Ok((unescape(escaped)?, u16::from_be_bytes(*number)))
}

fn unescape(escaped: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut key = Vec::with_capacity(escaped.len());
    let mut bytes = escaped.iter();
    while let Some(&byte) = bytes.next() {
        key.push(byte);
        if byte == 0 && bytes.next() != Some(&0xFF) {
            return Err(StoreError::Quarantined);
        }
    }
    Ok(key)
}

/// Cuts a value into chunks; there is always a first.
pub(super) fn chunks_of(value: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
    let length = u32::try_from(value.len()).map_err(|_| StoreError::TooLarge)?;
    let (head, rest) = value.split_at(value.len().min(CHUNK_BYTES_MAX - LENGTH_BYTES));
    let mut first = length.to_be_bytes().to_vec();
    first.extend_from_slice(head);
    let mut chunks = vec![first];
    chunks.extend(rest.chunks(CHUNK_BYTES_MAX).map(<[u8]>::to_vec));
    Ok(chunks)
}

/// How many chunks a value of so many bytes has.
pub(super) fn chunk_count(value_bytes: usize) -> usize {
    1 + value_bytes.saturating_sub(CHUNK_BYTES_MAX - LENGTH_BYTES).div_ceil(CHUNK_BYTES_MAX)
}

/// A value that is being put together.
pub(super) struct Assembly {
    length: usize,
    value: Vec<u8>,
}

impl Assembly {
    /// Begins with a row's first chunk.
    pub(super) fn begin(first: &[u8]) -> Result<Self, StoreError> {
        let (length, head) = first.split_first_chunk().ok_or(StoreError::Quarantined)?;
        let length = u32::from_be_bytes(*length);
        let length = usize::try_from(length).map_err(|_| StoreError::Quarantined)?;
        let assembly = Self { length, value: head.to_vec() };
        assembly.check()
    }

    /// How many chunks follow the first.
    pub(super) fn chunks_after_first(&self) -> usize {
        chunk_count(self.length) - 1
    }

    /// Adds the next chunk.
    pub(super) fn add(mut self, chunk: &[u8]) -> Result<Self, StoreError> {
        self.value.extend_from_slice(chunk);
        self.check()
    }

    /// The value, if no chunk is missing.
    pub(super) fn finish(self) -> Result<Vec<u8>, StoreError> {
        if self.value.len() == self.length { Ok(self.value) } else { Err(StoreError::Quarantined) }
    }

    fn check(self) -> Result<Self, StoreError> {
        if self.value.len() <= self.length { Ok(self) } else { Err(StoreError::Quarantined) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assemble(chunks: &[Vec<u8>]) -> Result<Vec<u8>, StoreError> {
        let (first, rest) = chunks.split_first().expect("there is always a first");
        let mut assembly = Assembly::begin(first)?;
        assert_eq!(assembly.chunks_after_first(), rest.len());
        for chunk in rest {
            assembly = assembly.add(chunk)?;
        }
        assembly.finish()
    }

    #[test]
    fn chunks_keep_to_their_bound_and_give_the_value_back() {
        for bytes in [0, 1, 4_091, 4_092, 4_093, 4_096, 8_188, 8_189, 262_144] {
            let value = vec![7; bytes];
            let chunks = chunks_of(&value).expect("it fits");
            assert!(chunks.iter().all(|chunk| chunk.len() <= CHUNK_BYTES_MAX));
            assert_eq!(assemble(&chunks), Ok(value));
        }
    }

    #[test]
    fn a_missing_chunk_is_damage() {
        let mut chunks = chunks_of(&[7; 9_000]).expect("it fits");
        chunks.pop();
        let first = Assembly::begin(&chunks[0]).expect("the first is whole");
        let most = first.add(&chunks[1]).expect("the second is whole");
        assert_eq!(most.finish(), Err(StoreError::Quarantined));
    }

    fn keys() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![Just(0), Just(1), Just(0xFF), any::<u8>()], 0..6)
    }

    proptest! {
        #[test]
        fn a_chunk_key_reads_back(key in keys(), chunk: u16) {
            prop_assert_eq!(parse_chunk_key(&chunk_key(&key, chunk)), Ok((key, chunk)));
        }

        #[test]
        fn rows_keep_their_order(one in keys(), other in keys(), a: u16, b: u16) {
            let at_rest = chunk_key(&one, a).cmp(&chunk_key(&other, b));
            prop_assert_eq!(at_rest, (one, a).cmp(&(other, b)));
        }

        #[test]
        fn a_prefix_at_rest_is_a_prefix(key in keys(), prefix in keys()) {
            let at_rest = chunk_key(&key, 0).starts_with(&escape(&prefix));
            // A key that ends where the prefix goes on with an escaped zero is not to be found.
            prop_assert_eq!(at_rest, key.starts_with(&prefix));
        }
    }
}
