//! Replaces the data keys of a tenant: mark, make the next epoch, destroy the older ones.
//!
//! It promises that an epoch follows the one it was marked for and no other, so that of several who
//! come at once one makes it; and that of a destroyed key only its number and times stay. It relies
//! on the keyring being written whole.

use tresor_proto::{DataClass, storage};

use super::{
    TenantKeyring,
    tenant::{KeyBirth, WrappedDataKey},
};
use crate::{crypto_error::CryptoError, entropy::Entropy, key::ClassKey};

/// That the data key of a class is to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RotationMark {
    /// The class.
    pub(crate) class: DataClass,
    /// The epoch to be replaced: the newest.
    pub(crate) epoch: u32,
    /// Since when.
    pub(crate) due_ms: u64,
    /// Why.
    pub(crate) reason: storage::RotationReason,
}

impl TenantKeyring {
    /// The newest epoch of a class.
    pub(crate) fn newest_epoch(&self, class: DataClass) -> Result<u32, CryptoError> {
        self.data_keys(class).map(|key| key.epoch).max().ok_or(CryptoError)
    }

    /// The mark of a class.
    pub(crate) fn rotation_mark(&self, class: DataClass) -> Option<&RotationMark> {
        self.rotation_marks.iter().find(|mark| mark.class == class)
    }

    /// Marks a class. One that is marked keeps the time of its mark.
    pub(crate) fn mark_data_key(
        &mut self,
        class: DataClass,
        due_ms: u64,
        reason: storage::RotationReason,
    ) -> Result<RotationMark, CryptoError> {
        let epoch = self.newest_epoch(class)?;
        let due_ms = self.rotation_mark(class).map_or(due_ms, |mark| mark.due_ms);
        let mark = RotationMark { class, epoch, due_ms, reason };
        self.rotation_marks.retain(|mark| mark.class != class);
        self.rotation_marks.push(mark);
        Ok(mark)
    }

    /// Makes the next epoch of a class, if it is marked still, and whether it did. The epoch before
    /// opens only, from now on.
    pub(crate) fn renew_data_key(
        &mut self,
        class: DataClass,
        class_key: &ClassKey,
        now_ms: u64,
        entropy: &dyn Entropy,
    ) -> Result<bool, CryptoError> {
        let newest = self.newest_epoch(class)?;
        let Some(mark) = self.rotation_mark(class).filter(|mark| mark.epoch == newest) else {
            return Ok(false);
        };
        let state = match mark.reason {
            storage::RotationReason::Compromised => storage::KeyState::Compromised,
            storage::RotationReason::Unspecified
            | storage::RotationReason::Requested
            | storage::RotationReason::Policy => storage::KeyState::Deactivated,
        };
        let version = newest.checked_add(1).ok_or(CryptoError)?;
        self.add_data_key(KeyBirth { class, version, created_ms: now_ms }, class_key, entropy)?;
        let older = self.data_keys.iter_mut().filter(|key| key.class == class);
        older.filter(|key| key.epoch < version).for_each(|key| key.retire(state));
        self.rotation_marks.retain(|mark| mark.class != class);
        Ok(true)
    }

    /// Takes a class's mark back, if its next epoch is not made yet.
    pub(crate) fn unmark_data_key(&mut self, class: DataClass, epoch: u32) -> bool {
        let before = self.rotation_marks.len();
        self.rotation_marks.retain(|mark| mark.class != class || mark.epoch != epoch);
        self.rotation_marks.len() < before
    }

    /// Destroys the data keys of a class below an epoch. Gives the epochs destroyed.
    pub(crate) fn destroy_data_keys(&mut self, class: DataClass, below: u32) -> Vec<u32> {
        let keys = self.data_keys.iter_mut().filter(|key| key.class == class);
        let older = keys.filter(|key| key.epoch < below && !key.is_destroyed());
        let destroy = |key: &mut WrappedDataKey| {
            key.destroy();
            key.epoch
        };
        older.map(destroy).collect()
    }
}

impl WrappedDataKey {
    /// Whether only its number and times are left.
    pub(crate) fn is_destroyed(&self) -> bool {
        self.message.state() == storage::KeyState::Destroyed
    }

    fn retire(&mut self, state: storage::KeyState) {
        if self.message.state() == storage::KeyState::Active {
            self.message.set_state(state);
        }
    }

    fn destroy(&mut self) {
        self.message.set_state(storage::KeyState::Destroyed);
        self.message.wrapped.clear();
    }
}

impl From<&RotationMark> for storage::RotationMark {
    fn from(mark: &RotationMark) -> Self {
        Self {
            data_class: u32::from(mark.class.code()),
            epoch: mark.epoch,
            due_ms: mark.due_ms,
            reason: mark.reason as i32,
        }
    }
}

impl TryFrom<storage::RotationMark> for RotationMark {
    type Error = CryptoError;

    fn try_from(message: storage::RotationMark) -> Result<Self, CryptoError> {
        let reason = message.reason();
        if reason == storage::RotationReason::Unspecified {
            return Err(CryptoError);
        }
        let class = DataClass::from_code(message.data_class).ok_or(CryptoError)?;
        Ok(Self { class, epoch: message.epoch, due_ms: message.due_ms, reason })
    }
}
