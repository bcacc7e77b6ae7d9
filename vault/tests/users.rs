//! Users of a tenant: their passwords, their sessions, their roles, and who tries to get past them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "users/gate.rs"]
mod gate;
#[path = "users/guessing.rs"]
mod guessing;
#[path = "operations/house.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod house;
#[path = "users/roles.rs"]
mod roles;
#[path = "users/sessions.rs"]
mod sessions;
