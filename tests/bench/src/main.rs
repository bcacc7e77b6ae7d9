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
mod starts;
mod upload;

use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};
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
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match arguments.command {
        Some(Command::Echo { certificates, port }) => {
            runtime.block_on(echo::serve(&certificates, port));
        }
        Some(Command::Starts { tenants }) => {
            println!("{}", machine::describe());
            for engine in &arguments.plan.engines {
                runtime.block_on(starts::run(*engine, tenants));
            }
            println!("Load average at the end: {}", machine::load_average());
        }
        Some(Command::Rotation { tenants }) => {
            println!("{}", machine::describe());
            for engine in &arguments.plan.engines {
                runtime.block_on(rotation::run(*engine, tenants));
            }
            println!("Load average at the end: {}", machine::load_average());
        }
        Some(Command::Refusals { calls }) => {
            println!("{}", machine::describe());
            for engine in &arguments.plan.engines {
                runtime.block_on(refusals::run(*engine, calls));
            }
            println!("Load average at the end: {}", machine::load_average());
        }
        None => {
            println!("{}", machine::describe());
            for engine in &arguments.plan.engines {
                bench::run(&runtime, *engine, &arguments.plan);
            }
            println!("Load average at the end: {}", machine::load_average());
        }
    }
}
