//! The users of tenants: their passwords, their sessions, and what holds up who guesses.
//!
//! It promises that a password is kept as a hash that takes the pepper to test a guess on, that a
//! session opens nothing under another certificate, and that guessing costs the guesser time and the
//! vault a bounded share of the machine. It relies on the registry for rows that authenticate.

mod delays;
mod desk;
mod password_hash;
mod session;

pub(crate) use delays::LoginDelays;
pub(crate) use desk::PasswordDesk;
pub(crate) use password_hash::{PasswordHash, PasswordKey};
pub(crate) use session::SessionClaims;
