//! Logs that cannot leak: an allow-list of field names, and nothing a dependency wrote.
//!
//! It promises that a field whose name is not in [`FIELDS_ALLOWED`] never reaches the output, and
//! neither does any text of a dependency or of a panic, at any level. It relies on our own
//! messages being constant texts.

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

use crate::config::Table;

mod allowed;
mod line;
mod lines;
#[cfg(test)]
mod tests;

pub use allowed::FIELDS_ALLOWED;
use lines::Lines;

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// How a line looks.
    pub format: LogFormat,
    /// The least important level that is shown. Of dependencies, never more than `warn`.
    pub level: Level,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: Level::INFO }
    }
}

impl LogSettings {
    /// Reads the keys `format` (json, text) and `level` (error … trace) of a table; both optional.
    #[must_use]
    pub fn read(table: &mut Table<'_>) -> Option<Self> {
        let formats = [("json", LogFormat::Json), ("text", LogFormat::Text)];
        let levels = [
            ("error", Level::ERROR),
            ("warn", Level::WARN),
            ("info", Level::INFO),
            ("debug", Level::DEBUG),
            ("trace", Level::TRACE),
        ];
        let default = Self::default();
        let format = table.one_of_or("format", &formats, default.format);
        let level = table.one_of_or("level", &levels, default.level);
        Some(Self { format: format?, level: level? })
    }
}

/// Sends the process's logs to standard error, panics included. The first call wins; later ones
/// change nothing.
///
/// Records of the `log` facade go nowhere: nothing bridges them.
pub fn install(settings: &LogSettings) {
    let subscriber = subscriber(settings, std::io::stderr);
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// The text of a panic may quote what was being worked on (`str` slicing does), so only its place
/// is logged.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location();
    let file = place.map(std::panic::Location::file);
    let line = place.map(std::panic::Location::line);
    tracing::error!(reason = "panic", file, line, "a thread panicked");
}

fn subscriber<W>(settings: &LogSettings, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let level = settings.level;
    let lines = Lines::new(settings.format, writer)
        .with_filter(filter_fn(move |metadata| is_shown(metadata, level)));
    Registry::default().with(lines).with(LevelFilter::from_level(level))
}

/// Below `warn` a dependency may say anything: h2 and hyper trace whole headers and frames.
fn is_shown(metadata: &Metadata<'_>, level: Level) -> bool {
    let least = if is_ours(metadata.target()) { level } else { level.min(Level::WARN) };
    *metadata.level() <= least
}

/// Whether a target is one of our crates.
fn is_ours(target: &str) -> bool {
    let name = target.split("::").next().unwrap_or(target);
    matches!(name, "tresor" | "internal_api" | "external_api") || name.starts_with("tresor_")
}
