//! `tresor`, the command line: certificates and tenants for the operator, records for the customer,
//! and a demonstration of both.
//!
//! It promises that a secret comes in by file, descriptor or prompt only, and that its exit code
//! says what happened: 0 done, 1 failed, 2 usage, 3 some items rejected. It talks to running
//! services and relies on them for every decision; it opens no vault file itself.

mod certificates;
mod command;
mod connection;
mod control_plane;
#[cfg(feature = "dev")]
mod demo;
mod error;
mod exchange;
mod file_report;
mod https;
mod key_versions;
#[cfg(feature = "dev")]
mod local;
mod output;
mod private_file;
mod profile;
mod progress;
mod retrying;
mod row_list;
mod secret_input;
mod session;
mod transfer;
mod user;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    command::Cli,
    error::{CliError, Exit},
    session::Session,
};

fn main() -> ExitCode {
    // Nothing better can be done when the system refuses.
    let _ = tresor_door::forbid_dumps();
    let cli = Cli::parse();
    let session = Session::new(&cli.settings);
    match run(cli, &session) {
        Ok(exit) => exit.into(),
        Err(error) => {
            session.output.error(&error);
            error.exit().into()
        }
    }
}

fn run(cli: Cli, session: &Session) -> Result<Exit, CliError> {
    // An error means that another part of the process chose first; all parts choose ring.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|_| CliError::failed("the runtime cannot be started"))?;
    runtime.block_on(cli.command.run(session))
}
