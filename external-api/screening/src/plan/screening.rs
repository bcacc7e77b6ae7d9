//! What screening a record needs besides its plan: room for what it says, and for its search of texts.
//!
//! It promises to search a text when its field is a note, or when it reads like one and may hold
//! something. It relies on being used again for the next record, so that nothing is allocated then.

use tresor_proto::{Action, DataClass, InfoType};

use super::{Field, Plan};
use crate::{
    TextFinding, Value, Verdict,
    detection::InText,
    field_name::Hint,
    repeated::{Recalled, Repeated},
    text::{self, Folding, Seen, Workspace},
};

/// What was said of one record, and what the next one uses again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Screening {
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) findings: Vec<TextFinding>,
    pub(super) are_open: Vec<bool>,
    folding: Folding,
    workspace: Workspace,
    repeated: Repeated,
}

/// What of a value is looked at.
#[derive(Clone, Copy)]
pub(super) enum Inspected<'a> {
    /// A text, and where in the value it begins.
    Text(&'a str, usize),
    Bytes,
}

impl Screening {
    /// Forgets the record before.
    pub(super) fn begin(&mut self, fields: usize) {
        self.verdicts.clear();
        self.findings.clear();
        self.repeated.begin(fields);
    }

    /// Forgets what was said of values: fields and policy are others from now on.
    pub(crate) fn forget(&mut self) {
        self.repeated.forget();
    }

    /// Adds what a plan says of a value: of its text, and of the surest of what is in that.
    pub(super) fn add(&mut self, plan: &Plan, index: usize, field: Field, value: Value<'_>) {
        match Inspected::from(value) {
            Inspected::Bytes => self.verdicts.push(plan.screen_value(field, None, None)),
            Inspected::Text(text, offset) => match self.repeated.recall(index, text) {
                Recalled::Verdict(verdict) => self.verdicts.push(verdict),
                Recalled::Nothing(digest) => {
                    let seen = self.folding.see(text);
                    let before = self.findings.len();
                    if is_searched(field, seen) {
                        let (workspace, findings) = (&mut self.workspace, &mut self.findings);
                        text::find(seen, index, &plan.defined, workspace, findings);
                    }
                    let found = self.findings.get_mut(before..).unwrap_or_default();
                    let surest = surest(found, offset, field);
                    let verdict = plan.screen_value(field, Some(seen), surest);
                    self.verdicts.push(verdict);
                    // What was found inside of it is to be told each time.
                    if let Some(digest) = digest.filter(|_| self.findings.len() == before) {
                        self.repeated.keep(digest, verdict);
                    }
                }
            },
        }
    }
}

/// The surest of what was found in a text that begins at `offset` of its value.
fn surest(found: &mut [TextFinding], offset: usize, field: Field) -> Option<InText> {
    for finding in found.iter_mut() {
        finding.start += offset;
        finding.end += offset;
    }
    let of_others = found.iter().filter(|finding| !is_declared_clear_as(field, finding.info_type));
    let surest = of_others.max_by(|one, other| one.confidence.total_cmp(&other.confidence));
    surest.map(InText::from)
}

/// Whether a policy that calls a field clear means what was found in it: the postcode of a town.
fn is_declared_clear_as(field: Field, found: InfoType) -> bool {
    let of_place = |info_type: InfoType| info_type.class() == DataClass::Location;
    field.is_declared_clear() && of_place(found) && field.info_type().is_some_and(of_place)
}

/// Whether a text is searched: notes always, values of another known type never.
fn is_searched(field: Field, seen: Seen<'_>) -> bool {
    let info_type = match field.declared {
        Some(declared) if declared.action == Action::Drop => return false,
        // The name of a field says that it is a note, whatever else its policy says of it.
        Some(declared) => declared.info_type.or_else(|| field.hinted().filter(is_note)),
        None => field.hinted(),
    };
    match info_type {
        Some(InfoType::FreeText) => true,
        Some(_) | None if field.is_declared_clear() => text::may_contradict(seen),
        Some(_) => false,
        None => text::may_hold_findings(seen),
    }
}

fn is_note(info_type: &InfoType) -> bool {
    *info_type == InfoType::FreeText
}

impl Field {
    /// The type that the field's name says.
    fn hinted(self) -> Option<InfoType> {
        match self.told() {
            Hint::Personal { info_type, .. } => info_type,
            Hint::Technical { .. } | Hint::Nothing => None,
        }
    }

    /// The type that the policy says, or else the name.
    fn info_type(self) -> Option<InfoType> {
        self.declared.and_then(|declared| declared.info_type).or_else(|| self.hinted())
    }
}

impl<'a> Inspected<'a> {
    /// The text; nothing for bytes.
    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text, _) => Some(text),
            Self::Bytes => None,
        }
    }
}

impl<'a> From<Value<'a>> for Inspected<'a> {
    fn from(value: Value<'a>) -> Self {
        match value {
            Value::Text(text) => Self::Text(text, 0),
            Value::Json("null" | "{}" | "[]") => Self::Text("", 0),
            Value::Json(literal) => {
                let quoted = literal.strip_prefix('"').and_then(|l| l.strip_suffix('"'));
                quoted.map_or(Self::Text(literal, 0), |text| Self::Text(text, 1))
            }
            Value::Binary(_) => Self::Bytes,
        }
    }
}
