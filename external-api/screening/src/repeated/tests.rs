use std::sync::Arc;

use tresor_proto::{FieldName, Policy};

use super::*;
use crate::{Plan, Screener, Value};

const STATES: [&str; 5] = ["offen", "geplant", "Erika Muster", "Anna", "DE89370400440532013000"];

#[test]
fn verdicts_are_the_same_however_often_a_value_comes() {
    let policy = Policy::default();
    let names = ["f1", "status", "f2", "notiz"].map(|name| FieldName::parse(name).unwrap());
    let (names, mut screener) = (Arc::<[FieldName]>::from(names), Screener::new(&policy));
    let plan = Plan::compile(&policy, &names);
    for record in 0..5_000 {
        let (state, number) = (STATES[record % 5], (record * 7919 % 700).to_string());
        let note = format!("Frau {} ruft an", STATES[record % 3]);
        let values = [state, STATES[record % 4], &number, &note].map(Value::Text);
        assert_eq!(screener.screen(&names, &values).verdicts, plan.screen(&values), "{record}");
    }
}

#[test]
fn findings_are_told_each_time() {
    let policy = Policy::default();
    let names = Arc::<[FieldName]>::from([FieldName::parse("notiz").unwrap()]);
    let mut screener = Screener::new(&policy);
    for _ in 0..200 {
        let screened = [Value::Text("Frau Schmidt ruft an")];
        assert_eq!(screener.screen(&names, &screened).findings.len(), 1);
    }
}

/// How many of some values are recalled.
fn recalled(memory: &mut Repeated, values: impl Iterator<Item = String>) -> usize {
    let verdict = Plan::compile(&Policy::default(), &[]).screen(&[Value::Text("x")])[0];
    let recall = |value: String| match memory.recall(0, &value) {
        Recalled::Verdict(_) => true,
        Recalled::Nothing(of) => {
            of.into_iter().for_each(|of| memory.keep(of, verdict));
            false
        }
    };
    values.map(recall).filter(|is_recalled| *is_recalled).count()
}

#[test]
fn a_column_whose_values_come_once_is_hardly_asked_and_one_that_says_the_same_always() {
    let mut memory = Repeated::default();
    assert_eq!(recalled(&mut memory, (0..100).map(|_| "x".to_owned())), 0, "too few records");
    (0..RECORDS_MIN).for_each(|_| memory.begin(1));
    assert_eq!(recalled(&mut memory, (0..10_000).map(|_| "x".to_owned())), 9_999);
    assert_eq!(recalled(&mut memory, (0..10_000).map(|at| at.to_string())), 0);
    let missed = 100 - recalled(&mut memory, (0..100).map(|_| "x".to_owned()));
    assert_eq!(missed, 100, "it rests");
    let long = "x".repeat(BYTES_MAX + 1);
    (0..10_000).for_each(|_| assert!(matches!(memory.recall(0, &long), Recalled::Nothing(None))));
    memory.forget();
    assert_eq!(recalled(&mut memory, (0..100).map(|_| "x".to_owned())), 0, "of other fields");
}
