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

    /// Marks a class. One that is marked keeps the time of its mark; that others may know its data
    /// keys is not taken back.
    pub(crate) fn mark_data_key(
        &mut self,
        class: DataClass,
        due_ms: u64,
        reason: storage::RotationReason,
    ) -> Result<RotationMark, CryptoError> {
        let epoch = self.newest_epoch(class)?;
        let now_ms = due_ms;
        let marked = self.rotation_mark(class);
        let due_ms = marked.map_or(now_ms, |mark| mark.due_ms);
        let reason = marked.filter(|mark| mark.is_compromised()).map_or(reason, |mark| mark.reason);
        let mark = RotationMark { class, epoch, due_ms, reason };
        if mark.is_compromised() {
            self.data_keys_mut(class).for_each(|key| key.disclose(now_ms));
        }
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
        if self.rotation_mark(class).is_none_or(|mark| mark.epoch != newest) {
            return Ok(false);
        }
        let version = newest.checked_add(1).ok_or(CryptoError)?;
        self.add_data_key(KeyBirth { class, version, created_ms: now_ms }, class_key, entropy)?;
        for key in self.data_keys_mut(class).filter(|key| key.epoch < version) {
            key.deactivate();
        }
        self.rotation_marks.retain(|mark| mark.class != class);
        Ok(true)
    }

    /// Takes a class's mark back, if its next epoch is not made yet and nobody else may know its
    /// data keys.
    pub(crate) fn unmark_data_key(&mut self, class: DataClass, epoch: u32) -> bool {
        let before = self.rotation_marks.len();
        let is_it = |mark: &RotationMark| mark.class == class && mark.epoch == epoch;
        self.rotation_marks.retain(|mark| !is_it(mark) || mark.is_compromised());
        self.rotation_marks.len() < before
    }

    /// Destroys the data keys of a class below an epoch. Gives the epochs destroyed.
    pub(crate) fn destroy_data_keys(
        &mut self,
        class: DataClass,
        below: u32,
        now_ms: u64,
    ) -> Vec<u32> {
        let keys = self.data_keys_mut(class);
        let older = keys.filter(|key| key.epoch < below && !key.is_destroyed());
        let destroy = |key: &mut WrappedDataKey| {
            key.destroy(now_ms);
            key.epoch
        };
        older.map(destroy).collect()
    }

    fn data_keys_mut(&mut self, class: DataClass) -> impl Iterator<Item = &mut WrappedDataKey> {
        self.data_keys.iter_mut().filter(move |key| key.class == class)
    }
}

impl RotationMark {
    fn is_compromised(&self) -> bool {
        self.reason == storage::RotationReason::Compromised
    }
}

impl WrappedDataKey {
    /// Whether only its number and times are left.
    pub(crate) fn is_destroyed(&self) -> bool {
        self.message.state() == storage::KeyState::Destroyed
    }

    fn deactivate(&mut self) {
        if self.message.state() == storage::KeyState::Active {
            self.message.set_state(storage::KeyState::Deactivated);
        }
    }

    /// Others may know it. One that is destroyed stays so.
    fn disclose(&mut self, now_ms: u64) {
        if self.is_destroyed() {
            return;
        }
        self.message.set_state(storage::KeyState::Compromised);
        if self.message.compromised_ms == 0 {
            self.message.compromised_ms = now_ms;
        }
    }

    fn destroy(&mut self, now_ms: u64) {
        self.message.set_state(storage::KeyState::Destroyed);
        self.message.destroyed_ms = now_ms;
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
