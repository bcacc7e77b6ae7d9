//! The question before something that cannot be taken back.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crate::error::CliError;

/// Asks on the terminal whether to go on; anything but a yes is a no, which is answered with
/// `refused`.
pub(super) fn ask(question: &str, refused: &'static str) -> Result<(), CliError> {
    match answer(&format!("{question} [y/N] "), "--yes")?.as_str() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(CliError::failed(refused)),
    }
}

/// Asks for a word; any other is answered with `refused`.
pub(super) fn ask_for(
    question: &str,
    word: &str,
    refused: &'static str,
) -> Result<String, CliError> {
    let answer = answer(&format!("{question}: "), "--confirm NAME")?;
    if answer == word { Ok(answer) } else { Err(CliError::failed(refused)) }
}

/// The answer to a question; where nobody can be asked, the flag that goes on without is named.
fn answer(question: &str, flag: &str) -> Result<String, CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::usage("there is no terminal to ask on")
            .advise(format!("give {flag} to go on without a question, or --dry-run to look")));
    }
    let mut out = std::io::stderr().lock();
    write!(out, "{question}")?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}
