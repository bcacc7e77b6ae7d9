//! Randomness that keeps one writer waiting where it draws its salts: once the floors are read and
//! before anything is sealed.

use std::sync::{
    Arc, Mutex,
    mpsc::{Receiver, Sender, channel},
};

use tresor_vault::{
    CryptoError,
    entropy::{Entropy, SystemEntropy},
};

pub(crate) struct Gatekeeper {
    system: SystemEntropy,
    /// How many bytes the writer draws that is kept waiting.
    drawn: usize,
    gate: Mutex<Option<Gate>>,
}

struct Gate {
    arrived: Sender<()>,
    opened: Receiver<()>,
}

impl Gatekeeper {
    pub(crate) fn of(drawn: usize) -> Arc<Self> {
        Arc::new(Self { system: SystemEntropy::default(), drawn, gate: Mutex::default() })
    }

    /// Shuts the gate for the next writer. Gives what hears of its arrival, and what lets it on.
    pub(crate) fn shut(&self) -> (Receiver<()>, Sender<()>) {
        let (arrived, waits) = channel();
        let (open, opened) = channel();
        *self.gate.lock().unwrap() = Some(Gate { arrived, opened });
        (waits, open)
    }
}

impl Entropy for Gatekeeper {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), CryptoError> {
        let gate = match bytes.len() == self.drawn {
            true => self.gate.lock().unwrap().take(),
            false => None,
        };
        if let Some(gate) = gate {
            gate.arrived.send(()).unwrap();
            gate.opened.recv().unwrap();
        }
        self.system.fill(bytes)
    }
}
