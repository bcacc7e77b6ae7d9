//! Tables in Markdown.

use crate::scorer::{Score, Tallies, Tally, total};

/// A part of a whole, in per cent; `–` of nothing.
pub(crate) fn percent(part: f64) -> String {
    if part.is_finite() { format!("{:.2} %", 100.0 * part) } else { "–".to_owned() }
}

/// A number in groups of three digits.
pub(crate) fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

pub(crate) fn summary_head() {
    println!(
        "| records | field names | recall | precision | personal stored clear | harmless sealed | \
         columns right | spans in notes: recall | precision | bytes left readable |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|");
}

pub(crate) fn summary(data: &str, names: &str, score: &Score) {
    let (values, spans) = (total(&score.values), total(&score.spans));
    let share = |part: u64, whole: u64| percent(part as f64 / whole as f64);
    println!(
        "| {data} | {names} | {} | {} | {} | {} | {} of {} | {} | {} | {} |",
        percent(values.recall()),
        percent(values.precision()),
        share(score.personal_clear, score.personal),
        share(score.harmless_sealed, score.harmless),
        score.columns_right,
        score.columns,
        percent(spans.recall()),
        percent(spans.precision()),
        share(score.span_bytes_left, score.span_bytes),
    );
}

/// A line for each kind, of tallies beside each other.
pub(crate) fn kinds(titles: &[&str], tallies: &[&Tallies]) {
    print!("\n| kind |");
    titles.iter().for_each(|title| print!(" {title}: values | recall | precision | F1 |"));
    println!("\n|---|{}", "--:|--:|--:|--:|".repeat(titles.len()));
    let mut kinds: Vec<_> = tallies.iter().flat_map(|tallies| tallies.keys()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        print!("| {kind} |");
        for tallies in tallies {
            let tally = tallies.get(kind).copied().unwrap_or_default();
            let (recall, precision) = (percent(tally.recall()), percent(tally.precision()));
            print!(" {} | {recall} | {precision} | {} |", tally.answers, percent(f1(tally)));
        }
        println!();
    }
    println!();
}

fn f1(tally: Tally) -> f64 {
    let (recall, precision) = (tally.recall(), tally.precision());
    2.0 * recall * precision / (recall + precision)
}

/// What went wrong, with the values.
pub(crate) fn mistakes(score: &Score) {
    for (what, which) in score.mistakes.iter().filter(|(_, which)| !which.is_empty()) {
        println!("{what}:");
        which.iter().for_each(|one| println!("    {one}"));
    }
}
