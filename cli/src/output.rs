//! What a command shows: tables for people, JSON for programs.
//!
//! Results go to standard output, notes and errors to standard error, so that `--output json` gives
//! exactly one document. Whatever came from a record or a service is shown with control
//! and bidirectional characters escaped, which a terminal would obey.

use std::{
    borrow::Cow,
    io::{ErrorKind, IsTerminal as _, Write as _},
};

use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell, ContentArrangement, LineStyle, Row, Table, TableStyle};
use serde::Serialize;

use crate::error::CliError;

/// A line below the heading and nothing else: rows stay close, and a copied table stays text.
const TABLE_STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Columns below which a table is not fitted to the terminal.
const TERMINAL_COLUMNS_MIN: u16 = 40;

/// Tables or JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Tables and sentences.
    Table,
    /// One JSON document.
    Json,
}

/// Where results go, and how.
pub(crate) struct Output {
    format: Format,
    is_coloured: bool,
}

/// What a piece of text means; only then what it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// A heading.
    Heading,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// Worth a second look.
    Notable,
    /// Of lesser importance.
    Faint,
}

impl Output {
    /// Colour is used on a terminal only, and never against `NO_COLOR`.
    pub(crate) fn new(format: Format, is_colour_allowed: bool) -> Self {
        let is_coloured = is_colour_allowed && std::io::stdout().is_terminal();
        Self { format, is_coloured }
    }

    /// Whether a program reads.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Gives the result: as `document` to a program, as what `show` writes to a person.
    pub(crate) fn give(
        &self,
        document: &impl Serialize,
        show: impl FnOnce(&Self) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        if !self.is_json() {
            return show(self);
        }
        let text = serde_json::to_string_pretty(document);
        let text = text.map_err(|_| CliError::failed("the result cannot be written as JSON"))?;
        self.line(visible_json(&text))
    }

    /// Writes a line to standard output.
    pub(crate) fn line(&self, text: impl AsRef<str>) -> Result<(), CliError> {
        match writeln!(std::io::stdout().lock(), "{}", text.as_ref()) {
            // Whoever reads, `head` for instance, has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
            written => Ok(written?),
        }
    }

    /// Writes a remark to standard error; silent when a program reads.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        if !self.is_json() {
            // There is nobody to tell when standard error is gone.
            let _ = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
        }
    }

    /// Writes an error to standard error, in the chosen format.
    pub(crate) fn error(&self, error: &CliError) {
        let text = if self.is_json() { error.to_json().to_string() } else { describe(error) };
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// Writes a table.
    pub(crate) fn table<R, C>(&self, header: &[&str], rows: R) -> Result<(), CliError>
    where
        R: IntoIterator<Item = C>,
        C: Into<Row>,
    {
        let mut table = Table::new();
        table.load_style(TABLE_STYLE);
        // A terminal that says it is narrower than a word does not know its width.
        if table.width().is_some_and(|width| width >= TERMINAL_COLUMNS_MIN) {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        let heading = |name: &&str| self.cell(Tone::Heading, &printable(name));
        table.set_header(header.iter().map(heading).collect::<Vec<_>>());
        table.add_rows(rows);
        if self.is_coloured {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        self.line(table.trim_fmt())
    }

    /// `text` in its tone.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.is_coloured {
            return text.to_owned();
        }
        let style = match tone {
            Tone::Heading => Style::new().bold(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
            Tone::Notable => AnsiColor::Yellow.on_default(),
            Tone::Faint => Style::new().dimmed(),
        };
        format!("{style}{text}{style:#}")
    }

    /// `text` as a cell in its tone.
    pub(crate) fn cell(&self, tone: Tone, text: &str) -> Cell {
        let cell = Cell::new(text);
        match tone {
            Tone::Heading => cell.add_attribute(Attribute::Bold),
            Tone::Good => cell.fg(comfy_table::Color::Green),
            Tone::Bad => cell.fg(comfy_table::Color::Red),
            Tone::Notable => cell.fg(comfy_table::Color::Yellow),
            Tone::Faint => cell.add_attribute(Attribute::Dim),
        }
    }
}

/// A number of things, in words.
pub(crate) fn counted(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// `text` on one line, with everything escaped that a terminal would obey or a reader not see.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => shown.push(' '),
            c if is_unseen(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// `json` with the same characters escaped as JSON does it; they stand in its texts only.
fn visible_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !is_unseen(c) {
            shown.push(c);
            continue;
        }
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            shown.push_str(&format!("\\u{unit:04x}"));
        }
    }
    shown
}

/// Whether a character is a control, turns the direction of the text, or takes no room: with any
/// of them one name can be shown as another (Unicode Technical Report 36 §2.10).
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn describe(error: &CliError) -> String {
    let mut text = format!("error: {}", printable(&error.to_string()));
    if let Some(code) = error.code() {
        text.push_str(&format!(" ({code})"));
    }
    for violation in error.violations() {
        let (field, what) = (printable(&violation.field), printable(&violation.description));
        text.push_str(&format!("\n  {field}: {what}"));
    }
    if let Some(advice) = error.advice() {
        text.push_str(&format!("\n  → {advice}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use tresor_proto::Failure;

    use super::*;

    #[test]
    fn control_characters_never_reach_a_terminal() {
        assert_eq!(printable("a\x1b[2Jb\nc"), r"a\u{1b}[2Jb c");
        assert_eq!(printable("Straße"), "Straße");
    }

    #[test]
    fn what_turns_or_hides_text_is_shown_escaped() {
        assert_eq!(printable("na\u{202e}em\u{200b}"), r"na\u{202e}em\u{200b}");
        let json =
            serde_json::to_string_pretty(&serde_json::json!({ "na\u{202e}em": "\u{e0041}" }));
        let shown = visible_json(&json.unwrap());
        assert_eq!(shown, "{\n  \"na\\u202eem\": \"\\udb40\\udc41\"\n}");
        let read: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(read["na\u{202e}em"], "\u{e0041}");
    }

    #[test]
    fn an_error_names_code_field_and_remedy() {
        let failure = Failure::invalid("allowed_addresses", "an entry is not a CIDR");
        let text = describe(&CliError::from(failure).advise("use 192.0.2.0/24"));
        assert_eq!(
            text,
            "error: invalid request (invalid_request)\n  allowed_addresses: an entry is not a \
             CIDR\n  → use 192.0.2.0/24"
        );
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(0, "row"), "0 rows");
    }

    #[test]
    fn without_colour_nothing_is_painted() {
        let output = Output { format: Format::Table, is_coloured: false };
        assert_eq!(output.paint(Tone::Bad, "x"), "x");
    }
}
