//! Gives the surrogates that stand for the same values under the newest identifier key: the map from
//! old to new, for whoever keeps format-preserving ones.
//!
//! It shows no value and asks no database: a format-preserving surrogate is a function of its value,
//! and one with a row keeps its text. It relies on the older key, which is kept until it is
//! destroyed.

use std::{collections::BTreeSet, sync::Arc};

use tresor_proto::{Failure, RefusalReason, TokenOperation};

use super::name_surrogates::Names;
use crate::{
    access::{Permit, RenewSurrogates, TokenHolder},
    crypto_error::CryptoError,
    error::VaultError,
    surrogate::{IssuedSurrogate, SurrogateQuery, named::Named, preserved_forms::PreservedForms},
    unlocked::{Unlocked, UnlockedCache},
    vault::Vault,
};

type Renewed = Result<IssuedSurrogate, VaultError>;

/// Why a format-preserving surrogate of no version is not renewed: the newest is a guess, under which
/// it stands for another value and is its own successor.
const NO_VERSION: &str =
    "is missing: the version of the identifier key that made it, as tokenizing told it";

impl Vault {
    /// Renews surrogates; one result a surrogate, in order. One that is under the newest key, or has
    /// a row, is given back as it is, whether it is there or not; to renew again gives the same.
    ///
    /// # Errors
    /// For all: `denied` unless the customer token may tokenize and detokenize, `overloaded`. For one:
    /// `invalid_request` when it is mistyped, another tenant's, or format-preserving and without the
    /// version of its key; `wrong_key`, and `not_found` when the key that made it is gone.
    pub async fn renew_surrogates(
        &self,
        permit: &Permit<RenewSurrogates>,
        queries: Vec<Result<SurrogateQuery, Failure>>,
    ) -> Result<Vec<Renewed>, VaultError> {
        if !permit.holder().may(TokenOperation::Detokenize) {
            return Err(RefusalReason::CustomerTokenLacksOperation.into());
        }
        let holder = self.renewed(permit.holder()).await?;
        let queries = queries.into_iter().map(|query| query.and_then(of_known_version)).collect();
        let names = self.name_surrogates(&holder, queries).await?;
        let (cache, now_ms) = (self.unlocked_cache(), self.clock().now_ms());
        self.key_worker().run(move || renew_all(&holder, &cache, names, now_ms)).await?
    }
}

/// Refuses a format-preserving surrogate that may be of any key.
fn of_known_version(query: SurrogateQuery) -> Result<SurrogateQuery, Failure> {
    match query.form {
        Some(form) if form.key_version.is_none() => {
            Err(Failure::invalid("key_version", NO_VERSION))
        }
        Some(_) | None => Ok(query),
    }
}

fn renew_all(
    holder: &Arc<TokenHolder>,
    cache: &UnlockedCache,
    names: Names,
    now_ms: u64,
) -> Result<Vec<Renewed>, VaultError> {
    let slots = holder.holder().ok_or(VaultError::Internal)?;
    let classes: BTreeSet<_> = names.iter().flatten().map(Named::class).collect();
    let unlocked = cache.unlock(slots, classes, now_ms);
    let unlocked = unlocked.map_err(|CryptoError| VaultError::Integrity)?;
    let mut forms = PreservedForms::default();
    Ok(names.into_iter().map(|named| renew(&named?, &unlocked, &mut forms)).collect())
}

fn renew(named: &Named, unlocked: &Unlocked, forms: &mut PreservedForms) -> Renewed {
    match named {
        Named::Ours(surrogate) => Ok(IssuedSurrogate::with_row(surrogate.to_string())),
        Named::Preserved(old) => {
            let keys = unlocked.class(named.class()).ok_or(VaultError::WrongKey)?;
            forms.of_value(keys, (old.info_type, old.format), &old.value)
        }
    }
}
