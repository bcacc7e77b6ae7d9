//! Logs that cannot leak: an allow-list of field names, and nothing a dependency wrote.

use crate::config::Table;

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
    /// The least important level that is shown.
    pub level: tracing::Level,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: tracing::Level::INFO,
        }
    }
}

impl LogSettings {
    /// Reads the keys `format` (json, text) and `level` (error … trace) of a table; both optional.
    #[must_use]
    pub fn read(_table: &mut Table<'_>) -> Option<Self> {
        todo!()
    }
}

/// Sends the process's logs to standard error. The first call wins; later ones change nothing.
pub fn install(_settings: &LogSettings) {
    todo!()
}
