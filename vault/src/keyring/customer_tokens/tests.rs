//! Customer tokens against a model: whatever is issued, rotated and revoked by whomever and
//! whenever, none opens, does or lasts more than the one it comes from.

use std::collections::BTreeSet;

use tresor_proto::{CustomerTokenName, OperationSet, TenantId};

use super::*;
use crate::{
    entropy::SystemEntropy,
    key::Key as _,
    operations::enrol::generate,
    random::{Random, cases},
};

const START_MS: u64 = 1_800_000_000_000;
const TENANT: TenantId = TenantId::from_bytes([7; 16]);
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What is known of a customer token, and the one it comes from.
struct Known {
    customer_token: CustomerToken,
    classes: BTreeSet<DataClass>,
    operations: OperationSet,
    expires_ms: u64,
    is_revoked: bool,
    overlap_ends_ms: u64,
    bound_certificate: Option<[u8; 32]>,
}

impl Known {
    /// When it ends by itself, 0 for never.
    fn ends_ms(&self) -> u64 {
        let ends = [self.expires_ms, self.overlap_ends_ms].into_iter();
        ends.filter(|ends_ms| *ends_ms != 0).min().unwrap_or(0)
    }

    /// Whether it could have issued another, which is who may end that.
    fn covers(&self, other: &Self) -> bool {
        self.classes.is_superset(&other.classes)
            && self.operations.grantable().contains(other.operations)
    }

    fn works_at(&self, now_ms: u64) -> bool {
        let lasts = |ends_ms: u64| ends_ms == 0 || now_ms < ends_ms;
        !self.is_revoked && lasts(self.expires_ms) && lasts(self.overlap_ends_ms)
    }
}

struct Pair {
    keyring: TenantKeyring,
    known: Vec<Known>,
    pepper: Pepper,
    entropy: SystemEntropy,
    now_ms: u64,
    random: Random,
}

impl Pair {
    fn new() -> Self {
        let entropy = SystemEntropy::default();
        let pepper = Pepper::generate(&entropy).unwrap();
        let (customer_token, keyring) = generate(TENANT, START_MS, &pepper, &entropy).unwrap();
        let first = Known {
            customer_token,
            classes: DataClass::ALL.into(),
            operations: OperationSet::FULL,
            expires_ms: 0,
            is_revoked: false,
            overlap_ends_ms: 0,
            bound_certificate: None,
        };
        let (known, random) = (vec![first], Random::of_this_run());
        Self { keyring, known, pepper, entropy, now_ms: START_MS, random }
    }

    fn step(&mut self) {
        match self.random.below(10) {
            0..5 => self.issue(),
            5..7 => self.rotate(),
            7 => self.revoke(),
            _ => self.now_ms += u64::try_from(self.random.below(3)).unwrap() * DAY_MS,
        }
    }

    fn order(&mut self) -> NewCustomerToken {
        let classes: Vec<_> =
            DataClass::ALL.into_iter().filter(|_| self.random.below(3) > 0).collect();
        let bits = u32::try_from(self.random.below(1 << 11)).unwrap();
        let days = u64::try_from(self.random.below(20)).unwrap();
        NewCustomerToken {
            kind: *self.random.pick(&CustomerTokenKind::ALL),
            name: CustomerTokenName::default(),
            classes: (self.random.below(3) > 0).then_some(classes),
            operations: (self.random.below(2) > 0).then(|| OperationSet::from_bits(bits).unwrap()),
            expires_ms: (self.random.below(2) > 0).then_some(self.now_ms + days * DAY_MS),
            bound_certificate: *self.random.pick(&[None, None, Some([1; 32]), Some([2; 32])]),
        }
    }

    /// Half of the time the first one, since most of the others end soon.
    fn issuer(&mut self) -> usize {
        if self.random.below(2) == 0 { 0 } else { self.random.below(self.known.len()) }
    }

    fn issue(&mut self) {
        let order = self.order();
        let at = self.issuer();
        let made =
            self.with_issuer(at, |keyring, issuer, desk| keyring.issue(issuer, &order, desk));
        let asking = &self.known[at];
        let Ok((customer_token, view)) = made else {
            return;
        };
        assert!(asking.works_at(self.now_ms), "an ended one has issued");
        let classes: BTreeSet<_> = view.classes.iter().copied().collect();
        assert!(classes.is_subset(&asking.classes));
        assert!(asking.operations.grantable().contains(view.operations));
        assert!(asking.bound_certificate.is_none_or(|own| view.bound_certificate == Some(own)));
        let expires_ms = view.expires_ms.unwrap_or(0);
        assert!(asking.ends_ms() == 0 || (1..=asking.ends_ms()).contains(&expires_ms));
        self.known.push(Known {
            customer_token,
            classes,
            operations: view.operations,
            expires_ms,
            is_revoked: false,
            overlap_ends_ms: 0,
            bound_certificate: view.bound_certificate,
        });
    }

    /// The first one stays, here and below, so that there is always one that may do everything.
    fn rotate(&mut self) {
        let (at, of) = (self.issuer(), self.random.below(self.known.len()));
        let overlap_ms = u64::try_from(self.random.below(3)).unwrap() * DAY_MS;
        if of == 0 {
            return;
        }
        let id = self.known[of].customer_token.id();
        let made = self
            .with_issuer(at, |keyring, issuer, desk| keyring.rotate(issuer, id, overlap_ms, desk));
        let (asking, old) = (&self.known[at], &self.known[of]);
        let Ok((customer_token, view)) = made else {
            return;
        };
        assert!(asking.works_at(self.now_ms) && old.works_at(self.now_ms));
        assert!(old.classes.is_subset(&asking.classes));
        assert!(asking.operations.grantable().contains(old.operations));
        assert_eq!((view.replaces, view.operations), (Some(id), old.operations));
        assert!(asking.bound_certificate.is_none_or(|own| view.bound_certificate == Some(own)));
        assert_eq!(view.bound_certificate, old.bound_certificate);
        let limit_ms = if at == of { asking.expires_ms } else { asking.ends_ms() };
        assert!(limit_ms == 0 || (1..=limit_ms).contains(&old.expires_ms));
        let (classes, operations, expires_ms) =
            (old.classes.clone(), old.operations, old.expires_ms);
        let old = &mut self.known[of];
        let ends_ms = self.now_ms + overlap_ms;
        match (overlap_ms, old.overlap_ends_ms) {
            (0, _) => old.is_revoked = true,
            (_, 0) => old.overlap_ends_ms = ends_ms,
            (_, earlier_ms) => old.overlap_ends_ms = earlier_ms.min(ends_ms),
        }
        let (is_revoked, overlap_ends_ms) = (false, 0);
        let bound_certificate = view.bound_certificate;
        self.known.push(Known {
            customer_token,
            classes,
            operations,
            expires_ms,
            is_revoked,
            overlap_ends_ms,
            bound_certificate,
        });
    }

    fn revoke(&mut self) {
        let (at, of) = (self.issuer(), self.random.below(self.known.len()));
        if of == 0 {
            return;
        }
        let (issuer, id) = (self.known[at].customer_token.id(), self.known[of].customer_token.id());
        let revoked = self.keyring.revoke(issuer, id, true, self.now_ms);
        let (asking, ended) = (&self.known[at], &self.known[of]);
        let is_allowed = at == of || (!asking.is_revoked && asking.covers(ended));
        assert!((is_allowed && asking.works_at(self.now_ms)) || revoked.is_err());
        self.known[of].is_revoked |= revoked.is_ok();
    }

    fn with_issuer<T>(
        &mut self,
        at: usize,
        work: impl FnOnce(&mut TenantKeyring, Issuer<'_>, TokenDesk<'_>) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let customer_token = &self.known[at].customer_token;
        let wrap_key = customer_token_entry::wrap_key(TENANT, customer_token).unwrap();
        let issuer = Issuer { id: customer_token.id(), wrap_key: &wrap_key };
        let desk = TokenDesk { pepper: &self.pepper, entropy: &self.entropy, now_ms: self.now_ms };
        work(&mut self.keyring, issuer, desk)
    }

    /// What each of them opens and may do is what the model says, and no more.
    fn compare(&self) {
        for known in &self.known {
            let id = known.customer_token.id();
            let entry = self.keyring.customer_tokens.iter().find(|entry| entry.bounds.id == id);
            let Some(entry) = entry else {
                assert!(!known.works_at(self.now_ms), "one that works was dropped");
                continue;
            };
            assert_eq!(entry.works_at(self.now_ms), known.works_at(self.now_ms));
            assert_eq!(entry.bounds.operations, known.operations);
            let verified = entry.verify(TENANT, &known.customer_token, &self.pepper).unwrap();
            assert!(verified.is_some());
            for class in DataClass::ALL {
                let wrap_key = customer_token_entry::wrap_key(TENANT, &known.customer_token);
                let opened = self.keyring.open_slots(entry, &wrap_key.unwrap(), &[class]);
                let is_of_it = known.classes.contains(&class);
                assert_eq!(opened.is_ok(), is_of_it && !known.is_revoked, "{class}");
                assert_eq!(entry.classes().any(|listed| listed == class), is_of_it, "{class}");
            }
        }
    }
}

#[test]
fn no_customer_token_exceeds_the_one_it_comes_from() {
    let mut pair = Pair::new();
    for step in 0..cases(300, 10_000) {
        pair.step();
        if step % 30 == 0 {
            pair.compare();
        }
    }
    assert!(pair.known.len() > 20, "{}", pair.known.len());
    pair.compare();
}

#[test]
fn a_keyring_with_customer_tokens_of_all_kinds_is_read_back() {
    let mut pair = Pair::new();
    for _ in 0..40 {
        pair.step();
    }
    let body = pair.keyring.to_body();
    let read = TenantKeyring::from_body(TENANT, &body).unwrap();
    assert_eq!(read.views(START_MS), pair.keyring.views(START_MS));
    pair.keyring = read;
    pair.compare();
}

fn order(kind: CustomerTokenKind) -> NewCustomerToken {
    NewCustomerToken { kind, ..NewCustomerToken::recovery() }
}

#[test]
fn a_tenant_has_64_customer_tokens_and_ended_ones_make_room() {
    let mut pair = Pair::new();
    let order = NewCustomerToken {
        expires_ms: Some(START_MS + DAY_MS),
        ..order(CustomerTokenKind::WriteOnly)
    };
    let issue = |pair: &mut Pair| {
        pair.with_issuer(0, |keyring, issuer, desk| keyring.issue(issuer, &order, desk))
    };
    for _ in 1..CUSTOMER_TOKENS_MAX {
        issue(&mut pair).unwrap();
    }
    let refused = issue(&mut pair).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::TooLarge);
    let second = pair.keyring.customer_tokens[1].bounds.id;
    let first = pair.known[0].customer_token.id();
    pair.keyring.revoke(first, second, false, START_MS).unwrap();
    assert!(issue(&mut pair).is_ok());
    assert!(pair.keyring.entry(second).is_err(), "the ended one gave its place");
    pair.now_ms += DAY_MS + LISTED_MS;
    let order = self::order(CustomerTokenKind::Admin);
    pair.with_issuer(0, |keyring, issuer, desk| keyring.issue(issuer, &order, desk)).unwrap();
    assert_eq!(pair.keyring.customer_tokens.len(), 2, "those that ended long ago are dropped");
}

#[test]
fn where_all_places_are_taken_one_is_replaced_and_a_lost_one_recovered() {
    let mut pair = Pair::new();
    let mut made = |by: &CustomerToken, order: Option<&NewCustomerToken>| {
        let wrap_key = customer_token_entry::wrap_key(TENANT, by).unwrap();
        let issuer = Issuer { id: by.id(), wrap_key: &wrap_key };
        let desk = TokenDesk { pepper: &pair.pepper, entropy: &pair.entropy, now_ms: START_MS };
        let made = match order {
            Some(order) => pair.keyring.issue(issuer, order, desk),
            None => pair.keyring.rotate(issuer, by.id(), DAY_MS, desk),
        };
        made.map(|(customer_token, _)| customer_token)
    };
    let first = &pair.known[0].customer_token;
    let [recovery, admin] = [CustomerTokenKind::Recovery, CustomerTokenKind::Admin].map(order);
    let recovery = made(first, Some(&recovery)).unwrap();
    while made(first, Some(&admin)).is_ok() {}
    for _ in 0..CUSTOMER_TOKENS_RESERVED {
        made(first, None).unwrap();
    }
    assert_eq!(made(first, None).unwrap_err().code(), ErrorCode::TooLarge);
    for _ in 0..CUSTOMER_TOKENS_RESERVED {
        made(&recovery, Some(&admin)).unwrap();
    }
    assert_eq!(made(&recovery, Some(&admin)).unwrap_err().code(), ErrorCode::TooLarge);
}

#[test]
fn the_last_reader_of_a_class_is_revoked_only_when_that_is_confirmed() {
    let mut pair = Pair::new();
    let first = pair.known[0].customer_token.id();
    let mut issue = |order: &NewCustomerToken| {
        let made = pair.with_issuer(0, |keyring, issuer, desk| keyring.issue(issuer, order, desk));
        made.unwrap().1.id
    };
    let recovery = issue(&order(CustomerTokenKind::Recovery));
    let contact = Some(vec![DataClass::Contact]);
    issue(&NewCustomerToken { classes: contact, ..order(CustomerTokenKind::Grant) });
    let short = Some(START_MS + DAY_MS);
    let short = issue(&NewCustomerToken { expires_ms: short, ..order(CustomerTokenKind::Admin) });
    let keyring = &mut pair.keyring;
    let needed = keyring.classes_only_read_with(first, START_MS).unwrap();
    assert_eq!(needed.len(), DataClass::ALL.len() - 1, "contact is read by another as long");
    assert!(!needed.contains(&DataClass::Contact));
    let refused = keyring.revoke(first, first, false, START_MS).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Conflict);
    assert!(keyring.entry(first).unwrap().works_at(START_MS));
    assert!(keyring.classes_only_read_with(recovery, START_MS).unwrap().is_empty());
    let last = keyring.revoke(first, recovery, false, START_MS).unwrap_err();
    assert_eq!(last.code(), ErrorCode::Conflict, "nobody could recover");
    keyring.revoke(first, first, true, START_MS).unwrap();
    assert!(!keyring.entry(first).unwrap().works_at(START_MS));
    // Now `recovery` is what outlives `short`.
    assert!(!keyring.classes_only_read_with(recovery, START_MS).unwrap().is_empty());
    assert!(!keyring.classes_only_read_with(short, START_MS).unwrap().is_empty());
}

#[test]
fn a_clock_set_back_brings_no_revoked_one_back() {
    let mut pair = Pair::new();
    let id = pair.known[0].customer_token.id();
    pair.with_issuer(0, |keyring, issuer, desk| keyring.rotate(issuer, id, 0, desk)).unwrap();
    assert!(!pair.keyring.entry(id).unwrap().works_at(START_MS - DAY_MS));
}
