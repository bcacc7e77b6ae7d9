//! What a database directory says of itself, outside the engine's files.
//!
//! It testifies that the database was created, by which engine, that it held at least so many
//! commits, and whether it was closed; so files that are gone, emptied or rolled back are noticed,
//! which an engine that recovers from a torn log cannot do on its own. The number is a lower bound,
//! renewed now and then; it relies on nothing but an atomic rename.

use std::io::ErrorKind;
use std::path::Path;

use super::{StoreEngine, StoreError, durable};

/// A testimony.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Witness {
    pub(super) engine: StoreEngine,
    pub(super) commits: u64,
    /// Nothing was written since it was closed in order.
    pub(super) is_clean: bool,
}

impl Witness {
    const NAME: &str = "tresor.witness";
    const MAGIC: &[u8; 5] = b"TRSW\x01";
    const BYTES: usize = 19;

    /// The testimony in `directory`, if there is one; one that cannot be read is damage.
    pub(super) fn read(directory: &Path) -> Result<Option<Self>, StoreError> {
        match std::fs::read(directory.join(Self::NAME)) {
            Ok(bytes) => Self::parse(&bytes).map(Some).ok_or(StoreError::Quarantined),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(durable::fault(&error)),
        }
    }

    /// Writes the testimony, durably.
    pub(super) fn write(self, directory: &Path) -> Result<(), StoreError> {
        durable::replace_file(&directory.join(Self::NAME), &self.to_bytes())
    }

    /// Whether the testimony is renewed after this many commits: often while there are few, so
    /// that even a young database cannot vanish, then every 1,024 at two more syncs each.
    pub(super) fn is_due(commits: u64) -> bool {
        commits.is_power_of_two() || commits.is_multiple_of(1_024)
    }

    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Self::MAGIC.to_vec();
        bytes.extend_from_slice(&[self.engine.number(), u8::from(self.is_clean)]);
        bytes.extend_from_slice(&self.commits.to_be_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (body, crc) = bytes.split_last_chunk::<4>()?;
        let (rest, commits) = body.split_last_chunk::<8>()?;
        let (magic, [number, clean]) = rest.split_last_chunk::<2>()?;
        let is_whole = bytes.len() == Self::BYTES
            && magic == Self::MAGIC
            && *clean <= 1
            && u32::from_be_bytes(*crc) == crc32fast::hash(body);
        let engine = StoreEngine::from_number(*number)?;
        let commits = u64::from_be_bytes(*commits);
        is_whole.then_some(Self { engine, commits, is_clean: *clean == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITNESS: Witness =
        Witness { engine: StoreEngine::Sled, commits: 0x0102_0304, is_clean: false };

    #[test]
    fn its_form_is_frozen() {
        let golden = "545253570101000000000001020304";
        assert_eq!(hex::encode(&WITNESS.to_bytes()[..15]), golden);
        assert_eq!(Witness::parse(&WITNESS.to_bytes()), Some(WITNESS));
    }

    #[test]
    fn any_flipped_bit_is_noticed() {
        for bit in 0..Witness::BYTES * 8 {
            let mut bytes = WITNESS.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Witness::parse(&bytes), None, "bit {bit}");
        }
    }
}
