//! The items of a JSON batch: no more of them are kept than a batch may have.
//!
//! It promises that a flood of tiny items costs no more memory than a batch of the largest; who
//! sends too many is told so. It relies on serde to read an array one by one.

use core::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use tresor_proto::{ErrorCode, Failure, limits::BATCH_ITEMS_MAX};

/// As many items as a batch may have, and whether there were more.
pub(crate) struct Items<T> {
    kept: Vec<T>,
    is_over: bool,
}

impl<T> Items<T> {
    /// The items.
    ///
    /// # Errors
    /// `too_large` when there were more than a batch may have.
    pub(crate) fn all(self) -> Result<Vec<T>, Failure> {
        if self.is_over {
            let failure = Failure::new(ErrorCode::TooLarge, "a batch is over 1000 items");
            return Err(failure.with_violation("items", "at most 1000 items"));
        }
        Ok(self.kept)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Kept(PhantomData))
    }
}

struct Kept<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Kept<T> {
    type Value = Items<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Items<T>, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < BATCH_ITEMS_MAX {
            match array.next_element()? {
                Some(item) => kept.push(item),
                None => return Ok(Items { kept, is_over: false }),
            }
        }
        let mut is_over = false;
        while array.next_element::<IgnoredAny>()?.is_some() {
            is_over = true;
        }
        Ok(Items { kept, is_over })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(items: usize) -> Result<usize, ErrorCode> {
        let json = format!("[{}]", vec!["7"; items].join(","));
        let items: Items<u8> = serde_json::from_str(&json).unwrap();
        assert!(items.kept.len() <= BATCH_ITEMS_MAX);
        items.all().map(|all| all.len()).map_err(|failure| failure.code())
    }

    #[test]
    fn a_batch_is_kept_and_what_is_longer_is_refused_and_not_kept() {
        for items in [0, 1, 1_000] {
            assert_eq!(count(items), Ok(items));
        }
        for items in [1_001, 50_000] {
            assert_eq!(count(items), Err(ErrorCode::TooLarge));
        }
    }
}
