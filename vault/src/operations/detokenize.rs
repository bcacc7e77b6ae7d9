//! Trades surrogates for what they stand for, as much of it as is asked and they show.
//!
//! A surrogate that is mistyped or another tenant's is refused without a look at the database; what
//! is counted is counted durably before it is shown.

mod answer_room;
#[cfg(feature = "test-support")]
mod bare;
mod batch;
mod counting;
mod discloser;
mod told;

use std::sync::Arc;

use tresor_proto::{Failure, Reveal, TokenOperation};

pub use self::answer_room::AnswerRoom;
#[cfg(feature = "test-support")]
pub use self::bare::DiscloseLoop;
use self::{batch::Batch, discloser::Discloser, told::Told};
use super::name_surrogates::PART_ITEMS_MAX;
use crate::{
    access::{Detokenize, Permit},
    budget::{BudgetKind, Grant},
    error::VaultError,
    surrogate::{RevealedValue, SurrogateQuery},
    vault::Vault,
};

/// How often rows are read again because keyrings keep changing.
const ROUNDS_MAX: usize = 16;

impl Vault {
    /// Shows the values of surrogates, at most as much as `reveal` says; one result a surrogate, in
    /// order. Masks and values count as uses; values take one each of the tenant's reveals.
    ///
    /// # Errors
    /// For all: `rate_limited` when the tenant's reveals are spent, `overloaded`,
    /// `storage_unavailable`, unless some were shown before; then for those behind. For one: `invalid_request` when it is mistyped or another tenant's,
    /// `not_found`, `gone` when it has expired or is used up, `wrong_key`, `integrity`, `conflict`
    /// when other uses kept coming between, and `rate_limited` when there were reveals for those
    /// before it only.
    pub async fn detokenize(
        &self,
        permit: &Permit<Detokenize>,
        reveal: Reveal,
        queries: Vec<Result<SurrogateQuery, Failure>>,
    ) -> Result<Vec<Result<RevealedValue, VaultError>>, VaultError> {
        self.detokenize_within(&mut AnswerRoom::new(usize::MAX), permit, reveal, queries).await
    }

    /// The same for an answer that has no more room than this. What does not fit is `too_large`, with
    /// all that is behind it, and is neither counted as a use nor taken from the reveals.
    ///
    /// # Errors
    /// The same.
    pub async fn detokenize_within(
        &self,
        room: &mut AnswerRoom,
        permit: &Permit<Detokenize>,
        reveal: Reveal,
        queries: Vec<Result<SurrogateQuery, Failure>>,
    ) -> Result<Vec<Result<RevealedValue, VaultError>>, VaultError> {
        let mut batch = Batch::new(self.name_surrogates(permit.holder(), queries).await?);
        if batch.left() == 0 {
            return Ok(batch.into_results().collect());
        }
        let grant = self.grant_values(permit, reveal, batch.left())?;
        batch.refuse_beyond(grant.granted(), &grant);
        let mut discloser = Discloser {
            tenant: permit.tenant(),
            reveal,
            holder: Arc::clone(permit.holder()),
            cache: self.unlocked_cache(),
            now_ms: self.clock().now_ms(),
            outdated: Arc::default(),
        };
        let mut told = Told::with_capacity(batch.len());
        for part in batch.into_parts(PART_ITEMS_MAX) {
            match told.failure().cloned() {
                Some(error) => told.add(part, Err(error)),
                None => {
                    let (part, traded) = self.trade_part(&mut discloser, room, part).await;
                    told.add(part, traded);
                }
            }
        }
        self.queue_rows(&discloser.holder, discloser.outdated(), TokenOperation::Tokenize);
        grant.keep(told.plain());
        told.into_results()
    }

    /// Trades a part: what was opened, and counted if it had to be, is shown, whatever becomes of the
    /// rest.
    async fn trade_part(
        &self,
        discloser: &mut Discloser,
        room: &mut AnswerRoom,
        part: Batch,
    ) -> (Batch, Result<(), VaultError>) {
        let count = part.len();
        match self.open_part(discloser, part).await {
            Ok(mut part) => {
                part.fit(room);
                let counted = self.count_uses(discloser, &mut part).await;
                (part, counted)
            }
            Err(error) => (Batch::lost(count, &error), Err(error)),
        }
    }

    /// As many reveals as there are of `wanted`; what is shown masked or not at all takes none.
    fn grant_values(
        &self,
        permit: &Permit<Detokenize>,
        reveal: Reveal,
        wanted: usize,
    ) -> Result<Grant, VaultError> {
        let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
        if reveal != Reveal::Plain {
            return Ok(Grant::of_what_is_free(wanted));
        }
        let whose = (permit.tenant(), BudgetKind::Reveals);
        let now_ms = self.clock().now_ms();
        self.budgets().grant(whose, permit.limits(), wanted, now_ms).or_refused()
    }

    /// Opens the values of a part. A row whose keys the discloser does not have is read again under
    /// the newest keyring: its data key may have been replaced in between.
    async fn open_part(
        &self,
        discloser: &mut Discloser,
        mut part: Batch,
    ) -> Result<Batch, VaultError> {
        for _ in 0..ROUNDS_MAX {
            if part.left() == 0 {
                return Ok(part);
            }
            let rows = self.surrogate_rows(discloser.tenant, part.keys()).await?;
            let opener = discloser.clone();
            let open = move || {
                let opened = opener.open(&mut part, rows);
                (part, opened)
            };
            let opened;
            (part, opened) = self.key_worker().run(open).await?;
            opened?;
            if part.left() > 0 {
                let newest = self.renewed(&discloser.holder).await?;
                if Arc::ptr_eq(&newest, &discloser.holder) {
                    part.settle_left(&VaultError::Integrity);
                }
                discloser.holder = newest;
            }
        }
        Err(VaultError::Overloaded)
    }
}
