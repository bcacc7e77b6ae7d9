//! The tree of commands. Each command is a file with its flags and what it does.
//!
//! A command parses its flags, makes one call or a stream of them, and shows the answer. It decides
//! nothing a service should decide.

mod apart;
mod ca;
#[cfg(feature = "check-config")]
mod check_config;
mod collection;
mod completions;
mod delete;
#[cfg(feature = "dev")]
mod demo;
mod detokenize;
#[cfg(feature = "dev")]
mod dev;
pub(crate) mod enrol;
mod exchanged;
pub(crate) mod get;
mod keys;
pub(crate) mod list;
mod parse;
mod password;
mod question;
pub(crate) mod screen;
mod seal;
mod search;
mod surrogates;
mod tenant;
mod tokenize;
mod upload;

use clap::{Parser, Subcommand};

use crate::{
    error::{CliError, Exit},
    session::{Session, Settings},
};

/// Tresor keeps personal data so that it takes two keys to read them: the customer token, which
/// only the customer has, and the cipher key, which only the server has.
#[derive(Debug, Parser)]
#[command(name = "tresor", version, propagate_version = true, max_term_width = 100)]
#[command(after_long_help = HELP)]
pub(crate) struct Cli {
    /// Settings every command takes.
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const HELP: &str = "\
Begin here:
  tresor demo                     the whole way of the data, on throwaway keys, in a minute
  tresor dev                      both APIs on this machine, with commands to try

Exit codes:
  0 done · 1 failed · 2 called wrongly · 3 some items rejected

Profile (tresor.toml, or --profile FILE); paths are relative to it:
  [operator]                      # tenant, collection, keys
  server = \"https://localhost:8444\"
  ca = \"ca/ca.pem\"
  cert = \"ca/operator.pem\"
  key = \"ca/operator.key\"
  [customer]                      # password, enrol, keys token, upload, get, list, search,
                                  # tokenize, detokenize, surrogates, delete
  server = \"https://localhost:8443\"
  ca = \"ca/ca.pem\"
  cert = \"ca/planner.pem\"
  key = \"ca/planner.key\"
  customer_token_file = \"customer.token\"
  user = \"planner\"                # where the tenant requires a password
  password_file = \"planner.password\"

Secrets come from a file, a file descriptor or a prompt; never from an argument or a variable.";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole way of the data on throwaway keys, and what each thief would see
    #[cfg(feature = "dev")]
    Demo(demo::DemoCommand),
    /// Keep both APIs up on this machine, with commands to try
    #[cfg(feature = "dev")]
    Dev(dev::DevCommand),
    /// Make a certificate authority and issue certificates
    #[command(subcommand)]
    Ca(ca::CaCommand),
    /// Register tenants and look at them (operator)
    #[command(subcommand)]
    Tenant(tenant::TenantCommand),
    /// Give collections a policy and look at them (operator)
    #[command(subcommand)]
    Collection(collection::CollectionCommand),
    /// Look at what keeps the vault's root key and change it; lock and unlock (operator)
    #[command(subcommand)]
    Seal(seal::SealCommand),
    /// Change your user's password (customer)
    Password(password::PasswordCommand),
    /// Make the tenant's keys and receive the customer token (customer, once)
    Enrol(enrol::EnrolCommand),
    /// Look after keys
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Upload a file of records
    Upload(upload::UploadCommand),
    /// Read one record
    Get(get::GetCommand),
    /// Read a collection page by page
    List(list::ListCommand),
    /// Find records by the values of their fields
    Search(search::SearchCommand),
    /// Give surrogates for the values of a file
    Tokenize(tokenize::TokenizeCommand),
    /// Give values, or their masks, for the surrogates of a file
    Detokenize(detokenize::DetokenizeCommand),
    /// Look after surrogates that are kept elsewhere
    #[command(subcommand)]
    Surrogates(surrogates::SurrogatesCommand),
    /// Delete records
    Delete(delete::DeleteCommand),
    /// Look for personal data in a file, on this machine
    Screen(screen::ScreenCommand),
    /// Check configuration files of the services, and the files they name
    #[cfg(feature = "check-config")]
    CheckConfig(check_config::CheckConfigCommand),
    /// Write the completions of a shell
    Completions(completions::CompletionsCommand),
}

impl Command {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        match self {
            #[cfg(feature = "dev")]
            Self::Demo(command) => command.run(session).await,
            #[cfg(feature = "dev")]
            Self::Dev(command) => command.run(session).await,
            Self::Ca(command) => command.run(session),
            Self::Tenant(command) => command.run(session).await,
            Self::Collection(command) => command.run(session).await,
            Self::Seal(command) => command.run(session).await,
            Self::Password(command) => command.run(session).await,
            Self::Enrol(command) => command.run(session).await,
            Self::Keys(command) => command.run(session).await,
            Self::Upload(command) => command.run(session).await,
            Self::Get(command) => command.run(session).await,
            Self::List(command) => command.run(session).await,
            Self::Search(command) => command.run(session).await,
            Self::Tokenize(command) => command.run(session).await,
            Self::Detokenize(command) => command.run(session).await,
            Self::Surrogates(command) => command.run(session).await,
            Self::Delete(command) => command.run(session).await,
            Self::Screen(command) => command.run(session),
            #[cfg(feature = "check-config")]
            Self::CheckConfig(command) => command.run(session),
            Self::Completions(command) => command.run(session),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_tree_of_commands_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_does() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn no_argument_takes_a_password_itself() {
        let words = ["tresor", "get", "r1", "--collection", "c", "--user", "u", "--password", "x"];
        assert!(Cli::try_parse_from(words).is_err());
    }

    #[test]
    fn no_argument_takes_a_customer_token_itself() {
        let words = ["tresor", "get", "r1", "--collection", "c", "--customer-token", "trsr_x"];
        assert!(Cli::try_parse_from(words).is_err());
    }
}
