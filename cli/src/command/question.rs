//! The question before something that cannot be taken back.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crate::error::CliError;

/// Asks on the terminal whether to go on; anything but a yes is a no, which is answered with
/// `refused`.
pub(super) fn ask(question: &str, refused: &'static str) -> Result<(), CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::usage("there is no terminal to ask on")
            .advise("give --yes to go on without a question, or --dry-run to look"));
    }
    let mut out = std::io::stderr().lock();
    write!(out, "{question} [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(CliError::failed(refused)),
    }
}
