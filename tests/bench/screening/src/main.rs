//! Measures what screening finds, what it takes for personal that is not, and how fast it is.
//!
//! It promises the same records for the same seed, and to count nothing as found that is of another
//! kind. It relies on `tresor-screening` alone, so that it builds in seconds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program for developers: it fails by panicking and prints its tables"
)]

mod ceilings;
mod check_digits;
mod forms;
mod gold;
mod harmless;
mod identifiers;
mod memory;
mod names;
mod notes;
mod people;
#[path = "../../../fuzz/random.rs"]
#[allow(dead_code, reason = "shared; each program uses a part")]
mod random;
mod sample;
mod score;
mod scorer;
mod speed;
mod table;
mod traps;
mod twist;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measures what screening finds, and how fast.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Recall and precision on files with the answers in them.
    Score {
        /// Files of NDJSON: `record`, `gold`, `note_field`, `note_spans`.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Also shows up to this many values that were missed or wrongly flagged, in plain.
        #[arg(long, default_value_t = 0)]
        show: usize,
    },
    /// Recall and precision on made-up records of twelve forms, or of four that were held out.
    Generated {
        /// Records of each form.
        #[arg(long, default_value_t = 1_000)]
        records: usize,
        /// Another seed makes other records.
        #[arg(long, default_value_t = 20_261_122)]
        seed: u64,
        /// Also shows up to this many values that were missed or wrongly flagged, in plain.
        #[arg(long, default_value_t = 0)]
        show: usize,
        /// Records of forms that nothing was added for; nothing of them is shown.
        #[arg(long, conflicts_with = "show")]
        held_out: bool,
    },
    /// Harmless values: how many are flagged.
    Traps {
        /// How many values.
        #[arg(long, default_value_t = 1_000_000)]
        values: usize,
        /// Another seed makes other values.
        #[arg(long, default_value_t = 20_261_122)]
        seed: u64,
    },
    /// Records and bytes for each second of one core.
    Speed {
        /// A CSV file; without one that of the examples.
        file: Option<PathBuf>,
        /// Seconds of one measurement.
        #[arg(long, default_value_t = 0.5)]
        seconds: f64,
        /// How often each is measured; the best counts.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// Only the lines whose title holds this text, for a profiler.
        #[arg(long)]
        only: Option<String>,
    },
    /// Memory over many records.
    Memory {
        /// How many.
        #[arg(long, default_value_t = 10_000_000)]
        records: u64,
    },
    /// Writes made-up records with their answers, as `score` reads them.
    Write {
        /// Records of each form.
        #[arg(long, default_value_t = 10)]
        records: usize,
        /// Another seed makes other records.
        #[arg(long, default_value_t = 20_261_122)]
        seed: u64,
    },
}

fn main() {
    match Arguments::parse().command {
        Command::Score { files, show } => score::files(&files, show),
        Command::Generated { records, seed, show: _, held_out: true } => {
            score::generated(forms::held_out(), records, seed, 0);
        }
        Command::Generated { records, seed, show, held_out: false } => {
            score::generated(forms::all(), records, seed, show);
        }
        Command::Traps { values, seed } => traps::run(values, seed),
        Command::Speed { file, seconds, rounds, only } => {
            speed::run(file, &speed::Clock { seconds, rounds, only });
        }
        Command::Memory { records } => memory::run(records),
        Command::Write { records, seed } => gold::write(records, seed),
    }
}
