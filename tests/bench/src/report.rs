//! The tables, in Markdown.

use crate::{
    cells::{Cell, Line},
    records::FIELDS,
    sample::Sample,
    upload,
};

/// Prints the lines: per second of the server's CPU, then per second of the clock.
pub(crate) fn print(lines: &[(Cell, Line)]) {
    println!("Records for each second of server CPU; a share is of the ceiling before it.\n");
    println!(
        "| batch × connections | vault | fields | echo | share | keys | share | store | share | all three | share |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (cell, line) in lines {
        let vault = line.vault.per_cpu();
        let ceilings = [line.echo, line.keys, line.store].map(|sample| sample.per_cpu());
        // One after the other on one core.
        let all = 1.0 / ceilings.iter().map(|rate| 1.0 / rate).sum::<f64>();
        print!("| {} | **{}** | {}", cell.name(), whole(vault), whole(vault * FIELDS as f64));
        for ceiling in ceilings.into_iter().chain([all]) {
            print!(" | {} | {}", whole(ceiling), share(vault, ceiling));
        }
        println!(" |");
    }
    println!("\nRecords for each second of the clock, clients on the same cores.\n");
    println!(
        "| batch × connections | vault | ms a call | cores used | echo | share | store | share |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    for (cell, line) in lines {
        let vault = line.vault.per_wall();
        let call = 1_000.0 * (cell.batch * cell.connections) as f64 / vault;
        let cores = line.vault.cpu / line.vault.wall;
        print!("| {} | **{}** | {call:.2} | {cores:.2}", cell.name(), whole(vault));
        for ceiling in [line.echo, line.store].map(|sample| sample.per_wall()) {
            print!(" | {} | {}", whole(ceiling), share(vault, ceiling));
        }
        println!(" |");
    }
}

/// Prints the uploads.
pub(crate) fn print_uploads(uploads: &[(usize, Sample)]) {
    println!(
        "\nUploads of NDJSON over HTTPS, {} rows each; CPU of edge and vault.\n",
        upload::ROWS
    );
    println!("| connections | records/s | records for each CPU second | cores used |");
    println!("|--:|--:|--:|--:|");
    for (connections, sample) in uploads {
        let (wall, cpu) = (whole(sample.per_wall()), whole(sample.per_cpu()));
        println!("| {connections} | {wall} | {cpu} | {:.2} |", sample.cpu / sample.wall);
    }
}

/// A number without its fraction, in groups of three digits.
pub(crate) fn whole(number: f64) -> String {
    if !number.is_finite() {
        return "–".to_owned();
    }
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A part of a whole, in per cent.
pub(crate) fn share(part: f64, whole: f64) -> String {
    if whole.is_finite() && part.is_finite() {
        format!("{:.0} %", 100.0 * part / whole)
    } else {
        "–".to_owned()
    }
}
