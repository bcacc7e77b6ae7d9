//! Customer tokens in a vault: what one issues, who may manage them, when they end, and how a
//! customer who lost one comes back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "operations/house.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod house;

use house::{House, clear, customers, id, sealed};
use tresor_proto::{
    CustomerToken, CustomerTokenKind, CustomerTokenName, DataClass, ErrorCode, InfoType,
    OperationSet, RefusalReason, Reveal, TenantRef, TokenOperation,
    limits::CUSTOMER_TOKENS_RESERVED,
};
use tresor_vault::{
    CustomerTokenState, Delete, Destination, IssueTokens, IssuedCustomerToken, ListTokens,
    ManageTokens, NewCustomerToken, NewRecord, Read, Shown, VaultError, Write, store::StoreEngine,
};

const HOUR_MS: u64 = 60 * 60 * 1_000;

fn order(kind: CustomerTokenKind) -> NewCustomerToken {
    NewCustomerToken {
        kind,
        name: CustomerTokenName::parse("of a test").unwrap(),
        classes: None,
        operations: None,
        expires_ms: None,
        bound_certificate: None,
    }
}

async fn house() -> House {
    let house = House::build(StoreEngine::Redb).await;
    let fields = vec![
        sealed("name", InfoType::PersonName, "Anna"),
        clear("status", "geplant"),
        sealed("mail", InfoType::EmailAddress, "anna@example.org"),
    ];
    house.put(Some("r1"), fields).await.unwrap();
    house
}

async fn issue(
    house: &House,
    by: &CustomerToken,
    order: NewCustomerToken,
) -> Result<IssuedCustomerToken, VaultError> {
    let permit = house.try_permit::<IssueTokens>(by).await?;
    house.vault().issue_customer_token(&permit, order).await
}

/// What a customer token sees of the record's sealed fields.
async fn read(house: &House, customer_token: &CustomerToken) -> Result<[bool; 2], VaultError> {
    let permit = house.try_permit::<Read>(customer_token).await?;
    let view = House::view(Reveal::Masked);
    let record = house.vault().get(&permit, &view, &[id("r1")]).await?.remove(0)?;
    Ok([0, 2].map(|at: usize| matches!(record.fields[at].shown, Shown::Masked(_))))
}

async fn revoke(house: &House, id: tresor_proto::CustomerTokenId) -> Result<(), VaultError> {
    let permit = house.permit::<ManageTokens>().await;
    house.vault().revoke_customer_token(&permit, id, "").await.map(|_| ())
}

#[tokio::test]
async fn a_customer_token_opens_its_classes_and_nothing_else_after_a_restart_too() {
    let mut house = house().await;
    let contact = Some(vec![DataClass::Contact]);
    let reader = NewCustomerToken { classes: contact, ..order(CustomerTokenKind::Grant) };
    let issued = issue(&house, &house.customer_token, reader).await.unwrap();
    assert_eq!(issued.view.classes, [DataClass::Contact]);
    assert_eq!(read(&house, &issued.customer_token).await, Ok([false, true]));
    house.reopen().await;
    assert_eq!(read(&house, &issued.customer_token).await, Ok([false, true]));
    assert_eq!(read(&house, &house.customer_token).await, Ok([true, true]));
    let plain = House::view(Reveal::Plain);
    let permit = house.try_permit::<Read>(&issued.customer_token).await.unwrap();
    let refused = house.vault().get(&permit, &plain, &[id("r1")]).await.unwrap_err();
    assert_eq!(
        refused,
        VaultError::Denied(RefusalReason::CustomerTokenLacksOperation),
        "masks only"
    );
}

#[tokio::test]
async fn who_only_writes_reads_and_deletes_and_manages_nothing() {
    let house = house().await;
    let writer = order(CustomerTokenKind::WriteOnly);
    let writer = issue(&house, &house.customer_token, writer).await.unwrap().customer_token;
    let permit = house.try_permit::<Write>(&writer).await.unwrap();
    let destination =
        Destination { collection: customers(), policy_version: Some(1), has_masks: false };
    let record = NewRecord::new(Some(id("r2")), vec![sealed("name", InfoType::PersonName, "Eva")]);
    let stored = house.vault().put(&permit, &destination, vec![record]).await.unwrap();
    assert!(stored[0].is_ok());
    assert_eq!(
        read(&house, &writer).await,
        Err(VaultError::Denied(RefusalReason::CustomerTokenLacksOperation))
    );
    let forbidden = Some(VaultError::Denied(RefusalReason::CustomerTokenLacksOperation));
    assert_eq!(house.try_permit::<Delete>(&writer).await.err(), forbidden);
    assert_eq!(house.try_permit::<IssueTokens>(&writer).await.err(), forbidden);
    assert_eq!(house.try_permit::<ManageTokens>(&writer).await.err(), forbidden);
}

#[tokio::test]
async fn nobody_grants_more_than_one_has() {
    let house = house().await;
    let operations = [TokenOperation::ReadMasked, TokenOperation::ManageTokens];
    let expires_ms = house.clock.now() + HOUR_MS;
    let admin = NewCustomerToken {
        classes: Some(vec![DataClass::Contact]),
        operations: Some(operations.into_iter().collect()),
        expires_ms: Some(expires_ms),
        ..order(CustomerTokenKind::Admin)
    };
    let admin = issue(&house, &house.customer_token, admin).await.unwrap().customer_token;
    let grant = || order(CustomerTokenKind::Grant);
    let plain = Some([TokenOperation::ReadPlain].into_iter().collect::<OperationSet>());
    let identity = Some(vec![DataClass::Contact, DataClass::Identity]);
    let refused = [
        (NewCustomerToken { operations: plain, ..grant() }, ErrorCode::Forbidden),
        (NewCustomerToken { classes: identity, ..grant() }, ErrorCode::WrongKey),
        (order(CustomerTokenKind::WriteOnly), ErrorCode::InvalidRequest),
        (order(CustomerTokenKind::Recovery), ErrorCode::InvalidRequest),
        (
            NewCustomerToken { expires_ms: Some(expires_ms + 1), ..grant() },
            ErrorCode::InvalidRequest,
        ),
    ];
    for (order, code) in refused {
        let what = format!("{order:?}");
        assert_eq!(issue(&house, &admin, order).await.unwrap_err().code(), code, "{what}");
    }
    let granted = issue(&house, &admin, grant()).await.unwrap();
    assert_eq!(granted.view.expires_ms, Some(expires_ms), "not longer than its issuer");
    let permit = house.try_permit::<ManageTokens>(&admin).await.unwrap();
    let rotated =
        house.vault().rotate_customer_token(&permit, house.customer_token.id(), HOUR_MS).await;
    assert_eq!(rotated.unwrap_err().code(), ErrorCode::Forbidden, "nor takes over what has more");
}

#[tokio::test]
async fn who_opens_one_class_ends_nobody_but_those_of_it() {
    let house = house().await;
    let contact = || Some(vec![DataClass::Contact]);
    let admin = NewCustomerToken { classes: contact(), ..order(CustomerTokenKind::Admin) };
    let admin = issue(&house, &house.customer_token, admin).await.unwrap();
    let grant = NewCustomerToken { classes: contact(), ..order(CustomerTokenKind::Grant) };
    let grant = issue(&house, &house.customer_token, grant).await.unwrap();
    let permit = house.try_permit::<ManageTokens>(&admin.customer_token).await.unwrap();
    let vault = house.vault();
    for more in [house.customer_token.id(), house.recovery_token.id()] {
        let refused = vault.revoke_customer_token(&permit, more, "stadtwerke").await;
        assert_eq!(refused.unwrap_err().code(), ErrorCode::Forbidden);
        let refused = vault.rotate_customer_token(&permit, more, 0).await;
        assert_eq!(refused.unwrap_err().code(), ErrorCode::Forbidden);
    }
    assert_eq!(read(&house, &house.customer_token).await, Ok([true, true]));
    vault.revoke_customer_token(&permit, grant.view.id, "").await.unwrap();
    vault.revoke_customer_token(&permit, admin.view.id, "").await.unwrap();
}

#[tokio::test]
async fn the_last_recovery_token_is_revoked_only_with_the_tenants_name() {
    let house = house().await;
    let last = house.recovery_token.id();
    assert_eq!(revoke(&house, last).await.unwrap_err().code(), ErrorCode::Conflict);
    let second = order(CustomerTokenKind::Recovery);
    issue(&house, &house.customer_token, second).await.unwrap();
    revoke(&house, last).await.unwrap();
}

#[tokio::test]
async fn an_ended_customer_token_is_refused_on_the_next_request_cached_keys_or_not() {
    let house = house().await;
    let short = NewCustomerToken {
        expires_ms: Some(house.clock.now() + HOUR_MS),
        ..order(CustomerTokenKind::ReadWrite)
    };
    let short = issue(&house, &house.customer_token, short).await.unwrap().customer_token;
    let other = order(CustomerTokenKind::ReadWrite);
    let other = issue(&house, &house.customer_token, other).await.unwrap();
    for customer_token in [&short, &other.customer_token] {
        assert_eq!(read(&house, customer_token).await, Ok([true, true]));
    }
    revoke(&house, other.view.id).await.unwrap();
    let refused = Err(VaultError::Denied(RefusalReason::CustomerTokenEnded));
    assert_eq!(read(&house, &other.customer_token).await, refused);
    house.clock.advance(HOUR_MS - 1);
    assert_eq!(read(&house, &short).await, Ok([true, true]));
    house.clock.advance(1);
    assert_eq!(read(&house, &short).await, refused);
    let permit = house.permit::<ListTokens>().await;
    let states: Vec<_> = house.vault().customer_tokens(&permit).iter().map(|t| t.state).collect();
    use CustomerTokenState::{Active, Expired, Revoked};
    assert_eq!(states, [Active, Active, Expired, Revoked]);
}

#[tokio::test]
async fn a_customer_token_bound_to_a_certificate_works_with_no_other() {
    let house = house().await;
    for (digest, expected) in [
        ([7; 32], Ok([true, true])),
        ([8; 32], Err(VaultError::Denied(RefusalReason::CustomerTokenBoundElsewhere))),
    ] {
        let bound = NewCustomerToken {
            bound_certificate: Some(digest),
            ..order(CustomerTokenKind::ReadWrite)
        };
        let bound = issue(&house, &house.customer_token, bound).await.unwrap();
        assert_eq!(read(&house, &bound.customer_token).await, expected);
    }
}

#[tokio::test]
async fn one_that_is_bound_to_a_certificate_makes_none_that_works_elsewhere() {
    let house = house().await;
    let bound = |digest| NewCustomerToken {
        bound_certificate: Some(digest),
        ..order(CustomerTokenKind::Admin)
    };
    let admin = issue(&house, &house.customer_token, bound([7; 32])).await.unwrap();
    let child = issue(&house, &admin.customer_token, order(CustomerTokenKind::Grant)).await;
    assert_eq!(child.unwrap().view.bound_certificate, Some([7; 32]));
    let refused = issue(&house, &admin.customer_token, bound([8; 32])).await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::Forbidden);
    let permit = house.try_permit::<ManageTokens>(&admin.customer_token).await.unwrap();
    let vault = house.vault();
    let refused = vault.rotate_customer_token(&permit, house.customer_token.id(), HOUR_MS).await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::Forbidden);
    let own = vault.rotate_customer_token(&permit, admin.view.id, HOUR_MS).await.unwrap();
    assert_eq!(own.issued.view.bound_certificate, Some([7; 32]));
}

#[tokio::test]
async fn a_rotated_customer_token_works_until_its_overlap_ends() {
    let house = house().await;
    let first = order(CustomerTokenKind::ReadWrite);
    let first = issue(&house, &house.customer_token, first).await.unwrap();
    let permit = house.permit::<ManageTokens>().await;
    let rotated =
        house.vault().rotate_customer_token(&permit, first.view.id, HOUR_MS).await.unwrap();
    assert_eq!(rotated.replaced.state, CustomerTokenState::Replaced);
    let new = &rotated.issued;
    assert_eq!((new.view.replaces, &new.view.name), (Some(first.view.id), &first.view.name));
    for customer_token in [&first.customer_token, &new.customer_token] {
        assert_eq!(read(&house, customer_token).await, Ok([true, true]));
    }
    house.clock.advance(HOUR_MS);
    assert_eq!(
        read(&house, &first.customer_token).await,
        Err(VaultError::Denied(RefusalReason::CustomerTokenEnded))
    );
    assert_eq!(read(&house, &new.customer_token).await, Ok([true, true]));
    let permit = house.permit::<ManageTokens>().await;
    let over = house.vault().rotate_customer_token(&permit, first.view.id, HOUR_MS).await;
    assert_eq!(over.unwrap_err(), VaultError::Gone);
    let newer = house.vault().rotate_customer_token(&permit, new.view.id, 0).await.unwrap();
    assert_eq!(
        read(&house, &new.customer_token).await,
        Err(VaultError::Denied(RefusalReason::CustomerTokenEnded))
    );
    assert_eq!(read(&house, &newer.issued.customer_token).await, Ok([true, true]));
}

#[tokio::test]
async fn a_replaced_customer_token_issues_none_that_outlives_it() {
    let house = house().await;
    let admin = order(CustomerTokenKind::Admin);
    let old = issue(&house, &house.customer_token, admin).await.unwrap();
    let permit = house.permit::<ManageTokens>().await;
    let rotate = async |permit, id| house.vault().rotate_customer_token(permit, id, HOUR_MS).await;
    rotate(&permit, old.view.id).await.unwrap();
    let ends_ms = house.clock.now() + HOUR_MS;
    let grant = || order(CustomerTokenKind::Grant);
    let lasting = NewCustomerToken { expires_ms: Some(0), ..grant() };
    let refused = issue(&house, &old.customer_token, lasting).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidRequest);
    let granted = issue(&house, &old.customer_token, grant()).await.unwrap();
    assert_eq!(granted.view.expires_ms, Some(ends_ms));
    // Nor does it renew another; itself it may, since the answer may have been lost.
    let permit = house.try_permit::<ManageTokens>(&old.customer_token).await.unwrap();
    let other = rotate(&permit, house.customer_token.id()).await.unwrap_err();
    assert!(matches!(other.code(), ErrorCode::InvalidRequest | ErrorCode::Forbidden));
    let again = rotate(&permit, old.view.id).await.unwrap();
    assert_eq!(again.issued.view.expires_ms, None);
}

#[tokio::test]
async fn a_recovery_token_opens_nothing_itself_and_brings_a_lost_customer_back_every_time() {
    let house = house().await;
    let recovery = &house.recovery_token;
    assert_eq!(recovery.kind(), CustomerTokenKind::Recovery);
    let forbidden = Some(VaultError::Denied(RefusalReason::CustomerTokenLacksOperation));
    assert_eq!(house.try_permit::<Read>(recovery).await.err(), forbidden);
    assert_eq!(house.try_permit::<Write>(recovery).await.err(), forbidden);
    assert_eq!(house.try_permit::<Delete>(recovery).await.err(), forbidden);
    assert_eq!(house.try_permit::<ManageTokens>(recovery).await.err(), forbidden);
    for _ in 0..2 {
        let admin = order(CustomerTokenKind::Admin);
        let admin = issue(&house, recovery, admin).await.unwrap().customer_token;
        assert_eq!(read(&house, &admin).await, Ok([true, true]));
        let permit = house.try_permit::<ManageTokens>(&admin).await.unwrap();
        let second = order(CustomerTokenKind::Recovery);
        assert!(issue(&house, &admin, second).await.is_ok(), "who may do everything");
        let lost = house.customer_token.id();
        house.vault().revoke_customer_token(&permit, lost, "").await.unwrap();
        assert_eq!(
            read(&house, &house.customer_token).await,
            Err(VaultError::Denied(RefusalReason::CustomerTokenEnded))
        );
    }
}

#[tokio::test]
async fn the_last_reader_is_revoked_only_with_the_tenants_name() {
    let house = house().await;
    let first = house.customer_token.id();
    assert_eq!(revoke(&house, first).await.unwrap_err().code(), ErrorCode::Conflict);
    let permit = house.permit::<ManageTokens>().await;
    let wrong = house.vault().revoke_customer_token(&permit, first, "stadtwerk").await;
    assert_eq!(wrong.unwrap_err().code(), ErrorCode::Conflict);
    assert_eq!(read(&house, &house.customer_token).await, Ok([true, true]));
    house.vault().revoke_customer_token(&permit, first, "stadtwerke").await.unwrap();
    assert_eq!(
        read(&house, &house.customer_token).await,
        Err(VaultError::Denied(RefusalReason::CustomerTokenEnded))
    );
}

#[tokio::test]
async fn who_was_revoked_meanwhile_changes_nothing() {
    let house = house().await;
    let admin = order(CustomerTokenKind::Admin);
    let admin = issue(&house, &house.customer_token, admin).await.unwrap();
    let issuing = house.try_permit::<IssueTokens>(&admin.customer_token).await.unwrap();
    let managing = house.try_permit::<ManageTokens>(&admin.customer_token).await.unwrap();
    revoke(&house, admin.view.id).await.unwrap();
    let (vault, refused) = (house.vault(), VaultError::Denied(RefusalReason::CustomerTokenEnded));
    let issued = vault.issue_customer_token(&issuing, order(CustomerTokenKind::Admin)).await;
    assert_eq!(issued.unwrap_err(), refused);
    let first = house.customer_token.id();
    let rotated = vault.rotate_customer_token(&managing, first, 0).await;
    assert_eq!(rotated.unwrap_err(), refused);
    let revoked = vault.revoke_customer_token(&managing, first, "stadtwerke").await;
    assert_eq!(revoked.unwrap_err(), refused);
}

#[tokio::test]
async fn services_and_operators_manage_no_customer_tokens() {
    let house = house().await;
    let tenant = TenantRef::Id(house.tenant);
    for (caller, reason) in [
        (House::service(vec![house.tenant]), RefusalReason::NotForServices),
        (House::operator(), RefusalReason::NotForOperators),
    ] {
        let (vault, refused) = (house.vault(), Some(VaultError::Denied(reason)));
        let issuing = vault.permit::<IssueTokens>(&caller, &tenant, &house.customer_token).await;
        assert_eq!(issuing.err(), refused);
        let managing = vault.permit::<ManageTokens>(&caller, &tenant, &house.customer_token).await;
        assert_eq!(managing.err(), refused);
    }
}

#[tokio::test]
async fn a_keyring_with_as_many_as_allowed_is_read_after_a_restart() {
    let mut house = house().await;
    for _ in 2..64 {
        let reader = order(CustomerTokenKind::ReadWrite);
        issue(&house, &house.customer_token, reader).await.unwrap();
    }
    let refused = issue(&house, &house.customer_token, order(CustomerTokenKind::Grant)).await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::TooLarge);
    let permit = house.permit::<ManageTokens>().await;
    for _ in 0..CUSTOMER_TOKENS_RESERVED {
        let own = house.customer_token.id();
        house.vault().rotate_customer_token(&permit, own, HOUR_MS).await.unwrap();
    }
    for _ in 0..CUSTOMER_TOKENS_RESERVED {
        issue(&house, &house.recovery_token, order(CustomerTokenKind::Admin)).await.unwrap();
    }
    house.reopen().await;
    assert_eq!(read(&house, &house.customer_token).await, Ok([true, true]));
}
