//! `tresor completions`: the script with which a shell completes commands and flags.

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use super::Cli;
use crate::{
    error::{CliError, Exit},
    session::Session,
};

/// Writes the completions of a shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor completions bash > ~/.local/share/bash-completion/completions/tresor
  tresor completions zsh  > ~/.zfunc/_tresor          # a directory of fpath
  tresor completions fish > ~/.config/fish/completions/tresor.fish")]
pub(crate) struct CompletionsCommand {
    /// The shell
    shell: Shell,
}

impl CompletionsCommand {
    /// Runs it.
    pub(crate) fn run(&self, session: &Session) -> Result<Exit, CliError> {
        session.output.line(self.script().trim_end())?;
        Ok(Exit::Done)
    }

    fn script(&self) -> String {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "tresor", &mut script);
        String::from_utf8_lossy(&script).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_is_told_every_command_and_flag() {
        for shell in Shell::value_variants() {
            let script = CompletionsCommand { shell: *shell }.script();
            for word in ["upload", "completions", "customer-token-file"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
