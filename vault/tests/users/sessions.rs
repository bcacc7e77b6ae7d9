//! What a session is good for, and when it ends.

use std::sync::Arc;

use tresor_proto::{
    ErrorCode, PasswordRule, RefusalReason as Reason, Session, TenantRef, TenantRole,
};
use tresor_vault::{Caller, Permit, Read, VaultError, Write, store::StoreEngine};
use zeroize::Zeroizing;

use crate::{
    gate::{ADDRESS, CERTIFICATE, Gate, PASSWORD, add_user, caller, login_permit, name, password},
    house::House,
};

const MINUTE_MS: u64 = 60_000;

fn denied<T>(reason: Reason) -> Result<T, VaultError> {
    Err(VaultError::Denied(reason))
}

#[tokio::test]
async fn where_a_password_is_required_nothing_opens_without_a_session() {
    let gate = Gate::build().await;
    let bare = caller(gate.house.tenant, None);
    assert_eq!(gate.permit_as::<Read>(&bare).await.map(drop), denied(Reason::SessionMissing));
    let policy = gate.house.vault().permit_policy(&bare, &gate.tenant()).await;
    assert_eq!(policy.map(drop), denied(Reason::SessionMissing));
    let admitted = gate.admission(&bare).await.unwrap();
    assert_eq!(admitted.password_rule(), PasswordRule::Required);
    assert_eq!(gate.read(&gate.session).await, Ok(()));
    assert_eq!(
        gate.permit::<Write>(Some(&gate.session)).await.unwrap().user(),
        Some(&name("erika"))
    );
}

#[tokio::test]
async fn enrolment_asks_for_an_admin_too() {
    let mut gate = Gate::build().await;
    let (tenant, _) = gate.house.create_tenant_with("neu", PasswordRule::Required).await;
    gate.house.tenant = tenant;
    let refused = gate.enrolment(&caller(tenant, None)).await.map(drop);
    assert_eq!(refused, denied(Reason::SessionMissing));
    let writer = gate.add("max", &[TenantRole::Writer]).await;
    let refused = gate.enrolment(&caller(tenant, Some(&writer))).await.map(drop);
    assert_eq!(refused, denied(Reason::RoleLacking));
    let foreign = gate.enrolment(&caller(tenant, Some(&gate.session))).await.map(drop);
    assert_eq!(foreign, denied(Reason::TenantMismatch));
    let admin = gate.add("anna", &[TenantRole::Admin]).await;
    assert!(gate.enrolment(&caller(tenant, Some(&admin))).await.is_ok());
}

#[tokio::test]
async fn a_session_works_under_its_own_certificate_and_for_its_own_tenant_only() {
    let mut gate = Gate::build().await;
    let mut stolen = caller(gate.house.tenant, Some(&gate.session));
    if let Caller::Client { certificate_digest, .. } = &mut stolen {
        assert_eq!(*certificate_digest, CERTIFICATE);
        certificate_digest[31] ^= 1;
    }
    let refused = gate.permit_as::<Read>(&stolen).await.map(drop);
    assert_eq!(refused, denied(Reason::SessionOfAnotherCertificate));
    let enrolled = gate.house.enrol_another("other").await;
    gate.house.move_to(enrolled).await;
    let refused = gate.read(&gate.session).await;
    assert_eq!(refused, denied(Reason::TenantMismatch), "though it requires none");
}

#[tokio::test]
async fn a_session_lasts_a_quarter_of_an_hour_and_a_call_that_has_begun_longer() {
    let gate = Gate::build().await;
    gate.house.clock.advance(15 * MINUTE_MS - 1);
    assert_eq!(gate.read(&gate.session).await, Ok(()));
    let under_way = gate.permit::<Read>(Some(&gate.session)).await.unwrap().under_way();
    gate.house.clock.advance(1);
    assert_eq!(gate.read(&gate.session).await, denied(Reason::SessionExpired));
    let next = async |gate: &Gate| -> Result<(), VaultError> {
        let caller = caller(gate.house.tenant, Some(&gate.session));
        let (tenant, customer_token) = (gate.tenant(), &gate.house.customer_token);
        let next = gate.house.vault().permit_next(&under_way, &caller, &tenant, customer_token);
        next.await.map(|_: Permit<Read>| ())
    };
    assert_eq!(next(&gate).await, Ok(()), "a call that has begun goes on");
    disable(&gate, "erika").await;
    assert_eq!(next(&gate).await, denied(Reason::UserDisabled), "but not without its user");
}

#[tokio::test]
async fn whoever_shows_a_session_is_told_whether_it_goes_on() {
    let gate = Gate::build().await;
    let shown = caller(gate.house.tenant, Some(&gate.session));
    assert_eq!(gate.admission(&shown).await.map(drop), Ok(()));
    disable(&gate, "erika").await;
    assert_eq!(gate.admission(&shown).await.map(drop), denied(Reason::UserDisabled));
    let bare = caller(gate.house.tenant, None);
    assert_eq!(gate.admission(&bare).await.map(drop), Ok(()));
}

#[tokio::test]
async fn a_session_and_a_password_survive_a_restart() {
    let mut gate = Gate::build_on(StoreEngine::Sled).await;
    gate.house.reopen().await;
    assert_eq!(gate.read(&gate.session).await, Ok(()));
    assert!(gate.login("erika", PASSWORD, ADDRESS).await.unwrap().session.is_some());
}

async fn disable(gate: &Gate, user: &str) {
    let permit = gate.house.operator_permit();
    gate.house.vault().disable_user(&permit, &gate.tenant(), &name(user)).await.unwrap();
}

#[tokio::test]
async fn whatever_changes_a_user_ends_its_sessions_at_once_and_no_others() {
    let gate = Gate::build().await;
    let (vault, operator, tenant) =
        (gate.house.vault(), gate.house.operator_permit(), gate.tenant());
    let user = name("max");
    let mut session = gate.add("max", &[TenantRole::Reader]).await;
    let roles = tresor_proto::TenantRoles::of(&[TenantRole::Reader]);
    vault.set_user_roles(&operator, &tenant, &user, roles).await.unwrap();
    assert_eq!(gate.read(&session).await, denied(Reason::SessionSuperseded));

    session = again(&gate, PASSWORD).await;
    vault.disable_user(&operator, &tenant, &user).await.unwrap();
    assert_eq!(gate.read(&session).await, denied(Reason::UserDisabled));
    vault.enable_user(&operator, &tenant, &user).await.unwrap();
    assert_eq!(gate.read(&session).await, denied(Reason::SessionSuperseded));

    session = again(&gate, PASSWORD).await;
    let permit = login_permit(&gate.house, ADDRESS).await;
    let new = password("another one entirely");
    vault.change_password(&permit, &user, password(PASSWORD), new).await.unwrap();
    assert_eq!(gate.read(&session).await, denied(Reason::SessionSuperseded));

    session = again(&gate, "another one entirely").await;
    vault.reset_user_password(&operator, &tenant, &user).await.unwrap();
    assert_eq!(gate.read(&session).await, denied(Reason::SessionSuperseded));
    assert_eq!(gate.read(&gate.session).await, Ok(()));
}

/// A session of `max`.
async fn again(gate: &Gate, text: &str) -> Arc<Session> {
    let logged_in = gate.login("max", text, ADDRESS).await.unwrap();
    let session = Arc::new(logged_in.session.unwrap().0);
    assert_eq!(gate.read(&session).await, Ok(()));
    session
}

#[tokio::test]
async fn a_user_who_is_removed_and_added_again_gets_no_old_session_back() {
    let gate = Gate::build().await;
    let (vault, operator, tenant) =
        (gate.house.vault(), gate.house.operator_permit(), gate.tenant());
    let session = gate.add("max", &[TenantRole::Reader]).await;
    vault.remove_user(&operator, &tenant, &name("max")).await.unwrap();
    assert_eq!(gate.read(&session).await, denied(Reason::UserUnknown));
    gate.house.clock.advance(2);
    let new = gate.add("max", &[TenantRole::Reader]).await;
    assert_eq!(gate.read(&session).await, denied(Reason::SessionSuperseded));
    assert_eq!(gate.read(&new).await, Ok(()));
}

#[tokio::test]
async fn a_session_that_nobody_asked_for_is_checked_all_the_same() {
    let mut gate = Gate::build().await;
    let enrolled = gate.house.enrol_another("offen").await;
    gate.house.move_to(enrolled).await;
    assert!(gate.permit::<Write>(None).await.is_ok());
    let reader = add_user(&gate.house, "max", &[TenantRole::Reader]).await;
    assert_eq!(gate.read(&reader).await, Ok(()));
    let refused = gate.permit::<Write>(Some(&reader)).await.map(drop);
    assert_eq!(refused, denied(Reason::RoleLacking));
    gate.house.clock.advance(15 * MINUTE_MS);
    assert_eq!(gate.read(&reader).await, denied(Reason::SessionExpired));
}

#[tokio::test]
async fn every_altered_session_is_refused() {
    let gate = Gate::build().await;
    let text = gate.session.expose_text().to_owned();
    for at in 0..text.len() {
        let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
        let altered = [&text[..at], other, &text[at + 1..]].concat();
        let altered = Arc::new(Session::parse(Zeroizing::new(altered)).unwrap());
        assert_eq!(gate.read(&altered).await, denied(Reason::SessionInvalid), "at {at}");
    }
    assert_eq!(gate.read(&gate.session).await, Ok(()));
}

#[tokio::test]
async fn a_one_time_password_is_good_for_another_password_only_and_for_three_days() {
    let gate = Gate::build().await;
    let (vault, operator, tenant) =
        (gate.house.vault(), gate.house.operator_permit(), gate.tenant());
    let roles = tresor_proto::TenantRoles::of(&[TenantRole::Reader]);
    let given = vault.add_user(&operator, &tenant, &name("max"), roles).await.unwrap();
    let one_time = given.one_time_password.expose_secret();
    let logged_in = gate.login("max", one_time, ADDRESS).await.unwrap();
    assert!(logged_in.session.is_none());
    let permit = login_permit(&gate.house, ADDRESS).await;
    for new in [one_time, "a-name-of-twelve"] {
        let (user, old) = (name("max"), password(one_time));
        let changed = vault.change_password(&permit, &user, old, password(new));
        let outcome = changed.await.map(drop).map_err(|error| error.code());
        let expected = if new == one_time { Err(ErrorCode::InvalidRequest) } else { Ok(()) };
        assert_eq!(outcome, expected);
    }
    let given = vault.reset_user_password(&operator, &tenant, &name("max")).await.unwrap();
    let one_time = given.one_time_password.expose_secret();
    assert_eq!(given.expires_ms, gate.house.clock.now() + 72 * 60 * MINUTE_MS);
    gate.house.clock.advance(72 * 60 * MINUTE_MS);
    let refused = gate.login("max", one_time, ADDRESS).await.map(drop);
    assert_eq!(refused, denied(Reason::PasswordExpired));
}

#[tokio::test]
async fn a_password_is_neither_the_users_nor_the_tenants_name() {
    let mut gate = Gate::build().await;
    let long = "stadtwerke-am-fluss";
    let (tenant, _) = gate.house.create_tenant_with(long, PasswordRule::Required).await;
    gate.house.tenant = tenant;
    gate.add("erika.mustermann", &[TenantRole::Admin]).await;
    let permit = login_permit(&gate.house, ADDRESS).await;
    for new in [long, "Erika.Mustermann"] {
        let user = name("erika.mustermann");
        let (old, new) = (password(PASSWORD), password(new));
        let changed = gate.house.vault().change_password(&permit, &user, old, new).await;
        assert_eq!(changed.map(drop).unwrap_err().code(), ErrorCode::InvalidRequest);
    }
}

#[tokio::test]
async fn services_and_operators_have_no_password_to_try() {
    let gate = Gate::build().await;
    let tenant = TenantRef::Id(gate.house.tenant);
    for caller in [House::operator(), House::service(vec![gate.house.tenant])] {
        let refused = gate.house.vault().permit_login(&caller, &tenant).await.map(drop);
        assert_eq!(refused, denied(Reason::NotForServices));
    }
    let service = House::service(vec![gate.house.tenant]);
    assert!(gate.permit_as::<Read>(&service).await.is_ok(), "a service is no user");
}
