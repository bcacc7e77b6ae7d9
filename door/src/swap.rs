use std::sync::{Arc, PoisonError, RwLock};

/// A shared value that is read often and replaced as a whole.
#[derive(Debug)]
pub(crate) struct Swap<T>(RwLock<Arc<T>>);

impl<T> Swap<T> {
    pub(crate) fn new(value: Arc<T>) -> Self {
        Self(RwLock::new(value))
    }

    /// The value as it is now; it stays whole for whoever holds it.
    pub(crate) fn load(&self) -> Arc<T> {
        // A poisoned lock still holds a whole value: `store` replaces it in one move.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn store(&self, value: Arc<T>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = value;
    }
}
