//! Disclosing by itself, with no thread, queue or store around it.
//!
//! This is the ceiling that the benchmarks compare `detokenize` with; the work is that of
//! `detokenize` exactly, but for the counting of uses. It relies on a permit, like everything that
//! touches keys.

use std::{collections::HashMap, sync::Arc};

use tresor_proto::Reveal;

use super::{batch::Batch, discloser::Discloser};
use crate::{
    access::{Detokenize, Permit},
    error::VaultError,
    operations::name_surrogates::Namer,
    store::StoreKey,
    surrogate::{RevealedValue, SurrogateQuery},
    vault::Vault,
};

/// Opens the rows of surrogates into the values that `detokenize` would show.
pub struct DiscloseLoop {
    namer: Namer,
    discloser: Discloser,
}

impl Vault {
    /// The bare work of `detokenize`.
    #[must_use]
    pub fn disclose_loop(&self, permit: &Permit<Detokenize>, reveal: Reveal) -> DiscloseLoop {
        let discloser = Discloser {
            tenant: permit.tenant(),
            reveal,
            holder: Arc::clone(permit.holder()),
            cache: self.unlocked_cache(),
            now_ms: self.clock().now_ms(),
            outdated: Arc::default(),
        };
        DiscloseLoop { namer: self.namer(permit.holder()), discloser }
    }
}

impl DiscloseLoop {
    /// Shows what surrogates stand for, over a database that has these rows only.
    ///
    /// # Errors
    /// `integrity` when the classes do not unlock.
    pub fn disclose(
        &self,
        queries: Vec<SurrogateQuery>,
        rows: &HashMap<StoreKey, Vec<u8>>,
    ) -> Result<Vec<Result<RevealedValue, VaultError>>, VaultError> {
        let mut batch = Batch::new(self.namer.name(queries.into_iter().map(Ok).collect())?);
        let rows = batch.keys().iter().map(|key| rows.get(key).cloned()).collect();
        self.discloser.open(&mut batch, rows)?;
        Ok(batch.into_results().collect())
    }
}

impl core::fmt::Debug for DiscloseLoop {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DiscloseLoop")
    }
}
