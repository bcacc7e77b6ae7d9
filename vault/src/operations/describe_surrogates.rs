//! Tells what is known of surrogates without their values.

use std::sync::Arc;

use tresor_proto::{Failure, Surrogate, storage};

use crate::{
    access::{DescribeSurrogates, Permit},
    crypto_error::CryptoError,
    error::VaultError,
    surrogate::{
        SurrogateDescription, SurrogateQuery,
        rows::{Facts, SurrogateRows, count_key, row_key},
    },
    vault::Vault,
};

type Described = Result<SurrogateDescription, VaultError>;

impl Vault {
    /// Describes surrogates; one result a surrogate, in order. Nothing is opened, and one that has
    /// expired or is used up is described as long as it is kept.
    ///
    /// # Errors
    /// For all: `overloaded`, `storage_unavailable`. For one: `invalid_request` when it is mistyped or
    /// another tenant's, `not_found`, `integrity`.
    pub async fn describe_surrogates(
        &self,
        permit: &Permit<DescribeSurrogates>,
        queries: Vec<Result<SurrogateQuery, Failure>>,
    ) -> Result<Vec<Described>, VaultError> {
        let tenant = permit.tenant();
        let parse = |query: Result<SurrogateQuery, Failure>| query?.surrogate(tenant);
        let asked: Vec<_> = queries.into_iter().map(parse).collect();
        let keys = asked.iter().flatten().map(|surrogate| row_key(&surrogate.id()));
        let keys: Vec<_> = keys.flat_map(|key| [count_key(&key), key]).collect();
        let rows = match keys.is_empty() {
            true => Vec::new(),
            false => self.store(tenant).await?.read(keys).await?,
        };
        let holder = Arc::clone(permit.holder());
        let describe = move || {
            let reader = SurrogateRows { tenant, keys: &holder.keyring().rows };
            let mut rows = rows.into_iter();
            let describe = |asked: Result<Surrogate, Failure>| {
                let surrogate = asked?;
                let (count, row) = (rows.next().flatten(), rows.next().flatten());
                describe(reader, &surrogate, &row.ok_or(VaultError::NotFound)?, count)
            };
            asked.into_iter().map(describe).collect()
        };
        self.key_worker().run(describe).await
    }
}

fn describe(
    rows: SurrogateRows<'_>,
    surrogate: &Surrogate,
    row: &[u8],
    count: Option<Vec<u8>>,
) -> Described {
    let key = row_key(&surrogate.id());
    let row: storage::Surrogate = rows.decode(&key, row)?;
    let Facts { info_type, class, kind, bounds } =
        Facts::try_from(&row).map_err(|CryptoError| VaultError::Integrity)?;
    if info_type != surrogate.info_type() {
        return Err(VaultError::NotFound);
    }
    let count_key = count_key(&key);
    let count = count.map(|row| rows.decode(&count_key, &row)).transpose()?;
    let count: storage::SurrogateCount = count.unwrap_or_default();
    Ok(SurrogateDescription {
        info_type,
        class,
        kind,
        reveal: bounds.reveal,
        created_ms: Some(row.created_ms),
        expires_ms: Some(bounds.expires_ms).filter(|end_ms| *end_ms != 0),
        uses: count.uses,
        uses_max: Some(bounds.uses_max).filter(|uses| *uses != 0),
        references: count.references,
    })
}
