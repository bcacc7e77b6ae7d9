//! What is told of the parts of a reading by id, one after the other.
//!
//! It promises that what was shown is told, since it takes reveals, that what is behind a part that
//! failed has the error, and that it all fails only when nothing was shown. It relies on the parts to
//! come in order.

use tresor_proto::{
    Failure,
    vault::{GetResult, get_result::Outcome},
};
use tresor_vault::{RevealedRecord, VaultError};

use crate::convert::{
    input::Ids,
    revealed::{AnswerBudget, does_not_fit, get_result},
};

/// What the vault shows of a part: one result an id that is one, in order.
pub(super) type Revealed = Vec<Result<RevealedRecord, VaultError>>;

/// What is told so far.
pub(super) struct Told {
    budget: AnswerBudget,
    results: Vec<GetResult>,
    failure: Option<Failure>,
}

impl Told {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self { budget: AnswerBudget::new(), results: Vec::new(), failure: None }
    }

    /// Whether no further part is to be read: the answer is full, or one has failed.
    pub(super) fn is_ended(&self) -> bool {
        self.budget.is_spent() || self.failure.is_some()
    }

    /// Adds a part that was read, or could not be.
    pub(super) fn add(&mut self, part: Ids, revealed: Result<Revealed, Failure>) {
        let revealed = match revealed {
            Ok(revealed) => revealed,
            Err(failure) => {
                self.failure = Some(failure);
                return self.add_rest(part);
            }
        };
        for (id, revealed) in part.in_order(revealed) {
            let result = get_result(id, revealed);
            let is_within = self.budget.take(&result);
            self.results.push(if is_within { result } else { does_not_fit(result.id) });
        }
    }

    /// Adds a part that was not read.
    pub(super) fn add_rest(&mut self, part: Ids) {
        let failure = self.failure.as_ref();
        let rest = part.into_texts().map(|id| match failure {
            Some(failure) => get_result(id, Err(failure.clone())),
            None => does_not_fit(id),
        });
        self.results.extend(rest);
    }

    /// One result an id, in order, or why there is none.
    pub(super) fn into_results(self) -> Result<Vec<GetResult>, Failure> {
        let is_shown = |result: &GetResult| matches!(result.outcome, Some(Outcome::Record(_)));
        match self.failure {
            Some(failure) if !self.results.iter().any(is_shown) => Err(failure),
            _ => Ok(self.results),
        }
    }
}

#[cfg(test)]
mod tests {
    use tresor_proto::{ErrorCode, RecordId};

    use super::*;

    fn part(ids: &[&str]) -> Ids {
        Ids::from_wire(ids.iter().map(|id| (*id).to_owned()).collect()).unwrap()
    }

    fn record(id: &str) -> RevealedRecord {
        let id = RecordId::parse(id).unwrap();
        let (revision, created_ms, updated_ms) = (1, 1, 1);
        RevealedRecord {
            id,
            revision,
            created_ms,
            updated_ms,
            expires_ms: None,
            fields: Vec::new(),
        }
    }

    /// The ids, each with the code of its failure.
    fn told(told: Told) -> Result<Vec<(String, Option<ErrorCode>)>, ErrorCode> {
        let code = |result: GetResult| match result.outcome.unwrap() {
            Outcome::Record(_) => (result.id, None),
            Outcome::Status(status) => (result.id, Some(Failure::from_item_status(&status).code())),
        };
        let results = told.into_results().map_err(|failure| failure.code())?;
        Ok(results.into_iter().map(code).collect())
    }

    #[test]
    fn what_was_shown_is_told_and_what_is_behind_has_the_error() {
        let mut parts = Told::new();
        parts.add(part(&["a", "b"]), Ok(vec![Ok(record("a")), Err(VaultError::NotFound)]));
        assert!(!parts.is_ended());
        parts.add(part(&["c"]), Err(ErrorCode::StorageUnavailable.into()));
        assert!(parts.is_ended());
        parts.add_rest(part(&["d"]));
        let expected = [
            ("a", None),
            ("b", Some(ErrorCode::NotFound)),
            ("c", Some(ErrorCode::StorageUnavailable)),
            ("d", Some(ErrorCode::StorageUnavailable)),
        ];
        let expected = expected.map(|(id, code)| (id.to_owned(), code));
        assert_eq!(told(parts), Ok(expected.into()));
    }

    #[test]
    fn what_failed_before_anything_was_shown_fails_as_a_whole() {
        let mut parts = Told::new();
        parts.add(part(&["a"]), Ok(vec![Err(VaultError::NotFound)]));
        parts.add(part(&["b"]), Err(ErrorCode::RateLimited.into()));
        assert_eq!(told(parts), Err(ErrorCode::RateLimited));
    }
}
