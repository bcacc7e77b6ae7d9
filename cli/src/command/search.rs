//! `tresor search`: finds records by the values of their fields.
//!
//! Values come from a prompt, a file or standard input, never from an argument: other processes see
//! arguments, and shells keep them.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, IsTerminal as _, Read, Write as _},
    path::{Path, PathBuf},
};

use clap::{Args, value_parser};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tresor_proto::{CollectionName, CustomerToken, limits::VALUE_BYTES_MAX};

use super::{
    get::RevealFlag,
    list::{self, Page},
    parse,
};
use crate::{
    connection::CustomerFlags,
    error::{CliError, Exit},
    https::{Https, fetch},
    output::printable,
    secret_input::CustomerTokenSource,
    session::Session,
};

/// Fields of one search.
const TERMS_MAX: usize = 8;

/// Finds records by the values of their fields.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor search customers --field nachname
  tresor search customers --field nachname --field ort --values values.txt --reveal plain
  printf 'Muster\\n' | tresor search customers --field nachname --values - --output json

A record is found when it has all the values. The collection's policy says which fields are
searchable; case, spaces and notation do not count. A page is one search of your budget.")]
pub(crate) struct SearchCommand {
    /// Collection to search
    #[arg(value_parser = parse::collection)]
    collection: CollectionName,
    /// Field to search by; may be repeated
    #[arg(long = "field", value_name = "NAME", required = true)]
    fields: Vec<String>,
    /// File with a value a line, one for each --field, in order; `-` for standard input
    #[arg(long, value_name = "FILE")]
    values: Option<PathBuf>,
    /// How much to show
    #[arg(long, value_enum, default_value = "masked")]
    reveal: RevealFlag,
    /// Records to show
    #[arg(long, value_name = "N", default_value = "100", value_parser = value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Show all records that are found
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Where to go on, from the answer before
    #[arg(long, value_name = "TOKEN")]
    page_token: Option<String>,
    /// Field to show in the table; may be repeated
    #[arg(long = "show", value_name = "NAME")]
    shown: Vec<String>,
    #[command(flatten)]
    customer_token: CustomerTokenSource,
    #[command(flatten)]
    connection: CustomerFlags,
}

/// One page of what is found.
#[derive(Deserialize)]
struct FoundPage {
    #[serde(flatten)]
    page: Page,
    index_complete: bool,
}

impl SearchCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        if self.fields.len() > TERMS_MAX {
            return Err(CliError::usage("a search has 8 fields at most"));
        }
        let https = self.connection.https(session)?;
        let customer_token = self.customer_token.read(session)?;
        let values = match self.values.as_deref() {
            Some(file) => read_values(file, self.fields.len())?,
            None => self.fields.iter().map(|field| ask(field)).collect::<Result<_, _>>()?,
        };
        let found = self.find(&https, &customer_token, &values).await?;
        let document = json!({
            "records": found.page.records,
            "next_page_token": found.page.next_page_token,
            "index_complete": found.index_complete,
        });
        session.output.give(&document, |output| list::show(output, &found.page, &self.shown))?;
        if !found.index_complete {
            session.output.note(
                "an index is yet to be built over records that were there before it: there may be \
                 more",
            );
        }
        let is_whole = found.page.records.iter().all(|record| record.get("problem").is_none());
        Ok(if is_whole { Exit::Done } else { Exit::SomeRejected })
    }

    /// As many records as are asked for: a page may be shorter and not be the last.
    async fn find(
        &self,
        https: &Https,
        customer_token: &CustomerToken,
        values: &[String],
    ) -> Result<FoundPage, CliError> {
        let limit = if self.all { usize::MAX } else { self.limit.into() };
        let mut found = FoundPage {
            page: Page { records: Vec::new(), next_page_token: self.page_token.clone() },
            index_complete: true,
        };
        loop {
            let left = (limit - found.page.records.len()).min(1_000);
            let mut body = self.body(values, left);
            if let Some(page_token) = &found.page.next_page_token {
                body["page_token"] = json!(page_token);
            }
            let segments = ["v1", "collections", self.collection.as_str(), "records:search"];
            let request = https.request_with(Method::POST, &segments, customer_token)?;
            let next: FoundPage = fetch(request.json(&body)).await?;
            found.page.records.extend(next.page.records);
            found.page.next_page_token = next.page.next_page_token;
            found.index_complete &= next.index_complete;
            if found.page.next_page_token.is_none() || found.page.records.len() >= limit {
                return Ok(found);
            }
        }
    }

    fn body(&self, values: &[String], page_size: usize) -> Value {
        let terms = self.fields.iter().zip(values);
        let terms = terms.map(|(field, value)| json!({ "field": field, "value": value }));
        json!({
            "terms": terms.collect::<Vec<_>>(),
            "reveal": self.reveal.as_str(),
            "page_size": page_size,
        })
    }
}

/// Reads a value a line, exactly as many as there are fields.
fn read_values(file: &Path, fields: usize) -> Result<Vec<String>, CliError> {
    if file == Path::new("-") {
        return lines(std::io::stdin().lock(), fields);
    }
    let opened = File::open(file).map_err(|error| CliError::file("read", file, &error))?;
    lines(opened, fields)
}

fn lines(input: impl Read, fields: usize) -> Result<Vec<String>, CliError> {
    let bytes_max = u64::try_from(fields * (VALUE_BYTES_MAX + 2)).unwrap_or(u64::MAX);
    let lines = BufReader::new(input.take(bytes_max)).lines();
    let values: Result<Vec<_>, _> = lines.collect();
    let values = values.map_err(|_| CliError::failed("the values are no lines of UTF-8"))?;
    if values.len() == fields {
        return Ok(values);
    }
    Err(CliError::usage(format!("there are {} values for {fields} fields", values.len()))
        .advise("give a value a line, one for each --field, in order"))
}

/// Asks for the value of a field.
fn ask(field: &str) -> Result<String, CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::usage("there is no terminal to ask for values on")
            .advise("give them with --values FILE, or --values - for standard input"));
    }
    let mut out = std::io::stderr().lock();
    write!(out, "{}: ", printable(field))?;
    out.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_values_as_fields() {
        assert_eq!(lines(&b"Muster\r\nBurg"[..], 2).unwrap(), ["Muster", "Burg"]);
        assert_eq!(lines(&b"\n"[..], 1).unwrap(), [""]);
        for (text, fields) in [(&b""[..], 1), (b"a\nb\n", 1), (b"a\n", 2), (b"\xFF\n", 1)] {
            assert!(lines(text, fields).is_err(), "{text:?}");
        }
    }
}
