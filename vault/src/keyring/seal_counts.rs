//! How many groups were sealed under each data key since the keyring was last written.
//!
//! Counted in memory, added to the keys whenever the keyring is written: what a crash forgets makes
//! the number at rest a lower bound, as its format says.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tresor_proto::DataClass;

/// Sealed groups by class and epoch.
pub(crate) type Seals = BTreeMap<(DataClass, u32), u64>;

/// The counts of one tenant; shared by the keyrings of all its sequences in memory.
#[derive(Debug, Default)]
pub(crate) struct SealCounts(Mutex<Seals>);

impl SealCounts {
    /// Counts one group.
    pub(crate) fn count(&self, class: DataClass, epoch: u32) {
        *self.seals().entry((class, epoch)).or_default() += 1;
    }

    /// What was counted and is not written yet.
    pub(crate) fn unwritten(&self) -> Seals {
        self.seals().clone()
    }

    /// Takes off what was written.
    pub(super) fn written(&self, written: &Seals) {
        let mut seals = self.seals();
        for (key, count) in written {
            if let Some(left) = seals.get_mut(key) {
                *left = left.saturating_sub(*count);
            }
        }
        seals.retain(|_, left| *left > 0);
    }

    fn seals(&self) -> MutexGuard<'_, Seals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_while_the_keyring_is_written_is_not_lost() {
        let counts = SealCounts::default();
        counts.count(DataClass::Identity, 1);
        counts.count(DataClass::Identity, 1);
        let written = counts.unwritten();
        counts.count(DataClass::Identity, 1);
        counts.count(DataClass::Identity, 2);
        counts.written(&written);
        let left = [((DataClass::Identity, 1), 1), ((DataClass::Identity, 2), 1)];
        assert_eq!(counts.unwritten(), left.into());
    }
}
