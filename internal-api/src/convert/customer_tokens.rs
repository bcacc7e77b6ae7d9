//! Customer tokens ↔ wire: what is asked for, and what is shown of one.

use tresor_proto::{
    CustomerToken, CustomerTokenId, CustomerTokenKind, CustomerTokenName, DataClass, ErrorCode,
    Failure, OperationSet, TokenOperation,
    limits::{OVERLAP_DEFAULT_MS, OVERLAP_MAX_MS},
    vault,
};
use tresor_vault::{CustomerTokenState, CustomerTokenView, NewCustomerToken};

use super::time;

/// What a request asks for.
pub(crate) fn order(wire: &vault::IssueRequest) -> Result<NewCustomerToken, Failure> {
    let kind = CustomerTokenKind::from_wire(wire.kind());
    let expires_ms = wire.expires.as_ref().map(time::from_timestamp).transpose()?;
    if expires_ms == Some(0) {
        return Err(Failure::invalid("expires", "is over"));
    }
    Ok(NewCustomerToken {
        kind: kind.ok_or_else(|| Failure::invalid("kind", "not a known kind"))?,
        name: CustomerTokenName::parse(&wire.name)?,
        classes: classes(&wire.classes)?,
        operations: operations(&wire.operations)?,
        expires_ms,
        bound_certificate: digest(&wire.bound_certificate)?,
    })
}

/// The id of a customer token; one that is none is not there.
pub(crate) fn id(text: &str) -> Result<CustomerTokenId, Failure> {
    CustomerTokenId::parse(text).ok_or_else(|| ErrorCode::NotFound.into())
}

/// How long a replaced one goes on, in milliseconds.
pub(crate) fn overlap_ms(wire: Option<prost_types::Duration>) -> Result<u64, Failure> {
    let Some(wire) = wire else {
        return Ok(OVERLAP_DEFAULT_MS);
    };
    let overlap_ms = u64::try_from(wire.seconds).ok().and_then(|s| s.checked_mul(1_000));
    let overlap_ms = overlap_ms.filter(|ms| *ms <= OVERLAP_MAX_MS && wire.nanos == 0);
    overlap_ms.ok_or_else(|| Failure::invalid("overlap", "whole seconds, 90 days at most"))
}

/// What is shown of one.
pub(crate) fn view(view: CustomerTokenView) -> vault::CustomerToken {
    let classes = view.classes.into_iter().map(|class| vault::DataClass::from(class) as i32);
    let operations = view.operations.iter();
    let operations = operations.map(|operation| vault::TokenOperation::from(operation) as i32);
    let rotated = view.replaces.map(|_| time::to_timestamp(view.created_ms));
    vault::CustomerToken {
        id: view.id.to_string(),
        kind: vault::CustomerTokenKind::from(view.kind) as i32,
        name: view.name.as_str().to_owned(),
        classes: classes.collect(),
        operations: operations.collect(),
        state: state(view.state) as i32,
        created: Some(time::to_timestamp(view.created_ms)),
        expires: view.expires_ms.map(time::to_timestamp),
        bound_certificate: view.bound_certificate.map_or_else(Vec::new, Vec::from),
        revoked: view.revoked_ms.map(time::to_timestamp),
        overlap_ends: view.overlap_ends_ms.map(time::to_timestamp),
        replaces: view.replaces.map_or_else(String::new, |id| id.to_string()),
        rotated,
    }
}

/// The one moment a customer token is shown; it travels in its answer only.
pub(crate) fn shown(customer_token: &CustomerToken) -> String {
    customer_token.expose_text().as_str().to_owned()
}

fn classes(wire: &[i32]) -> Result<Option<Vec<DataClass>>, Failure> {
    let unknown = || Failure::invalid("classes", "an unknown class");
    let class = |number: &i32| DataClass::from_wire(*number).ok().flatten().ok_or_else(unknown);
    let classes: Vec<_> = wire.iter().map(class).collect::<Result<_, _>>()?;
    Ok((!classes.is_empty()).then_some(classes))
}

fn operations(wire: &[i32]) -> Result<Option<OperationSet>, Failure> {
    let unknown = || Failure::invalid("operations", "an unknown operation");
    let operation = |number: &i32| TokenOperation::from_wire(*number).ok_or_else(unknown);
    let operations = wire.iter().map(operation).collect::<Result<OperationSet, _>>()?;
    Ok((!wire.is_empty()).then_some(operations))
}

fn digest(wire: &[u8]) -> Result<Option<[u8; 32]>, Failure> {
    match wire {
        [] => Ok(None),
        digest => digest.try_into().map(Some).map_err(|_| {
            Failure::invalid("bound_certificate", "not the SHA-256 digest of a certificate")
        }),
    }
}

fn state(state: CustomerTokenState) -> vault::CustomerTokenState {
    match state {
        CustomerTokenState::Active => vault::CustomerTokenState::Active,
        CustomerTokenState::Replaced => vault::CustomerTokenState::Replaced,
        CustomerTokenState::Expired => vault::CustomerTokenState::Expired,
        CustomerTokenState::Revoked => vault::CustomerTokenState::Revoked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_malformed_is_named() {
        let good = || vault::IssueRequest { kind: 1, ..Default::default() };
        let field = |request: vault::IssueRequest| {
            order(&request).unwrap_err().violations()[0].field.clone()
        };
        assert!(order(&good()).is_ok());
        assert_eq!(field(vault::IssueRequest { kind: 0, ..good() }), "kind");
        assert_eq!(field(vault::IssueRequest { kind: 9, ..good() }), "kind");
        assert_eq!(field(vault::IssueRequest { classes: vec![0], ..good() }), "classes");
        assert_eq!(field(vault::IssueRequest { operations: vec![12], ..good() }), "operations");
        assert_eq!(field(vault::IssueRequest { name: "a".repeat(65), ..good() }), "name");
        let bound_certificate = vec![1; 31];
        let short = vault::IssueRequest { bound_certificate, ..good() };
        assert_eq!(field(short), "bound_certificate");
    }

    #[test]
    fn an_overlap_is_a_week_unless_given() {
        let of = |seconds, nanos| overlap_ms(Some(prost_types::Duration { seconds, nanos })).ok();
        assert_eq!(overlap_ms(None).ok(), Some(OVERLAP_DEFAULT_MS));
        assert_eq!((of(0, 0), of(90, 0)), (Some(0), Some(90_000)));
        for (seconds, nanos) in [(-1, 0), (0, 1), (90 * 24 * 60 * 60 + 1, 0), (i64::MAX, 0)] {
            assert_eq!(of(seconds, nanos), None);
        }
    }
}
