//! Surrogates: what stands for a value outside the vault.
//!
//! This module promises what is pure about them: the forms that hide a value within its own
//! alphabet. It relies on the identifier keys of the value's class.

pub(crate) mod format_preserving;
