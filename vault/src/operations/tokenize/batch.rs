//! A batch on its way: each value pending, with its surrogate being stored, or settled.

use std::collections::BTreeSet;

use tresor_proto::{DataClass, Failure, SurrogateId, SurrogateKind};

use crate::{
    error::VaultError,
    idempotency::RequestMark,
    operations::sight::Sight,
    store::{Outcome, StoreKey},
    surrogate::{
        IssuedSurrogate, NewSurrogate,
        look_up::LookUpPlaces,
        rows::{count_key, row_key},
    },
};

/// What one value is answered.
pub(super) type Answer = Result<IssuedSurrogate, VaultError>;

/// The values of a call, in order.
pub(super) struct Batch {
    items: Vec<Item>,
}

/// One value.
pub(super) struct Item {
    /// What it is recognised by when it is repeated, once that is made.
    pub(super) mark: Option<RequestMark>,
    pub(super) way: Way,
    pub(super) state: State,
}

/// How an item comes to its surrogate, once that is known.
pub(super) enum Way {
    /// Nothing is known yet. A random surrogate that nobody has named needs nothing else.
    Unknown,
    /// It is made, whatever there is.
    Made,
    /// A deterministic one: where it is looked up, which was found there, and whether there is any
    /// doubt that it has a row.
    Deterministic { look_up: LookUpPlaces, found: Option<SurrogateId>, is_doubted: bool },
}

/// Where an item is.
pub(super) enum State {
    /// To be issued, with a row: of the surrogate, or of the request.
    Pending(NewSurrogate),
    /// To be issued, and nothing is kept of it.
    Preserving(NewSurrogate),
    /// Handed to the store, with the answer once it is durable.
    Stored(NewSurrogate, IssuedSurrogate),
    /// Durable, or refused.
    Settled(Answer),
}

impl Batch {
    /// Holds values; one that failed to parse keeps its failure.
    pub(super) fn new(values: Vec<Result<NewSurrogate, Failure>>) -> Self {
        let item = |value: Result<NewSurrogate, Failure>| Item {
            mark: None,
            way: Way::Unknown,
            state: value.map_or_else(|error| State::Settled(Err(error.into())), State::of),
        };
        Self { items: values.into_iter().map(item).collect() }
    }

    /// The values whose surrogates are to look like them, and of which nothing is kept.
    pub(super) fn preserving(&self) -> impl Iterator<Item = &NewSurrogate> {
        self.items.iter().filter_map(|item| match &item.state {
            State::Preserving(value) => Some(value),
            State::Pending(_) | State::Stored(..) | State::Settled(_) => None,
        })
    }

    /// Takes their surrogates, in order.
    pub(super) fn settle_preserved(&mut self, answers: Vec<Answer>) {
        let is_preserving = |item: &&mut Item| matches!(item.state, State::Preserving(_));
        let preserving = self.items.iter_mut().filter(is_preserving);
        preserving.zip(answers).for_each(|(item, answer)| item.state = State::Settled(answer));
    }

    /// The classes of the pending values.
    pub(super) fn classes(&self) -> BTreeSet<DataClass> {
        self.pending().map(|(_, value)| value.options.info_type().class()).collect()
    }

    /// Whether anything is left to issue that has a row.
    pub(super) fn is_pending(&self) -> bool {
        self.pending().next().is_some()
    }

    /// Whether there are items that are found by something, which is not made yet.
    pub(super) fn needs_preparing(&self) -> bool {
        self.pending().any(|(item, value)| matches!(item.way, Way::Unknown) && is_found(value))
    }

    /// How many items are recognised when they are repeated.
    pub(super) fn keyed(&self) -> usize {
        self.pending().filter(|(_, value)| value.item_key.is_some()).count()
    }

    /// How many have an end.
    pub(super) fn ending(&self) -> usize {
        self.pending().filter(|(_, value)| has_end(value)).count()
    }

    /// Where the pending deterministic items are looked up.
    pub(super) fn look_ups(&self) -> impl Iterator<Item = &StoreKey> {
        let look_ups = self.pending().filter_map(|(item, _)| match &item.way {
            Way::Deterministic { look_up, .. } => Some(look_up),
            Way::Unknown | Way::Made => None,
        });
        look_ups.flat_map(LookUpPlaces::iter)
    }

    /// The keys of all rows that the pending items look at beside that.
    pub(super) fn keys(&self, now_ms: u64) -> impl Iterator<Item = StoreKey> {
        self.pending().flat_map(move |(item, _)| {
            let mut keys = item.way.keys();
            keys.extend(item.mark.iter().flat_map(|mark| mark.places(now_ms)));
            keys
        })
    }

    /// Whether there may be answers to pending items from before.
    pub(super) fn has_repeats(&self, now_ms: u64, sight: &Sight) -> bool {
        let mut marks = self.pending().filter_map(|(item, _)| item.mark.as_ref());
        marks.any(|mark| mark.places(now_ms).iter().any(|place| sight.row(place).is_some()))
    }

    /// The pending items.
    pub(super) fn pending(&self) -> impl Iterator<Item = (&Item, &NewSurrogate)> {
        self.items.iter().filter_map(|item| match &item.state {
            State::Pending(value) => Some((item, value)),
            State::Preserving(_) | State::Stored(..) | State::Settled(_) => None,
        })
    }

    /// The pending items.
    pub(super) fn pending_mut(&mut self) -> impl Iterator<Item = &mut Item> {
        self.items.iter_mut().filter(|item| matches!(item.state, State::Pending(_)))
    }

    /// Forgets what the pending items are found by: that hangs on identifier keys.
    pub(super) fn forget_ways(&mut self) {
        self.pending_mut().for_each(|item| item.way = Way::Unknown);
    }

    /// Takes what became of the items handed to the store, in order.
    pub(super) fn settle(&mut self, outcomes: Vec<Outcome>) {
        let stored = self.items.iter_mut().filter(|item| matches!(item.state, State::Stored(..)));
        for (item, outcome) in stored.zip(outcomes) {
            let state = core::mem::replace(&mut item.state, State::unknown());
            item.state = match (state, outcome) {
                (State::Stored(_, issued), Outcome::Applied) => State::Settled(Ok(issued)),
                (State::Stored(value, _), Outcome::PreconditionFailed) => {
                    item.way.doubt();
                    State::Pending(value)
                }
                (other, _) => other,
            };
        }
    }

    /// One result an item, in order.
    pub(super) fn into_results(self) -> Vec<Answer> {
        let result = |item: Item| match item.state {
            State::Settled(result) => result,
            State::Pending(_) => Err(VaultError::Conflict),
            State::Preserving(_) | State::Stored(..) => Err(VaultError::Internal),
        };
        self.items.into_iter().map(result).collect()
    }
}

impl Item {
    /// Hands it to the store, or settles it.
    pub(super) fn answer(&mut self, answer: Answer) {
        self.state = match (core::mem::replace(&mut self.state, State::unknown()), answer) {
            (State::Pending(value), Ok(issued)) => State::Stored(value, issued),
            (_, Err(error)) => State::Settled(Err(error)),
            (state, Ok(_)) => state,
        };
    }
}

impl Way {
    /// The keys of the rows that it leads to.
    fn keys(&self) -> Vec<StoreKey> {
        match self {
            Self::Deterministic { found: Some(id), is_doubted, .. } => {
                let row = is_doubted.then(|| row_key(id));
                row.into_iter().chain([count_key(&row_key(id))]).collect()
            }
            Self::Unknown | Self::Made | Self::Deterministic { found: None, .. } => Vec::new(),
        }
    }

    /// Something came between: the next round looks closer.
    fn doubt(&mut self) {
        if let Self::Deterministic { is_doubted, .. } = self {
            *is_doubted = true;
        }
    }
}

impl State {
    fn of(value: NewSurrogate) -> Self {
        let is_kept = value.options.form().kind.format().is_none() || value.item_key.is_some();
        if is_kept { Self::Pending(value) } else { Self::Preserving(value) }
    }

    /// What stands in for a state while it is exchanged.
    fn unknown() -> Self {
        Self::Settled(Err(VaultError::Internal))
    }
}

/// Whether a value is found by something, rather than just getting a surrogate.
fn is_found(value: &NewSurrogate) -> bool {
    value.options.form().kind != SurrogateKind::Random || value.item_key.is_some()
}

fn has_end(value: &NewSurrogate) -> bool {
    value.options.expires_ms().is_some() || value.options.uses_max().is_some()
}
