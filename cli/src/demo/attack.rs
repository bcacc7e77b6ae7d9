//! An attack, and what the thief got.

use serde_json::{Value, json};
use tresor_proto::{CustomerToken, ErrorCode};

use super::{
    disk_search::{Findings, Needles},
    holdings::Holdings,
    stage::{OnDisk, Set},
};
use crate::error::CliError;

/// One attack, or one control that has to succeed.
#[derive(Clone, Debug)]
pub(crate) struct Attack {
    /// What was tried.
    pub(crate) what: String,
    /// What the thief had.
    pub(crate) with: &'static str,
    /// What he got, in words.
    pub(crate) got: String,
    /// The code of the refusal.
    pub(crate) code: Option<ErrorCode>,
    /// Whether he got nothing.
    pub(crate) is_refused: bool,
}

impl Attack {
    /// What an attempt through a door came to: any answer at all is a success for the thief.
    pub(crate) fn through_door<T>(
        what: impl Into<String>,
        with: &'static str,
        answer: Result<T, CliError>,
    ) -> Self {
        let (got, code, is_refused) = match answer {
            Ok(_) => ("the record".to_owned(), None, false),
            Err(error) => match error.code() {
                // Only a decision refuses; a service that cannot answer has decided nothing.
                Some(code) => (code.title().to_owned(), Some(code), is_decision(code)),
                None => (error.to_string(), None, true),
            },
        };
        Self { what: what.into(), with, got, code, is_refused }
    }

    /// As JSON.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "what": self.what,
            "with": self.with,
            "got": self.got,
            "code": self.code.map(ErrorCode::as_str),
            "refused": self.is_refused,
        })
    }
}

fn is_decision(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::Unauthenticated
            | ErrorCode::Forbidden
            | ErrorCode::NotFound
            | ErrorCode::WrongKey
            | ErrorCode::Integrity
    )
}

/// Searches the data directory for the customer tokens of both customers, as text and as bytes, and
/// for the passwords of their users.
pub(crate) fn search_customers_secrets(
    set: &Set,
    attacks: &mut Vec<Attack>,
    controls: &mut Vec<Attack>,
) -> Result<(), CliError> {
    let passwords = [&set.victim.user, &set.other.user];
    let passwords = passwords.map(|user| user.password.expose_secret().as_bytes());
    let customer_tokens = [&set.victim.customer_token, &set.other.customer_token];
    let texts = customer_tokens.map(CustomerToken::expose_text);
    let secrets = customer_tokens.map(|customer_token| &customer_token.expose_secret()[..]);
    let texts = texts.iter().map(|text| text.as_bytes());
    let needles = Needles::in_all_forms(texts.chain(secrets).chain(passwords));
    let in_vault = needles.search(&set.data_dir())?;
    let at_customers = needles.search(&set.victim.directory)?;
    let attack = |what: &str, findings: &Findings| Attack {
        what: what.to_owned(),
        with: "the disk",
        got: format!("{} found in {} files", findings.hits, findings.files),
        code: None,
        is_refused: findings.hits == 0,
    };
    let what = "search the whole data directory for customer tokens and passwords";
    attacks.push(attack(what, &in_vault));
    controls.push(attack("search the customer's own directory for them", &at_customers));
    Ok(())
}

/// Searches the tenant's database for clear values: what is there in plain text has to be found.
pub(crate) fn search_clear_values(
    set: &Set,
    holdings: &Holdings,
    controls: &mut Vec<Attack>,
) -> Result<(), CliError> {
    if holdings.clear().next().is_none() {
        return Ok(());
    }
    let findings = Needles::as_they_are(holdings.clear()).search(&set.database())?;
    controls.push(Attack {
        what: "search the tenant's database for values stored clear".to_owned(),
        with: "the disk",
        got: format!("{} found in {} files", findings.hits, findings.files),
        code: None,
        is_refused: findings.hits == 0,
    });
    Ok(())
}

/// Searches the tenant's database, then the whole data directory.
pub(crate) fn search(
    needles: &Needles,
    on_disk: &impl OnDisk,
    when: &str,
    attacks: &mut Vec<Attack>,
) -> Result<Findings, CliError> {
    let database = needles.search(&on_disk.database())?;
    let everything = needles.search(&on_disk.data_dir())?;
    let places = [("the tenant's database", &database), ("the whole data directory", &everything)];
    for (place, findings) in places {
        attacks.push(Attack {
            what: format!("search {place} {when}"),
            with: "the disk",
            got: format!("{} values found in {} files", findings.hits, findings.files),
            code: None,
            is_refused: findings.hits == 0,
        });
    }
    // The database lies in the data directory: its findings are in `everything` already.
    Ok(everything)
}
