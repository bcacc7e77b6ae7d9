//! The connections of a listener that are open, so that a peer that is revoked meanwhile is cut, or
//! all are.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::DoorError;
use crate::authority::Anchors;
use crate::connection::Peer;

/// How often it is looked whether those that were cut are gone.
const CUT_POLL: Duration = Duration::from_millis(2);

/// The connections that are open. Cheap to clone; clones share them.
#[derive(Clone, Debug, Default)]
pub struct OpenConnections(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    next: AtomicU64,
    open: Mutex<HashMap<u64, Entry>>,
}

#[derive(Debug)]
struct Entry {
    peer: Arc<Peer>,
    cut: CancellationToken,
}

/// A connection's entry; it leaves when it is dropped.
#[derive(Debug)]
pub(crate) struct Registered {
    id: u64,
    connections: OpenConnections,
}

impl OpenConnections {
    /// Enters a connection. The token tells it that it is cut.
    pub(crate) fn enter(&self, peer: Arc<Peer>) -> (Registered, CancellationToken) {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let cut = CancellationToken::new();
        self.lock().insert(id, Entry { peer, cut: cut.clone() });
        (Registered { id, connections: self.clone() }, cut)
    }

    /// Cuts every connection whose peer does not pass any more. Gives why, one for each.
    pub(super) fn check(&self, anchors: &Anchors) -> Vec<DoorError> {
        let now = UnixTime::now();
        let peers: Vec<_> = {
            let open = self.lock();
            open.values().map(|entry| (Arc::clone(&entry.peer), entry.cut.clone())).collect()
        };
        let refusal = |(peer, cut): (Arc<Peer>, CancellationToken)| {
            let error = verify(&peer, anchors, now).err().filter(|_| !cut.is_cancelled())?;
            cut.cancel();
            Some(error)
        };
        peers.into_iter().filter_map(refusal).collect()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Cuts all that are open now, and ends when they, and what their buffers held, are gone.
    pub async fn cut_all(&self) {
        let cut: Vec<_> = {
            let open = self.lock();
            open.values().for_each(|entry| entry.cut.cancel());
            open.keys().copied().collect()
        };
        while cut.iter().any(|id| self.lock().contains_key(id)) {
            sleep(CUT_POLL).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Entry>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.connections.lock().remove(&self.id);
    }
}

fn verify(peer: &Peer, anchors: &Anchors, now: UnixTime) -> Result<(), DoorError> {
    let leaf = CertificateDer::from(peer.leaf_der.as_slice());
    let chain: Vec<_> =
        peer.chain_der.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    anchors.check(&leaf, &chain, now).map(|_| ())
}
