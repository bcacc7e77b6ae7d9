//! A report as a page for a browser or a printer: what a data-protection officer is shown.
//!
//! It promises one file that stands alone (no script, nothing fetched) and holds no value: examples
//! are masks, and any text of the file's is escaped. It relies on `Markup` for that.

use std::{collections::BTreeMap, path::Path};

use time::{OffsetDateTime, macros::format_description};
use tresor_proto::{Action, InfoType};
use tresor_screening::{Column, ReportDocument};

use super::{markup::Markup, table::done};

const HEAD: &str = concat!(
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
    // Whatever a field may be called, a browser fetches and runs nothing.
    "<meta http-equiv=\"Content-Security-Policy\" ",
    "content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n",
    "<meta name=\"referrer\" content=\"no-referrer\">\n",
    "<meta name=\"color-scheme\" content=\"light dark\">\n<style>\n",
    include_str!("page.css"),
    "</style>\n<title>"
);

const LEGEND: &str = include_str!("legend.html");

/// What was screened, how and when.
pub(super) struct Subject<'a> {
    /// The file.
    pub(super) file: &'a Path,
    /// The policy document, if there was one.
    pub(super) policy: Option<&'a Path>,
    /// When.
    pub(super) screened: OffsetDateTime,
}

/// Writes the page.
pub(super) fn write(subject: &Subject<'_>, document: &ReportDocument) -> String {
    let mut page = Markup::default();
    let file = subject.file.file_name().unwrap_or(subject.file.as_os_str()).to_string_lossy();
    page.html(HEAD).text("Personal data in ").text(&file).html("</title>\n</head>\n<body>\n");
    header(&mut page, &file, subject);
    figures(&mut page, document);
    fields(&mut page, document);
    inside(&mut page, &document.in_text);
    proposal(&mut page, &document.proposed_policy);
    page.html(LEGEND).html("</body>\n</html>\n");
    page.finish()
}

fn header(page: &mut Markup, file: &str, subject: &Subject<'_>) {
    page.html(
        "<header>\n<p class=\"brand\">Tresor · screening report</p>\n<h1>Personal data in <span>",
    );
    page.text(file).html("</span></h1>\n<p class=\"about\">");
    let form = format_description!("[year]-[month]-[day], [hour]:[minute] UTC");
    page.text(&subject.screened.format(form).unwrap_or_default()).html(" · ");
    match subject.policy {
        Some(policy) => page.text("under the policy ").text(&policy.to_string_lossy()),
        None => page.text("without a policy: nothing is declared"),
    };
    page.html("</p>\n</header>\n");
}

fn figures(page: &mut Markup, document: &ReportDocument) {
    let columns = &document.columns;
    let inside = document.in_text.values().sum();
    page.html("<section class=\"figures\" aria-label=\"Figures\">\n");
    figure(page, document.records, "records", "");
    figure(page, columns.len() as u64, "fields", "");
    for action in Action::ALL {
        let count = columns.iter().filter(|column| column.action == action).count() as u64;
        if count > 0 || matches!(action, Action::Seal | Action::Clear) {
            figure(page, count, done(action), action.as_str());
        }
    }
    figure(page, inside, "found inside of texts", "");
    for (count, what) in [
        (document.rejected, "rows unreadable"),
        (document.rejected_by_policy, "records the policy refuses"),
        (columns.iter().map(|column| column.flagged).sum(), "values flagged"),
        (document.unlisted_values, "values in fields not listed"),
    ] {
        if count > 0 {
            figure(page, count, what, "");
        }
    }
    page.html("</section>\n");
    shares(page, columns);
}

/// A number; one of an action has its colour, which is the key to the bar below.
fn figure(page: &mut Markup, number: u64, what: &str, class: &'static str) {
    page.html("<p class=\"")
        .html(class)
        .html("\"><b>")
        .number(number)
        .html("</b> ")
        .text(what)
        .html("</p>\n");
}

/// A bar of what becomes of the fields.
fn shares(page: &mut Markup, columns: &[Column]) {
    page.html("<p class=\"shares\" aria-hidden=\"true\">");
    for action in Action::ALL {
        let count = columns.iter().filter(|column| column.action == action).count();
        if count > 0 {
            page.html("<i class=\"").html(action.as_str()).html("\" style=\"flex-grow:");
            page.text(&count.to_string()).html("\"></i>");
        }
    }
    page.html("</p>\n");
}

/// What stands in the columns, in order: a class for each, and what it is called.
const CELLS: [(&str, &str); 6] = [
    ("what", "what it is"),
    ("action", "action"),
    ("sure", "sure"),
    ("number", "values"),
    ("examples", "examples"),
    ("why", "why"),
];

fn fields(page: &mut Markup, document: &ReportDocument) {
    page.html("<section>\n<h2>Fields</h2>\n<div class=\"wide\"><table class=\"fields\">\n<thead>");
    page.html("<tr><th scope=\"col\">field</th>");
    for (_, heading) in CELLS {
        page.html("<th scope=\"col\">").html(heading).html("</th>");
    }
    page.html("</tr></thead>\n<tbody>\n");
    document.columns.iter().for_each(|column| field(page, column));
    page.html("</tbody>\n</table></div>\n</section>\n");
}

fn field(page: &mut Markup, column: &Column) {
    page.html("<tr><th scope=\"row\">").text(column.name.as_str()).html("</th>");
    let writers = [what, actions, sure, values, examples, why];
    for ((class, heading), write) in CELLS.into_iter().zip(writers) {
        // Where the page is narrow, a field is a card and each of its cells names itself.
        page.html("<td class=\"").html(class).html("\" data-heading=\"").html(heading).html("\">");
        write(page, column);
        page.html("</td>");
    }
    page.html("</tr>\n");
}

fn what(page: &mut Markup, column: &Column) {
    match column.info_type {
        Some(info_type) => page.html("<code>").text(info_type.as_str()).html("</code>"),
        None => page.html("<span class=\"faint\">no known type</span>"),
    };
    if let Some(class) = column.class {
        page.html("<br><small>").text(class.as_str()).html("</small>");
    }
}

fn sure(page: &mut Markup, column: &Column) {
    bar(page, f64::from(column.confidence));
}

fn values(page: &mut Markup, column: &Column) {
    page.number(column.values);
}

fn examples(page: &mut Markup, column: &Column) {
    for example in &column.examples {
        page.html("<span class=\"mask\">").text(example).html("</span> ");
    }
}

fn why(page: &mut Markup, column: &Column) {
    page.text(&column.evidence.to_string());
    page.html("<br><small>").text(source(column)).html("</small>");
    remarks(page, column);
}

fn actions(page: &mut Markup, column: &Column) {
    let taken: Vec<_> = column.actions.iter().collect();
    let is_mixed = taken.len() > 1;
    let taken = if taken.is_empty() { vec![(column.action, 0)] } else { taken };
    for (action, count) in taken {
        page.html("<span class=\"chip ").html(action.as_str()).html("\">").html(action.as_str());
        if is_mixed {
            page.html(" ").number(count);
        }
        page.html("</span> ");
    }
    if column.flagged > 0 {
        page.html("<span class=\"chip flag\">flagged ").number(column.flagged).html("</span>");
    }
}

/// The stage that decided, in words.
fn source(column: &Column) -> &'static str {
    use tresor_screening::Source;
    match column.source {
        Source::Declared => "by the policy",
        Source::FieldName => "by the field's name",
        Source::Value => "by the values",
        Source::Column => "by the column as a whole",
        Source::Text => "by what stands inside of the texts",
    }
}

fn remarks(page: &mut Markup, column: &Column) {
    if !column.in_text.is_empty() {
        page.html("<ul class=\"inside\">");
        for (info_type, count) in &column.in_text {
            page.html("<li><b>").number(*count).html("</b> <code>");
            page.text(info_type.as_str()).html("</code></li>");
        }
        page.html("</ul>");
    }
    if let Some(drift) = column.drift {
        page.html("<p class=\"drift\">From some record on it holds something else: ");
        page.text(name_of(drift.from.as_ref())).html(" → ");
        page.text(name_of(drift.to.as_ref())).html("</p>");
    }
}

fn name_of(info_type: Option<&InfoType>) -> &str {
    info_type.map_or("no known type", InfoType::as_str)
}

fn inside(page: &mut Markup, found: &BTreeMap<InfoType, u64>) {
    let Some(most) = found.values().max() else { return };
    page.html("<section>\n<h2>Inside of texts</h2>\n<table class=\"inside\">\n<thead><tr>");
    page.html(
        "<th scope=\"col\">what</th><th scope=\"col\">class</th><th scope=\"col\">how often</th>",
    );
    page.html("</tr></thead>\n<tbody>\n");
    for (info_type, count) in found {
        page.html("<tr><th scope=\"row\"><code>").text(info_type.as_str()).html("</code></th><td>");
        page.text(info_type.class().as_str()).html("</td><td class=\"sure\">");
        #[allow(clippy::cast_precision_loss, reason = "the length of a bar")]
        track(page, *count as f64 / *most as f64);
        page.number(*count).html("</td></tr>\n");
    }
    page.html("</tbody>\n</table>\n</section>\n");
}

/// How sure it is: a bar and a number.
fn bar(page: &mut Markup, share: f64) {
    track(page, share);
    page.text(&format!("{share:.2}"));
}

fn track(page: &mut Markup, share: f64) {
    page.html("<span class=\"bar\" aria-hidden=\"true\"><i style=\"width:");
    page.text(&format!("{:.0}", 100.0 * share)).html("%\"></i></span> ");
}

fn proposal(page: &mut Markup, document: &str) {
    page.html("<section>\n<h2>Proposed policy</h2>\n<p>To start from: it declares each field as it was seen.</p>\n<pre>");
    for line in document.lines() {
        page.text(line).html("\n");
    }
    page.html("</pre>\n</section>\n");
}

#[cfg(test)]
mod tests;
