//! Works on a page of rows, over whatever else is written meanwhile.

use std::{collections::BTreeMap, sync::Arc};

use tresor_proto::{DataClass, TenantId, storage::EpochFloor};

use super::{
    reindex::{IndexWork, Reindexer},
    rekeyer::{OlderKeys, Rekeyer, Targets},
    reseal::{Resealed, Resealer},
};
use crate::{
    crypto_error::CryptoError,
    epoch_floor::{self, Floors},
    error::VaultError,
    keyring::LoadedKeyring,
    loans::Loan,
    sealed_rows::SealedRow,
    store::{Change, Outcome, Store, StoreKey},
    unlocked::ClassKeys,
    vault::Vault,
};

/// How often a row is tried when another change came between.
const ROUNDS_MAX: usize = 16;

/// The keys that work is done with.
#[derive(Clone)]
pub(super) enum WorkKeys {
    /// Class keys that a customer lent.
    Lent(BTreeMap<DataClass, Arc<Loan>>),
    /// Data keys that a request has unlocked a short while ago.
    Unlocked(BTreeMap<DataClass, Arc<ClassKeys>>),
}

/// What is done to rows, and with which keys.
#[derive(Clone)]
pub(super) enum RowWork {
    /// To seal anew what hangs on older epochs.
    Reseal(WorkKeys),
    /// To set entries of blind indexes right.
    Index(WorkKeys, Arc<IndexWork>),
    /// To move what hangs on older identifier keys.
    Rekey(WorkKeys, Arc<Targets>),
}

/// What became of a page.
#[derive(Debug, Default)]
pub(super) struct PageReport {
    /// Groups sealed anew, or records whose entries were set right.
    pub(super) resealed: u64,
    /// Rows that kept changing under way.
    pub(super) unsettled: u64,
    /// The keys of rows that do not authenticate or open.
    pub(super) damaged: Vec<StoreKey>,
}

/// What is to be done to rows, and the keys of each change.
#[derive(Default)]
struct Plan {
    keys: Vec<(StoreKey, usize)>,
    changes: Vec<Change>,
    damaged: Vec<StoreKey>,
}

impl Vault {
    /// Does work on rows, until each is as it is to be.
    pub(super) async fn work_page(
        &self,
        (tenant, store): (TenantId, &dyn Store),
        work: &RowWork,
        rows: Vec<SealedRow>,
    ) -> Result<PageReport, VaultError> {
        let (mut report, mut left) = (PageReport::default(), rows);
        for _ in 0..ROUNDS_MAX {
            let plan = self.plan((tenant, store), work, left).await?;
            report.damaged.extend(plan.damaged);
            if plan.changes.is_empty() {
                return Ok(report);
            }
            let outcomes = store.apply(plan.changes).await?;
            let mut again = Vec::new();
            for ((key, groups), outcome) in plan.keys.into_iter().zip(outcomes) {
                match outcome {
                    Outcome::Applied => report.resealed += u64::try_from(groups).unwrap_or(0),
                    Outcome::PreconditionFailed => again.push(key),
                }
            }
            let rows = store.read(again.clone()).await?;
            let there = again.into_iter().zip(rows).filter_map(|(key, row)| Some((key, row?)));
            left = there.collect();
        }
        report.unsettled = u64::try_from(left.len()).unwrap_or(u64::MAX);
        Ok(report)
    }

    /// Plans what is to be done to rows. The keyring is asked for after the rows were read, so that
    /// it knows every epoch in them; the floors likewise before it.
    async fn plan(
        &self,
        (tenant, store): (TenantId, &dyn Store),
        work: &RowWork,
        rows: Vec<SealedRow>,
    ) -> Result<Plan, VaultError> {
        let classes = work.keys().classes();
        let floor_keys = classes.iter().map(|class| epoch_floor::key(*class)).collect();
        let floor_rows = store.read(floor_keys).await?;
        let policies = match work {
            RowWork::Rekey(..) => self.policies_of((tenant, store), &rows).await?,
            RowWork::Reseal(_) | RowWork::Index(..) => Vec::new(),
        };
        let keyring = self.keyring(tenant).await?;
        let (work, entropy) = (work.clone(), self.entropy_arc());
        let plan = move || {
            let floors = classes.into_iter().zip(floor_rows.iter().map(Option::as_deref));
            let floors = Floors::read((tenant, &keyring.rows), floors)?;
            let classes = work.keys().unwrap(&keyring);
            let classes = classes.map_err(|CryptoError| VaultError::Integrity)?;
            Ok(match work {
                RowWork::Reseal(_) => {
                    let resealer = Resealer { tenant, keyring, classes, floors, entropy };
                    Plan::of(|key, row| resealer.reseal(key, row), rows)
                }
                RowWork::Index(_, work) => {
                    let reindexer = Reindexer::new(keyring, classes, work);
                    let reindexer = reindexer.map_err(|CryptoError| VaultError::Integrity)?;
                    Plan::of(|key, row| reindexer.reindex(key, row), rows)
                }
                RowWork::Rekey(_, targets) => {
                    let older = OlderKeys::new(keyring, targets, policies)?;
                    let rekeyer = Rekeyer { older, classes, floors };
                    Plan::of(|key, row| rekeyer.rekey(key, row), rows)
                }
            })
        };
        self.key_worker().run(plan).await?
    }

    /// Raises the floors of classes.
    pub(super) async fn raise_floors(
        &self,
        (tenant, store): (TenantId, &dyn Store),
        targets: Vec<(DataClass, EpochFloor)>,
    ) -> Result<(), VaultError> {
        let keys = targets.iter().map(|(class, _)| epoch_floor::key(*class)).collect();
        let rows = store.read(keys).await?;
        let keyring = self.keyring(tenant).await?;
        let raise = move || {
            let keys = (tenant, &keyring.rows);
            let classes = targets.iter().map(|(class, _)| *class);
            let floors = Floors::read(keys, classes.zip(rows.iter().map(Option::as_deref)))?;
            let raise = |(class, to): &(DataClass, EpochFloor)| floors.raise(keys, *class, *to);
            let changes: Result<Vec<_>, _> = targets.iter().map(raise).collect();
            let changes = changes.map_err(|CryptoError| VaultError::Internal)?;
            Ok::<_, VaultError>(changes.into_iter().flatten().collect::<Vec<_>>())
        };
        let changes = self.key_worker().run(raise).await??;
        if changes.is_empty() {
            return Ok(());
        }
        let outcomes = store.apply(changes).await?;
        let is_raised = outcomes.iter().all(|outcome| *outcome == Outcome::Applied);
        if is_raised { Ok(()) } else { Err(VaultError::Conflict) }
    }
}

impl Plan {
    fn of(work: impl Fn(&StoreKey, &[u8]) -> Resealed, rows: Vec<SealedRow>) -> Self {
        let mut plan = Self::default();
        for (key, row) in rows {
            match work(&key, &row) {
                Resealed::Nothing => {}
                Resealed::Damaged => plan.damaged.push(key),
                Resealed::Groups(groups, change) => {
                    plan.keys.push((key, groups));
                    plan.changes.push(change);
                }
            }
        }
        plan
    }
}

impl RowWork {
    pub(super) fn keys(&self) -> &WorkKeys {
        match self {
            Self::Reseal(keys) | Self::Index(keys, _) | Self::Rekey(keys, _) => keys,
        }
    }
}

impl WorkKeys {
    fn classes(&self) -> Vec<DataClass> {
        match self {
            Self::Lent(loans) => loans.keys().copied().collect(),
            Self::Unlocked(keys) => keys.keys().copied().collect(),
        }
    }

    fn unwrap(
        &self,
        keyring: &LoadedKeyring,
    ) -> Result<BTreeMap<DataClass, Arc<ClassKeys>>, CryptoError> {
        let unwrap = |(class, loan): (&DataClass, &Arc<Loan>)| {
            let keys = ClassKeys::unwrap(&keyring.keyring, *class, &loan.class_key)?;
            Ok((*class, Arc::new(keys)))
        };
        match self {
            Self::Lent(loans) => loans.iter().map(unwrap).collect(),
            Self::Unlocked(keys) => Ok(keys.clone()),
        }
    }
}
