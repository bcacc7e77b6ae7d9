//! What each role may do, verb by verb.

use std::sync::Arc;

use tresor_proto::{RefusalReason, Session, TenantRole};
use tresor_vault::{
    Delete, IssueTokens, Lend, ListTokens, ManageTokens, Read, TokenVerb, VaultError, Write,
};

use crate::gate::{Gate, caller};

/// Whether a user is let through.
async fn may<V: TokenVerb>(gate: &Gate, session: &Arc<Session>) -> bool {
    let outcome = gate.permit::<V>(Some(session)).await.map(drop);
    let refused = Err(VaultError::Denied(RefusalReason::RoleLacking));
    assert!(outcome == Ok(()) || outcome == refused, "{outcome:?}");
    outcome.is_ok()
}

/// Write, delete, read, lend, issue, manage, list, policy.
async fn rights(gate: &Gate, session: &Arc<Session>) -> [bool; 8] {
    let caller = caller(gate.house.tenant, Some(session));
    [
        may::<Write>(gate, session).await,
        may::<Delete>(gate, session).await,
        may::<Read>(gate, session).await,
        may::<Lend>(gate, session).await,
        may::<IssueTokens>(gate, session).await,
        may::<ManageTokens>(gate, session).await,
        may::<ListTokens>(gate, session).await,
        gate.house.vault().permit_policy(&caller, &gate.tenant()).await.is_ok(),
    ]
}

#[tokio::test]
async fn each_role_may_do_what_it_is_for_and_nothing_else() {
    let gate = Gate::build().await;
    let table = [
        (TenantRole::Admin, [true; 8]),
        (TenantRole::Writer, [true, true, false, false, false, false, false, true]),
        (TenantRole::Reader, [false, false, true, false, false, false, false, true]),
        (TenantRole::Auditor, [false, false, false, false, false, false, true, true]),
    ];
    for (role, expected) in table {
        let session = gate.add(role.as_str(), &[role]).await;
        assert_eq!(rights(&gate, &session).await, expected, "{role:?}");
    }
    let both = gate.add("both", &[TenantRole::Writer, TenantRole::Reader]).await;
    let expected = [true, true, true, false, false, false, false, true];
    assert_eq!(rights(&gate, &both).await, expected);
}
