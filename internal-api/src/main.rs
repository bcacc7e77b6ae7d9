//! The vault process: `internal-api --config FILE`.
//!
//! It ends with 2 when the configuration has mistakes, all of which it prints, and with 1 when it
//! cannot start or stop cleanly, with one sentence that says why.

use std::{fmt::Display, io::Write as _, path::PathBuf, process::ExitCode};

use clap::Parser;
use tresor_door::{Shutdown, WipingAllocator, descriptors_missing, harden, logs, wiping_runtime};
use tresor_internal_api::{Config, start};

#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator;

/// Tresor's vault process: the internal API, gRPC over mutual TLS.
#[derive(Parser)]
#[command(name = "internal-api", version)]
struct Arguments {
    /// The configuration file, TOML.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Only reads the configuration and says what is wrong with it.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Before the first thread: it is the process that is hardened, and secrets come later.
    let weaknesses = harden();
    let config = match Config::read(&arguments.config) {
        Ok(config) => config,
        Err(mistakes) => return end(2, mistakes),
    };
    if arguments.check {
        return end(0, format_args!("{}: no mistakes", arguments.config.display()));
    }
    logs::install(&config.log);
    for weakness in weaknesses {
        tracing::warn!("{weakness}");
    }
    if let Some(weakness) = descriptors_missing(2, config.limits.connections_max) {
        tracing::warn!("{weakness}");
    }
    let Ok(runtime) = wiping_runtime().build() else {
        return end(1, "the threads cannot be started");
    };
    match runtime.block_on(runtime.spawn(run(config))) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(sentence)) => end(1, sentence),
        Err(_) => end(1, "a fault of the program"),
    }
}

async fn run(config: Config) -> Result<(), String> {
    let shutdown = Shutdown::on_signals().map_err(|error| error.to_string())?;
    let internal_api = start(config, shutdown).await.map_err(|error| error.to_string())?;
    let reloads = internal_api.reload_on_hangup();
    reloads.map_err(|error| error.to_string())?;
    tracing::info!(address = %internal_api.data_address(), "serving the data plane");
    tracing::info!(address = %internal_api.control_address(), "serving the control plane");
    internal_api.wait().await.map_err(|error| format!("the vault did not close cleanly: {error}"))
}

/// Says why, and gives the exit code.
fn end(code: u8, sentence: impl Display) -> ExitCode {
    // Nothing better can be done when standard error is closed.
    let _ = writeln!(std::io::stderr(), "internal-api: {sentence}");
    ExitCode::from(code)
}
