//! What screening makes of a batch: records to forward, and the fate of every row.
//!
//! It promises that a dropped field is not forwarded, a rejected record not at all, and that no
//! record gets an id that is personal or sealed, since ids are stored readable. It relies on the plan for verdicts.

mod copies;

use std::sync::Arc;

use serde::Serialize;
use tresor_proto::{
    Action, Content, ContentType, ErrorCode, Failure, FieldName, InfoType, RecordId, vault,
};
use tresor_screening::{
    self as screen, Evidence, Report, Source,
    reader::{Record, Row},
};
use utoipa::ToSchema;

pub(crate) use self::copies::RedactedCopy;
use super::columns::UploadColumns;
use crate::{openapi::bounds, policies::VersionedPolicy};

/// How the rows of one upload are screened.
#[derive(Clone)]
pub(crate) struct Screening {
    policy: Arc<VersionedPolicy>,
    id_field: Option<FieldName>,
    is_explained: bool,
    columns: Option<Arc<UploadColumns>>,
}

/// A screened batch.
pub(crate) struct Screened {
    /// What is forwarded.
    pub(crate) records: Vec<vault::RecordInput>,
    /// What became of each row, in order; those not refused are the records, in order.
    pub(crate) fates: Vec<Fate>,
}

/// What became of a row.
pub(crate) struct Fate {
    /// Its number.
    pub(crate) row: u64,
    /// Its line.
    pub(crate) line: u64,
    /// What is done with its fields, or why it is refused.
    pub(crate) outcome: Result<Counts, Failure>,
    /// The verdicts, when asked for.
    pub(crate) verdicts: Option<Vec<Verdict>>,
    /// What is done with each field, for whoever rebuilds the record.
    pub(crate) actions: Vec<Action>,
    /// The redacted copies that are added to it.
    pub(crate) copies: Vec<RedactedCopy>,
    /// The fields that are stored readable though they look personal.
    pub(crate) flagged: Vec<String>,
}

/// Fields by what is done with them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) sealed: u64,
    /// Those of the sealed ones that get a surrogate.
    pub(crate) tokenized: u64,
    pub(crate) clear: u64,
    /// Those of the clear ones that look personal, which the policy only flags.
    pub(crate) flagged: u64,
    pub(crate) dropped: u64,
}

/// A verdict as it is told.
#[derive(Serialize, ToSchema)]
pub(crate) struct Verdict {
    name: String,
    info_type: Option<String>,
    class: Option<&'static str>,
    confidence: f32,
    source: &'static str,
    /// The kind of reason, for programs.
    #[schema(schema_with = bounds::verdict_code)]
    code: &'static str,
    /// The rule, the checksum or the word that decided, for people.
    evidence: String,
    action: &'static str,
}

impl Screening {
    /// Screening by a policy.
    pub(crate) fn new(
        policy: Arc<VersionedPolicy>,
        id_field: Option<FieldName>,
        is_explained: bool,
    ) -> Self {
        Self { policy, id_field, is_explained, columns: None }
    }

    /// The same, telling when a column of the upload becomes another.
    pub(crate) fn watched(self, columns: UploadColumns) -> Self {
        Self { columns: Some(Arc::new(columns)), ..self }
    }

    /// The same under another version of the policy.
    pub(crate) fn renew(&mut self, policy: Arc<VersionedPolicy>) {
        self.policy = policy;
    }

    /// The version of its policy.
    pub(crate) fn version(&self) -> u64 {
        self.policy.version
    }

    /// Screens rows away from the threads that serve requests.
    pub(crate) async fn screen(&self, rows: &Arc<Vec<Row>>) -> Result<Screened, Failure> {
        let (screening, rows) = (self.clone(), Arc::clone(rows));
        let screened = tokio::task::spawn_blocking(move || screening.screen_all(&rows, None));
        screened.await.map_err(|_| ErrorCode::Internal.into())
    }

    /// The same, with what is found counted in a report.
    pub(crate) async fn report(
        &self,
        rows: Vec<Row>,
        mut report: Report,
    ) -> Result<(Screened, Report), Failure> {
        let screening = self.clone();
        let screened = tokio::task::spawn_blocking(move || {
            (screening.screen_all(&rows, Some(&mut report)), report)
        });
        screened.await.map_err(|_| ErrorCode::Internal.into())
    }

    fn screen_all(&self, rows: &[Row], mut report: Option<&mut Report>) -> Screened {
        let mut screener = screen::Screener::new(&self.policy.policy);
        let mut screened = Screened {
            records: Vec::with_capacity(rows.len()),
            fates: Vec::with_capacity(rows.len()),
        };
        for (index, row) in rows.iter().enumerate() {
            let (mut verdicts, mut actions, mut flagged) = (None, Vec::new(), Vec::new());
            let mut copies = Vec::new();
            let outcome = match &row.result {
                Ok(record) => {
                    let values: Vec<_> = record.values.iter().map(screen::Value::from).collect();
                    let found = screener.screen(&record.names, &values);
                    if let Some(report) = &mut report {
                        report.observe(&record.names, found);
                    }
                    let made = copies::of(&self.policy.policy, record, found.findings);
                    let found = found.verdicts;
                    self.observe(index, rows.len(), record, found);
                    actions = found.iter().map(action).collect();
                    flagged = names_of_flagged(&record.names, found);
                    verdicts = self.is_explained.then(|| explain(&record.names, found));
                    made.and_then(|made| {
                        copies = made;
                        self.forward(record, found, &copies)
                    })
                }
                Err(error) => {
                    report.iter_mut().for_each(|report| report.reject());
                    Err(Failure::from(error))
                }
            };
            screened.fates.push(Fate {
                row: row.number,
                line: row.line,
                outcome: outcome.map(|(mut record, counts)| {
                    record.ordinal = row.number;
                    screened.records.push(record);
                    counts
                }),
                verdicts,
                actions,
                copies,
                flagged,
            });
        }
        screened
    }

    fn observe(&self, index: usize, rows: usize, record: &Record, found: &[screen::Verdict]) {
        let columns = self.columns.iter();
        for columns in columns.filter(|_| UploadColumns::is_observed(index, rows)) {
            columns.observe(&record.names, found);
        }
    }

    /// What is forwarded of a record.
    fn forward(
        &self,
        record: &Record,
        verdicts: &[screen::Verdict],
        copies: &[RedactedCopy],
    ) -> Result<(vault::RecordInput, Counts), Failure> {
        check_rejections(&record.names, verdicts)?;
        let id = self.id(record, verdicts)?;
        let mut counts = Counts::default();
        let mut fields = Vec::with_capacity(record.names.len() + copies.len());
        let named = record.names.iter().zip(&record.values);
        for ((name, value), verdict) in named.zip(verdicts) {
            match verdict.action {
                Action::Clear => {
                    counts.clear += 1;
                    counts.flagged += u64::from(verdict.is_flagged());
                }
                Action::Drop => counts.dropped += 1,
                Action::Tokenize => {
                    counts.sealed += 1;
                    counts.tokenized += u64::from(verdict.evidence != Evidence::Empty);
                }
                // A rejection has been answered: seal, to be safe.
                Action::Seal | Action::Reject => counts.sealed += 1,
            }
            if verdict.action != Action::Drop {
                fields.push(field(name, value, verdict));
            }
        }
        let own = fields.len();
        fields.extend(copies.iter().filter_map(RedactedCopy::field));
        counts.clear += (fields.len() - own) as u64;
        let input = vault::RecordInput { id, fields, ..vault::RecordInput::default() };
        Ok((input, counts))
    }

    /// The id that a record brings along; empty when the vault makes one.
    fn id(&self, record: &Record, verdicts: &[screen::Verdict]) -> Result<String, Failure> {
        let Some(id_field) = &self.id_field else {
            return Ok(String::new());
        };
        let refused = |description: &str| Failure::invalid(id_field.as_str(), description);
        let at = record.names.iter().position(|name| name == id_field);
        let found = at.and_then(|at| Some((record.values.get(at)?, verdicts.get(at)?)));
        let (value, verdict) = found.ok_or_else(|| refused("the record has no such field"))?;
        let text = value.as_text().unwrap_or_default();
        if let Some(reason) = reason_against_id(text, verdict) {
            let message = "a record's id is stored readable and must not be personal";
            let failure = Failure::new(ErrorCode::RejectedByPolicy, message);
            return Err(failure.with_violation(id_field.as_str(), reason));
        }
        let id = RecordId::parse(text);
        let id = id.map_err(|_| refused("a record's id is [A-Za-z0-9._~-]{1,128}"))?;
        Ok(id.as_str().to_owned())
    }
}

/// Letters in a row of a code such as `ORD-17`; more may be a name.
const CODE_LETTERS_MAX: usize = 3;

/// Why a value must not be a record's id: its type is known, or it is sealed as well. Sealing a
/// value beside its own readable copy would protect nothing.
fn reason_against_id(value: &str, verdict: &screen::Verdict) -> Option<&'static str> {
    if verdict.info_type.is_some_and(|known| known != InfoType::FreeText) {
        return Some("screened as personal");
    }
    let is_declared = verdict.source == Source::Declared;
    if verdict.action == Action::Clear || (!is_declared && is_code(value)) {
        return None;
    }
    Some("not stored readable; a field of ids that are not personal is declared clear")
}

/// Whether a text that screening does not know is a number with a few letters, not a name.
fn is_code(text: &str) -> bool {
    let mut letters = text.split(|c: char| !c.is_alphabetic());
    text.bytes().any(|b| b.is_ascii_digit()) && letters.all(|run| run.len() <= CODE_LETTERS_MAX)
}

fn check_rejections(names: &[FieldName], verdicts: &[screen::Verdict]) -> Result<(), Failure> {
    let verdicts = names.iter().zip(verdicts);
    let mut rejected = verdicts.filter(|(_, verdict)| verdict.action == Action::Reject).peekable();
    if rejected.peek().is_none() {
        return Ok(());
    }
    let failure = Failure::from(ErrorCode::RejectedByPolicy);
    Err(rejected.fold(failure, |failure, (name, verdict)| {
        let kind = verdict.info_type.as_ref().map_or("this field", InfoType::as_str);
        failure.with_violation(name.as_str(), format!("the policy rejects {kind}"))
    }))
}

/// The fields that are stored readable though they look personal. Mostly none: then nothing is
/// allocated.
fn names_of_flagged(names: &[FieldName], verdicts: &[screen::Verdict]) -> Vec<String> {
    let flagged = names.iter().zip(verdicts).filter(|(_, verdict)| verdict.is_flagged());
    flagged.map(|(name, _)| name.as_str().to_owned()).collect()
}

/// What is done with a field, as far as showing it goes: where there is no value to stand in for,
/// nothing is hidden.
fn action(verdict: &screen::Verdict) -> Action {
    match (verdict.action, verdict.evidence) {
        (Action::Tokenize, Evidence::Empty) => Action::Clear,
        (action, _) => action,
    }
}

fn field(name: &FieldName, value: &Content, verdict: &screen::Verdict) -> vault::Field {
    let action = match verdict.action {
        Action::Clear => vault::Action::Clear,
        Action::Tokenize => vault::Action::Tokenize,
        Action::Seal | Action::Drop | Action::Reject => vault::Action::Seal,
    };
    let class = verdict.class.map_or(vault::DataClass::Unspecified, Into::into);
    vault::Field {
        name: name.as_str().to_owned(),
        value: Some(wire(value)),
        action: action as i32,
        info_type: verdict.info_type.map_or_else(String::new, |t| t.as_str().to_owned()),
        data_class: class as i32,
    }
}

/// A copy of a value for the wire; the original is needed again when the policy turns out to be
/// outdated.
fn wire(value: &Content) -> vault::Value {
    use vault::value::Content as Wire;
    let text = || value.as_text().unwrap_or_default().to_owned();
    let content = match value.content_type() {
        ContentType::Text => Wire::Text(text()),
        ContentType::Json => Wire::Json(text()),
        ContentType::Binary => Wire::Binary(value.as_bytes().to_vec()),
    };
    vault::Value { content: Some(content) }
}

fn explain(names: &[FieldName], verdicts: &[screen::Verdict]) -> Vec<Verdict> {
    let told = |(name, verdict): (&FieldName, &screen::Verdict)| Verdict {
        name: name.as_str().to_owned(),
        info_type: verdict.info_type.map(|it| it.as_str().to_owned()),
        class: verdict.class.map(tresor_proto::DataClass::as_str),
        confidence: verdict.confidence,
        source: verdict.source.as_str(),
        code: verdict.evidence.code(),
        evidence: verdict.evidence.to_string(),
        action: verdict.action.as_str(),
    };
    names.iter().zip(verdicts).map(told).collect()
}

#[cfg(test)]
mod tests;
