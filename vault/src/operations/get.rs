//! Reads records by id.

use std::sync::{Arc, Mutex};

use tresor_proto::{RecordId, RefusalReason, Reveal, TokenOperation as Operation};

use super::{record_key, reveal::Reader};
use crate::{
    access::{Permit, Read, TokenVerb},
    budget::{BudgetKind, Grant},
    error::VaultError,
    mask::FieldMasks,
    record::{RevealedRecord, View},
    store::Store,
    vault::Vault,
};

/// How often rows are read again because keyrings keep changing.
const ROUNDS_MAX: usize = 16;

/// A row to show: its place in the answer, its id, and what is stored.
type ToShow = (usize, (RecordId, Option<Vec<u8>>));

/// What is shown of it.
type RowShown = (usize, RecordId, Result<RevealedRecord, VaultError>);

impl Vault {
    /// Reads records; one result an id, in order.
    ///
    /// # Errors
    /// For all: `forbidden` when the customer token may not see as much as asked, `rate_limited` when
    /// the tenant's reveals are spent, `overloaded`, `storage_unavailable`. For one: `not_found`,
    /// `gone`, `integrity`, and `rate_limited` when there were reveals for those before it only.
    pub async fn get(
        &self,
        permit: &Permit<Read>,
        view: &View,
        ids: &[RecordId],
    ) -> Result<Vec<Result<RevealedRecord, VaultError>>, VaultError> {
        check_reveal(permit, view)?;
        let reader = self.reader(permit, view, self.masks(permit, view).await?)?;
        let grant = self.grant_reveals(permit, view, ids.len())?;
        let (now, later) = ids.split_at(grant.granted().min(ids.len()));
        let store = self.store(permit.tenant()).await?;
        let rows = read_rows(store.as_ref(), view, now).await?;
        let mut results = self.show(store.as_ref(), reader, now.to_vec(), rows).await?;
        let refusal = grant.refusal();
        grant.keep(results.iter().filter(|result| result.is_ok()).count());
        results.extend(later.iter().map(|_| Err(refusal.clone())));
        Ok(results)
    }

    /// The masks of the collection's newest policy, where there is something to mask.
    async fn masks(&self, permit: &Permit<Read>, view: &View) -> Result<FieldMasks, VaultError> {
        if view.reveal != Reveal::Masked {
            return Ok(FieldMasks::default());
        }
        match self.registry().collection(permit.tenant(), &view.collection, None).await {
            Ok(collection) => Ok(FieldMasks::of(&collection.policy)),
            // Each record says that it is not there.
            Err(VaultError::NotFound) => Ok(FieldMasks::default()),
            Err(error) => Err(error),
        }
    }

    /// As many reveals as there are of `wanted`; what is shown masked or not at all takes none.
    pub(super) fn grant_reveals(
        &self,
        permit: &Permit<impl TokenVerb>,
        view: &View,
        wanted: usize,
    ) -> Result<Grant, VaultError> {
        let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
        if wanted == 0 || view.reveal != Reveal::Plain {
            return Ok(Grant::of_what_is_free(wanted));
        }
        let whose = (permit.tenant(), BudgetKind::Reveals);
        let now_ms = self.clock().now_ms();
        self.budgets().grant(whose, permit.limits(), wanted, now_ms).or_refused()
    }

    /// Shows rows, one result each, in order. A row whose keys the reader does not have is read
    /// again under the newest keyring: its data key may have been replaced in between.
    pub(super) async fn show(
        &self,
        store: &dyn Store,
        mut reader: Reader,
        ids: Vec<RecordId>,
        rows: Vec<Option<Vec<u8>>>,
    ) -> Result<Vec<Result<RevealedRecord, VaultError>>, VaultError> {
        let (mut results, view) = (Vec::new(), reader.view.clone());
        let mut left: Vec<_> = ids.into_iter().zip(rows).enumerate().collect();
        for _ in 0..ROUNDS_MAX {
            let shown;
            (reader, shown) = self.key_worker().run(move || show_all(reader, left)).await?;
            let mut failed = Vec::new();
            for (at, id, result) in shown {
                match result {
                    Err(VaultError::Integrity) => failed.push((at, id)),
                    result => results.push((at, result)),
                }
            }
            let newest = match failed.is_empty() {
                true => reader.holder.clone(),
                false => self.renewed(&reader.holder).await?,
            };
            if Arc::ptr_eq(&newest, &reader.holder) {
                self.reseal_later(reader);
                results.extend(failed.into_iter().map(|(at, _)| (at, Err(VaultError::Integrity))));
                results.sort_by_key(|(at, _)| *at);
                return Ok(results.into_iter().map(|(_, result)| result).collect());
            }
            reader.holder = newest;
            let ids: Vec<_> = failed.iter().map(|(_, id)| id.clone()).collect();
            let rows = read_rows(store, &view, &ids).await?;
            left = failed.into_iter().zip(rows).map(|((at, id), row)| (at, (id, row))).collect();
        }
        Err(VaultError::Overloaded)
    }

    /// What is needed to show rows under the masks of the newest policy, if the customer token may
    /// see as much as is asked.
    pub(super) fn reader(
        &self,
        permit: &Permit<impl TokenVerb>,
        view: &View,
        masks: FieldMasks,
    ) -> Result<Reader, VaultError> {
        check_reveal(permit, view)?;
        Ok(Reader {
            tenant: permit.tenant(),
            view: view.clone(),
            masks,
            holder: permit.holder().clone(),
            cache: self.unlocked_cache(),
            now_ms: self.clock().now_ms(),
            outdated: Mutex::default(),
            forms: Mutex::default(),
            sought: Arc::default(),
        })
    }
}

/// Refuses a customer token that may not see as much as is asked.
pub(super) fn check_reveal(permit: &Permit<impl TokenVerb>, view: &View) -> Result<(), VaultError> {
    let needed = match view.reveal {
        Reveal::Redacted | Reveal::Masked => Operation::ReadMasked,
        Reveal::Plain => Operation::ReadPlain,
    };
    let may = permit.holder().may(needed);
    if may { Ok(()) } else { Err(RefusalReason::CustomerTokenLacksOperation.into()) }
}

pub(super) async fn read_rows(
    store: &dyn Store,
    view: &View,
    ids: &[RecordId],
) -> Result<Vec<Option<Vec<u8>>>, VaultError> {
    let keys = ids.iter().map(|id| record_key(&view.collection, id)).collect();
    Ok(store.read(keys).await?)
}

/// Shows each; gives the reader back.
fn show_all(reader: Reader, rows: Vec<ToShow>) -> (Reader, Vec<RowShown>) {
    let show_one = |(at, (id, row)): ToShow| {
        let row = row.ok_or(VaultError::NotFound);
        let record = row.and_then(|row| reader.record(&id, &row));
        (at, id, record)
    };
    let shown = rows.into_iter().map(show_one).collect();
    (reader, shown)
}
