//! A progress bar of an upload: bytes sent, rows acknowledged.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    error::CliError,
    transfer::{Event, Part},
};

/// A progress bar over the file's bytes, with the rows acknowledged; silent without a terminal.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Begins a bar.
    pub(crate) fn start(file: &Path) -> Result<Self, CliError> {
        let size = std::fs::metadata(file).map_err(|error| CliError::file("read", file, &error));
        let template = "{bar:32} {bytes}/{total_bytes}  {msg} rows{prefix}  {bytes_per_sec}  {eta}";
        let style = ProgressStyle::with_template(template);
        let bar = ProgressBar::new(size?.len()).with_message("0");
        Ok(Self(style.map(|style| bar.clone().with_style(style)).unwrap_or(bar)))
    }

    /// Begins it anew, with the part that is sent now.
    pub(crate) fn begin(&self, part: Part) {
        self.0.set_position(0);
        let rows = part.first_row() - 1;
        if rows > 0 {
            self.0.set_message(rows.to_string());
            self.0.set_prefix(format!(", resumed after {rows}"));
        }
    }

    /// Does something while it is off the screen.
    pub(crate) fn suspended(&self, act: impl FnOnce()) {
        self.0.suspend(act);
    }

    /// Moves it on.
    pub(crate) fn advance(&self, event: &Event) {
        match event {
            Event::Sent(bytes) => self.0.inc(*bytes),
            // Every row would cost more than the row itself.
            Event::Row(row) if row.row % 64 == 0 => self.0.set_message(row.row.to_string()),
            Event::Row(_) => {}
        }
    }

    /// Takes it off the screen.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
