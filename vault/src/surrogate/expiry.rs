//! Surrogates by the day they end, so that what has ended does not pile up.
//!
//! An entry is written in the same change as the surrogate. It is a hint and holds nothing: before
//! a surrogate goes its own row is asked, so that a forged entry removes nothing but itself.
//!
//! Store key, in the keyspace of expiries: `2 ‖ day u32 BE ‖ id 16`; the first byte is the keyspace
//! of what expires.

use tresor_proto::SurrogateId;

use crate::store::{Keyspace, ScanRange, StoreKey, StoreRow};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// Days that an ended surrogate is told to be gone, before it is as if it had never been.
const KEPT_DAYS: u32 = 31;
/// What the keys of surrogates begin with.
const PREFIX: u8 = Keyspace::Surrogates as u8;

/// The entry of a surrogate that ends at `end_ms`.
pub(crate) fn entry(end_ms: u64, id: &SurrogateId) -> StoreKey {
    let day = day(end_ms).to_be_bytes();
    StoreKey::new(Keyspace::Expiry, [&[PREFIX], &day[..], id.as_bytes()].concat())
}

/// Where those that ended first come first.
pub(crate) fn first_ended() -> ScanRange {
    ScanRange { keyspace: Keyspace::Expiry, prefix: vec![PREFIX], after: None }
}

/// Those of the first entries whose time to be told of is over, each with its id.
pub(crate) fn outdated(first: Vec<StoreRow>, now_ms: u64) -> Vec<(StoreKey, SurrogateId)> {
    let kept_from = day(now_ms).saturating_sub(KEPT_DAYS);
    let read = |row: StoreRow| {
        let (day, id) = row.key.get(1..)?.split_first_chunk::<4>()?;
        let id = SurrogateId::from_bytes(id.try_into().ok()?);
        Some((u32::from_be_bytes(*day), StoreKey::new(Keyspace::Expiry, row.key), id))
    };
    let entries = first.into_iter().filter_map(read);
    let outdated = entries.take_while(|(day, ..)| *day < kept_from);
    outdated.map(|(_, key, id)| (key, id)).collect()
}

fn day(ms: u64) -> u32 {
    u32::try_from(ms / DAY_MS).unwrap_or(u32::MAX)
}
