//! Issuing by itself, with no thread, queue or store around it.
//!
//! This is the ceiling that the benchmarks compare `tokenize` with; the work is that of `tokenize`
//! exactly. It relies on a permit, like everything that touches keys.

use std::collections::HashMap;

use super::{batch::Batch, issuer::Issuer, preserve};
use crate::{
    access::{Permit, Tokenize},
    epoch_floor::Floors,
    error::VaultError,
    operations::sight::Sight,
    store::{Change, Outcome, StoreKey},
    surrogate::{IssuedSurrogate, NewSurrogate},
    vault::Vault,
};

/// Issues surrogates with the changes that `tokenize` would hand to the store.
pub struct IssueLoop(Issuer);

/// What became of each value, and the changes under which it holds.
pub type BareIssue = (Vec<Result<IssuedSurrogate, VaultError>>, Vec<Change>);

impl Vault {
    /// The bare work of `tokenize`.
    #[must_use]
    pub fn issue_loop(&self, permit: &Permit<Tokenize>) -> IssueLoop {
        IssueLoop(Issuer {
            tenant: permit.tenant(),
            holder: permit.holder().clone(),
            cache: self.unlocked_cache(),
            entropy: self.entropy_arc(),
            now_ms: self.clock().now_ms(),
        })
    }
}

impl IssueLoop {
    /// Issues surrogates over a database that has these rows only.
    ///
    /// # Errors
    /// `internal` when there is no randomness.
    pub fn issue(
        &self,
        values: Vec<NewSurrogate>,
        rows: &HashMap<StoreKey, Vec<u8>>,
    ) -> Result<BareIssue, VaultError> {
        let mut batch = Batch::new(values.into_iter().map(Ok).collect());
        if batch.needs_preparing() {
            self.0.prepare(&mut batch)?;
        }
        let mut sight = Sight::default();
        let see = |sight: &mut Sight, keys: Vec<StoreKey>| {
            let found = keys.iter().map(|key| rows.get(key).cloned()).collect();
            sight.add(&keys, found);
        };
        see(&mut sight, batch.look_ups().cloned().collect());
        self.0.find(&mut batch, &sight);
        see(&mut sight, batch.keys(self.0.now_ms).collect());
        let changes = self.0.issue(&mut batch, &mut sight, &Floors::default())?;
        batch.settle(vec![Outcome::Applied; changes.len()]);
        let Issuer { holder, cache, now_ms, .. } = &self.0;
        let made = preserve::make(&batch, holder, cache, *now_ms)?;
        batch.settle_preserved(made);
        Ok((batch.into_results(), changes))
    }
}

impl core::fmt::Debug for IssueLoop {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("IssueLoop")
    }
}
