//! A report as a table on a terminal.

use comfy_table::Cell;
use tresor_proto::{Action, InfoType, MASK_DOTS};
use tresor_screening::{Column, ReportDocument};

use crate::{
    error::CliError,
    output::{Output, Tone, counted, printable},
};

/// Shows columns as a table.
pub(crate) fn show_columns(output: &Output, columns: &[Column]) -> Result<(), CliError> {
    let row = |column: &Column| {
        vec![
            Cell::new(printable(column.name.as_str())),
            Cell::new(column.info_type.as_ref().map_or("", InfoType::as_str)),
            Cell::new(column.class.map_or("", |class| class.as_str())),
            output.cell(tone_of(column), &actions(column)),
            Cell::new(format!("{:.2}", column.confidence)),
            Cell::new(column.values).set_alignment(comfy_table::CellAlignment::Right),
            examples(output, column),
            Cell::new(reasons(column)),
        ]
    };
    let header = ["field", "info type", "class", "action", "sure", "values", "examples", "why"];
    output.table(&header, columns.iter().map(row))
}

/// Shows a report.
pub(crate) fn show(output: &Output, document: &ReportDocument) -> Result<(), CliError> {
    show_columns(output, &document.columns)?;
    output.line("")?;
    let records = counted(document.records, "record");
    let columns = counted(document.columns.len() as u64, "column");
    output.line(format!("{records}, {columns}{}", sums(&document.columns)))?;
    if !document.in_text.is_empty() {
        output.line(format!("inside of texts: {}", counts(&document.in_text)))?;
    }
    if document.rejected_by_policy > 0 {
        let refused = counted(document.rejected_by_policy, "record");
        output.line(output.paint(Tone::Notable, &format!("the policy refuses {refused}")))?;
    }
    if document.unlisted_values > 0 {
        let values = counted(document.unlisted_values, "value");
        output.line(format!("{values} more in fields beyond those listed"))?;
    }
    Ok(())
}

/// What is done with the columns: `: 9 sealed, 4 clear`.
fn sums(columns: &[Column]) -> String {
    let sum = |action| {
        let count = columns.iter().filter(|column| column.action == action).count();
        (count > 0).then(|| format!("{count} {}", done(action)))
    };
    let sums: Vec<_> = Action::ALL.into_iter().filter_map(sum).collect();
    if sums.is_empty() { String::new() } else { format!(": {}", sums.join(", ")) }
}

/// An action as what has become of a column.
pub(super) fn done(action: Action) -> &'static str {
    match action {
        Action::Seal => "sealed",
        Action::Tokenize => "tokenized",
        Action::Clear => "clear",
        Action::Drop => "dropped",
        Action::Reject => "refused",
    }
}

/// What is done with the values: one word, or a line for each with how many.
fn actions(column: &Column) -> String {
    let taken: Vec<_> = column.actions.iter().collect();
    let mut lines = match taken.as_slice() {
        [] | [_] => vec![column.action.as_str().to_owned()],
        several => {
            several.iter().map(|(action, count)| format!("{} {count}", action.as_str())).collect()
        }
    };
    if column.flagged > 0 {
        lines.push(format!("flagged {}", column.flagged));
    }
    lines.join("\n")
}

fn examples(output: &Output, column: &Column) -> Cell {
    let shown: Vec<_> = column.examples.iter().map(|mask| printable(mask)).collect();
    if shown == [MASK_DOTS] {
        return output.cell(Tone::Faint, MASK_DOTS);
    }
    Cell::new(shown.join(", "))
}

/// Why a column is what it is, and what else is to be known of it.
fn reasons(column: &Column) -> String {
    let mut lines = vec![column.evidence.to_string()];
    if !column.in_text.is_empty() {
        lines.push(format!("inside: {}", counts(&column.in_text)));
    }
    if let Some(drift) = column.drift {
        lines.push(format!(
            "changes from {} to {}",
            name_of(drift.from.as_ref()),
            name_of(drift.to.as_ref())
        ));
    }
    lines.join("\n")
}

fn name_of(info_type: Option<&InfoType>) -> &str {
    info_type.map_or("no type", InfoType::as_str)
}

/// `12 PERSON_NAME, 3 PHONE_NUMBER`.
fn counts(found: &std::collections::BTreeMap<InfoType, u64>) -> String {
    let counts = found.iter().map(|(info_type, count)| format!("{count} {}", info_type.as_str()));
    counts.collect::<Vec<_>>().join(", ")
}

fn tone_of(column: &Column) -> Tone {
    match column.action {
        _ if column.flagged > 0 => Tone::Bad,
        Action::Seal | Action::Tokenize => Tone::Good,
        Action::Clear => Tone::Faint,
        Action::Drop | Action::Reject => Tone::Notable,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tresor_proto::{FieldName, FieldPolicy, Policy, UndeclaredPolicy};
    use tresor_screening::{Report, Screener, Value};

    use super::*;

    fn columns(values: &[&str]) -> Vec<Column> {
        let name = FieldName::parse("x").unwrap();
        let declared = FieldPolicy::new(name.clone(), Action::Clear);
        let policy = Policy::new(vec![declared], UndeclaredPolicy::default(), Action::Clear);
        let (policy, names) = (policy.unwrap(), Arc::from([name]));
        let (mut report, mut screener) = (Report::new(), Screener::new(&policy));
        for value in values {
            let values = [Value::Text(value)];
            report.observe(&names, screener.screen(&names, &values));
        }
        report.columns()
    }

    #[test]
    fn what_is_flagged_is_told_beside_the_action() {
        let column = columns(&["17", "DE65884472940557616987"]).remove(0);
        assert_eq!(actions(&column), "clear\nflagged 1");
        assert_eq!(tone_of(&column), Tone::Bad);
    }

    #[test]
    fn columns_are_summed_up_by_what_becomes_of_them() {
        assert_eq!(sums(&columns(&["17"])), ": 1 clear");
        assert_eq!(sums(&[]), "");
    }
}
