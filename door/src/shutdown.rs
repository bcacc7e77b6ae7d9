use crate::DoorError;

/// Tells every part of a process to finish. Cheap to clone; clones share the one trigger.
#[derive(Clone, Debug, Default)]
pub struct Shutdown;

impl Shutdown {
    /// One that only [`Shutdown::trigger`] sets off.
    #[must_use]
    pub fn new() -> Self {
        Self
    }

    /// One that SIGTERM and SIGINT set off too. Wants a Tokio runtime around it.
    pub fn on_signals() -> Result<Self, DoorError> {
        todo!()
    }

    /// Sets it off.
    pub fn trigger(&self) {
        todo!()
    }

    /// Whether it was set off.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        todo!()
    }

    /// Returns once it was set off; at once if it was already.
    pub async fn wait(&self) {
        todo!()
    }
}
