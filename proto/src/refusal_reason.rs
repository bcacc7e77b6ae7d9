use core::error::Error as _;

use tonic::Status;

use crate::ErrorCode::{self, Forbidden, Overloaded, RateLimited, Unauthenticated};

/// Why somebody was not let in: for the operator's log and counts, never for the caller, to whom
/// all reasons of one code look the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
#[error("{}", self.as_str())]
#[allow(missing_docs, reason = "each variant is said by its text in the table")]
pub enum RefusalReason {
    ServiceUnknown,
    ServiceOnWrongListener,
    NotAClient,
    MethodNotGranted,
    EvidenceMissing,
    EvidenceInvalid,
    EvidenceUnexpected,
    TenantUnknown,
    TenantMismatch,
    TenantNotGranted,
    TenantNotEnrolled,
    TenantSuspended,
    AddressNotAllowed,
    ForwardedHeaderInvalid,
    AddressRate,
    TenantRate,
    TenantConcurrency,
    UserRate,
    CustomerTokenRate,
    RevealBudget,
    SearchBudget,
    PasswordMissing,
    PasswordMalformed,
    PasswordWrong,
    PasswordExpired,
    PasswordChangeDue,
    UserUnknown,
    UserDisabled,
    LoginDelayed,
    LoginsWaiting,
    SessionMissing,
    SessionInvalid,
    SessionExpired,
    SessionOfAnotherCertificate,
    SessionSuperseded,
    RoleLacking,
    CustomerTokenMissing,
    CustomerTokenMalformed,
    CustomerTokenUnknown,
    CustomerTokenWrong,
    CustomerTokenEnded,
    CustomerTokenBoundElsewhere,
    CustomerTokenLacksOperation,
    EnrolmentCodeWrong,
    EnrolmentCodeExpired,
    NotForServices,
    NotForOperators,
    NotForClients,
}

/// One row of the table: the reason, its text, what the caller is told.
type Row = (RefusalReason, &'static str, ErrorCode);

/// In the order of the variants, which [`RefusalReason::row`] relies on and a test holds.
static TABLE: [Row; 48] = [
    (RefusalReason::ServiceUnknown, "service_unknown", Unauthenticated),
    (RefusalReason::ServiceOnWrongListener, "service_on_wrong_listener", Forbidden),
    (RefusalReason::NotAClient, "not_a_client", Forbidden),
    (RefusalReason::MethodNotGranted, "method_not_granted", Forbidden),
    (RefusalReason::EvidenceMissing, "evidence_missing", Unauthenticated),
    (RefusalReason::EvidenceInvalid, "evidence_invalid", Unauthenticated),
    (RefusalReason::EvidenceUnexpected, "evidence_unexpected", Forbidden),
    (RefusalReason::TenantUnknown, "tenant_unknown", Unauthenticated),
    (RefusalReason::TenantMismatch, "tenant_mismatch", Unauthenticated),
    (RefusalReason::TenantNotGranted, "tenant_not_granted", Unauthenticated),
    (RefusalReason::TenantNotEnrolled, "tenant_not_enrolled", Unauthenticated),
    (RefusalReason::TenantSuspended, "tenant_suspended", Unauthenticated),
    (RefusalReason::AddressNotAllowed, "address_not_allowed", Unauthenticated),
    (RefusalReason::ForwardedHeaderInvalid, "forwarded_header_invalid", Unauthenticated),
    (RefusalReason::AddressRate, "address_rate", RateLimited),
    (RefusalReason::TenantRate, "tenant_rate", RateLimited),
    (RefusalReason::TenantConcurrency, "tenant_concurrency", Overloaded),
    (RefusalReason::UserRate, "user_rate", RateLimited),
    (RefusalReason::CustomerTokenRate, "customer_token_rate", RateLimited),
    (RefusalReason::RevealBudget, "reveal_budget", RateLimited),
    (RefusalReason::SearchBudget, "search_budget", RateLimited),
    (RefusalReason::PasswordMissing, "password_missing", Unauthenticated),
    (RefusalReason::PasswordMalformed, "password_malformed", Unauthenticated),
    (RefusalReason::PasswordWrong, "password_wrong", Unauthenticated),
    (RefusalReason::PasswordExpired, "password_expired", Unauthenticated),
    (RefusalReason::PasswordChangeDue, "password_change_due", Forbidden),
    (RefusalReason::UserUnknown, "user_unknown", Unauthenticated),
    (RefusalReason::UserDisabled, "user_disabled", Unauthenticated),
    (RefusalReason::LoginDelayed, "login_delayed", RateLimited),
    (RefusalReason::LoginsWaiting, "logins_waiting", Overloaded),
    (RefusalReason::SessionMissing, "session_missing", Unauthenticated),
    (RefusalReason::SessionInvalid, "session_invalid", Unauthenticated),
    (RefusalReason::SessionExpired, "session_expired", Unauthenticated),
    (RefusalReason::SessionOfAnotherCertificate, "session_of_another_certificate", Unauthenticated),
    (RefusalReason::SessionSuperseded, "session_superseded", Unauthenticated),
    (RefusalReason::RoleLacking, "role_lacking", Forbidden),
    (RefusalReason::CustomerTokenMissing, "customer_token_missing", Unauthenticated),
    (RefusalReason::CustomerTokenMalformed, "customer_token_malformed", Unauthenticated),
    (RefusalReason::CustomerTokenUnknown, "customer_token_unknown", Unauthenticated),
    (RefusalReason::CustomerTokenWrong, "customer_token_wrong", Unauthenticated),
    (RefusalReason::CustomerTokenEnded, "customer_token_ended", Unauthenticated),
    (RefusalReason::CustomerTokenBoundElsewhere, "customer_token_bound_elsewhere", Unauthenticated),
    (RefusalReason::CustomerTokenLacksOperation, "customer_token_lacks_operation", Forbidden),
    (RefusalReason::EnrolmentCodeWrong, "enrolment_code_wrong", Unauthenticated),
    (RefusalReason::EnrolmentCodeExpired, "enrolment_code_expired", Unauthenticated),
    (RefusalReason::NotForServices, "not_for_services", Forbidden),
    (RefusalReason::NotForOperators, "not_for_operators", Forbidden),
    (RefusalReason::NotForClients, "not_for_clients", Forbidden),
];

impl RefusalReason {
    /// All reasons, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(reason, ..)| *reason)
    }

    /// Its stable text, `snake_case`: in logs and as a label of counts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// What the caller is told.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        self.row().2
    }

    /// The reason of a status that was made in this process.
    #[must_use]
    pub fn of(status: &Status) -> Option<Self> {
        status.source()?.downcast_ref().copied()
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_variants_and_no_text_is_there_twice() {
        for (at, reason) in RefusalReason::all().enumerate() {
            assert_eq!(reason as usize, at);
        }
        let texts = RefusalReason::all().map(RefusalReason::as_str).collect::<HashSet<_>>();
        assert_eq!(texts.len(), TABLE.len());
    }
}
