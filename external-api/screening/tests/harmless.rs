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

use std::sync::Arc;

use harmless::COLUMNS;
use random::{Random, cases};
use tresor_proto::{FieldName, InfoType, Policy};
use tresor_screening::{Screened, Screener, Value, policy_document};

/// What is said of a value, when it is said to be somebody's.
fn flagged(screener: &mut Screener<'_>, names: &Arc<[FieldName]>, value: &str) -> Option<String> {
    let values = [Value::Text(value)];
    let Screened { verdicts, findings, .. } = screener.screen(names, &values);
    let said = verdicts[0].info_type.filter(|info_type| *info_type != InfoType::FreeText);
    let said = said.or_else(|| findings.first().map(|finding| finding.info_type));
    said.map(|info_type| format!("{value} said to be {info_type}: {}", verdicts[0].evidence))
}

fn assert_none_is_flagged(name_of: impl Fn(&'static str) -> &'static str) {
    assert_none_is_flagged_by(&Policy::default(), name_of);
}

fn assert_none_is_flagged_by(policy: &Policy, name_of: impl Fn(&'static str) -> &'static str) {
    let mut random = Random::of_this_run();
    let values = cases(40_000, 1_000_000);
    let columns = COLUMNS.iter().map(|(name, make)| {
        let names: Arc<[FieldName]> = [FieldName::parse(name_of(name)).unwrap()].into();
        (Screener::new(policy), names, make)
    });
    let mut columns: Vec<_> = columns.collect();
    let count = columns.len();
    let flagged = (0..values).filter_map(|index| {
        let (screener, names, make) = &mut columns[index % count];
        flagged(screener, names, &make(&mut random))
    });
    let flagged: Vec<String> = flagged.collect();
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

#[test]
fn no_harmless_value_is_personal_when_its_field_is_declared_clear() {
    let fields = COLUMNS.iter().map(|(name, _)| format!("  {name}: {{ action: clear }}\n"));
    let yaml = format!("fields:\n{}", fields.collect::<String>());
    assert_none_is_flagged_by(&policy_document::parse(&yaml).unwrap(), |name| name);
}
