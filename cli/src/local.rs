//! Both APIs in this process, on loopback, with real TLS 1.3 and client certificates.
//!
//! What `tresor demo` and `tresor dev` stand on. It promises the same doors, checks and files as
//! separate processes have; only the operator's and the customer's secrets lie in one directory,
//! which is for trying things out and nothing else.

mod customer;
mod premises;
mod system;

pub(crate) use customer::{Customer, USER, parse_customer_token};
pub(crate) use premises::Premises;
pub(crate) use system::{Addresses, LocalSystem};
