//! Tells what is known of surrogates without their values.

use std::sync::Arc;

use tresor_proto::{Failure, Reveal, Surrogate, SurrogateKind, storage};

use super::name_surrogates::{Names, PART_ITEMS_MAX};
use crate::{
    access::{DescribeSurrogates, Permit},
    error::VaultError,
    surrogate::{
        SurrogateDescription, SurrogateQuery, holders,
        named::{Named, Preserved, Read},
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
    /// another tenant's, `wrong_key`, `not_found`, `integrity`.
    pub async fn describe_surrogates(
        &self,
        permit: &Permit<DescribeSurrogates>,
        queries: Vec<Result<SurrogateQuery, Failure>>,
    ) -> Result<Vec<Described>, VaultError> {
        let mut names = self.name_surrogates(permit.holder(), queries).await?.into_iter();
        let mut described = Vec::with_capacity(names.len());
        while names.len() > 0 {
            let part = names.by_ref().take(PART_ITEMS_MAX).collect();
            described.extend(self.describe_part(permit, part).await?);
        }
        Ok(described)
    }

    async fn describe_part(
        &self,
        permit: &Permit<DescribeSurrogates>,
        asked: Names,
    ) -> Result<Vec<Described>, VaultError> {
        let tenant = permit.tenant();
        let keys = asked.iter().flatten().filter_map(Named::ours).map(|it| row_key(&it.id()));
        let keys: Vec<_> = keys.flat_map(|key| [count_key(&key), key]).collect();
        let rows = self.surrogate_rows(tenant, keys).await?;
        let holder = Arc::clone(permit.holder());
        let describe = move || {
            let reader = SurrogateRows { tenant, keys: &holder.keyring().rows };
            let mut rows = rows.into_iter();
            let describe = |asked: Result<Named, VaultError>| {
                let surrogate = match asked? {
                    Named::Preserved(preserved) => return Ok(describe_preserved(&preserved)),
                    Named::Ours(surrogate) => surrogate,
                };
                let (count, row) = (rows.next().flatten(), rows.next().flatten());
                describe(reader, &surrogate, row.as_deref(), count.as_deref())
            };
            asked.into_iter().map(describe).collect()
        };
        self.key_worker().run(describe).await
    }
}

fn describe(
    rows: SurrogateRows<'_>,
    surrogate: &Surrogate,
    row: Option<&[u8]>,
    count: Option<&[u8]>,
) -> Described {
    let Read { facts, row } = Read::of(surrogate, rows, row)?;
    let Facts { info_type, class, kind, bounds, is_held, .. } = facts;
    let count: storage::SurrogateCount = match count {
        Some(row) => rows.decode(&count_key(&row_key(&surrogate.id())), row)?,
        None if is_held => return Err(VaultError::Integrity),
        None => storage::SurrogateCount::default(),
    };
    let of_holders = is_held.then(|| holders::end_ms(&count)).flatten();
    Ok(SurrogateDescription {
        info_type,
        class,
        kind,
        reveal: bounds.reveal,
        created_ms: Some(row.created_ms),
        expires_ms: of_holders.or(Some(bounds.expires_ms).filter(|end_ms| *end_ms != 0)),
        uses: count.uses,
        uses_max: Some(bounds.uses_max).filter(|uses| *uses != 0),
        references: count.references,
    })
}

/// Nothing is kept of it: what it was made for is all there is.
fn describe_preserved(preserved: &Preserved) -> SurrogateDescription {
    SurrogateDescription {
        info_type: preserved.info_type,
        class: preserved.info_type.class(),
        kind: SurrogateKind::FormatPreserving(preserved.format),
        reveal: Reveal::Plain,
        created_ms: None,
        expires_ms: None,
        uses: 0,
        uses_max: None,
        references: 0,
    }
}
