//! What every call on behalf of a tenant carries besides its content.

use std::sync::OnceLock;

use tresor_proto::{CustomerToken, Failure, RefusalReason, RequestId, TenantRef, vault};
use tresor_vault::UnderWay;
use zeroize::Zeroizing;

use crate::evidence::Evidence;

/// A call's context, parsed.
pub(crate) struct Context {
    pub(crate) tenant: TenantRef,
    pub(crate) request_id: Option<RequestId>,
    pub(crate) evidence: Option<Evidence>,
    customer_token: Option<CustomerToken>,
    /// Set once the call's first permit is given.
    pub(crate) under_way: OnceLock<UnderWay>,
}

impl Context {
    /// Parses the context of a request. A malformed customer token is refused like a wrong one.
    pub(crate) fn from_wire(wire: Option<vault::RequestContext>) -> Result<Self, Failure> {
        let wire = wire.ok_or_else(|| Failure::invalid("context", "is missing"))?;
        let text = Zeroizing::new(wire.customer_token);
        let customer_token = match text.as_str() {
            "" => None,
            text => Some(CustomerToken::parse(text).ok_or(RefusalReason::CustomerTokenMalformed)?),
        };
        let request_id = match wire.request_id.as_str() {
            "" => None,
            text => Some(RequestId::parse(text)?),
        };
        Ok(Self {
            tenant: parse_tenant("context.tenant", &wire.tenant)?,
            request_id,
            evidence: wire.evidence.map(Evidence::try_from).transpose()?,
            customer_token,
            under_way: OnceLock::new(),
        })
    }

    /// The customer token; without one, the answer is that of a wrong one.
    pub(crate) fn customer_token(&self) -> Result<&CustomerToken, Failure> {
        let absent = || Failure::from(RefusalReason::CustomerTokenMissing);
        self.customer_token.as_ref().ok_or_else(absent)
    }
}

/// Parses a tenant's id or name.
pub(crate) fn parse_tenant(field: &str, text: &str) -> Result<TenantRef, Failure> {
    let invalid = || Failure::invalid(field, "neither the id nor the name of a tenant");
    TenantRef::parse(text).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use tresor_proto::ErrorCode;

    use super::*;

    fn context(customer_token: &str) -> Result<Context, Failure> {
        Context::from_wire(Some(vault::RequestContext {
            tenant: "acme".to_owned(),
            customer_token: customer_token.to_owned(),
            ..vault::RequestContext::default()
        }))
    }

    #[test]
    fn a_malformed_customer_token_is_answered_like_an_absent_one() {
        let malformed = context("trsr_nonsense").err().unwrap();
        let context = context("").unwrap();
        let absent = context.customer_token().unwrap_err();
        assert_eq!(malformed, absent);
        assert_eq!(malformed.message(), "invalid credential");
    }

    #[test]
    fn a_call_without_context_is_invalid() {
        let failure = Context::from_wire(None).err().unwrap();
        assert_eq!(failure.code(), ErrorCode::InvalidRequest);
    }
}
