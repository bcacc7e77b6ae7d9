//! Whether a database is quarantined: damaged, or not synced, and not used again until repaired.
//!
//! The flag outlives the store, so that the state is remembered when the store is let go of. It is
//! logged once, when it is raised.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The flag of one database; clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct QuarantineFlag(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    is_raised: AtomicBool,
    database: String,
}

impl QuarantineFlag {
    /// The flag of a database, by the name it has in logs.
    pub(super) fn of(database: String) -> Self {
        Self(Arc::new(Flag { is_raised: AtomicBool::new(false), database }))
    }

    /// Quarantines the database.
    pub(super) fn raise(&self) {
        if !self.0.is_raised.swap(true, Ordering::AcqRel) {
            tracing::error!(
                tenant = self.0.database,
                "database damaged or not synced; quarantined"
            );
        }
    }

    /// Lets the database be opened and checked anew.
    pub(super) fn lift(&self) {
        self.0.is_raised.store(false, Ordering::Release);
    }

    /// Whether the database is quarantined.
    pub(super) fn is_raised(&self) -> bool {
        self.0.is_raised.load(Ordering::Acquire)
    }
}
