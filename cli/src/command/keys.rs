//! `tresor keys`: the life of the keys.

mod operations;
mod rekey_identifiers;
mod rotate_cipher;
mod rotate_data;
mod rotate_root;
mod scope;
mod status;
mod token;
mod waiting;

use clap::Subcommand;
pub(super) use rotate_data::class_name;

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
    /// Have data keys replaced by the customer's next write, and records re-encrypted (operator)
    RotateData(rotate_data::RotateData),
    /// Have identifier keys replaced, and what hangs on them moved: indexes and surrogates (operator)
    RekeyIdentifiers(rekey_identifiers::RekeyIdentifiers),
    /// Look after long operations (operator)
    #[command(subcommand)]
    Operations(operations::OperationsCommand),
    /// Replace the root key, which protects all keyrings, under every seal (operator)
    RotateRoot(rotate_root::RotateRoot),
    /// Issue, rotate, revoke and list customer tokens (customer)
    #[command(subcommand)]
    Token(token::TokenCommand),
}

impl KeysCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        match self {
            Self::Status(status) => status.run(session).await,
            Self::RotateCipher(rotate) => rotate.run(session).await,
            Self::RotateData(rotate) => rotate.run(session).await,
            Self::RekeyIdentifiers(rekey) => rekey.run(session).await,
            Self::Operations(command) => command.run(session).await,
            Self::RotateRoot(rotate) => rotate.run(session).await,
            Self::Token(token) => token.run(session).await,
        }
    }
}
