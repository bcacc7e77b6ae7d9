//! Trading surrogates into an answer of bounded size, a part at a time.
//!
//! A thousand values of 64 KiB are no message; what does not fit is said of the item, and has been
//! used all the same. It ends early, too, when the tenant's reveals are spent.

use tresor_proto::{ErrorCode, Failure, Reveal, vault::DetokenizeResult};
use tresor_vault::{Detokenize, VaultError};

use crate::{
    caller::Origin,
    context::Context,
    convert::{
        revealed::{AnswerBudget, too_much},
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

/// Trades surrogates; one result each, in order.
pub(super) async fn trade(
    trading: &Trading<'_>,
    reveal: Reveal,
    mut names: Names,
) -> Result<Vec<DetokenizeResult>, Failure> {
    let mut budget = AnswerBudget::new();
    let mut results = Vec::with_capacity(names.queries.len());
    while !names.queries.is_empty() {
        let part = names.split_first(PART_ITEMS);
        if budget.is_spent() {
            let rest = part.references.into_iter();
            results.extend(rest.map(|reference| detokenize_result(reference, Err(too_much()))));
            continue;
        }
        let vault = trading.gate.vault()?;
        let permit = trading.gate.permit::<Detokenize>(trading.origin, trading.context).await?;
        let revealed = match vault.detokenize(&permit, reveal, part.queries).await {
            Err(error) if is_spent(&error) && !results.is_empty() => {
                part.references.iter().map(|_| Err(error.clone())).collect()
            }
            revealed => revealed?,
        };
        for (reference, revealed) in part.references.into_iter().zip(revealed) {
            let result = detokenize_result(reference, revealed.map_err(Failure::from));
            let is_within = budget.take(&result);
            let too_much = || detokenize_result(result.reference.clone(), Err(too_much()));
            results.push(if is_within { result } else { too_much() });
        }
    }
    Ok(results)
}

/// Whether the tenant's reveals are spent: what was shown before is answered all the same.
fn is_spent(error: &VaultError) -> bool {
    error.code() == ErrorCode::RateLimited
}
