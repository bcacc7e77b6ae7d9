use futures::FutureExt as _;
use tresor_proto::{ErrorCode, vault};

use super::*;

const ONE: TenantId = TenantId::from_bytes([1; 16]);
const OTHER: TenantId = TenantId::from_bytes([2; 16]);

fn holder(tenant: TenantId, wire: &vault::TenantLimits) -> Holder {
    let limits = TenantLimits::from_wire(Some(wire)).unwrap();
    let customer_token = Some(CustomerTokenId::from_bytes([7; 12]));
    let service = ServiceName::parse("edge").unwrap();
    Holder { service, tenant, limits, user: UserName::parse("anna"), customer_token }
}

/// Calls until one is refused: how many were let in, and the refusal. None of them lasts.
fn flood(turnstile: &Turnstile, holder: &Holder) -> (usize, Failure) {
    for passed in 0..10_000 {
        let called = turnstile.count(holder.tenant).and_then(|()| turnstile.pass(holder, true));
        if let Err(failure) = called {
            return (passed, failure);
        }
    }
    panic!("nothing is refused");
}

fn reason(failure: &Failure) -> Option<RefusalReason> {
    failure.reason()
}

#[test]
fn a_flood_of_one_tenant_is_refused_and_another_is_served() {
    let turnstile = Turnstile::new(16);
    let limits = vault::TenantLimits { requests_per_second: 5, ..Default::default() };
    let one = holder(ONE, &limits);
    // Its limits are known from its first permit on.
    drop(turnstile.pass(&one, true).unwrap());
    let (passed, failure) = flood(&turnstile, &one);
    assert_eq!((passed, reason(&failure)), (10, Some(RefusalReason::TenantRate)));
    assert!(failure.retry_after().unwrap() <= Duration::from_millis(200), "{failure:?}");
    let other = holder(OTHER, &vault::TenantLimits::default());
    for _ in 0..100 {
        turnstile.count(OTHER).and_then(|()| turnstile.pass(&other, true)).unwrap();
    }
    let tally = turnstile.tally();
    assert_eq!(tally.of(ONE).refused, [(RefusalReason::TenantRate, 1)].into());
    assert_eq!((tally.of(OTHER).requests, tally.of(OTHER).refused.len()), (100, 0));
}

#[test]
fn a_customer_token_is_used_no_oftener_than_it_may_and_another_has_its_own_bucket() {
    let turnstile = Turnstile::new(16);
    let limits =
        vault::TenantLimits { customer_token_requests_per_second: 3, ..Default::default() };
    let one = holder(ONE, &limits);
    let (passed, failure) = flood(&turnstile, &one);
    assert_eq!((passed, reason(&failure)), (6, Some(RefusalReason::CustomerTokenRate)));
    let second = Holder { customer_token: Some(CustomerTokenId::from_bytes([8; 12])), ..one };
    assert!(turnstile.pass(&second, true).is_ok());
}

#[test]
fn a_user_calls_no_oftener_than_it_may_and_another_has_its_own_bucket() {
    let turnstile = Turnstile::new(16);
    let limits = vault::TenantLimits { user_requests_per_second: 3, ..Default::default() };
    let anna = holder(ONE, &limits);
    let (passed, failure) = flood(&turnstile, &anna);
    assert_eq!((passed, reason(&failure)), (6, Some(RefusalReason::UserRate)));
    let berta = Holder { user: UserName::parse("berta"), ..holder(ONE, &limits) };
    assert!(turnstile.pass(&berta, true).is_ok());
    let namesake = holder(OTHER, &limits);
    assert!(turnstile.pass(&namesake, true).is_ok());
}

#[test]
fn a_limit_that_is_changed_counts_for_the_next_call() {
    let turnstile = Turnstile::new(16);
    let low = vault::TenantLimits { requests_per_second: 1, ..Default::default() };
    drop(turnstile.pass(&holder(ONE, &low), true).unwrap());
    assert_eq!(flood(&turnstile, &holder(ONE, &low)).0, 2);
    let high = vault::TenantLimits { requests_per_second: 50, ..Default::default() };
    drop(turnstile.pass(&holder(ONE, &high), true).unwrap());
    assert_eq!(flood(&turnstile, &holder(ONE, &high)).0, 100);
}

#[test]
fn calls_of_one_tenant_that_hang_leave_seats_for_the_others_and_give_theirs_back() {
    let turnstile = Turnstile::new(8);
    let one = holder(ONE, &vault::TenantLimits::default());
    let hanging: Vec<_> = (0..).map_while(|_| turnstile.pass(&one, true).ok()).collect();
    assert_eq!((hanging.len(), turnstile.seats_taken(ONE)), (6, 6));
    let refused = turnstile.pass(&one, true).unwrap_err();
    assert_eq!(reason(&refused), Some(RefusalReason::TenantConcurrency));
    assert_eq!(refused.code(), ErrorCode::Overloaded);
    assert!(turnstile.pass(&holder(OTHER, &vault::TenantLimits::default()), true).is_ok());
    drop(hanging);
    assert!(turnstile.pass(&one, true).is_ok());
    assert_eq!(turnstile.seats_taken(ONE), 0);
}

#[test]
fn a_tenant_has_no_more_seats_than_its_operator_gives_it() {
    let turnstile = Turnstile::new(100);
    let limits = vault::TenantLimits { concurrent_requests: 2, ..Default::default() };
    let one = holder(ONE, &limits);
    let taken: Vec<_> = (0..).map_while(|_| turnstile.pass(&one, true).ok()).collect();
    assert_eq!(taken.len(), 2);
    let service = ServiceName::parse("billing").unwrap();
    let beside = Holder { service, ..holder(ONE, &limits) };
    assert!(turnstile.pass(&beside, true).is_err(), "it is the same tenant by another service");
    assert!(turnstile.pass(&Holder { tenant: OTHER, ..beside }, true).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_stream_waits_for_its_turn_instead_of_being_refused() {
    let turnstile = Turnstile::new(8);
    let limits = vault::TenantLimits { requests_per_second: 1_000, ..Default::default() };
    drop(turnstile.pass(&holder(ONE, &limits), true).unwrap());
    for _ in 0..1_600 {
        turnstile.pace(ONE).await;
    }
    assert_eq!(turnstile.tally().of(ONE), TenantTally::default());
}

#[tokio::test]
async fn streams_leave_calls_a_quarter() {
    let turnstile = Turnstile::new(8);
    let limits = vault::TenantLimits { requests_per_second: 8, ..Default::default() };
    drop(turnstile.pass(&holder(ONE, &limits), true).unwrap());
    // As many batches as are let in at once, whichever stream they are of.
    let batches = (0..100).take_while(|_| turnstile.pace(ONE).now_or_never().is_some()).count();
    assert!(batches >= 12, "{batches}");
    // Both buckets fill meanwhile, this one faster.
    for _ in 0..4 {
        turnstile.count(ONE).unwrap();
    }
}
