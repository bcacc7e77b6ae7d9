//! Trading surrogates into an answer of bounded size, a part at a time.
//!
//! A thousand values of 64 KiB are no message; what does not fit is said of the item, and is no use
//! of it. It ends early, too, when the tenant's reveals are spent.

use tresor_proto::{ErrorCode, Failure, Reveal, vault::DetokenizeResult};
use tresor_vault::{Detokenize, VaultError};

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

/// Trades surrogates; one result each, in order.
pub(super) async fn trade(
    trading: &Trading<'_>,
    reveal: Reveal,
    mut names: Names,
) -> Result<Vec<DetokenizeResult>, Failure> {
    let mut room = revealed::answer_room();
    let mut results = Vec::with_capacity(names.queries.len());
    while !names.queries.is_empty() {
        let part = names.split_first(PART_ITEMS);
        if room.is_spent() {
            let rest = part.references.into_iter();
            results.extend(rest.map(|reference| detokenize_result(reference, Err(too_much()))));
            continue;
        }
        let vault = trading.gate.vault()?;
        let permit = trading.gate.permit::<Detokenize>(trading.origin, trading.context).await?;
        let traded = vault.detokenize_within(&mut room, &permit, reveal, part.queries);
        let revealed = match traded.await {
            Err(error) if is_spent(&error) && !results.is_empty() => {
                part.references.iter().map(|_| Err(error.clone())).collect()
            }
            revealed => revealed?,
        };
        let revealed = part.references.into_iter().zip(revealed);
        results.extend(revealed.map(|(reference, revealed)| {
            detokenize_result(reference, revealed.map_err(Failure::from))
        }));
    }
    Ok(results)
}

/// Whether the tenant's reveals are spent: what was shown before is answered all the same.
fn is_spent(error: &VaultError) -> bool {
    error.code() == ErrorCode::RateLimited
}
