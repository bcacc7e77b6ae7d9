//! Records found by sealed values: against a map, while others write, over indexes that a database
//! writer has changed, through every rotation.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "operations/house.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod house;
#[path = "../../tests/fuzz/random.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod random;

#[path = "search/building.rs"]
mod building;
#[path = "search/dictionary.rs"]
mod dictionary;
#[path = "search/false_friends.rs"]
mod false_friends;
#[path = "search/finder.rs"]
mod finder;
#[path = "search/late_writer.rs"]
mod late_writer;
#[path = "search/model.rs"]
mod model;
#[path = "search/paging.rs"]
mod paging;
#[path = "search/rekeying.rs"]
mod rekeying;
#[path = "search/rotations.rs"]
mod rotations;
#[path = "search/terms.rs"]
mod terms;
#[path = "search/verifying.rs"]
mod verifying;
