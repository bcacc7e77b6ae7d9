use super::*;

const TENANT: TenantId = TenantId::from_bytes([1; 16]);
const OTHER: TenantId = TenantId::from_bytes([2; 16]);
const START_MS: u64 = 1_800_000_000_000;

fn user(name: &str) -> UserName {
    UserName::parse(name).unwrap()
}

/// An attempt that fails; how long it is told to wait, in milliseconds, or `None`.
fn fail(
    delays: &LoginDelays,
    tenant: TenantId,
    name: &str,
    source: &str,
    now_ms: u64,
) -> Option<u64> {
    match delays.begin(tenant, &user(name), source.parse().unwrap(), now_ms) {
        Ok(_) => None,
        Err(VaultError::Refused(failure)) => {
            assert_eq!(failure.reason(), Some(RefusalReason::LoginDelayed));
            let wait = failure.retry_after().unwrap();
            Some(u64::try_from(wait.as_millis()).unwrap())
        }
        Err(other) => panic!("{other}"),
    }
}

fn begin<'a>(delays: &'a LoginDelays, now_ms: u64) -> Attempt<'a> {
    delays.begin(TENANT, &user("erika"), "192.0.2.1".parse().unwrap(), now_ms).unwrap()
}

#[test]
fn the_wait_grows_to_a_minute_and_is_told_exactly() {
    let delays = LoginDelays::default();
    let mut now_ms = START_MS;
    for _ in 0..3 {
        assert_eq!(fail(&delays, TENANT, "erika", "192.0.2.1", now_ms), None);
    }
    for wait_s in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
        assert_eq!(fail(&delays, TENANT, "erika", "192.0.2.1", now_ms), Some(wait_s * 1_000));
        let almost = now_ms + wait_s * 1_000 - 1;
        assert_eq!(fail(&delays, TENANT, "erika", "192.0.2.1", almost), Some(1));
        now_ms += wait_s * 1_000;
        assert_eq!(fail(&delays, TENANT, "erika", "192.0.2.1", now_ms), None);
    }
}

#[test]
fn another_source_another_user_and_another_tenant_wait_for_nothing() {
    let delays = LoginDelays::default();
    for _ in 0..4 {
        fail(&delays, TENANT, "erika", "192.0.2.1", START_MS);
    }
    assert!(fail(&delays, TENANT, "erika", "192.0.2.1", START_MS).is_some());
    assert_eq!(fail(&delays, TENANT, "erika", "192.0.2.2", START_MS), None);
    assert_eq!(fail(&delays, TENANT, "max", "192.0.2.1", START_MS), None);
    assert_eq!(fail(&delays, OTHER, "erika", "192.0.2.1", START_MS), None);
}

#[test]
fn a_source_that_tries_one_user_after_the_other_waits_too() {
    let delays = LoginDelays::default();
    for number in 0..20 {
        assert_eq!(fail(&delays, TENANT, &format!("u{number}"), "192.0.2.1", START_MS), None);
    }
    assert_eq!(fail(&delays, TENANT, "erika", "192.0.2.1", START_MS), Some(1_000));
    assert_eq!(fail(&delays, TENANT, "erika", "192.0.2.2", START_MS), None);
}

#[test]
fn neighbours_in_an_ipv6_network_and_a_mapped_address_are_one_source() {
    let delays = LoginDelays::default();
    for source in ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:1"] {
        assert_eq!(fail(&delays, TENANT, "erika", source, START_MS), None);
    }
    assert!(fail(&delays, TENANT, "erika", "2001:db8::3", START_MS).is_some());
    assert_eq!(fail(&delays, TENANT, "erika", "2001:db8:0:1::1", START_MS), None);
    for source in ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"] {
        assert_eq!(fail(&delays, TENANT, "erika", source, START_MS), None);
    }
    assert!(fail(&delays, TENANT, "erika", "::ffff:192.0.2.1", START_MS).is_some());
}

#[test]
fn success_clears_and_what_was_not_tried_does_not_count() {
    let delays = LoginDelays::default();
    for _ in 0..10 {
        begin(&delays, START_MS).take_back();
    }
    for _ in 0..5 {
        fail(&delays, TENANT, "erika", "192.0.2.1", START_MS);
        begin(&delays, START_MS).succeed();
    }
    for _ in 0..3 {
        assert_eq!(fail(&delays, TENANT, "erika", "192.0.2.1", START_MS), None);
    }
    assert!(fail(&delays, TENANT, "erika", "192.0.2.1", START_MS).is_some());
}

#[test]
fn those_who_know_the_password_may_come_together_and_who_has_to_wait_tries_one_at_a_time() {
    let delays = LoginDelays::default();
    let together: Vec<_> = (0..30).map(|_| begin(&delays, START_MS)).collect();
    together.into_iter().for_each(Attempt::succeed);
    assert!(delays.remembered().users.is_empty() && delays.remembered().sources.is_empty());
    let guesses: Vec<_> = (0..3).map(|_| begin(&delays, START_MS)).collect();
    drop(guesses);
    let one = begin(&delays, START_MS + 1_000);
    assert_eq!(fail(&delays, TENANT, "erika", "192.0.2.1", START_MS + 1_000), Some(1_000));
    drop(one);
    assert_eq!(fail(&delays, TENANT, "erika", "192.0.2.1", START_MS + 1_000), Some(2_000));
    begin(&delays, START_MS + 3_000).succeed();
    assert_eq!(fail(&delays, TENANT, "erika", "192.0.2.1", START_MS + 3_000), None);
}

#[test]
fn failures_are_forgotten_after_an_hour_and_a_clock_set_back_makes_nobody_wait_longer() {
    let delays = LoginDelays::default();
    for _ in 0..3 {
        fail(&delays, TENANT, "erika", "192.0.2.1", START_MS);
    }
    assert_eq!(fail(&delays, TENANT, "erika", "192.0.2.1", START_MS - 3_600_000), Some(1_000));
    assert_eq!(fail(&delays, TENANT, "erika", "192.0.2.1", START_MS - 3_599_000), None);
    let later = START_MS + 3_600_000;
    for _ in 0..3 {
        assert_eq!(fail(&delays, TENANT, "erika", "192.0.2.1", later), None);
    }
    assert!(fail(&delays, TENANT, "erika", "192.0.2.1", later).is_some());
}

#[test]
fn what_is_remembered_is_bounded() {
    let delays = LoginDelays::default();
    for number in 0..u32::try_from(2 * REMEMBERED_MAX).unwrap() {
        let source = std::net::Ipv4Addr::from_bits(number);
        drop(delays.begin(TENANT, &user("erika"), source.into(), START_MS));
    }
    let remembered = delays.remembered();
    assert!(remembered.users.len() <= REMEMBERED_MAX);
    assert!(remembered.sources.len() <= REMEMBERED_MAX);
}
