//! What is shown of a customer token: everything but its secret, verifier and slots.

use tresor_proto::{
    CustomerTokenId, CustomerTokenKind, CustomerTokenName, DataClass, OperationSet,
};

use crate::customer_token_entry::CustomerTokenEntry;

/// Whether a customer token works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomerTokenState {
    /// It works.
    Active,
    /// It works until its overlap ends.
    Replaced,
    /// It has expired, or its overlap has ended.
    Expired,
    /// It was revoked.
    Revoked,
}

/// What is known of a customer token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerTokenView {
    /// Its id.
    pub id: CustomerTokenId,
    /// What it is for.
    pub kind: CustomerTokenKind,
    /// What its customer calls it.
    pub name: CustomerTokenName,
    /// The classes it opens.
    pub classes: Vec<DataClass>,
    /// What it may do.
    pub operations: OperationSet,
    /// Whether it works.
    pub state: CustomerTokenState,
    /// When it was made.
    pub created_ms: u64,
    /// When it stops working, if ever.
    pub expires_ms: Option<u64>,
    /// SHA-256 of the certificate it is bound to.
    pub bound_certificate: Option<[u8; 32]>,
    /// When it was revoked.
    pub revoked_ms: Option<u64>,
    /// When its overlap ends.
    pub overlap_ends_ms: Option<u64>,
    /// The one it was issued in place of.
    pub replaces: Option<CustomerTokenId>,
}

impl CustomerTokenView {
    pub(super) fn new(entry: &CustomerTokenEntry, now_ms: u64) -> Self {
        let given = |ms: u64| (ms != 0).then_some(ms);
        Self {
            id: entry.bounds.id,
            kind: entry.bounds.kind,
            name: entry.name.clone(),
            classes: entry.classes().collect(),
            operations: entry.bounds.operations,
            state: state(entry, now_ms),
            created_ms: entry.created_ms,
            expires_ms: given(entry.bounds.expires_ms),
            bound_certificate: entry.bounds.bound_certificate,
            revoked_ms: given(entry.revoked_ms),
            overlap_ends_ms: given(entry.overlap_ends_ms),
            replaces: entry.replaces,
        }
    }
}

fn state(entry: &CustomerTokenEntry, now_ms: u64) -> CustomerTokenState {
    match (entry.revoked_ms, entry.works_at(now_ms), entry.overlap_ends_ms) {
        (0, true, 0) => CustomerTokenState::Active,
        (0, true, _) => CustomerTokenState::Replaced,
        (0, false, _) => CustomerTokenState::Expired,
        (..) => CustomerTokenState::Revoked,
    }
}

/// When it stopped working, if it did.
pub(super) fn ended_ms(entry: &CustomerTokenEntry, now_ms: u64) -> Option<u64> {
    let is_ended = !entry.works_at(now_ms);
    let revoked_ms = Some(entry.revoked_ms).filter(|revoked_ms| *revoked_ms != 0);
    is_ended.then(|| revoked_ms.or(entry.ends_ms()).unwrap_or(now_ms))
}
