//! Whoever guesses learns nothing, waits longer and longer, and locks nobody out.

use std::time::Duration;

use tresor_proto::{ErrorCode, PasswordRule, RefusalReason as Reason, TenantRole, TenantRoles};
use tresor_vault::VaultError;

use crate::gate::{ADDRESS, Gate, PASSWORD, login, login_permit, name, password, told};

const ELSEWHERE: &str = "127.0.0.2";

#[tokio::test]
async fn unknown_wrong_disabled_and_expired_are_one_answer_and_changing_tells_no_more() {
    let gate = Gate::build().await;
    let (vault, operator, tenant) =
        (gate.house.vault(), gate.house.operator_permit(), gate.tenant());
    gate.add("max", &[TenantRole::Reader]).await;
    vault.disable_user(&operator, &tenant, &name("max")).await.unwrap();
    let roles = TenantRoles::of(&[TenantRole::Reader]);
    let given = vault.add_user(&operator, &tenant, &name("late"), roles).await.unwrap();
    gate.house.clock.advance(72 * 3_600_000);
    let one_time = given.one_time_password.expose_secret();
    let cases = [
        ("nobody", PASSWORD, Reason::UserUnknown),
        ("erika", "incorrect horse", Reason::PasswordWrong),
        ("max", PASSWORD, Reason::UserDisabled),
        ("late", one_time, Reason::PasswordExpired),
    ];
    for (user, text, reason) in cases {
        let refused = gate.login(user, text, ADDRESS).await;
        assert_eq!(refused.as_ref().err(), Some(&VaultError::Denied(reason)));
        assert_eq!(told(refused), Reason::PasswordWrong.into(), "to the caller all are one");
        let permit = login_permit(&gate.house, ELSEWHERE).await;
        let new = password("another one entirely");
        let refused = vault.change_password(&permit, &name(user), password(text), new).await;
        assert_eq!(told(refused), Reason::PasswordWrong.into());
    }
}

#[tokio::test]
async fn guessing_is_held_up_where_it_comes_from_and_an_open_session_goes_on() {
    let gate = Gate::build().await;
    for _ in 0..3 {
        assert!(gate.login("erika", "incorrect horse", ADDRESS).await.is_err());
    }
    let held_up = told(gate.login("erika", PASSWORD, ADDRESS).await);
    assert_eq!(held_up.code(), ErrorCode::RateLimited);
    assert_eq!(held_up.retry_after(), Some(Duration::from_secs(1)));
    assert!(gate.login("erika", PASSWORD, ELSEWHERE).await.is_ok(), "not from elsewhere");
    assert_eq!(gate.read(&gate.session).await, Ok(()));
    gate.house.clock.advance(1_000);
    assert!(gate.login("erika", PASSWORD, ADDRESS).await.is_ok());
    assert!(gate.login("erika", "incorrect horse", ADDRESS).await.is_err());
    assert!(gate.login("erika", PASSWORD, ADDRESS).await.is_ok(), "success clears");
}

#[tokio::test]
async fn a_storm_of_logins_at_one_tenant_is_turned_away_and_another_tenant_logs_in() {
    let mut gate = Gate::build().await;
    let stormed = login_permit(&gate.house, ADDRESS).await;
    let (tenant, _) = gate.house.create_tenant_with("ruhig", PasswordRule::Required).await;
    gate.house.tenant = tenant;
    gate.add("anna", &[TenantRole::Admin]).await;
    let vault = gate.house.vault();
    let storm = (0..64).map(|number| {
        let user = name(&format!("u{number}"));
        let stormed = &stormed;
        async move { vault.login(stormed, &user, password(PASSWORD)).await.map(drop) }
    });
    let calm = login(&gate.house, "anna", PASSWORD, ADDRESS);
    let (stormy, calm) = tokio::join!(all(storm), calm);
    assert!(calm.is_ok(), "{calm:?}");
    let count =
        |reason| stormy.iter().filter(|one| **one == Err(VaultError::Denied(reason))).count();
    assert_eq!(count(Reason::UserUnknown), 4, "a tenant has four places");
    let delayed = stormy.iter().filter(|one| matches!(one, Err(VaultError::Refused(_)))).count();
    assert_eq!(count(Reason::LoginsWaiting) + delayed, 60);
    assert_eq!(vault.logins_under_way(), 0);
}

/// Polls all futures together, in order.
async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    core::future::poll_fn(|context| {
        for (future, output) in waiting.iter_mut().zip(&mut done) {
            if output.is_none()
                && let core::task::Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *output = Some(ready);
            }
        }
        match done.iter().all(Option::is_some) {
            true => core::task::Poll::Ready(()),
            false => core::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().flatten().collect()
}
