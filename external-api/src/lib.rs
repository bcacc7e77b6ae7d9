//! The customer edge: HTTPS with client certificates; authenticates, screens and forwards.
//!
//! It promises to hold no key and store nothing, to bound the memory of every request, and that
//! personal data and customer tokens reach neither a URL, nor a log, nor an error. It relies on
//! `tresor-door` for the handshake, on `tresor-screening` for every verdict, and on the vault,
//! which checks everything again.

mod access_log;
mod admissions;
mod bounded_items;
mod client;
mod config;
mod credentials;
mod customer_token;
mod customer_tokens;
mod edge;
mod enrol;
mod forwarded;
mod guesses;
mod header_section;
mod health;
mod idempotency;
mod layers;
mod limits;
mod lingering_body;
mod openapi;
mod pace;
mod password;
mod policies;
mod problem;
mod query;
mod records;
mod routes;
mod screen;
mod secret_header;
mod sessions;
mod small_body;
mod surrogates;
mod upload;
mod vault;
mod visitor;

pub use config::{Config, Limits, Proxies, VaultAddress};
pub use edge::{Edge, start};
