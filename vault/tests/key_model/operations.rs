//! What operators do with keys, and the long work behind it.

use tresor_proto::{DataClass, TenantRef};
use tresor_vault::{
    KeyKind, KeyOperationState as State, KeyState, Lend, LoanRequest, RotationRequest,
};
use uuid::Uuid;

use crate::step::Loaned;

use super::{CLASSES, HOUR_MS, Pair, Pick, Step, Tenant, VaultError, code_of};

/// A re-encryption that was asked for.
pub(super) struct Operation {
    id: Uuid,
    targets: Vec<(DataClass, u32)>,
    is_paused: bool,
    is_cancelled: bool,
}

impl Pair {
    pub(super) async fn operate(&mut self, step: Step) {
        match step {
            Step::RotateCipher => self.rotate_cipher().await,
            Step::RotateRoot => self.rotate_root().await,
            Step::Mark(classes) => self.mark(classes).await,
            Step::Lend(by, loaned) => self.lend(by, loaned).await,
            Step::Work => drop(self.world.vault().work_once().await.unwrap()),
            Step::WorkOff => self.work_off().await,
            Step::Pause(which) => self.pause(which).await,
            Step::Resume(which) => self.resume(which).await,
            Step::Cancel(which) => self.cancel(which).await,
            other => panic!("{other:?} is no operator's"),
        }
    }

    async fn rotate_cipher(&mut self) {
        let tenants: Vec<_> = self.tenants.iter().map(|tenant| tenant.id).collect();
        let (vault, permit) = (self.world.vault(), self.world.operator_permit());
        let mut work = vault.begin_key_work(permit, "replacing cipher keys").await.unwrap();
        let replaced = vault.rotate_cipher_keys(&mut work, &tenants).await.unwrap();
        for (tenant, replaced) in self.tenants.iter_mut().zip(replaced) {
            tenant.model.cipher_version += 1;
            assert_eq!(replaced.unwrap().new_version, tenant.model.cipher_version);
        }
    }

    async fn rotate_root(&mut self) {
        let (vault, permit) = (self.world.vault(), self.world.operator_permit());
        let mut work = vault.begin_key_work(permit, "replacing the root key").await.unwrap();
        let replaced = vault.rotate_root_key(&mut work).await.unwrap();
        assert_eq!(replaced.new_generation, replaced.old_generation + 1);
    }

    /// Marks classes of the tenant that enrolled last.
    async fn mark(&mut self, classes: Vec<DataClass>) {
        let permit = self.world.operator_permit();
        let tenant = self.tenants.last_mut().unwrap();
        let targets = tenant.model.mark(&classes);
        let request = RotationRequest {
            classes,
            is_compromised: false,
            rate_max: 0,
            destroy_after_ms: 0,
            is_dry_run: false,
        };
        let place = TenantRef::Id(tenant.id);
        let marked = self.world.vault().mark_data_keys_due(&permit, &place, &request).await;
        let id = marked.unwrap().operation.unwrap();
        let operation = self.world.vault().key_operation(&permit, id).await.unwrap();
        assert_eq!(operation.targets, targets);
        if !tenant.operations.iter().any(|known| known.id == id) {
            let (is_paused, is_cancelled) = (false, false);
            tenant.operations.push(Operation { id, targets, is_paused, is_cancelled });
        }
    }

    async fn lend(&mut self, by: Pick, loaned: Loaned) {
        let (at, by) = self.pick(by);
        let (now_ms, tenant) = (self.world.now_ms(), &mut self.tenants[at]);
        let expected = tenant.model.lend(by, &loaned, now_ms);
        let Loaned { classes, hours, is_dry_run } = loaned;
        let request = LoanRequest { classes, lifetime_ms: hours * HOUR_MS, is_dry_run };
        let lent = match self.world.permit::<Lend>(tenant.id, &tenant.tokens[by]).await {
            Ok(permit) => self.world.vault().lend(&permit, &request).await,
            Err(error) => Err(error),
        };
        let lent = code_of(lent).map(|lent| lent.classes.into_iter().collect());
        assert_eq!(lent, expected);
    }

    async fn work_off(&mut self) {
        while self.world.vault().work_once().await.unwrap().is_some() {}
        let now_ms = self.world.now_ms();
        for tenant in &self.tenants {
            for operation in &tenant.operations {
                let can_go_on = !operation.is_paused && !operation.is_cancelled;
                if can_go_on && tenant.model.is_ready(&operation.targets, now_ms) {
                    assert_eq!(self.state(operation).await, State::Done);
                }
            }
        }
    }

    /// An operation of any tenant.
    fn operation(&mut self, which: Pick) -> Option<&mut Operation> {
        let mut all: Vec<_> = self.tenants.iter_mut().flat_map(|it| &mut it.operations).collect();
        let count = all.len();
        (count > 0).then(|| all.swap_remove(which % count))
    }

    async fn state(&self, operation: &Operation) -> State {
        let permit = self.world.operator_permit();
        self.world.vault().key_operation(&permit, operation.id).await.unwrap().state
    }

    async fn state_of(&self, id: Uuid) -> State {
        let permit = self.world.operator_permit();
        self.world.vault().key_operation(&permit, id).await.unwrap().state
    }

    async fn pause(&mut self, which: Pick) {
        let Some(id) = self.operation(which).map(|operation| operation.id) else { return };
        let may = !matches!(self.state_of(id).await, State::Done | State::Cancelled);
        let permit = self.world.operator_permit();
        let paused = self.world.vault().pause_key_operation(&permit, id).await;
        assert_eq!(paused.map(|it| it.state), allowed(may, State::Paused));
        if let Some(operation) = self.operation(which).filter(|_| may) {
            operation.is_paused = true;
        }
    }

    async fn resume(&mut self, which: Pick) {
        let Some(id) = self.operation(which).map(|operation| operation.id) else { return };
        let may = !matches!(self.state_of(id).await, State::Done | State::Cancelled);
        let permit = self.world.operator_permit();
        let resumed = self.world.vault().resume_key_operation(&permit, id).await;
        assert_eq!(resumed.map(drop), allowed(may, ()));
        if let Some(operation) = self.operation(which).filter(|_| may) {
            operation.is_paused = false;
        }
    }

    async fn cancel(&mut self, which: Pick) {
        let Some(id) = self.operation(which).map(|operation| operation.id) else { return };
        self.cancel_one(id).await;
    }

    async fn cancel_one(&mut self, id: Uuid) {
        let may = !matches!(self.state_of(id).await, State::Done | State::Cancelled);
        let permit = self.world.operator_permit();
        let cancelled = self.world.vault().cancel_key_operation(&permit, id).await;
        assert_eq!(cancelled.map(|it| it.state), allowed(may, State::Cancelled));
        for tenant in self.tenants.iter_mut().filter(|_| may) {
            let Tenant { operations, model, .. } = tenant;
            let Some(at) = operations.iter().position(|operation| operation.id == id) else {
                continue;
            };
            operations[at].is_cancelled = true;
            // An operation that is done has its key, which is not due for it.
            let others = || operations.iter().filter(|operation| !operation.is_cancelled);
            for target in &operations[at].targets {
                let is_needed = others().any(|other| other.targets.contains(target));
                let keys = model.classes.get_mut(&target.0).unwrap();
                keys.is_due = keys.is_due && (is_needed || keys.epoch + 1 != target.1);
            }
        }
    }

    /// Ends what is under way, so that the next sequence has nothing to do with it.
    pub(super) async fn end_operations(&mut self) {
        let all = self.tenants.iter().flat_map(|tenant| &tenant.operations);
        let all: Vec<_> = all.map(|operation| operation.id).collect();
        for id in all {
            self.cancel_one(id).await;
        }
    }

    /// Each operation is where its loans let it be.
    pub(super) async fn check_operations(&self) {
        let now_ms = self.world.now_ms();
        for tenant in &self.tenants {
            for operation in &tenant.operations {
                let is_ready = tenant.model.is_ready(&operation.targets, now_ms);
                let (is_paused, is_cancelled) = (operation.is_paused, operation.is_cancelled);
                let state = self.state(operation).await;
                let is_as_foretold = match state {
                    State::Cancelled => is_cancelled,
                    State::Paused => is_paused,
                    State::PendingCustomer => !is_paused && !is_ready,
                    State::Counting | State::Resealing | State::Verifying => !is_paused && is_ready,
                    State::Destroying | State::Done => !is_cancelled && !is_paused,
                    State::NeedsAttention | State::Indexing | State::Removing | State::Moving => {
                        false
                    }
                };
                assert!(
                    is_as_foretold,
                    "{state:?}; ready: {is_ready}, paused: {is_paused}, cancelled: {is_cancelled}"
                );
            }
        }
    }

    /// The keys are those foretold: the newest epoch is active, an older one destroyed if and only if
    /// an operation to replace it is done.
    pub(super) async fn check_keys(&self, at: usize) {
        let tenant = &self.tenants[at];
        let (permit, place) = (self.world.operator_permit(), TenantRef::Id(tenant.id));
        let status = self.world.vault().tenant_key_status(&permit, &place).await.unwrap();
        let mut done = Vec::new();
        for operation in &tenant.operations {
            if self.state(operation).await == State::Done {
                done.extend(operation.targets.clone());
            }
        }
        for class in CLASSES {
            let newest = tenant.model.classes[&class].epoch;
            let is_gone = |epoch| done.iter().any(|(of, target)| *of == class && epoch < *target);
            let keys = status.keys.iter();
            let keys = keys.filter(|key| (key.kind, key.class) == (KeyKind::Data, Some(class)));
            let states: Vec<_> = keys.map(|key| (key.version, key.state)).collect();
            let expected = (1..=newest).map(|epoch| match is_gone(epoch) {
                _ if epoch == newest => (epoch, KeyState::Active),
                true => (epoch, KeyState::Destroyed),
                false => (epoch, KeyState::Deactivated),
            });
            assert_eq!(states, expected.collect::<Vec<_>>(), "{class:?}");
        }
        let now_ms = self.world.now_ms();
        let works = tenant.model.tokens.iter().filter(|token| token.works(now_ms)).count();
        let revoked = tenant.model.tokens.iter().filter(|token| token.is_revoked).count();
        let counts = status.customer_tokens;
        assert_eq!((counts.working, counts.revoked), (works, revoked));
    }
}

fn allowed<T>(may: bool, then: T) -> Result<T, VaultError> {
    if may { Ok(then) } else { Err(VaultError::Conflict) }
}
