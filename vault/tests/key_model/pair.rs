//! A vault and its model, taken through the same steps.

use std::collections::BTreeMap;

use tresor_proto::{
    Content, CustomerToken, CustomerTokenName, DataClass, EnrolmentCode, ErrorCode, FieldName,
    InfoType, RecordId, RefusalReason, Reveal, TenantId, TokenOperation as Op,
};
use tresor_vault::{
    Delete, Destination, IssueTokens, ManageTokens, NewCustomerToken, NewField, NewRecord, Read,
    RevealedField, Shown, Treatment, VaultError, View, Write,
};

use crate::{
    model::{Answer, TenantModel},
    step::{CLASSES, Order, Pick, RECORDS, Step},
    world::{World, customers},
};

#[path = "operations.rs"]
mod operations;

use operations::Operation;

const HOUR_MS: u64 = 3_600_000;
/// Tenants of a sequence at most.
const TENANTS_MAX: usize = 3;
/// Customer tokens of a tenant at most; the vault takes a few more.
const TOKENS_MAX: usize = 60;

/// A vault and what it must answer.
pub(crate) struct Pair {
    world: World,
    tenants: Vec<Tenant>,
    values: u64,
}

/// A tenant, what its customer has, and what must be true of it.
struct Tenant {
    id: TenantId,
    name: String,
    code: EnrolmentCode,
    model: TenantModel,
    tokens: Vec<CustomerToken>,
    operations: Vec<Operation>,
}

fn code_of<T>(answer: Result<T, VaultError>) -> Answer<T> {
    answer.map_err(|error| error.code())
}

fn info_type(class: DataClass) -> (&'static str, InfoType) {
    match class {
        DataClass::Identity => ("name", InfoType::PersonName),
        _ => ("mail", InfoType::EmailAddress),
    }
}

fn field((class, value): (&DataClass, &String)) -> NewField {
    let (name, info_type) = info_type(*class);
    let (name, content) = (FieldName::parse(name).unwrap(), Content::text(value).unwrap());
    NewField {
        name,
        content,
        treatment: Treatment::Seal { info_type: Some(info_type), class: *class },
    }
}

fn shown(field: &RevealedField) -> String {
    match &field.shown {
        Shown::Plain(content) => content.as_text().unwrap().to_owned(),
        Shown::Masked(_) => "masked".to_owned(),
        Shown::Redacted => "redacted".to_owned(),
        Shown::Withheld => "withheld".to_owned(),
        Shown::Clear(_) => "clear".to_owned(),
    }
}

impl Pair {
    /// A pair whose first tenant has enrolled.
    pub(crate) async fn new(world: World) -> Self {
        let mut pair = Self { world, tenants: Vec::new(), values: 0 };
        pair.enrol().await;
        pair
    }

    pub(crate) async fn step(&mut self, step: Step) {
        match step {
            Step::Enrol if self.tenants.len() < TENANTS_MAX => self.enrol().await,
            Step::Enrol | Step::EnrolAgain => self.enrol_again().await,
            Step::Issue(by, order) => self.issue(by, order).await,
            Step::RotateToken { by, which, overlap_hours } => {
                self.rotate_token(by, which, overlap_hours * HOUR_MS).await;
            }
            Step::Revoke { by, which, is_confirmed } => self.revoke(by, which, is_confirmed).await,
            Step::Put { by, record, classes } => self.put(by, record, &classes).await,
            Step::Get { by, record, reveal } => self.get(by, record, reveal).await,
            Step::Delete { by, record } => self.delete(by, record).await,
            Step::UseElsewhere(by) => self.use_elsewhere(by).await,
            Step::LockAndUnlock => {
                self.world.lock_and_unlock().await;
                self.tenants.iter_mut().for_each(|tenant| tenant.model.forget_loans());
            }
            Step::Restart => {
                self.world.restart().await;
                self.tenants.iter_mut().for_each(|tenant| tenant.model.forget_loans());
            }
            Step::Wait { hours } => self.world.advance(hours * HOUR_MS),
            Step::WaitAMinute => self.world.advance(61_000),
            of_operators => self.operate(of_operators).await,
        }
        self.check_operations().await;
    }

    /// A customer token, of any tenant, the last one's first.
    fn pick(&self, by: Pick) -> (usize, usize) {
        let tokens = |(at, tenant): (usize, &Tenant)| {
            (0..tenant.tokens.len()).map(move |token| (at, token)).collect::<Vec<_>>()
        };
        let all: Vec<_> = self.tenants.iter().enumerate().rev().flat_map(tokens).collect();
        all[by % all.len()]
    }

    async fn enrol(&mut self) {
        let (id, code) = self.world.create_tenant().await;
        if let Some(other) = self.tenants.last() {
            let wrong = self.world.enrol(id, &other.code).await;
            assert_eq!(wrong.err(), Some(VaultError::Denied(RefusalReason::EnrolmentCodeWrong)));
        }
        let enrolled = self.world.enrol(id, &code).await.unwrap();
        self.world.put_collection(id).await;
        self.tenants.push(Tenant {
            id,
            name: enrolled.name.as_str().to_owned(),
            code,
            model: TenantModel::enrolled(),
            tokens: vec![enrolled.customer_token, enrolled.recovery_token],
            operations: Vec::new(),
        });
    }

    async fn enrol_again(&mut self) {
        let tenant = &self.tenants[0];
        let again = self.world.enrol(tenant.id, &tenant.code).await;
        assert_eq!(again.err(), Some(VaultError::AlreadyExists));
    }

    async fn issue(&mut self, by: Pick, order: Order) {
        let (at, by) = self.pick(by);
        let (now_ms, tenant) = (self.world.now_ms(), &mut self.tenants[at]);
        if tenant.tokens.len() >= TOKENS_MAX {
            return;
        }
        let expected = tenant.model.issue(by, &order, now_ms);
        let new = NewCustomerToken {
            kind: order.kind,
            name: CustomerTokenName::default(),
            classes: order.classes,
            operations: order.operations,
            expires_ms: order.expires_hours.map(|hours| now_ms + hours * HOUR_MS),
            bound_certificate: None,
        };
        let permit = self.world.permit::<IssueTokens>(tenant.id, &tenant.tokens[by]).await;
        let issued = match permit {
            Ok(permit) => self.world.vault().issue_customer_token(&permit, new).await,
            Err(error) => Err(error),
        };
        let issued = code_of(issued);
        assert_eq!(issued.as_ref().map(drop).map_err(|code| *code), expected);
        tenant.tokens.extend(issued.ok().map(|issued| issued.customer_token));
    }

    async fn rotate_token(&mut self, by: Pick, which: Pick, overlap_ms: u64) {
        let (at, by) = self.pick(by);
        let (now_ms, tenant) = (self.world.now_ms(), &mut self.tenants[at]);
        let which = which % tenant.tokens.len();
        if tenant.tokens.len() >= TOKENS_MAX {
            return;
        }
        let expected = tenant.model.rotate((by, which), overlap_ms, now_ms);
        let permit = self.world.permit::<ManageTokens>(tenant.id, &tenant.tokens[by]).await;
        let (vault, id) = (self.world.vault(), tenant.tokens[which].id());
        let rotated = match permit {
            Ok(permit) => vault.rotate_customer_token(&permit, id, overlap_ms).await,
            Err(error) => Err(error),
        };
        let rotated = code_of(rotated);
        assert_eq!(rotated.as_ref().map(drop).map_err(|code| *code), expected);
        tenant.tokens.extend(rotated.ok().map(|rotated| rotated.issued.customer_token));
    }

    async fn revoke(&mut self, by: Pick, which: Pick, is_confirmed: bool) {
        let (at, by) = self.pick(by);
        let (now_ms, tenant) = (self.world.now_ms(), &mut self.tenants[at]);
        let which = which % tenant.tokens.len();
        let expected = tenant.model.revoke((by, which), is_confirmed, now_ms);
        let permit = self.world.permit::<ManageTokens>(tenant.id, &tenant.tokens[by]).await;
        let (vault, id) = (self.world.vault(), tenant.tokens[which].id());
        let confirmation = if is_confirmed { tenant.name.as_str() } else { "" };
        let revoked = match permit {
            Ok(permit) => vault.revoke_customer_token(&permit, id, confirmation).await,
            Err(error) => Err(error),
        };
        assert_eq!(code_of(revoked.map(drop)), expected);
    }

    async fn put(&mut self, by: Pick, record: Pick, classes: &[DataClass]) {
        let (at, by) = self.pick(by);
        self.values += 1;
        let value =
            |class: &DataClass| (*class, format!("{}{}@example.org", class.as_str(), self.values));
        let values: BTreeMap<_, _> = classes.iter().map(value).collect();
        let (now_ms, tenant) = (self.world.now_ms(), &mut self.tenants[at]);
        let record = RECORDS[record % RECORDS.len()];
        let expected = tenant.model.put(by, record, &values, now_ms);
        let stored = match self.world.permit::<Write>(tenant.id, &tenant.tokens[by]).await {
            Ok(permit) => {
                let id = RecordId::parse(record).unwrap();
                let new = NewRecord::new(Some(id), values.iter().map(field).collect());
                let destination = Destination {
                    collection: customers(),
                    policy_version: Some(1),
                    has_masks: false,
                };
                let stored = self.world.vault().put(&permit, &destination, vec![new]).await;
                stored.and_then(|mut stored| stored.remove(0))
            }
            Err(error) => Err(error),
        };
        assert_eq!(code_of(stored).map(|stored| stored.revision), expected);
    }

    async fn get(&mut self, by: Pick, record: Pick, reveal: Reveal) {
        let (at, by) = self.pick(by);
        self.compare((at, by), RECORDS[record % RECORDS.len()], reveal).await;
    }

    async fn compare(&self, (at, by): (usize, usize), record: &'static str, reveal: Reveal) {
        let tenant = &self.tenants[at];
        let expected = self.expected((at, by), record, reveal);
        let read = match self.world.permit::<Read>(tenant.id, &tenant.tokens[by]).await {
            Ok(permit) => {
                let view = View { collection: customers(), reveal, fields: Vec::new() };
                let ids = [RecordId::parse(record).unwrap()];
                let read = self.world.vault().get(&permit, &view, &ids).await;
                read.and_then(|mut read| read.remove(0))
            }
            Err(error) => Err(error),
        };
        let read = code_of(read)
            .map(|read| (read.revision, read.fields.iter().map(shown).collect::<Vec<_>>()));
        assert_eq!(read, expected, "{record}, {reveal:?}");
    }

    fn expected(
        &self,
        (at, by): (usize, usize),
        record: &str,
        reveal: Reveal,
    ) -> Answer<(u64, Vec<String>)> {
        let (model, now_ms) = (&self.tenants[at].model, self.world.now_ms());
        let token = &model.tokens[by];
        token.permits(&[Op::ReadMasked, Op::ReadPlain], now_ms)?;
        let needed = if reveal == Reveal::Plain { Op::ReadPlain } else { Op::ReadMasked };
        token.permits(&[needed], now_ms)?;
        let known = model.records.get(record).ok_or(ErrorCode::NotFound)?;
        let shown = |(class, value): (&DataClass, &String)| match reveal {
            Reveal::Redacted => "redacted".to_owned(),
            _ if !token.classes.contains(class) => "withheld".to_owned(),
            Reveal::Masked => "masked".to_owned(),
            Reveal::Plain => value.clone(),
        };
        Ok((known.revision, known.values.iter().map(shown).collect()))
    }

    async fn delete(&mut self, by: Pick, record: Pick) {
        let (at, by) = self.pick(by);
        let (now_ms, tenant) = (self.world.now_ms(), &mut self.tenants[at]);
        let record = RECORDS[record % RECORDS.len()];
        let permitted = tenant.model.tokens[by].permits(&[Op::Delete], now_ms);
        let expected = permitted.and_then(|()| {
            tenant.model.records.remove(record).map(drop).ok_or(ErrorCode::NotFound)
        });
        let deleted = match self.world.permit::<Delete>(tenant.id, &tenant.tokens[by]).await {
            Ok(permit) => {
                let ids = [RecordId::parse(record).unwrap()];
                let deleted = self.world.vault().delete(&permit, &customers(), &ids).await;
                deleted.and_then(|mut deleted| deleted.remove(0))
            }
            Err(error) => Err(error),
        };
        assert_eq!(code_of(deleted), expected);
    }

    /// A customer token opens no door but its tenant's.
    async fn use_elsewhere(&mut self, by: Pick) {
        let (at, by) = self.pick(by);
        let customer_token = &self.tenants[at].tokens[by];
        for (_, other) in self.tenants.iter().enumerate().filter(|(other, _)| *other != at) {
            let refused = self.world.permit::<Read>(other.id, customer_token).await;
            assert_eq!(
                refused.err(),
                Some(VaultError::Denied(RefusalReason::CustomerTokenUnknown))
            );
        }
    }

    /// In the end all is as foretold, before and after a restart; the vault is given back.
    pub(crate) async fn finish(mut self) -> World {
        for is_restarted in [false, true] {
            for at in 0..self.tenants.len() {
                self.check_keys(at).await;
                for by in 0..self.tenants[at].tokens.len() {
                    for record in RECORDS {
                        self.compare((at, by), record, Reveal::Plain).await;
                    }
                }
            }
            if !is_restarted {
                self.end_operations().await;
                self.step(Step::Restart).await;
            }
        }
        self.world
    }
}
