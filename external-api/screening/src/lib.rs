//! Decides, for every field of every record, before anything is stored: what it is, how sure that
//! is, why, and what happens to it.
//!
//! It promises to fail safe: a declared type wins towards more protection, detection raises
//! protection and never lowers it, and text nobody declared is protected unless it is provably not
//! personal. It relies on nothing but its input: no clock, no network, no state.

mod column_memory;
mod comparison;
mod defined;
mod detection;
mod evidence;
mod field_name;
mod gazetteer;
mod harmless;
mod lexicon;
mod plan;
pub mod policy_document;
mod proper_name;
pub mod reader;
mod remark;
mod repeated;
mod report;
mod screener;
mod shape;
mod street;
mod telling_name;
mod text;
mod validators;
mod verdict;
mod word_set;

pub use column_memory::{ColumnKey, ColumnMemory, Drift};
pub use comparison::{Change, Comparison, ComparisonDocument, FieldChange, Treatment};
pub use evidence::{Evidence, Rule};
pub use plan::Plan;
pub use remark::{Remark, RemarkKind, remarks};
pub use report::{ActionCounts, Column, Report, ReportDocument};
pub use screener::{Screened, Screener};
pub use text::redact;
pub use verdict::{Source, TextFinding, Value, Verdict};
