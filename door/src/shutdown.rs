use core::future::Future;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::DoorError;

/// Tells every part of a process to finish. Cheap to clone; clones share the one trigger.
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<watch::Sender<bool>>);

impl Shutdown {
    /// One that only [`Shutdown::trigger`] sets off.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// One that SIGTERM and SIGINT set off too. Wants a Tokio runtime around it.
    ///
    /// # Errors
    /// [`DoorError::Signals`] when the process cannot receive signals.
    pub fn on_signals() -> Result<Self, DoorError> {
        let mut terminate = receive(SignalKind::terminate())?;
        let mut interrupt = receive(SignalKind::interrupt())?;
        let shutdown = Self::new();
        let trigger = shutdown.clone();
        tokio::spawn(async move {
            let signal = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            tracing::info!(signal, "shutting down");
            trigger.trigger();
        });
        Ok(shutdown)
    }

    /// Sets it off. Doing so again changes nothing.
    pub fn trigger(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was set off.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends once it was set off; at once if it was already. The future borrows nothing.
    pub fn wait(&self) -> impl Future<Output = ()> + Send + Unpin + 'static {
        let sender = Arc::clone(&self.0);
        Box::pin(async move {
            // It cannot fail: the sender lives as long as this future.
            let _ = sender.subscribe().wait_for(|is_triggered| *is_triggered).await;
        })
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

pub(crate) fn receive(kind: SignalKind) -> Result<Signal, DoorError> {
    signal(kind).map_err(|_| DoorError::Signals)
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn every_clone_hears_of_the_trigger() {
        let shutdown = Shutdown::new();
        let clone = shutdown.clone();
        let waiter = tokio::spawn(clone.wait());
        assert!(!shutdown.is_triggered());
        shutdown.trigger();
        timeout(Duration::from_secs(5), waiter).await.unwrap().unwrap();
        assert!(clone.is_triggered());
    }

    #[tokio::test]
    async fn a_termination_signal_sets_it_off() {
        let shutdown = Shutdown::on_signals().unwrap();
        kill_process(getpid(), Signal::TERM).unwrap();
        timeout(Duration::from_secs(5), shutdown.wait()).await.unwrap();
    }
}
