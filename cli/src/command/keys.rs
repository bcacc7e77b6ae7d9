//! `tresor keys`: the life of the keys.

mod rotate_cipher;

use clap::Subcommand;

use crate::{
    error::{CliError, Exit},
    session::Session,
};

/// Looks after keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Replace cipher keys, the server's half of the two locks (operator)
    RotateCipher(rotate_cipher::RotateCipher),
}

impl KeysCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        match self {
            Self::RotateCipher(rotate) => rotate.run(session).await,
        }
    }
}
