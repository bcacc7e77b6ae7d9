//! What is known of a customer token, and how it is shown.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    error::{CliError, Exit},
    output::{Output, Tone, printable},
    session::Session,
};

/// What is known of a customer token.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct About {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) classes: Vec<String>,
    pub(super) operations: Vec<String>,
    pub(super) state: String,
    pub(super) created: Option<String>,
    pub(super) expires: Option<String>,
    pub(super) bound_certificate: Option<String>,
    pub(super) revoked: Option<String>,
    pub(super) overlap_ends: Option<String>,
    pub(super) replaces: Option<String>,
    pub(super) rotated: Option<String>,
}

impl About {
    /// Its id, kind and name.
    pub(super) fn in_words(&self) -> String {
        let name = match printable(&self.name) {
            name if name.is_empty() => String::new(),
            name => format!(" `{name}`"),
        };
        format!("customer token {} ({}){name}", self.id, printable(&self.kind))
    }

    /// When it ends, or has.
    pub(super) fn end_in_words(&self) -> String {
        let end = match (&self.revoked, &self.overlap_ends) {
            (Some(revoked), _) => format!("ended {revoked}"),
            (None, Some(ends)) => format!("works until {ends}"),
            (None, None) => "works".to_owned(),
        };
        format!("{} {end}", self.in_words())
    }

    /// Its bounds, a line each.
    pub(super) fn show(&self, output: &Output) -> Result<(), CliError> {
        output.line(format!("  kind         {}", printable(&self.kind)))?;
        output.line(format!("  name         {}", printable(&self.name)))?;
        output.line(format!("  classes      {}", self.classes.join(", ")))?;
        output.line(format!("  operations   {}", self.operations.join(", ")))?;
        output.line(format!("  created      {}", given(self.created.as_deref())))?;
        output.line(format!("  expires      {}", given(self.expires.as_deref())))?;
        output.line(format!("  certificate  {}", given(self.bound_certificate.as_deref())))
    }

    /// Tells a dry run.
    pub(super) fn would_be(&self, session: &Session, what: &str) -> Result<Exit, CliError> {
        let document = json!({ "dry_run": true, "customer_token": self });
        session.output.give(&document, |output| {
            output.line(format!("{} would be {what}", self.in_words()))?;
            self.show(output)
        })?;
        Ok(Exit::Done)
    }
}

/// Shows a table of them.
pub(super) fn show_all(output: &Output, all: &[About]) -> Result<(), CliError> {
    let header = ["id", "name", "kind", "state", "classes", "operations", "created", "ends"];
    let row = |about: &About| {
        let tone = match about.state.as_str() {
            "active" => Tone::Good,
            "replaced" => Tone::Notable,
            _ => Tone::Faint,
        };
        let end = [&about.revoked, &about.overlap_ends, &about.expires];
        let end = end.into_iter().flatten().next().map(String::as_str);
        vec![
            about.id.as_str().into(),
            printable(&about.name).into_owned().into(),
            about.kind.as_str().into(),
            output.cell(tone, &about.state),
            about.classes.join(" ").into(),
            about.operations.join(" ").into(),
            given(about.created.as_deref()).into(),
            comfy_table::Cell::new(given(end)),
        ]
    };
    output.table(&header, all.iter().map(row))
}

fn given(text: Option<&str>) -> &str {
    text.unwrap_or("–")
}
