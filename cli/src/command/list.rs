//! `tresor list`: reads a collection page by page.

use clap::{Args, value_parser};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use tresor_proto::{CollectionName, CustomerToken};

use super::get::{RecordDocument, RevealFlag, Target};
use crate::{
    error::{CliError, Exit},
    https::{Https, fetch},
    output::{Output, printable},
    session::Session,
};

/// Fields shown in a table when none are named: more do not fit a terminal.
const FIELDS_SHOWN: usize = 4;

/// Reads a collection page by page.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor list --collection customers
  tresor list --collection customers --field nachname --field ort --limit 20
  tresor list --collection customers --all --reveal plain --output json > customers.json")]
pub(crate) struct ListCommand {
    #[command(flatten)]
    target: Target,
    /// How much to show
    #[arg(long, value_enum, default_value = "masked")]
    reveal: RevealFlag,
    /// Records to show
    #[arg(long, value_name = "N", default_value = "100", value_parser = value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Show all records
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Where to go on, from the answer before
    #[arg(long, value_name = "TOKEN")]
    page_token: Option<String>,
    /// Field to show in the table; may be repeated
    #[arg(long = "field", value_name = "NAME")]
    fields: Vec<String>,
}

/// One page to ask for.
pub(crate) struct PageRequest<'a> {
    /// The collection.
    pub(crate) collection: &'a CollectionName,
    /// How much to show.
    pub(crate) reveal: RevealFlag,
    /// Records a page.
    pub(crate) page_size: u16,
    /// Where to go on.
    pub(crate) page_token: Option<String>,
}

/// One page.
#[derive(Deserialize)]
pub(crate) struct Page {
    /// Its records; one that cannot be given is a problem instead.
    pub(crate) records: Vec<serde_json::Value>,
    /// Where to go on; `None` on the last page.
    pub(crate) next_page_token: Option<String>,
}

impl ListCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let https = self.target.connection.https(session)?;
        let customer_token = self.target.customer_token.read(session)?;
        let mut request = PageRequest {
            collection: &self.target.collection,
            reveal: self.reveal,
            page_size: if self.all { 1_000 } else { self.limit },
            page_token: self.page_token,
        };
        let mut page = fetch_page(&https, &customer_token, &request).await?;
        while self.all && page.next_page_token.is_some() {
            request.page_token = page.next_page_token.take();
            let next = fetch_page(&https, &customer_token, &request).await?;
            page.records.extend(next.records);
            page.next_page_token = next.next_page_token;
        }
        let document = json!({ "records": page.records, "next_page_token": page.next_page_token });
        session.output.give(&document, |output| show(output, &page, &self.fields))?;
        let is_whole = page.records.iter().all(|record| record.get("problem").is_none());
        Ok(if is_whole { Exit::Done } else { Exit::SomeRejected })
    }
}

/// Fetches one page.
pub(crate) async fn fetch_page(
    https: &Https,
    customer_token: &CustomerToken,
    page: &PageRequest<'_>,
) -> Result<Page, CliError> {
    let segments = ["v1", "collections", page.collection.as_str(), "records"];
    let request = https.request_with(Method::GET, &segments, customer_token)?;
    let mut request = request.query(&[("page_size", page.page_size)]);
    request = request.query(&[("reveal", page.reveal.as_str())]);
    if let Some(page_token) = &page.page_token {
        request = request.query(&[("page_token", page_token)]);
    }
    fetch(request).await
}

/// Shows a page as a table.
pub(super) fn show(output: &Output, page: &Page, fields: &[String]) -> Result<(), CliError> {
    let records = page
        .records
        .iter()
        .filter_map(|document| serde_json::from_value::<RecordDocument>(document.clone()).ok());
    let records = records.collect::<Vec<_>>();
    let first = || records.first().into_iter().flat_map(|r| &r.fields);
    let names = if fields.is_empty() {
        first().take(FIELDS_SHOWN).map(|field| field.name.clone()).collect()
    } else {
        fields.to_vec()
    };
    let header = ["id", "revision"].into_iter().chain(names.iter().map(String::as_str));
    let row = |record: &RecordDocument| {
        let values = names.iter().map(|name| printable(&record.text_of(name)).into_owned());
        [record.id.clone(), record.revision.to_string()].into_iter().chain(values).collect()
    };
    output.table::<_, Vec<String>>(&header.collect::<Vec<_>>(), records.iter().map(row))?;
    show_rest(output, page, records.len());
    Ok(())
}

fn show_rest(output: &Output, page: &Page, shown: usize) {
    if shown < page.records.len() {
        output.note(format!("{} records do not authenticate", page.records.len() - shown));
    }
    if let Some(next) = &page.next_page_token {
        output.note(format!("there is more: --page-token {next}, or --all"));
    }
}
