//! Drives the real binaries over real TLS, with clients nobody here wrote.
//!
//! A [`Site`] is a whole installation in a directory of its own: certificate authority, vault
//! process, edge process, a tenant that has enrolled. It relies on the binaries being built
//! (`./check` does) and on curl, openssl and the tools `./check` installs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod answer;
mod binaries;
mod clients;
mod load;
mod memory;
mod needles;
mod process;
mod random;
mod search;
mod site;
mod small_disk;
mod spare_seal;
mod strace;
mod tenant;

pub use answer::{Answer, Ran};
pub use binaries::{binary, repository, tool};
pub use clients::{Crowd, bad_calls, grpcurl, rude};
pub use load::Load;
pub use memory::{MemoryHit, MemoryImage};
pub use needles::{Needles, encodings};
pub use process::{Process, free_port, run};
pub use random::{Random, is_long};
pub use search::hits_in_directory;
pub use site::Site;
pub use small_disk::{SmallDisk, with_own_mounts};
pub use strace::{Fault, Strace, SystemCall, system_calls};
pub use tenant::{Tenant, User, basic};
