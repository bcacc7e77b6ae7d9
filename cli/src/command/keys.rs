//! `tresor keys`: the life of the keys.

mod rotate_cipher;
mod status;

use clap::Subcommand;

use crate::{
    error::{CliError, Exit},
    session::Session,
};

/// Looks after keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Show every key, its state, age and use, and what is due (operator)
    Status(status::Status),
    /// Replace cipher keys, the server's half of the two locks (operator)
    RotateCipher(rotate_cipher::RotateCipher),
}

impl KeysCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        match self {
            Self::Status(status) => status.run(session).await,
            Self::RotateCipher(rotate) => rotate.run(session).await,
        }
    }
}
