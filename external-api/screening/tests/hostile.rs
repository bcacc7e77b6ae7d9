//! Values made to hurt: whatever they are, each gets a verdict, and harmless ones are not taken for
//! personal.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::LazyLock;

use proptest::prelude::*;
use tresor_proto::{
    Action, FieldName, FieldPolicy, InfoType, Policy, UndeclaredPolicy, limits::VALUE_BYTES_MAX,
};
use tresor_screening::{Plan, Value, Verdict};

/// A name of each kind of hint, and of each info type with a rule.
const NAMES: &str = "f1 status auftrag fw_version erstellt_am rssi is_active bemerkung kundennummer \
     email telefon url geburtsdatum alter plz hausnummer geo iban bic kreditkarte konto steuer_id svnr \
     kvnr personalausweis reisepass führerschein bsn nir nino nhs passport ip mac melo kennzeichen fin \
     vorname adresse";

/// Signs that rules look at.
const SIGNS: &str = "[-0-9A-Za-z@.:/+, ()ÄÖüß–Eeé\"']{0,80}";

fn names() -> Vec<FieldName> {
    let names = NAMES.split_whitespace().map(|name| FieldName::parse(name).unwrap());
    names.collect()
}

/// Plans with nothing declared and with everything declared clear.
static PLANS: LazyLock<[Plan; 2]> = LazyLock::new(plans);

fn plans() -> [Plan; 2] {
    let names = names();
    let declared = names.iter().map(|name| FieldPolicy::new(name.clone(), Action::Clear));
    let flagged = Action::Seal;
    let clear = Policy::new(declared.collect(), UndeclaredPolicy::default(), flagged).unwrap();
    [Policy::default(), clear].map(|policy| Plan::compile(&policy, &names))
}

fn screen_everywhere(text: &str) -> Vec<Verdict> {
    let count = NAMES.split_whitespace().count();
    let values = [vec![Value::Text(text); count], vec![Value::Json(text); count]];
    let pairs = PLANS.iter().flat_map(|plan| values.iter().map(move |v| plan.screen(v)));
    pairs.flatten().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_gets_a_verdict(text in ".{0,200}") {
        prop_assert_eq!(screen_everywhere(&text).len(), 4 * NAMES.split_whitespace().count());
    }

    #[test]
    fn text_of_telling_signs_gets_a_verdict(text in SIGNS) {
        for verdict in screen_everywhere(&text) {
            prop_assert_eq!(verdict.class.is_none(), verdict.action == Action::Clear);
            prop_assert!((0.0..=1.0).contains(&verdict.confidence));
        }
    }

    #[test]
    fn evidence_never_repeats_a_value(text in "[a-z]{24}@[a-z]{24}\\.de") {
        for verdict in screen_everywhere(&text) {
            prop_assert!(!verdict.evidence.to_string().contains(text.split('@').next().unwrap()));
        }
    }

    #[test]
    fn any_name_compiles(names in proptest::collection::vec("\\PC{1,40}", 0..8)) {
        let names: Vec<FieldName> = names.iter().filter_map(|n| FieldName::parse(n).ok()).collect();
        let plan = Plan::compile(&Policy::default(), &names);
        let values = vec![Value::Binary(b"\xff"); names.len()];
        prop_assert_eq!(plan.screen(&values).len(), names.len());
    }
}

#[test]
fn the_longest_values_get_a_verdict() {
    // 2,800 values of 64 KiB: if anything were quadratic, the runner would end this test.
    for unit in [
        "a", "0", "@", ".", ":", "-", " ", "a ", "A ", "1.", "1-", "a@", "ä", "é", "::", "+", "//",
        "a@b.",
    ] {
        let text = unit.repeat(VALUE_BYTES_MAX / unit.len());
        assert_eq!(screen_everywhere(&text).len(), 4 * NAMES.split_whitespace().count());
    }
}

/// Values of technical columns, from a generator that always gives the same.
fn harmless_values() -> impl Iterator<Item = String> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..60_000).map(move |index| {
        let (a, b) = (next(), next());
        let digits = a % 10_u64.pow(u32::try_from(b % 19).unwrap());
        match index % 6 {
            0 => digits.to_string(),
            1 => format!("{}.{}", digits % 1_000_000, b % 1000),
            2 => format!("{a:016x}"),
            3 => format!("A-{:08}", a % 100_000_000),
            4 => format!("-{} dBm", a % 140),
            _ => format!("{a:016X}{b:016X}"),
        }
    })
}

#[test]
fn random_numbers_and_identifiers_are_of_no_type() {
    let plan = Plan::compile(&Policy::default(), &[FieldName::parse("f1").unwrap()]);
    let types = harmless_values().filter_map(|value| {
        let verdict = plan.screen(&[Value::Text(&value)]).remove(0);
        verdict.info_type.map(|info_type: InfoType| (info_type, value))
    });
    assert_eq!(types.collect::<Vec<_>>(), []);
}
