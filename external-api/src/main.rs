//! The process of the external API: reads its configuration, serves, and leaves in good order.
//!
//! It promises exit code 2 for a mistake of the configuration, with all of them named. It relies
//! on the library for everything else.

use std::{fmt::Display, io::Write as _, path::PathBuf, process::ExitCode};

use clap::Parser;
use tokio::runtime::Runtime;
use tresor_door::{
    DoorError, Shutdown, WipingAllocator, descriptors_missing, harden, logs, wiping_runtime,
};
use tresor_external_api::{Config, start};

#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator;

/// Tresor's external API: customers' clients over HTTPS, screened and forwarded to the vault.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The configuration file, TOML.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Only say whether the configuration is right.
    #[arg(long)]
    check: bool,
}

/// The exit code of a mistake in the configuration.
const MISCONFIGURED: u8 = 2;
/// The exit code of everything else that goes wrong.
const FAILED: u8 = 1;
/// Blocking threads for what is no upload: files, names.
const OTHER_THREADS_MAX: usize = 64;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Before the first thread: customer tokens pass through this process.
    let weaknesses = harden();
    let config = match Config::load(&arguments.config) {
        Ok(config) => config,
        Err(mistakes) => return end(MISCONFIGURED, mistakes),
    };
    if arguments.check {
        return end(0, format_args!("{}: no mistakes", arguments.config.display()));
    }
    logs::install(&config.log);
    for weakness in weaknesses {
        tracing::warn!("{weakness}");
    }
    if let Some(weakness) = descriptors_missing(1, config.limits.connections_max) {
        tracing::warn!("{weakness}");
    }
    let Ok(runtime) = runtime(config.limits.requests_max) else {
        return end(FAILED, "the threads cannot be started");
    };
    match runtime.block_on(runtime.spawn(serve(config))) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => end(FAILED, error),
        Err(_) => end(FAILED, "a fault of the program"),
    }
}

/// A runtime whose uploads cannot starve each other: each holds a blocking thread that reads, and
/// needs a second one to screen.
fn runtime(requests_max: usize) -> std::io::Result<Runtime> {
    let threads_max = requests_max.saturating_mul(2).saturating_add(OTHER_THREADS_MAX);
    wiping_runtime().max_blocking_threads(threads_max).build()
}

async fn serve(config: Config) -> Result<(), DoorError> {
    let shutdown = Shutdown::on_signals()?;
    let edge = start(config, shutdown).await?;
    edge.reload_handle().on_hangup()?;
    tracing::info!(address = %edge.local_addr(), "listening");
    edge.join().await;
    tracing::info!("ended");
    Ok(())
}

/// Says why, and gives the exit code.
fn end(code: u8, sentence: impl Display) -> ExitCode {
    // Nothing better can be done when standard error is closed.
    let _ = writeln!(std::io::stderr(), "external-api: {sentence}");
    ExitCode::from(code)
}
