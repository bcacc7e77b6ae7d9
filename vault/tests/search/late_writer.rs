//! A write that was screened before an index was declared and reaches the store once it is built.

use std::sync::{
    Arc, Mutex,
    mpsc::{Receiver, Sender, channel},
};

use tresor_vault::{
    CryptoError, KeyOperationState, VaultError,
    entropy::{Entropy, SystemEntropy},
    store::StoreEngine,
};

use crate::{
    finder::{Finder, fields},
    house::House,
};

/// Bytes of the salt of a record with one class: drawn once the floor is read and before the record
/// is sealed.
const SALT_BYTES: usize = 24;

/// Randomness that keeps one writer waiting where it draws its salt.
#[derive(Default)]
struct Gatekeeper {
    system: SystemEntropy,
    gate: Mutex<Option<Gate>>,
}

struct Gate {
    arrived: Sender<()>,
    opened: Receiver<()>,
}

impl Entropy for Gatekeeper {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), CryptoError> {
        let gate = match bytes.len() {
            SALT_BYTES => self.gate.lock().unwrap().take(),
            _ => None,
        };
        if let Some(gate) = gate {
            gate.arrived.send(()).unwrap();
            gate.opened.recv().unwrap();
        }
        self.system.fill(bytes)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_late_write_that_does_not_know_an_index_is_refused_once_it_is_built() {
    let gatekeeper = Arc::new(Gatekeeper::default());
    let house = House::build_with(StoreEngine::Redb, gatekeeper.clone()).await;
    let mut finder = Finder { house, policy_version: 0 };
    finder.declare(fields(0)).await;
    finder.put("before", &[("name", "Anna")]).await.unwrap();
    let (arrived, waits) = channel();
    let (open, opened) = channel();
    *gatekeeper.gate.lock().unwrap() = Some(Gate { arrived, opened });

    let late = async |finder: &Finder| finder.put_under(1, "late", &[("name", "Anna")]).await;
    let meanwhile = async {
        tokio::task::spawn_blocking(move || waits.recv().unwrap()).await.unwrap();
        finder.redeclare(fields(128)).await;
        let built = finder.build_index().await;
        assert_eq!(built.state, KeyOperationState::Done);
        open.send(()).unwrap();
    };
    let (late, ()) = tokio::join!(late(&finder), meanwhile);
    assert_eq!(late.err(), Some(VaultError::PolicyOutdated));
    assert_eq!(finder.found(&[("name", "anna")], 10).await, ["before"]);
    finder.put_under(2, "late", &[("name", "Anna")]).await.unwrap();
    assert_eq!(finder.found(&[("name", "anna")], 10).await, ["before", "late"]);
}
