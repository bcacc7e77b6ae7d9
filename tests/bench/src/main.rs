//! Measures the vault against its ceilings.
//!
//! Put and Get over mutual TLS and uploads over HTTPS, against the real binaries; interleaved with
//! a bare tonic echo of the same messages, the bare sealing and opening, and the bare store. See
//! `tests/bench/README.md`. It relies on a release build of the binaries beside it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "a program for developers: it fails by panicking and prints its tables"
)]

mod bare;
mod bare_keys;
mod bare_trades;
mod bench;
mod cells;
mod echo;
mod machine;
mod premises;
mod records;
mod refusals;
mod report;
mod rotation;
mod sample;
mod searches;
mod starts;
mod surrogates;
mod trade_report;
mod traders;
mod trades;
mod upload;

use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};
use tokio::runtime::Runtime;
use tresor_vault::store::StoreEngine;

/// Benchmarks of Tresor against its ceilings.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    plan: Plan,
}

/// How long and what to measure.
#[derive(clap::Args, Clone, Debug)]
struct Plan {
    /// Engines.
    #[arg(long, value_delimiter = ',', default_value = "sled,redb")]
    engines: Vec<Engine>,
    /// Seconds of one measurement.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Rounds; each measures everything once, one after the other.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only lines whose name contains this, for instance `put 100`.
    #[arg(long, default_value = "")]
    only: String,
}

#[derive(Subcommand)]
enum Command {
    /// Starts a vault with many tenants.
    Starts {
        /// How many.
        #[arg(long, default_value_t = 1_000)]
        tenants: usize,
    },
    /// Replaces the cipher keys of many tenants.
    Rotation {
        /// How many.
        #[arg(long, default_value_t = 1_000)]
        tenants: usize,
    },
    /// Times refusals, by their reasons.
    Refusals {
        /// How many of each.
        #[arg(long, default_value_t = 200)]
        calls: usize,
    },
    /// Trades values for surrogates, and back.
    Surrogates {
        /// Surrogates that are traded back, of either kind.
        #[arg(long, default_value_t = 20_000)]
        loaded: u64,
    },
    /// Finds records by one value.
    Search {
        /// Among how many.
        #[arg(long, value_delimiter = ',', default_value = "10000,1000000")]
        records: Vec<u64>,
        /// How often.
        #[arg(long, default_value_t = 2_000)]
        searches: usize,
    },
    /// The bare echo, started by the benchmark itself.
    #[command(hide = true)]
    Echo {
        /// Directory of the certificates.
        #[arg(long)]
        certificates: PathBuf,
        /// Port of loopback.
        #[arg(long)]
        port: u16,
    },
}

/// An engine of the stores.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Engine {
    /// sled.
    Sled,
    /// redb.
    Redb,
}

impl Engine {
    fn name(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Redb => "redb",
        }
    }

    fn store(self) -> StoreEngine {
        match self {
            Self::Sled => StoreEngine::Sled,
            Self::Redb => StoreEngine::Redb,
        }
    }
}

impl Plan {
    fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

fn main() {
    let arguments = Arguments::parse();
    let runtime = Runtime::new().expect("a runtime");
    match arguments.command {
        Some(Command::Echo { certificates, port }) => {
            runtime.block_on(echo::serve(&certificates, port));
        }
        command => {
            println!("{}", machine::describe());
            for engine in &arguments.plan.engines {
                measure(&runtime, command.as_ref(), *engine, &arguments.plan);
            }
            println!("Load average at the end: {}", machine::load_average());
        }
    }
}

/// Measures one engine.
fn measure(runtime: &Runtime, command: Option<&Command>, engine: Engine, plan: &Plan) {
    match command {
        None | Some(Command::Echo { .. }) => bench::run(runtime, engine, plan),
        Some(Command::Starts { tenants }) => runtime.block_on(starts::run(engine, *tenants)),
        Some(Command::Rotation { tenants }) => runtime.block_on(rotation::run(engine, *tenants)),
        Some(Command::Refusals { calls }) => runtime.block_on(refusals::run(engine, *calls)),
        Some(Command::Surrogates { loaded }) => surrogates::run(runtime, engine, plan, *loaded),
        Some(Command::Search { records, searches }) => {
            runtime.block_on(searches::run(engine, records, *searches));
        }
    }
}
