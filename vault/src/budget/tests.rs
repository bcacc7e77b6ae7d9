use tresor_proto::{ErrorCode, vault};

use super::*;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const NOW_MS: u64 = 1_800_000_000_000;

fn limits(reveals_per_day: u64) -> TenantLimits {
    let wire = vault::TenantLimits { reveals_per_day, ..vault::TenantLimits::default() };
    TenantLimits::from_wire(Some(&wire)).unwrap()
}

fn tenant(number: u8) -> (TenantId, BudgetKind) {
    (TenantId::from_bytes([number; 16]), BudgetKind::Reveals)
}

fn granted(budgets: &Arc<Budgets>, per_day: u64, wanted: u64, now_ms: u64) -> u64 {
    budgets.grant(tenant(1), &limits(per_day), wanted, now_ms).granted
}

fn the_use(budgets: &Budgets, now_ms: u64) -> BudgetUse {
    budgets.uses(now_ms).into_iter().find(|told| told.tenant == tenant(1).0).unwrap()
}

#[test]
fn no_more_is_granted_than_is_left_and_a_refusal_says_truly_when_there_is_more() {
    let budgets = Arc::new(Budgets::default());
    assert_eq!(granted(&budgets, 100, 60, NOW_MS), 60);
    assert_eq!(granted(&budgets, 100, 60, NOW_MS), 40);
    let refused = budgets.grant(tenant(1), &limits(100), 1, NOW_MS);
    let Err(VaultError::Refused(failure)) = refused.or_refused() else { panic!("granted") };
    assert_eq!(failure.code(), ErrorCode::RateLimited);
    assert_eq!(failure.reason(), Some(RefusalReason::RevealBudget));
    let wait_ms = u64::try_from(failure.retry_after().unwrap().as_millis()).unwrap();
    assert_eq!(wait_ms, DAY_MS / 100);
    assert_eq!(granted(&budgets, 100, 1, NOW_MS + wait_ms - 1), 0);
    assert_eq!(granted(&budgets, 100, 1, NOW_MS + wait_ms), 1);
    assert_eq!(the_use(&budgets, NOW_MS).refused, 3);
}

#[test]
fn what_is_spent_comes_back_evenly_over_a_day_and_no_more_than_that() {
    let budgets = Arc::new(Budgets::default());
    assert_eq!(granted(&budgets, 1_000, 1_000, NOW_MS), 1_000);
    assert_eq!(the_use(&budgets, NOW_MS + DAY_MS / 4).used, 750);
    assert_eq!(granted(&budgets, 1_000, u64::MAX, NOW_MS + DAY_MS / 2), 500);
    assert_eq!(granted(&budgets, 1_000, u64::MAX, NOW_MS + 9 * DAY_MS), 1_000);
    // A clock that is set back gives nothing away.
    assert_eq!(granted(&budgets, 1_000, u64::MAX, NOW_MS), 0);
    assert_eq!(granted(&budgets, 1_000, u64::MAX, NOW_MS + 9 * DAY_MS), 0);
}

#[test]
fn what_was_not_needed_is_given_back() {
    let budgets = Arc::new(Budgets::default());
    budgets.grant(tenant(1), &limits(10), 8, NOW_MS).keep(3);
    assert_eq!(the_use(&budgets, NOW_MS).used, 3);
    assert_eq!(granted(&budgets, 10, u64::MAX, NOW_MS), 7);
}

#[test]
fn an_operator_is_told_once_a_filling() {
    let budgets = Arc::new(Budgets::default());
    let alarms = |wanted, now_ms| {
        granted(&budgets, 100, wanted, now_ms);
        the_use(&budgets, now_ms).alarms
    };
    assert_eq!(alarms(79, NOW_MS), 0);
    assert_eq!(alarms(1, NOW_MS), 1);
    assert_eq!(alarms(50, NOW_MS), 1);
    // At the edge of what comes back it does not ring again and again.
    for hour in 1..=12 {
        assert_eq!(alarms(100, NOW_MS + hour * DAY_MS / 24), 1);
    }
    assert_eq!(alarms(0, NOW_MS + 2 * DAY_MS), 1);
    assert_eq!(alarms(100, NOW_MS + 2 * DAY_MS), 2);
}

#[test]
fn tenants_and_kinds_have_budgets_of_their_own_and_another_limit_counts_at_once() {
    let budgets = Arc::new(Budgets::default());
    assert_eq!(granted(&budgets, 10, u64::MAX, NOW_MS), 10);
    assert_eq!(budgets.grant(tenant(2), &limits(10), 4, NOW_MS).granted, 4);
    let searches = (tenant(1).0, BudgetKind::Searches);
    assert_eq!(budgets.grant(searches, &limits(10), 4, NOW_MS).granted, 4);
    assert_eq!(granted(&budgets, 25, u64::MAX, NOW_MS), 15);
    assert_eq!(granted(&budgets, 5, 1, NOW_MS), 0);
}
