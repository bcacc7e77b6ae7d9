//! The question before something that cannot be taken back.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crate::error::CliError;

/// What was said beforehand about the question.
#[derive(Clone, Copy)]
pub(super) struct Consent {
    /// It is not asked.
    pub(super) yes: bool,
    /// Nothing is to be done.
    pub(super) dry_run: bool,
}

impl Consent {
    /// Does something after showing it, by the same call, and asking; or only shows it.
    pub(super) async fn to<T>(
        self,
        call: impl AsyncFn(bool) -> Result<T, CliError>,
        confirm: impl FnOnce(&T) -> Result<(), CliError>,
    ) -> Result<T, CliError> {
        if !self.yes {
            let planned = call(true).await?;
            if self.dry_run {
                return Ok(planned);
            }
            confirm(&planned)?;
        }
        call(false).await
    }
}

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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// The calls that are made, dry or not, and how it ends.
    async fn calls(consent: Consent, is_confirmed: bool) -> (Vec<bool>, Result<usize, String>) {
        let calls = RefCell::new(Vec::new());
        let call = async |dry_run| {
            calls.borrow_mut().push(dry_run);
            Ok(calls.borrow().len())
        };
        let confirm = |_: &usize| is_confirmed.then_some(()).ok_or(CliError::failed("no"));
        let end = consent.to(call, confirm).await.map_err(|error| error.to_string());
        (calls.take(), end)
    }

    #[tokio::test]
    async fn nothing_is_done_that_was_not_shown_and_confirmed_or_said_beforehand() {
        let consent = |yes, dry_run| Consent { yes, dry_run };
        assert_eq!(calls(consent(false, false), true).await, (vec![true, false], Ok(2)));
        assert_eq!(calls(consent(false, false), false).await, (vec![true], Err("no".to_owned())));
        assert_eq!(calls(consent(false, true), false).await, (vec![true], Ok(1)));
        assert_eq!(calls(consent(true, false), false).await, (vec![false], Ok(1)));
    }
}
