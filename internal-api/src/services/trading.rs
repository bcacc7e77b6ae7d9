//! Trading surrogates into an answer of bounded size, a part at a time.
//!
//! A thousand values of 64 KiB are no message; what does not fit is said of the item, and is no use
//! of it. It ends early, too, when a part fails as a whole: what was shown before is answered all the
//! same, since its uses are counted, and every item behind has the error.

use core::future::Future;

use tresor_proto::{Failure, Reveal, vault::DetokenizeResult};
use tresor_vault::{AnswerRoom, Detokenize, RevealedValue, SurrogateQuery, VaultError};

use crate::{
    caller::Origin,
    context::Context,
    convert::{
        revealed::{self, too_much},
        surrogates::{Names, detokenize_result},
    },
    gate::Gate,
};

/// Surrogates traded at once: 16 MiB at most.
const PART_ITEMS: usize = 256;

/// Who trades, as often as it has to be checked.
pub(super) struct Trading<'a> {
    pub(super) gate: &'a Gate,
    pub(super) origin: &'a Origin,
    pub(super) context: &'a Context,
}

/// What became of a part.
type Traded = Vec<Result<RevealedValue, VaultError>>;

/// Trades surrogates; one result each, in order.
pub(super) async fn trade(
    trading: &Trading<'_>,
    reveal: Reveal,
    names: Names,
) -> Result<Vec<DetokenizeResult>, Failure> {
    let room = revealed::answer_room();
    in_parts(names, Desk { trading, reveal, room }).await
}

/// Where a part is traded.
trait Trades {
    fn part(
        &mut self,
        queries: Vec<Result<SurrogateQuery, Failure>>,
    ) -> impl Future<Output = Result<Traded, Failure>> + Send;
}

/// The vault, and what is left of the answer.
struct Desk<'a> {
    trading: &'a Trading<'a>,
    reveal: Reveal,
    room: AnswerRoom,
}

impl Trades for Desk<'_> {
    /// Checks every credential before.
    async fn part(
        &mut self,
        queries: Vec<Result<SurrogateQuery, Failure>>,
    ) -> Result<Traded, Failure> {
        if self.room.is_spent() {
            return Err(too_much());
        }
        let Trading { gate, origin, context } = *self.trading;
        let vault = gate.vault()?;
        let permit = gate.permit::<Detokenize>(origin, context).await?;
        Ok(vault.detokenize_within(&mut self.room, &permit, self.reveal, queries).await?)
    }
}

/// Trades part after part until one fails.
async fn in_parts(
    mut names: Names,
    mut desk: impl Trades,
) -> Result<Vec<DetokenizeResult>, Failure> {
    let mut results = Vec::with_capacity(names.queries.len());
    while !names.queries.is_empty() {
        let Names { references, queries } = names.split_first(PART_ITEMS);
        match desk.part(queries).await {
            Ok(traded) => {
                let traded = references.into_iter().zip(traded);
                results.extend(traded.map(|(reference, revealed)| {
                    detokenize_result(reference, revealed.map_err(Failure::from))
                }));
            }
            Err(failure) if results.is_empty() => return Err(failure),
            Err(failure) => {
                let behind = references.into_iter().chain(names.references);
                results.extend(behind.map(|it| detokenize_result(it, Err(failure.clone()))));
                break;
            }
        }
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use tresor_proto::{ErrorCode, vault::detokenize_result::Outcome};

    use super::*;

    const ITEMS: usize = 3 * PART_ITEMS;

    /// One whose parts fail from a number on.
    struct Failing<'a> {
        from: usize,
        parts: &'a mut usize,
    }

    impl Trades for Failing<'_> {
        async fn part(
            &mut self,
            queries: Vec<Result<SurrogateQuery, Failure>>,
        ) -> Result<Traded, Failure> {
            *self.parts += 1;
            if *self.parts > self.from {
                return Err(ErrorCode::StorageUnavailable.into());
            }
            Ok(queries.into_iter().map(|_| Err(VaultError::Gone)).collect())
        }
    }

    /// What is answered when all parts but the first so many fail, and how many were asked for.
    async fn told(from: usize) -> (Result<Vec<DetokenizeResult>, Failure>, usize) {
        let query = |at: usize| Ok(SurrogateQuery { text: at.to_string(), form: None });
        let references = (0..ITEMS).map(|at| at.to_string()).collect();
        let names = Names { references, queries: (0..ITEMS).map(query).collect() };
        let mut parts = 0;
        let answered = in_parts(names, Failing { from, parts: &mut parts }).await;
        (answered, parts)
    }

    #[tokio::test]
    async fn a_part_that_fails_takes_nothing_back_and_each_behind_has_the_error() {
        for failing in 1..=3 {
            let (answered, parts) = told(failing).await;
            let results = answered.unwrap();
            assert_eq!((results.len(), parts), (ITEMS, (failing + 1).min(3)));
            for (at, result) in results.into_iter().enumerate() {
                let Some(Outcome::Status(status)) = result.outcome else { panic!("a status") };
                let is_behind = at >= failing * PART_ITEMS;
                let expected =
                    if is_behind { ErrorCode::StorageUnavailable } else { ErrorCode::Gone };
                assert_eq!(Failure::from_item_status(&status).code(), expected, "{at}");
                assert_eq!(result.reference, at.to_string());
            }
        }
    }

    #[tokio::test]
    async fn a_first_part_that_fails_is_the_failure_of_all() {
        let (answered, parts) = told(0).await;
        assert_eq!((answered.unwrap_err().code(), parts), (ErrorCode::StorageUnavailable, 1));
    }
}
