//! What is told of the parts of a call, one after the other.
//!
//! It promises that what was shown is told, since its uses are counted, and that what failed fails
//! as a whole only when nothing was shown. It relies on the parts to come in order.

use super::batch::{Batch, Revealed, is_plain};
use crate::error::VaultError;

/// What is told so far.
pub(super) struct Told {
    results: Vec<Revealed>,
    failure: Option<VaultError>,
}

impl Told {
    /// Nothing yet, of so many.
    pub(super) fn with_capacity(count: usize) -> Self {
        Self { results: Vec::with_capacity(count), failure: None }
    }

    /// Why a part failed; no further one is to be traded then.
    pub(super) fn failure(&self) -> Option<&VaultError> {
        self.failure.as_ref()
    }

    /// Adds a part; when it has failed, what is not settled of it has.
    pub(super) fn add(&mut self, mut part: Batch, traded: Result<(), VaultError>) {
        if let Err(error) = traded {
            part.settle_rest(&error);
            self.failure.get_or_insert(error);
        }
        self.results.extend(part.into_results());
    }

    /// How many values are shown whole.
    pub(super) fn plain(&self) -> usize {
        self.results.iter().filter(|result| is_plain(result)).count()
    }

    /// One result a surrogate, in order, or why there is none.
    pub(super) fn into_results(self) -> Result<Vec<Revealed>, VaultError> {
        match self.failure {
            Some(error) if self.results.iter().all(Result::is_err) => Err(error),
            _ => Ok(self.results),
        }
    }
}

#[cfg(test)]
mod tests {
    use tresor_proto::{Content, DataClass, InfoType, SurrogateId};

    use super::*;
    use crate::{
        operations::detokenize::batch::{Bound, Counted, Item},
        record::Shown,
        store::{Change, Outcome},
        surrogate::RevealedValue,
    };

    fn value() -> RevealedValue {
        RevealedValue {
            shown: Shown::Plain(Content::text("Muster").unwrap()),
            info_type: InfoType::LastName,
            class: DataClass::Identity,
            length_bytes_max: 32,
        }
    }

    /// Three opened values, of which uses are counted.
    fn opened() -> Batch {
        let counted = Counted { id: SurrogateId::from_bytes([7; 16]), bound: Bound::Uses(2) };
        Batch::of((0..3).map(|_| Item::Opened(counted, value())).collect())
    }

    /// The same, of which the store has counted the first, and the second is at it.
    fn partly_counted() -> Batch {
        let mut part = opened();
        part.count(vec![Ok(Some(Change::default())), Ok(Some(Change::default())), Ok(None)]);
        part.settle(vec![Outcome::Applied, Outcome::PreconditionFailed]);
        part
    }

    fn errors(results: Vec<Revealed>) -> Vec<Option<VaultError>> {
        results.into_iter().map(Result::err).collect()
    }

    #[test]
    fn what_was_shown_is_told_and_the_rest_has_the_error() {
        let mut told = Told::with_capacity(6);
        told.add(partly_counted(), Err(VaultError::StorageUnavailable));
        assert_eq!(told.failure(), Some(&VaultError::StorageUnavailable));
        told.add(opened(), Err(VaultError::StorageUnavailable));
        assert_eq!(told.plain(), 2, "what was counted, and what is not counted");
        let failed = Some(VaultError::StorageUnavailable);
        let expected = [None, failed.clone(), None, failed.clone(), failed.clone(), failed];
        assert_eq!(errors(told.into_results().unwrap()), expected);
    }

    #[test]
    fn what_failed_before_anything_was_shown_fails_as_a_whole() {
        let mut told = Told::with_capacity(3);
        told.add(Batch::lost(3, &VaultError::Overloaded), Err(VaultError::Overloaded));
        assert_eq!(told.plain(), 0);
        assert_eq!(told.into_results().unwrap_err(), VaultError::Overloaded);
        let mut refused = Told::with_capacity(1);
        refused.add(Batch::lost(1, &VaultError::NotFound), Ok(()));
        assert_eq!(errors(refused.into_results().unwrap()), [Some(VaultError::NotFound)]);
    }
}
