//! Whose handshakes are under way: strangers, of whom nothing is known but an address. Connections
//! of the plain listener take turns too.
//!
//! It promises that an address has no more than a quarter of the turns, and that stalled handshakes
//! from however many addresses keep nobody out: when all turns are taken, the oldest ends. It
//! relies on handshakes to take milliseconds where nobody stalls them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::shares::share_of;
use crate::subscriber;

/// Where a handshake comes from; of IPv6 the network that one subscriber has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Origin(IpAddr);

/// All turns.
#[derive(Debug)]
pub(super) struct Turns {
    turns_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    /// Oldest first.
    turns: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    cut: CancellationToken,
    origin: Option<Origin>,
}

/// A handshake's turn; it ends when it is dropped, or is cut.
#[derive(Debug)]
pub(super) struct Turn {
    id: u64,
    turns: Arc<Turns>,
    cut: CancellationToken,
}

impl Turns {
    pub(super) fn new(turns_max: usize) -> Arc<Self> {
        Arc::new(Self { turns_max, taken: Mutex::default() })
    }

    /// A turn for who comes from `address`, unless it has its share; in the place of the oldest
    /// when all are taken. Behind a proxy nobody knows the address yet.
    pub(super) fn take(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Turn> {
        let origin = address.map(Origin::of);
        let mut taken = self.taken();
        if taken.count(origin) >= share_of(self.turns_max) {
            return None;
        }
        if taken.turns.len() >= self.turns_max
            && let Some((_, oldest)) = taken.turns.pop_first()
        {
            oldest.cut.cancel();
        }
        let (id, cut) = (taken.next, CancellationToken::new());
        taken.next += 1;
        taken.turns.insert(id, Entry { cut: cut.clone(), origin });
        Some(Turn { id, turns: Arc::clone(self), cut })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// How many are known to come from there.
    fn count(&self, origin: Option<Origin>) -> usize {
        let known = self.turns.values().filter(|entry| entry.origin.is_some());
        known.filter(|entry| entry.origin == origin).count()
    }
}

impl Turn {
    /// Counts it for the address that a proxy has told; `false` when that has its share.
    pub(super) fn count_for(&self, address: IpAddr) -> bool {
        let origin = Some(Origin::of(address));
        let mut taken = self.turns.taken();
        let is_within = taken.count(origin) < share_of(self.turns.turns_max);
        if let Some(entry) = taken.turns.get_mut(&self.id) {
            entry.origin = origin;
        }
        is_within
    }

    /// Ends when the turn is over before its handshake is.
    pub(super) async fn cut(&self) {
        self.cut.cancelled().await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.taken().turns.remove(&self.id);
    }
}

impl Origin {
    fn of(address: IpAddr) -> Self {
        Self(subscriber(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(turns: &Arc<Turns>, address: &str) -> Option<Turn> {
        turns.take(Some(address.parse().unwrap()))
    }

    fn told_by_a_proxy(turns: &Arc<Turns>, address: &str) -> Option<Turn> {
        let turn = turns.take(None).unwrap();
        turn.count_for(address.parse().unwrap()).then_some(turn)
    }

    #[test]
    fn an_address_has_a_share_of_the_turns_however_it_is_written() {
        for (own, same, other) in [
            ("192.0.2.7", "::ffff:192.0.2.7", "192.0.2.8"),
            ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"),
        ] {
            let turns = Turns::new(8);
            let theirs = [from(&turns, own), told_by_a_proxy(&turns, same)];
            assert!(theirs.iter().all(Option::is_some));
            assert!(from(&turns, own).is_none());
            assert!(told_by_a_proxy(&turns, own).is_none());
            assert!(from(&turns, other).is_some());
            assert!(told_by_a_proxy(&turns, other).is_some());
            drop(theirs);
            assert!(from(&turns, same).is_some());
        }
    }

    #[test]
    fn when_all_are_taken_the_oldest_ends() {
        let turns = Turns::new(2);
        let [first, second, third] = [0; 3].map(|_| turns.take(None).unwrap());
        assert_eq!([&first, &second, &third].map(|it| it.cut.is_cancelled()), [true, false, false]);
        drop(first);
        assert_eq!(turns.taken().turns.len(), 2);
        drop([second, third]);
        assert!(turns.taken().turns.is_empty());
    }
}
