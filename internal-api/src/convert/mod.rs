//! Wire ↔ domain, once, at the door.
//!
//! Everything that comes in is parsed into a domain type here or refused with the field at fault;
//! what goes out is built here. It relies on the parsers of `tresor-proto` for every identifier.

pub(crate) mod answer_size;
pub(crate) mod collection;
pub(crate) mod customer_tokens;
#[cfg(test)]
mod fuzz;
pub(crate) mod input;
pub(crate) mod item_keys;
pub(crate) mod key_operations;
pub(crate) mod keys;
pub(crate) mod page;
pub(crate) mod revealed;
pub(crate) mod seal;
pub(crate) mod search;
pub(crate) mod surrogates;
pub(crate) mod tenant;
pub(crate) mod tenant_change;
pub(crate) mod time;
pub(crate) mod user;

use tresor_proto::Failure;

/// Moves a failure's violations below `path`, so that the caller finds the item at fault.
pub(crate) fn at_path(failure: &Failure, path: &str) -> Failure {
    let outer = Failure::new(failure.code(), failure.message().to_owned());
    if failure.violations().is_empty() {
        return outer.with_violation(path, failure.message());
    }
    let violations = failure.violations().iter();
    violations
        .fold(outer, |outer, violation| outer.with_violation(path, violation.description.as_str()))
}
