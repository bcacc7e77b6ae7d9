//! Values of technical columns under names that say nothing: none of them is taken for personal.
//!
//! `./check --long` screens a million.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../../tests/bench/screening/src/harmless.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod harmless;
#[path = "../../../tests/fuzz/random.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod random;

use harmless::COLUMNS;
use random::{Random, cases};
use tresor_proto::{FieldName, InfoType, Policy};
use tresor_screening::{Plan, Value};

/// What is said of a value, when it is said to be somebody's.
fn flagged(plan: &Plan, value: &str) -> Option<String> {
    let (mut verdicts, mut findings) = (Vec::new(), Vec::new());
    plan.screen_into(&[Value::Text(value)], &mut verdicts, &mut findings);
    let said = verdicts[0].info_type.filter(|info_type| *info_type != InfoType::FreeText);
    let said = said.or_else(|| findings.first().map(|finding| finding.info_type));
    said.map(|info_type| format!("{value} said to be {info_type}: {}", verdicts[0].evidence))
}

fn assert_none_is_flagged(name_of: impl Fn(&'static str) -> &'static str) {
    let mut random = Random::of_this_run();
    let values = cases(40_000, 1_000_000);
    let columns = COLUMNS.iter().map(|(name, make)| {
        let name = FieldName::parse(name_of(name)).unwrap();
        (Plan::compile(&Policy::default(), &[name]), make)
    });
    let columns: Vec<_> = columns.collect();
    let columns = columns.iter().cycle().take(values);
    let flagged: Vec<String> =
        columns.filter_map(|(plan, make)| flagged(plan, &make(&mut random))).collect();
    assert!(flagged.is_empty(), "{} of {values}, the first: {:?}", flagged.len(), flagged.first());
}

#[test]
fn no_harmless_value_is_personal_when_nothing_says_so() {
    assert_none_is_flagged(|_| "f1");
}

#[test]
fn no_harmless_value_is_personal_under_its_own_name() {
    assert_none_is_flagged(|name| name);
}
