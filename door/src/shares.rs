//! Places of which nobody takes more than a quarter: connections, requests that run at once.
//!
//! It promises that one who takes all it may have takes nothing from the others, and that a place
//! is free again when it is dropped. It relies on its user to tell who asks.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Guard;

/// What part of all places one may take.
const PART: usize = 4;

/// The share of each among `places` that all have together.
pub(crate) fn share_of(places: usize) -> usize {
    (places / PART).max(1)
}

/// Half of `places` that all have together.
#[must_use]
pub fn half_of(places: usize) -> usize {
    (places / 2).max(1)
}

/// All places, and who has them.
#[derive(Debug)]
pub struct Shares<K> {
    places_max: usize,
    taken: Mutex<Taken<K>>,
}

#[derive(Debug)]
struct Taken<K> {
    all: usize,
    by_owner: HashMap<K, usize>,
}

/// A place that is taken until it is dropped.
#[derive(Debug)]
pub struct Place<K: Clone + Eq + Hash> {
    shares: Arc<Shares<K>>,
    owner: K,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// All are taken.
    AllTaken,
    /// Its owner has as many as one may have.
    ShareTaken,
}

impl<K: Clone + Eq + Hash> Shares<K> {
    /// As many places, all free.
    #[must_use]
    pub fn new(places_max: usize) -> Arc<Self> {
        let taken = Mutex::new(Taken { all: 0, by_owner: HashMap::new() });
        Arc::new(Self { places_max, taken })
    }

    /// A place for `owner`.
    ///
    /// # Errors
    /// When there is none.
    pub fn take(self: &Arc<Self>, owner: K) -> Result<Place<K>, NoPlace> {
        self.take_within(owner, |_| share_of(self.places_max))
    }

    /// A place for `owner`, who may have another part of them than others. While there is room he
    /// may take all of it; of the last quarter everybody gets as much as the others that are here.
    ///
    /// # Errors
    /// When there is none.
    pub fn take_of(self: &Arc<Self>, owner: K, owner_max: usize) -> Result<Place<K>, NoPlace> {
        let last = share_of(self.places_max);
        self.take_within(owner, |taken| match self.places_max.saturating_sub(taken.all) > last {
            true => owner_max,
            false => owner_max.min((last / taken.by_owner.len().max(1)).max(1)),
        })
    }

    /// A place for `owner`, who may have half of them: where few ask, and one of them for many.
    ///
    /// # Errors
    /// When there is none.
    pub fn take_of_half(self: &Arc<Self>, owner: K) -> Result<Place<K>, NoPlace> {
        self.take_of(owner, half_of(self.places_max))
    }

    /// How many places are taken.
    #[must_use]
    pub fn taken_by(&self, owner: &K) -> usize {
        self.taken().by_owner.get(owner).copied().unwrap_or_default()
    }

    fn take_within(
        self: &Arc<Self>,
        owner: K,
        owner_max: impl FnOnce(&Taken<K>) -> usize,
    ) -> Result<Place<K>, NoPlace> {
        let mut taken = self.taken();
        let theirs = taken.by_owner.get(&owner).copied().unwrap_or_default();
        if taken.all >= self.places_max {
            return Err(NoPlace::AllTaken);
        }
        if theirs >= owner_max(&taken) {
            return Err(NoPlace::ShareTaken);
        }
        taken.all += 1;
        taken.by_owner.insert(owner.clone(), theirs + 1);
        drop(taken);
        Ok(Place { shares: Arc::clone(self), owner })
    }

    fn taken(&self) -> MutexGuard<'_, Taken<K>> {
        // Nothing panics while it is held.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.shares.taken();
        taken.all = taken.all.saturating_sub(1);
        let theirs = taken.by_owner.get(&self.owner).copied().unwrap_or_default();
        if theirs > 1 {
            taken.by_owner.insert(self.owner.clone(), theirs - 1);
        } else {
            // Owners come and go; only those that are here are remembered.
            taken.by_owner.remove(&self.owner);
        }
    }
}

/// A place among the requests that run at once.
impl<K: Clone + Eq + Hash + Send + Unpin + 'static> Guard for Place<K> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_more_than_a_quarter_and_the_rest_is_left() {
        let shares = Shares::new(9);
        let mut theirs = [shares.take('a').ok(), shares.take('a').ok()];
        assert!(theirs.iter().all(Option::is_some));
        assert_eq!(shares.take('a').unwrap_err(), NoPlace::ShareTaken);
        let others = [shares.take('b').ok(), shares.take('c').ok()];
        assert!(others.iter().all(Option::is_some));
        theirs[0] = None;
        assert!(shares.take('a').is_ok());
    }

    #[test]
    fn of_the_last_quarter_everybody_who_comes_gets_something() {
        let shares = Shares::new(16);
        let take_all =
            |owner| -> Vec<_> { (0..).map_while(|_| shares.take_of(owner, 16).ok()).collect() };
        let greedy = take_all('a');
        assert_eq!(greedy.len(), 12, "while there is room, all of it");
        let held = ['b', 'c', 'd'].map(take_all);
        assert_eq!(held.map(|places| places.len()), [2, 1, 1]);
        assert_eq!(shares.take_of('a', 16).unwrap_err(), NoPlace::ShareTaken);
        assert_eq!(shares.taken_by(&'a'), 12);
    }

    #[test]
    fn of_half_one_leaves_the_other_half() {
        let shares = Shares::new(4);
        let theirs = [0; 3].map(|_| shares.take_of_half('a'));
        assert_eq!(theirs.each_ref().map(Result::is_ok), [true, true, false]);
        assert!(shares.take_of_half('b').is_ok());
    }

    #[test]
    fn an_owner_has_no_more_than_he_may() {
        let shares = Shares::new(16);
        let theirs = [shares.take_of('a', 2).ok(), shares.take_of('a', 2).ok()];
        assert!(theirs.iter().all(Option::is_some));
        assert_eq!(shares.take_of('a', 2).unwrap_err(), NoPlace::ShareTaken);
        assert!(shares.take_of('b', 2).is_ok());
    }

    #[test]
    fn there_are_no_more_places_than_there_are() {
        let shares = Shares::new(1);
        let only = shares.take('a').unwrap();
        assert_eq!(shares.take('b').unwrap_err(), NoPlace::AllTaken);
        drop(only);
        assert!(shares.take('b').is_ok());
        assert!(shares.taken().by_owner.is_empty());
    }
}
