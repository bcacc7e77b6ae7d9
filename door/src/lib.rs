//! What both of Tresor's doors share: mutual TLS with identity from certificates, configuration
//! that reports every mistake at once, logs that cannot leak, and shutdown.
//!
//! It promises that a [`Connection`] exists only for a peer whose certificate was verified and
//! names exactly one service or client. It relies on rustls with ring, and on nothing of the vault.

mod authority;
pub mod config;
mod connection;
mod connector;
mod error;
mod guarded_body;
mod hardening;
mod listener;
pub mod logs;
mod metrics;
mod private_file;
#[cfg(test)]
#[allow(dead_code, reason = "shared; each test uses a part")]
#[path = "../../tests/fuzz/random.rs"]
mod random;
mod rates;
mod runtime;
mod shares;
mod shutdown;
mod subscriber;
mod swap;
#[cfg(test)]
mod testing;
mod tls_files;
mod wiping_allocator;

pub use authority::{Authority, PeerName, TrustFiles};
pub use connection::{Connection, Owner, Peer};
pub use connector::{RenewingChannel, client_config, connect};
pub use error::{DoorError, in_words};
pub use guarded_body::{Guard, guard};
pub use hardening::{descriptors_missing, forbid_dumps, harden};
pub use listener::{
    Listener, ListenerOptions, OpenConnections, PlainListener, Refusals, TlsReload,
};
pub use metrics::{Figures, Metrics, Sample};
pub use private_file::{read_credential, read_private_file};
pub use rates::Rates;
pub use runtime::wiping_runtime;
pub use shares::{NoPlace, Place, Shares, half_of};
pub use shutdown::Shutdown;
pub use subscriber::subscriber;
pub use tls_files::{CertificateHealth, TlsFiles, TlsHealth};
pub use wiping_allocator::WipingAllocator;
