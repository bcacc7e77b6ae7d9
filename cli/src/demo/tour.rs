//! The tour: what was found, what is stored, what each thief got.

use comfy_table::Cell;
use tresor_proto::DataClass;

use super::{Demonstration, Samples, attack::Attack, stored_row::StoredRow};
use crate::{
    command::{get::show_fields, screen::show_columns},
    error::CliError,
    output::{Output, Tone, printable},
};

/// Columns of a value shown of a stored row.
const VALUE_CHARS: usize = 40;
const HEX_BYTES: usize = 12;

/// Shows the tour.
pub(crate) fn show(output: &Output, demo: &Demonstration) -> Result<(), CliError> {
    heading(output, "1  What screening found")?;
    show_columns(output, &demo.columns)?;
    upload_line(output, demo)?;
    if let Some(samples) = &demo.samples {
        show_samples(output, samples)?;
    }
    heading(output, "3  What each thief got")?;
    attacks(output, &demo.attacks)?;
    keys_line(output, demo)?;
    search_line(output, demo)?;
    heading(output, "4  Controls: the same questions, rightly asked")?;
    controls(output, demo)?;
    conclusion(output, demo)
}

fn heading(output: &Output, text: &str) -> Result<(), CliError> {
    output.line("")?;
    output.line(output.paint(Tone::Heading, text))
}

fn upload_line(output: &Output, demo: &Demonstration) -> Result<(), CliError> {
    let summary = &demo.summary;
    let rate = demo.records_per_second();
    output.line(format!(
        "{} records stored, {} refused; {} fields sealed, {} of them tokenized, {} clear; {rate:.0} \
         records/s",
        summary.accepted,
        summary.rejected,
        summary.fields_sealed,
        summary.fields_tokenized,
        summary.fields_clear
    ))
}

fn show_samples(output: &Output, samples: &Samples) -> Result<(), CliError> {
    heading(output, &format!("2  Record {}, as it is stored", samples.stored.id))?;
    show_stored(output, &samples.stored)?;
    heading(output, "   … revealed masked, as anybody with the customer token sees it first")?;
    show_fields(output, &samples.masked)?;
    heading(output, "   … revealed plain, when that is asked for")?;
    show_fields(output, &samples.plain)
}

/// A row at rest: clear fields readable, sealed fields by their lengths.
fn show_stored(output: &Output, row: &StoredRow) -> Result<(), CliError> {
    let message = &row.message;
    let mut rows = Vec::new();
    for field in &message.clear_fields {
        let value = String::from_utf8_lossy(&field.value);
        let value = printable(&value).chars().take(VALUE_CHARS).collect::<String>();
        rows.push((field.position, [field.name.clone(), "clear".to_owned(), value]));
    }
    for group in &message.groups {
        let class = DataClass::from_code(group.data_class).map_or("?", DataClass::as_str);
        for field in &group.fields {
            let length = field.ciphertext.len();
            let mut shown = format!("{} … {length} bytes", start_of(&field.ciphertext));
            if !field.surrogate.is_empty() {
                shown.push_str(&format!("; {}", field.surrogate));
            }
            rows.push((field.position, [field.name.clone(), format!("sealed: {class}"), shown]));
        }
    }
    rows.sort_by_key(|(position, _)| *position);
    let cells = rows.iter().map(|(_, [name, how, value])| {
        let tone = if how == "clear" { Tone::Faint } else { Tone::Good };
        vec![Cell::new(printable(name)), output.cell(tone, how), Cell::new(value)]
    });
    output.table(&["field", "kept", "on disk"], cells)?;
    for group in &message.groups {
        let class = DataClass::from_code(group.data_class).map_or("?", DataClass::as_str);
        output.line(format!(
            "  group {class:<13} epoch {}  salt {} …  commitment {} …",
            group.epoch,
            start_of(&group.salt),
            start_of(&group.commitment)
        ))?;
    }
    output.line(format!("  {} bytes in all; {} …", row.bytes.len(), start_of(&row.bytes)))
}

fn start_of(bytes: &[u8]) -> String {
    hex::encode(bytes.get(..HEX_BYTES).unwrap_or(bytes))
}

fn attacks(output: &Output, attacks: &[Attack]) -> Result<(), CliError> {
    let row = |attack: &Attack| {
        let (tone, verdict) =
            if attack.is_refused { (Tone::Good, "refused") } else { (Tone::Bad, "SUCCEEDED") };
        let got = attack.code.map_or(attack.got.as_str(), |code| code.as_str());
        vec![
            Cell::new(&attack.what),
            Cell::new(attack.with),
            output.cell(tone, verdict),
            Cell::new(printable(got)),
        ]
    };
    let header = ["attack", "the thief has", "", "got"];
    output.table(&header, attacks.iter().map(row))
}

fn keys_line(output: &Output, demo: &Demonstration) -> Result<(), CliError> {
    let Some(tried) = &demo.keys_alone else { return Ok(()) };
    let loot = &tried.without;
    output.line(format!(
        "Cipher key alone: {} cipher key taken, {} of {} outer locks opened, {} attempts on the \
         inner locks and what lies behind, none opened.",
        loot.cipher_keys, loot.outer_locks_opened, loot.slots, loot.attempts
    ))
}

fn search_line(output: &Output, demo: &Demonstration) -> Result<(), CliError> {
    let (known, skipped) = (demo.holdings.values_checked, demo.holdings.values_skipped);
    output.line(format!(
        "Disk: {known} sealed values searched for in raw, base64, hexadecimal and UTF-16 form \
         ({skipped} left out: shorter than 6 bytes, or part of something stored clear)."
    ))?;
    for ((file, form), hits) in &demo.on_disk.places {
        let text = format!("  {hits} × {} in {}", form.as_str(), file.display());
        output.line(output.paint(Tone::Bad, &text))?;
    }
    Ok(())
}

fn controls(output: &Output, demo: &Demonstration) -> Result<(), CliError> {
    for control in &demo.controls {
        let (tone, mark) =
            if control.is_refused { (Tone::Bad, "✗") } else { (Tone::Good, "✓") };
        let mark = output.paint(tone, mark);
        output.line(format!("{mark} {}: {}", control.what, printable(&control.got)))?;
    }
    let (read, changed) = (demo.holdings.read_back, demo.holdings.changed);
    output.line(format!("  {read} records read back plain, {changed} of them changed"))?;
    let hits = demo.control_hits;
    output.line(format!("  the same search finds {hits} occurrences in the uploaded file"))
}

fn conclusion(output: &Output, demo: &Demonstration) -> Result<(), CliError> {
    let refused = demo.attacks.iter().filter(|attack| attack.is_refused).count();
    let tried = demo.attacks.len();
    let hits = demo.on_disk.hits;
    let text = format!("{refused} of {tried} attacks refused, {hits} values found in plain text");
    output.line("")?;
    if demo.is_as_promised() {
        output.line(output.paint(Tone::Good, &text))
    } else {
        output.line(output.paint(Tone::Bad, &format!("{text}: NOT as promised")))
    }
}
