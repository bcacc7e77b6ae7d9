use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::DoorError;

/// How many connections were turned away, by reason. Cheap to clone; clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct Refusals(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Refusals {
    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts and logs one. Nothing of the peer is logged: it is nobody we know.
    pub(super) fn note(&self, reason: &'static str) {
        let count = {
            let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(reason).or_default();
            *count += 1;
            *count
        };
        tracing::info!(reason, count, "connection refused");
    }
}

/// The reason code of a handshake that failed.
#[allow(clippy::wildcard_enum_match_arm, reason = "rustls may add variants at any time")]
pub(super) fn reason_of(error: &io::Error) -> &'static str {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        None => "closed_by_peer",
        Some(rustls::Error::AlertReceived(_)) => "refused_by_peer",
        Some(rustls::Error::PeerIncompatible(_)) => "tls_incompatible",
        Some(rustls::Error::NoApplicationProtocol) => "tls_no_application_protocol",
        Some(error) => DoorError::from_handshake(error).reason(),
    }
}
