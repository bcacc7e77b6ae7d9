//! What a vault must answer: plain rules over plain values, no key and no store among them.
//!
//! Written from what is promised (`docs/api.md`, `docs/operations/keys.md`), beside the vault's own
//! code and not after it.

use std::collections::{BTreeMap, BTreeSet};

use tresor_proto::{CustomerTokenKind, DataClass, ErrorCode, OperationSet, TokenOperation as Op};

use crate::step::{Loaned, Order};

const HOUR_MS: u64 = 3_600_000;

/// What a call must be answered.
pub(crate) type Answer<T> = Result<T, ErrorCode>;

/// A tenant, all that counts of it.
#[derive(Debug, Default)]
pub(crate) struct TenantModel {
    pub(crate) tokens: Vec<TokenModel>,
    pub(crate) records: BTreeMap<&'static str, RecordModel>,
    pub(crate) classes: BTreeMap<DataClass, ClassModel>,
    pub(crate) cipher_version: u32,
}

/// A customer token.
#[derive(Clone, Debug)]
pub(crate) struct TokenModel {
    pub(crate) kind: CustomerTokenKind,
    pub(crate) operations: OperationSet,
    pub(crate) classes: BTreeSet<DataClass>,
    pub(crate) expires_ms: Option<u64>,
    pub(crate) overlap_ends_ms: Option<u64>,
    pub(crate) is_revoked: bool,
}

/// A record: the value of each class.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecordModel {
    pub(crate) revision: u64,
    pub(crate) values: BTreeMap<DataClass, String>,
}

/// The data keys of a class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClassModel {
    pub(crate) epoch: u32,
    pub(crate) is_due: bool,
    pub(crate) loan: Option<Loan>,
}

/// Who lent a class, and until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loan {
    pub(crate) token: usize,
    pub(crate) ends_ms: u64,
}

impl TokenModel {
    /// The one of an enrolment: it may do everything; or its recovery token.
    pub(crate) fn enrolled(kind: CustomerTokenKind) -> Self {
        let operations = match kind {
            CustomerTokenKind::Recovery => [Op::Recover].into_iter().collect(),
            _ => OperationSet::FULL,
        };
        Self {
            kind,
            operations,
            classes: DataClass::ALL.into_iter().collect(),
            expires_ms: None,
            overlap_ends_ms: None,
            is_revoked: false,
        }
    }

    /// When it ends by itself, if ever.
    fn ends_ms(&self) -> Option<u64> {
        self.expires_ms.into_iter().chain(self.overlap_ends_ms).min()
    }

    pub(crate) fn works(&self, now_ms: u64) -> bool {
        !self.is_revoked && self.ends_ms().is_none_or(|ends_ms| now_ms < ends_ms)
    }

    pub(crate) fn may(&self, operation: Op) -> bool {
        self.operations.has_any(operation as u32)
    }

    fn reads(&self) -> bool {
        self.may(Op::ReadMasked) || self.may(Op::ReadPlain)
    }

    /// Whether it could have issued another: only then it may end that.
    fn covers(&self, other: &Self) -> bool {
        self.classes.is_superset(&other.classes)
            && self.operations.grantable().contains(other.operations)
    }

    /// Whether a call that takes any of these operations is permitted.
    pub(crate) fn permits(&self, any_of: &[Op], now_ms: u64) -> Answer<()> {
        if !self.works(now_ms) {
            return Err(ErrorCode::Unauthenticated);
        }
        let is_allowed = any_of.iter().any(|operation| self.may(*operation));
        is_allowed.then_some(()).ok_or(ErrorCode::Forbidden)
    }

    /// The customer token it gets for a wish.
    fn grants(&self, wish: Wish, limit_ms: Option<u64>, now_ms: u64) -> Answer<Self> {
        let Wish { kind, classes, operations, expires_ms } = wish;
        if !self.operations.grantable().contains(operations) {
            return Err(ErrorCode::Forbidden);
        }
        let is_over = expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms);
        let is_longer = limit_ms.is_some_and(|limit_ms| expires_ms.is_none_or(|it| it > limit_ms));
        if !operations.suits(kind) || is_over || is_longer {
            return Err(ErrorCode::InvalidRequest);
        }
        let is_short = kind == CustomerTokenKind::Recovery && classes.len() < DataClass::ALL.len();
        if is_short || !self.classes.is_superset(&classes) {
            return Err(ErrorCode::WrongKey);
        }
        Ok(Self { kind, operations, classes, expires_ms, overlap_ends_ms: None, is_revoked: false })
    }

    /// What an order comes to when it is asked of this one.
    fn wish(&self, order: &Order, now_ms: u64) -> Wish {
        let usual = || OperationSet::usual(order.kind).intersection(self.operations.grantable());
        let expires_ms = order.expires_hours.map(|hours| now_ms + hours * HOUR_MS);
        let classes = order.classes.as_ref().map(|classes| classes.iter().copied().collect());
        Wish {
            kind: order.kind,
            classes: classes.unwrap_or_else(|| self.classes.clone()),
            operations: order.operations.unwrap_or_else(usual),
            expires_ms: expires_ms.or(self.ends_ms()),
        }
    }
}

/// What a new customer token is to be.
struct Wish {
    kind: CustomerTokenKind,
    classes: BTreeSet<DataClass>,
    operations: OperationSet,
    expires_ms: Option<u64>,
}

impl TenantModel {
    pub(crate) fn enrolled() -> Self {
        let class = ClassModel { epoch: 1, is_due: false, loan: None };
        let kinds = [CustomerTokenKind::ReadWrite, CustomerTokenKind::Recovery];
        Self {
            tokens: kinds.map(TokenModel::enrolled).to_vec(),
            classes: DataClass::ALL.map(|name| (name, class)).into_iter().collect(),
            cipher_version: 1,
            ..Self::default()
        }
    }

    pub(crate) fn issue(&mut self, by: usize, order: &Order, now_ms: u64) -> Answer<()> {
        self.tokens[by].permits(&[Op::ManageTokens, Op::Recover], now_ms)?;
        let asking = &self.tokens[by];
        let granted = asking.grants(asking.wish(order, now_ms), asking.ends_ms(), now_ms)?;
        self.tokens.push(granted);
        Ok(())
    }

    pub(crate) fn rotate(
        &mut self,
        (by, which): (usize, usize),
        overlap_ms: u64,
        now_ms: u64,
    ) -> Answer<()> {
        self.tokens[by].permits(&[Op::ManageTokens], now_ms)?;
        let old = self.tokens[which].clone();
        if !old.works(now_ms) {
            return Err(ErrorCode::Gone);
        }
        if by != which && !self.tokens[by].covers(&old) {
            return Err(ErrorCode::Forbidden);
        }
        let TokenModel { kind, operations, classes, expires_ms, .. } = old;
        let wish = Wish { kind, classes, operations, expires_ms };
        let asking = &self.tokens[by];
        // One that replaces itself again is not held to its overlap.
        let limit_ms = if by == which { asking.expires_ms } else { asking.ends_ms() };
        self.tokens.push(asking.grants(wish, limit_ms, now_ms)?);
        let old = &mut self.tokens[which];
        old.is_revoked = overlap_ms == 0;
        let ends_ms = now_ms + overlap_ms;
        let earlier_ms = old.overlap_ends_ms.map_or(ends_ms, |earlier_ms| earlier_ms.min(ends_ms));
        old.overlap_ends_ms = (overlap_ms != 0).then_some(earlier_ms).or(old.overlap_ends_ms);
        Ok(())
    }

    pub(crate) fn revoke(
        &mut self,
        (by, which): (usize, usize),
        is_confirmed: bool,
        now_ms: u64,
    ) -> Answer<()> {
        self.tokens[by].permits(&[Op::ManageTokens], now_ms)?;
        if by != which && !self.tokens[by].covers(&self.tokens[which]) {
            return Err(ErrorCode::Forbidden);
        }
        let is_needed = self.is_needed(which, now_ms) || self.is_last_recovery(which, now_ms);
        if is_needed && !is_confirmed {
            return Err(ErrorCode::Conflict);
        }
        self.tokens[which].is_revoked = true;
        Ok(())
    }

    /// Whether nobody else reads one of its classes for as long.
    fn is_needed(&self, which: usize, now_ms: u64) -> bool {
        let token = &self.tokens[which];
        if !token.works(now_ms) || !(token.reads() || token.may(Op::Recover)) {
            return false;
        }
        let reads_as_long = |(at, other): &(usize, &TokenModel)| {
            let own_ms = token.ends_ms().unwrap_or(u64::MAX);
            *at != which
                && other.works(now_ms)
                && other.reads()
                && other.ends_ms().unwrap_or(u64::MAX) >= own_ms
        };
        let others: Vec<_> = self.tokens.iter().enumerate().filter(reads_as_long).collect();
        let is_read = |class| others.iter().any(|(_, other)| other.classes.contains(class));
        !token.classes.iter().all(is_read)
    }

    /// Whether nobody else recovers for as long.
    fn is_last_recovery(&self, which: usize, now_ms: u64) -> bool {
        let recovers = |token: &TokenModel| token.works(now_ms) && token.may(Op::Recover);
        let ends_ms = |token: &TokenModel| token.ends_ms().unwrap_or(u64::MAX);
        let token = &self.tokens[which];
        let as_long = |(at, other): (usize, &TokenModel)| {
            at != which && recovers(other) && ends_ms(other) >= ends_ms(token)
        };
        recovers(token) && !self.tokens.iter().enumerate().any(as_long)
    }

    /// Stores a record; classes that were due have their next epoch afterwards.
    pub(crate) fn put(
        &mut self,
        by: usize,
        record: &'static str,
        values: &BTreeMap<DataClass, String>,
        now_ms: u64,
    ) -> Answer<u64> {
        self.tokens[by].permits(&[Op::Write], now_ms)?;
        self.renew(by, &values.keys().copied().collect::<Vec<_>>());
        if !values.keys().all(|class| self.tokens[by].classes.contains(class)) {
            return Err(ErrorCode::WrongKey);
        }
        let revision = self.records.get(record).map_or(0, |known| known.revision) + 1;
        self.records.insert(record, RecordModel { revision, values: values.clone() });
        Ok(revision)
    }

    /// Gives due classes that a customer token opens their next epoch.
    fn renew(&mut self, by: usize, classes: &[DataClass]) {
        let opened = &self.tokens[by].classes;
        for (class, keys) in &mut self.classes {
            if keys.is_due && classes.contains(class) && opened.contains(class) {
                (keys.epoch, keys.is_due) = (keys.epoch + 1, false);
            }
        }
    }

    /// Marks classes; the epochs they are to have.
    pub(crate) fn mark(&mut self, classes: &[DataClass]) -> Vec<(DataClass, u32)> {
        let mut targets = Vec::new();
        for class in classes {
            if let Some(keys) = self.classes.get_mut(class) {
                keys.is_due = true;
                targets.push((*class, keys.epoch + 1));
            }
        }
        targets
    }

    /// Lends classes; gives them.
    pub(crate) fn lend(
        &mut self,
        by: usize,
        Loaned { classes, hours, is_dry_run }: &Loaned,
        now_ms: u64,
    ) -> Answer<BTreeSet<DataClass>> {
        self.tokens[by].permits(&[Op::Lend], now_ms)?;
        if !(1..=24).contains(hours) {
            return Err(ErrorCode::InvalidRequest);
        }
        let wanted = if classes.is_empty() { &DataClass::ALL[..] } else { classes };
        if !is_dry_run {
            self.renew(by, wanted);
        }
        let opened = self.tokens[by].classes.clone();
        let lent: BTreeSet<_> = wanted.iter().copied().filter(|it| opened.contains(it)).collect();
        if !classes.is_empty() && lent.len() < wanted.len() {
            return Err(ErrorCode::WrongKey);
        }
        let loan = Some(Loan { token: by, ends_ms: now_ms + hours * HOUR_MS });
        for class in lent.iter().filter(|_| !is_dry_run) {
            self.classes.entry(*class).and_modify(|keys| keys.loan = loan);
        }
        Ok(lent)
    }

    /// Whether work on these targets can go on: all their keys are made, and lent.
    pub(crate) fn is_ready(&self, targets: &[(DataClass, u32)], now_ms: u64) -> bool {
        targets.iter().all(|(class, epoch)| {
            let keys = &self.classes[class];
            let lasts = |loan: Loan| now_ms < loan.ends_ms && self.tokens[loan.token].works(now_ms);
            keys.epoch >= *epoch && keys.loan.is_some_and(lasts)
        })
    }

    /// Nothing but the disk is left.
    pub(crate) fn forget_loans(&mut self) {
        self.classes.values_mut().for_each(|keys| keys.loan = None);
    }
}
