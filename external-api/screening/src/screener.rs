//! Screens the records of one upload or one file, one after the other.
//!
//! It promises the same verdicts for the same record, whatever came before it: what happens to a
//! value never depends on its neighbours in a column. It relies on records of one file mostly having
//! the same names, and keeps the plan of those it saw last.

use std::sync::Arc;

use tresor_proto::{FieldName, Policy};

use crate::{Plan, TextFinding, Value, Verdict, plan::Screening};

/// Screening under one policy.
#[derive(Debug)]
pub struct Screener<'a> {
    policy: &'a Policy,
    current: Option<(Arc<[FieldName]>, Plan)>,
    screening: Screening,
}

/// What screening says of one record, until the next.
#[derive(Clone, Copy, Debug)]
pub struct Screened<'a> {
    /// The values, in the order of the record's names.
    pub values: &'a [Value<'a>],
    /// A verdict for each value, in order.
    pub verdicts: &'a [Verdict],
    /// What was found inside of free text, by field and place.
    pub findings: &'a [TextFinding],
}

impl<'a> Screener<'a> {
    /// Screening under `policy`.
    #[must_use]
    pub fn new(policy: &'a Policy) -> Self {
        Self { policy, current: None, screening: Screening::default() }
    }

    /// Screens a record's values, in the order of its names.
    pub fn screen<'s>(
        &'s mut self,
        names: &Arc<[FieldName]>,
        values: &'s [Value<'s>],
    ) -> Screened<'s> {
        let current = self.current.take().filter(|(of, _)| Arc::ptr_eq(of, names) || of == names);
        let (names, plan) = current.unwrap_or_else(|| {
            self.screening.forget();
            (Arc::clone(names), Plan::compile(self.policy, names))
        });
        plan.screen_into(values, &mut self.screening);
        self.current = Some((names, plan));
        let Screening { verdicts, findings, .. } = &self.screening;
        Screened { values, verdicts, findings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Arc<[FieldName]> {
        names.iter().map(|name| FieldName::parse(name).unwrap()).collect()
    }

    #[test]
    fn a_record_is_screened_as_its_plan_says_whatever_came_before() {
        let policy = Policy::default();
        let mut screener = Screener::new(&policy);
        let (first, second) = (names(&["email", "zaehlerstand"]), names(&["zaehlerstand"]));
        let (mail, reading) = (Value::Text("a@example.org"), Value::Text("4711"));
        for _ in 0..2 {
            let verdicts = screener.screen(&first, &[mail, reading]).verdicts.to_vec();
            assert_eq!(verdicts, Plan::compile(&policy, &first).screen(&[mail, reading]));
            let verdicts = screener.screen(&second, &[reading]).verdicts.to_vec();
            assert_eq!(verdicts, Plan::compile(&policy, &second).screen(&[reading]));
        }
    }

    #[test]
    fn nothing_of_what_it_has_read_is_shown() {
        let policy = Policy::default();
        let mut screener = Screener::new(&policy);
        let note =
            Value::Text("Frau Erika Mustermann\u{200b} bittet um Rückruf unter 0221 2146088");
        assert!(!screener.screen(&names(&["bemerkung"]), &[note]).findings.is_empty());
        let shown = format!("{screener:?}").to_lowercase();
        assert!(!shown.contains("mustermann") && !shown.contains("2146088"), "{shown}");
    }
}
