//! Harmless values, and how many of them are flagged, under their own names and under none.
//!
//! It promises to count as flagged whatever is said to be of an info type other than free text, or
//! holds a finding. Values that are sealed because nobody knows what they are are counted apart.

use std::{collections::BTreeMap, sync::Arc};

use tresor_proto::{FieldName, InfoType, Policy};
use tresor_screening::{Screened, Screener, Value};

use crate::{
    harmless::{COLUMNS, Column},
    random::Random,
    table::whole,
};

/// What stands beside a value in a record about somebody.
const PERSON: &[&str] = &["Wilhelmina Brenkhorst", "w.brenkhorst@post.example"];

/// What was said of the values of a column.
#[derive(Default)]
struct Count {
    values: u64,
    flagged: BTreeMap<InfoType, (u64, String)>,
    sealed: u64,
}

/// Screens `values` harmless values and prints what is flagged.
pub(crate) fn run(values: usize, seed: u64) {
    let per_column = values.div_ceil(COLUMNS.len());
    println!(
        "{} harmless values of {} columns, seed {seed}.\n",
        whole(values as f64),
        COLUMNS.len()
    );
    println!("| field names | values | flagged | sealed as unknown |");
    println!("|---|--:|--:|--:|");
    let mut lines = Vec::new();
    for (title, hint) in
        [("none", Some("f1")), ("none, beside a person", Some("f1")), ("their own", None)]
    {
        let beside = if title.contains("person") { PERSON } else { &[] };
        let mut random = Random::seeded(seed);
        let counted = COLUMNS
            .iter()
            .map(|c| (c.0, count(c, hint.unwrap_or(c.0), per_column, beside, &mut random)));
        let counted: Vec<(&str, Count)> = counted.collect();
        let sum = |part: fn(&Count) -> u64| {
            whole(counted.iter().map(|(_, c)| part(c)).sum::<u64>() as f64)
        };
        println!(
            "| {title} | {} | {} | {} |",
            sum(|c| c.values),
            sum(Count::flagged),
            sum(|c| c.sealed)
        );
        lines.extend(counted.iter().filter(|(_, c)| c.flagged() + c.sealed > 0).map(
            |(column, c)| {
                format!("| {title} | {column} | {} | {} | {} |", c.values, c.types(), c.sealed)
            },
        ));
    }
    println!("\n| field names | column | values | flagged | sealed as unknown |");
    println!("|---|---|--:|---|--:|");
    lines.iter().for_each(|line| println!("{line}"));
}

fn count(
    column: &Column,
    name: &str,
    values: usize,
    beside: &[&str],
    random: &mut Random,
) -> Count {
    let names = [name, "f2", "f3"].map(|name| FieldName::parse(name).expect("a name"));
    let names: Arc<[FieldName]> = names[..=beside.len()].into();
    let policy = Policy::default();
    let mut screener = Screener::new(&policy);
    let mut count = Count::default();
    for _ in 0..values {
        let value = (column.1)(random);
        let record = std::iter::once(&*value).chain(beside.iter().copied()).map(Value::Text);
        let record: Vec<_> = record.collect();
        let Screened { verdicts, findings, .. } = screener.screen(&names, &record);
        let said = verdicts[0].info_type.filter(|info_type| *info_type != InfoType::FreeText);
        count.values += 1;
        if let Some(info_type) =
            said.or_else(|| findings.iter().find(|f| f.field == 0).map(|f| f.info_type))
        {
            count.flagged.entry(info_type).or_insert((0, value)).0 += 1;
        } else {
            count.sealed += u64::from(verdicts[0].class.is_some());
        }
    }
    count
}

impl Count {
    fn flagged(&self) -> u64 {
        self.flagged.values().map(|(count, _)| count).sum()
    }

    fn types(&self) -> String {
        let types = self.flagged.iter();
        let types =
            types.map(|(info_type, (count, value))| format!("{count} {info_type} ({value})"));
        types.collect::<Vec<_>>().join(", ")
    }
}
