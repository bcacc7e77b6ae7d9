//! The process of the external API: reads its configuration, serves, and leaves in good order.
//!
//! It promises exit code 2 for a mistake of the configuration, with all of them named. It relies
//! on the library for everything else.

use std::{fmt::Display, io::Write as _, path::PathBuf, process::ExitCode};

use clap::Parser;
use tresor_door::{DoorError, Shutdown, logs};
use tresor_external_api::{Config, start};

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

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = match Config::load(&arguments.config) {
        Ok(config) => config,
        Err(mistakes) => return end(MISCONFIGURED, mistakes),
    };
    if arguments.check {
        return end(0, format_args!("{}: no mistakes", arguments.config.display()));
    }
    logs::install(&config.log);
    match serve(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => end(FAILED, error),
    }
}

#[tokio::main]
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
