//! A batch on its way: each surrogate asked for, opened and to be counted, or settled.

use tresor_proto::{Surrogate, SurrogateId};

use super::answer_room::AnswerRoom;
use crate::{
    budget::Grant,
    error::VaultError,
    operations::name_surrogates::Names,
    record::Shown,
    store::{Change, Outcome, StoreKey},
    surrogate::{RevealedValue, named::Named, rows::row_key},
};

/// What is told of one surrogate.
pub(super) type Revealed = Result<RevealedValue, VaultError>;

/// The surrogates of a call, or of a part of it, in order.
pub(super) struct Batch(Vec<Item>);

/// Where a surrogate is.
pub(super) enum Item {
    /// To be opened.
    Asked(Named),
    /// Opened; shown once the use is counted.
    Opened(Counted, RevealedValue),
    /// Handed to the store to be counted.
    Counting(Counted, RevealedValue),
    /// Shown, or refused.
    Settled(Revealed),
}

/// A surrogate whose count is asked before it is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) id: SurrogateId,
    /// What its count is asked for.
    pub(super) bound: Bound,
}

/// What a count tells of a surrogate.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    /// Whether it may be traded, so often at most; this is one time more.
    Uses(u32),
    /// Whether it may be traded once more. Nothing is shown of the value, so that this is no time.
    Left(u32),
    /// Whether the records that hold it have all ended.
    Holders,
}

impl Batch {
    /// Holds surrogates.
    pub(super) fn new(names: Names) -> Self {
        let item = |named: Result<Named, VaultError>| {
            named.map_or_else(|error| Item::Settled(Err(error)), Item::Asked)
        };
        Self(names.into_iter().map(item).collect())
    }

    /// Holds them where they are.
    #[cfg(test)]
    pub(super) fn of(items: Vec<Item>) -> Self {
        Self(items)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many are still to be opened.
    pub(super) fn left(&self) -> usize {
        self.0.iter().filter_map(Item::asked).count()
    }

    /// Refuses those to be opened beyond the first `count`.
    pub(super) fn refuse_beyond(&mut self, count: usize, grant: &Grant) {
        let asked = self.0.iter_mut().filter(|item| item.asked().is_some());
        asked.skip(count).for_each(|item| *item = Item::Settled(Err(grant.refusal())));
    }

    /// Settles those still to be opened.
    pub(super) fn settle_left(&mut self, error: &VaultError) {
        self.asked_mut().for_each(|item| *item = Item::Settled(Err(error.clone())));
    }

    /// A part of so many of which nothing is left but why.
    pub(super) fn lost(count: usize, error: &VaultError) -> Self {
        Self((0..count).map(|_| Item::Settled(Err(error.clone()))).collect())
    }

    /// Settles those that are not shown or refused yet. A use that was handed to the store may have
    /// been counted.
    pub(super) fn settle_rest(&mut self, error: &VaultError) {
        let rest = self.0.iter_mut().filter(|item| !matches!(item, Item::Settled(_)));
        rest.for_each(|item| *item = Item::Settled(Err(error.clone())));
    }

    /// Refuses what is opened and does not fit an answer.
    pub(super) fn fit(&mut self, room: &mut AnswerRoom) {
        for item in &mut self.0 {
            let taken = match item {
                Item::Opened(_, value) | Item::Counting(_, value) | Item::Settled(Ok(value)) => {
                    room.take(&value.shown)
                }
                Item::Asked(_) | Item::Settled(Err(_)) => {
                    room.take_refusal();
                    Ok(())
                }
            };
            if let Err(error) = taken {
                *item = Item::Settled(Err(error));
            }
        }
    }

    /// Cuts it into parts of so many.
    pub(super) fn into_parts(self, count: usize) -> impl Iterator<Item = Self> {
        let mut items = self.0.into_iter();
        core::iter::from_fn(move || {
            let part: Vec<_> = items.by_ref().take(count).collect();
            (!part.is_empty()).then_some(Self(part))
        })
    }

    /// The keys of the rows of those to be opened that have one, in order.
    pub(super) fn keys(&self) -> Vec<StoreKey> {
        self.rowed().map(|surrogate| row_key(&surrogate.id())).collect()
    }

    /// Those to be opened that have rows.
    pub(super) fn rowed(&self) -> impl Iterator<Item = &Surrogate> {
        self.0.iter().filter_map(Item::asked).filter_map(Named::ours)
    }

    /// Those to be opened.
    pub(super) fn asked_mut(&mut self) -> impl Iterator<Item = &mut Item> {
        self.0.iter_mut().filter(|item| item.asked().is_some())
    }

    /// Those to be counted.
    pub(super) fn opened(&self) -> impl Iterator<Item = &Counted> {
        self.0.iter().filter_map(Item::counted)
    }

    /// Hands those to be counted to the store, each with the change that counts it; shows those
    /// without one, and settles the others. Gives the changes, in order.
    pub(super) fn count(&mut self, counts: Vec<Result<Option<Change>, VaultError>>) -> Vec<Change> {
        let opened = self.0.iter_mut().filter(|item| item.counted().is_some());
        let mut changes = Vec::new();
        for (item, change) in opened.zip(counts) {
            item.count(change.as_ref().map(Option::is_some).map_err(Clone::clone));
            changes.extend(change.ok().flatten());
        }
        changes
    }

    /// Takes what became of the counts handed to the store, in order.
    pub(super) fn settle(&mut self, outcomes: Vec<Outcome>) {
        let counting = self.0.iter_mut().filter(|item| matches!(item, Item::Counting(..)));
        for (item, outcome) in counting.zip(outcomes) {
            *item = match (item.take(), outcome) {
                (Item::Counting(_, value), Outcome::Applied) => Item::Settled(Ok(value)),
                (Item::Counting(counted, value), Outcome::PreconditionFailed) => {
                    Item::Opened(counted, value)
                }
                (other, _) => other,
            };
        }
    }

    /// One result a surrogate, in order.
    pub(super) fn into_results(self) -> impl Iterator<Item = Revealed> {
        self.0.into_iter().map(|item| match item {
            Item::Settled(revealed) => revealed,
            // Other uses kept coming between.
            Item::Opened(..) => Err(VaultError::Conflict),
            Item::Asked(_) | Item::Counting(..) => Err(VaultError::Internal),
        })
    }
}

impl Item {
    /// The surrogate that is to be opened.
    pub(super) fn asked(&self) -> Option<&Named> {
        match self {
            Self::Asked(named) => Some(named),
            Self::Opened(..) | Self::Counting(..) | Self::Settled(_) => None,
        }
    }

    /// What is to be counted.
    pub(super) fn counted(&self) -> Option<&Counted> {
        match self {
            Self::Opened(counted, _) => Some(counted),
            Self::Asked(_) | Self::Counting(..) | Self::Settled(_) => None,
        }
    }

    /// Hands one that is opened to the store, if its use `is_counted`; shows it otherwise, or settles
    /// it.
    fn count(&mut self, is_counted: Result<bool, VaultError>) {
        *self = match (self.take(), is_counted) {
            (Self::Opened(counted, value), Ok(true)) => Self::Counting(counted, value),
            (Self::Opened(_, value), Ok(false)) => Self::Settled(Ok(value)),
            (_, Err(error)) => Self::Settled(Err(error)),
            (other, Ok(_)) => other,
        };
    }

    pub(super) fn take(&mut self) -> Self {
        core::mem::replace(self, Self::Settled(Err(VaultError::Internal)))
    }
}

/// Whether a value is shown whole.
pub(super) fn is_plain(revealed: &Revealed) -> bool {
    revealed.as_ref().is_ok_and(|value| matches!(value.shown, Shown::Plain(_)))
}
