//! Counts what screening says of records against their answers.
//!
//! It promises that a value counts as found only when it is said to be of its kind, a column only
//! when most of its values are, and a span only when findings of its kind cover half of it or more.
//! It relies on answers being complete.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use tresor_proto::{FieldName, InfoType, Policy};
use tresor_screening::{Report, Screener, TextFinding, Value, Verdict};

use crate::sample::{Field, Sample, Span, kind};

/// Answers, and what was said.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// So many are of this kind.
    pub(crate) answers: u64,
    /// Of those, so many were said to be.
    pub(crate) found: u64,
    /// So many were said to be of this kind.
    pub(crate) said: u64,
    /// Of those, so many are.
    pub(crate) right: u64,
}

/// Tallies by kind.
pub(crate) type Tallies = BTreeMap<InfoType, Tally>;

/// The counts of one file.
#[derive(Debug, Default)]
pub(crate) struct Score {
    pub(crate) values: Tallies,
    pub(crate) spans: Tallies,
    /// Personal values, and those of them that would be stored readable.
    pub(crate) personal: u64,
    pub(crate) personal_clear: u64,
    /// Harmless values, and those of them that would be sealed.
    pub(crate) harmless: u64,
    pub(crate) harmless_sealed: u64,
    /// Columns, and those of them said to be what they are.
    pub(crate) columns: u64,
    pub(crate) columns_right: u64,
    /// Bytes of spans, and those of them that a redacted copy would show.
    pub(crate) span_bytes: u64,
    pub(crate) span_bytes_left: u64,
    /// What went wrong, with the values, for whoever asks to be shown.
    pub(crate) mistakes: BTreeMap<String, Vec<String>>,
}

impl Tally {
    pub(crate) fn recall(self) -> f64 {
        self.found as f64 / self.answers as f64
    }

    pub(crate) fn precision(self) -> f64 {
        self.right as f64 / self.said as f64
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.answers += other.answers;
        self.found += other.found;
        self.said += other.said;
        self.right += other.right;
    }
}

/// All but notes as a whole: of these only the spans count.
pub(crate) fn total(tallies: &Tallies) -> Tally {
    let mut total = Tally::default();
    for (info_type, tally) in tallies {
        if *info_type != InfoType::FreeText {
            total.add(*tally);
        }
    }
    total
}

/// Screens records under the default policy and counts.
pub(crate) fn score(samples: &[Sample], show: usize) -> Score {
    let policy = Policy::default();
    let (mut screener, mut report) = (Screener::new(&policy), Report::new());
    let mut score = Score::default();
    for sample in samples {
        let is_swapped = sample.fields.iter().any(|field| field.is_misplaced);
        let names =
            sample.fields.iter().map(|field| FieldName::parse(&field.name).expect("a name"));
        let names: Arc<[FieldName]> = names.collect();
        let values: Vec<_> = sample.fields.iter().map(|field| Value::Text(&field.value)).collect();
        let screened = screener.screen(&names, &values);
        report.observe(&names, screened);
        for (at, (field, verdict)) in sample.fields.iter().zip(screened.verdicts).enumerate() {
            if field.is_misplaced == is_swapped {
                let findings: Vec<_> = screened.findings.iter().filter(|f| f.field == at).collect();
                score.value(field, verdict, show);
                score.note(field, &findings, show);
            }
        }
    }
    score.report(samples, &report);
    score
}

impl Score {
    fn value(&mut self, field: &Field, verdict: &Verdict, show: usize) {
        let (answer, said) = (field.answer.map(kind), verdict.info_type.map(kind));
        count(&mut self.values, answer, said);
        let is_clear = verdict.class.is_none();
        if answer.is_some() {
            self.personal += 1;
            self.personal_clear += u64::from(is_clear);
            if is_clear {
                self.mistake(format!("{} stored clear", label(answer)), show, || {
                    shown(field, verdict)
                });
            }
        } else {
            self.harmless += 1;
            self.harmless_sealed += u64::from(!is_clear);
        }
        if answer != said {
            let what = format!("{} said to be {}", label(answer), label(said));
            self.mistake(what, show, || shown(field, verdict));
        }
    }

    fn note(&mut self, field: &Field, findings: &[&TextFinding], show: usize) {
        for span in &field.spans {
            let covered = |f: &&&TextFinding| kind(f.info_type) == kind(span.info_type);
            let is_found =
                2 * overlap(span, findings.iter().filter(covered)) >= span.end - span.start;
            let tally = self.spans.entry(kind(span.info_type)).or_default();
            tally.answers += 1;
            tally.found += u64::from(is_found);
            self.span_bytes += (span.end - span.start) as u64;
            self.span_bytes_left += (span.end - span.start - overlap(span, findings.iter())) as u64;
            if !is_found {
                let part = &field.value[span.start..span.end];
                let what = format!("{} in a note missed", kind(span.info_type));
                self.mistake(what, show, || format!("{part:?} in {:?}", field.value));
            }
        }
        for finding in findings.iter().filter(|_| field.answer == Some(InfoType::FreeText)) {
            let is_right = field.spans.iter().any(|span| is_in(finding, span));
            let tally = self.spans.entry(kind(finding.info_type)).or_default();
            tally.said += 1;
            tally.right += u64::from(is_right);
            if !is_right {
                let part = &field.value[finding.start..finding.end];
                let what = format!("nothing in a note said to be {}", kind(finding.info_type));
                self.mistake(what, show, || format!("{part:?} in {:?}", field.value));
            }
        }
    }

    /// Columns are what most of their values are said to be.
    fn report(&mut self, samples: &[Sample], report: &Report) {
        let fields = samples.first().map_or(&[][..], |sample| &sample.fields);
        let answers: HashMap<&str, Option<InfoType>> =
            fields.iter().map(|field| (field.name.as_str(), field.answer.map(kind))).collect();
        for column in report.columns() {
            self.columns += 1;
            let is_right = answers.get(column.name.as_str()) == Some(&column.info_type.map(kind));
            self.columns_right += u64::from(is_right);
        }
    }

    fn mistake(&mut self, what: String, show: usize, which: impl Fn() -> String) {
        let shown = self.mistakes.entry(what).or_default();
        if shown.len() < show {
            shown.push(which());
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        for (mine, theirs) in [(&mut self.values, other.values), (&mut self.spans, other.spans)] {
            for (info_type, tally) in theirs {
                mine.entry(info_type).or_default().add(tally);
            }
        }
        self.personal += other.personal;
        self.personal_clear += other.personal_clear;
        self.harmless += other.harmless;
        self.harmless_sealed += other.harmless_sealed;
        self.columns += other.columns;
        self.columns_right += other.columns_right;
        self.span_bytes += other.span_bytes;
        self.span_bytes_left += other.span_bytes_left;
        for (what, which) in other.mistakes {
            self.mistakes.entry(what).or_default().extend(which);
        }
    }
}

fn shown(field: &Field, verdict: &Verdict) -> String {
    format!("{}={:?}: {}", field.name, field.value, verdict.evidence)
}

fn label(info_type: Option<InfoType>) -> String {
    info_type.map_or("nothing".to_owned(), |info_type| info_type.as_str().to_owned())
}

fn count(tallies: &mut Tallies, answer: Option<InfoType>, said: Option<InfoType>) {
    let is_right = u64::from(answer == said);
    if let Some(answer) = answer {
        let tally = tallies.entry(answer).or_default();
        tally.answers += 1;
        tally.found += is_right;
    }
    if let Some(said) = said {
        let tally = tallies.entry(said).or_default();
        tally.said += 1;
        tally.right += is_right;
    }
}

/// Bytes of a span that findings cover; findings do not overlap each other.
fn overlap<'f>(span: &Span, findings: impl Iterator<Item = &'f &'f TextFinding>) -> usize {
    let covered = |f: &&TextFinding| f.end.min(span.end).saturating_sub(f.start.max(span.start));
    findings.map(covered).sum::<usize>().min(span.end - span.start)
}

/// Whether half of a finding or more is in a span of its kind.
fn is_in(finding: &TextFinding, span: &Span) -> bool {
    let covered = finding.end.min(span.end).saturating_sub(finding.start.max(span.start));
    kind(finding.info_type) == kind(span.info_type) && 2 * covered >= finding.end - finding.start
}

#[cfg(test)]
mod tests {
    use tresor_screening::Evidence;

    use super::*;

    fn one(name: &str, value: &str, answer: Option<InfoType>) -> Score {
        let field = Field::new(name, value.to_owned(), answer);
        score(&[Sample { fields: vec![field] }], 1)
    }

    #[test]
    fn a_value_of_its_kind_is_found() {
        let score = one("vorname", "Anna", Some(InfoType::PersonName));
        let total = total(&score.values);
        assert_eq!((total.answers, total.found, total.said, total.right), (1, 1, 1, 1));
        assert_eq!((score.columns, score.columns_right, score.personal_clear), (1, 1, 0));
        assert!(score.mistakes.is_empty());
    }

    #[test]
    fn a_value_of_another_kind_counts_against_both() {
        let score = one("iban", "Anna", Some(InfoType::PersonName));
        let (name, iban) = (score.values[&InfoType::PersonName], score.values[&InfoType::IbanCode]);
        assert_eq!((name.answers, name.found, name.said), (1, 0, 0));
        assert_eq!((iban.answers, iban.said, iban.right), (0, 1, 0));
        assert_eq!(score.columns_right, 0);
    }

    #[test]
    fn harmless_values_that_are_flagged_and_personal_ones_stored_clear_are_counted() {
        let score = one("iban", "4711", None);
        assert_eq!((score.harmless, score.harmless_sealed, score.personal), (1, 1, 0));
        let score = one("f1", "4711", Some(InfoType::HouseNumber));
        assert_eq!((score.personal, score.personal_clear), (1, 1));
    }

    fn finding(start: usize, end: usize, info_type: InfoType) -> TextFinding {
        let evidence = Evidence::Prose;
        TextFinding { field: 0, start, end, info_type, confidence: 1.0, evidence }
    }

    #[test]
    fn a_span_is_found_by_half_of_it_and_left_readable_by_the_rest() {
        let mut field = Field::new("notiz", "x".repeat(40), Some(InfoType::FreeText));
        field.spans = vec![Span { start: 10, end: 20, info_type: InfoType::StreetAddress }];
        let cases = [
            (vec![finding(10, 14, InfoType::Street), finding(14, 15, InfoType::City)], 1, 5),
            (vec![finding(10, 14, InfoType::Street)], 0, 6),
            (vec![finding(0, 40, InfoType::PersonName)], 0, 0),
        ];
        for (findings, found, left) in cases {
            let mut score = Score::default();
            score.note(&field, &findings.iter().collect::<Vec<_>>(), 0);
            assert_eq!(score.spans[&InfoType::StreetAddress].found, found);
            assert_eq!(score.span_bytes_left, left);
        }
    }
}
