//! From a hint and a value to what the value is, before any policy is asked.
//!
//! It promises that a value is personal when its field's name says so, even when it fails its rule,
//! and not personal only when that is certain. It relies on hints having been read before, once.

mod disguise;
mod labelled;
mod technical;

use tresor_proto::{DataClass, InfoType};

use crate::{
    Evidence, Rule, Source, TextFinding, defined,
    field_name::Hint,
    harmless::{harmless, is_long_number, is_prose},
    shape::{Certainty, Finding, Shape, trimmed},
    text::CONTRADICTION_CONFIDENCE,
    validators::{Check, check, is_telling},
};

pub(crate) use disguise::{contradiction, detect};

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Detection {
    pub(crate) standing: Standing,
    pub(crate) info_type: Option<InfoType>,
    pub(crate) class: DataClass,
    pub(crate) confidence: f32,
    pub(crate) source: Source,
    pub(crate) evidence: Evidence,
}

/// The surest of what was found inside of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InText {
    pub(crate) rule: Rule,
    pub(crate) confidence: f32,
}

impl InText {
    /// Whether it is sure enough to speak against a policy or a technical name.
    pub(crate) fn is_sure(self) -> bool {
        self.confidence >= CONTRADICTION_CONFIDENCE
    }
}

impl From<&TextFinding> for InText {
    fn from(finding: &TextFinding) -> Self {
        let rule = finding.evidence.rule().unwrap_or(Rule::Named("personal data"));
        Self { rule, confidence: finding.confidence }
    }
}

/// Whether a value is personal; the greater protects more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// It is not.
    NotPersonal,
    /// Nobody knows.
    Unknown,
    /// It is.
    Personal,
}

/// Detects what a text is, taken letter by letter.
fn detect_text(hint: Hint, text: &str) -> Detection {
    let text = trimmed(text);
    if text.is_empty() {
        return empty(hint);
    }
    let shape = Shape::of(text);
    match hint {
        Hint::Personal { info_type, class, word } => {
            let checked = info_type.map_or(Check::Silent, |info_type| check(info_type, text));
            named(info_type, class, (word, checked), &shape)
        }
        Hint::Technical { kind, word } => technical::technical_field(kind, word, &shape),
        Hint::Nothing => untold(&shape),
    }
}

/// What the value of a field is that a word of the policy names.
pub(crate) fn defined(info_type: InfoType, checked: Check, text: &str) -> Detection {
    let (text, class, word) = (trimmed(text), info_type.class(), defined::WORD);
    if text.is_empty() {
        return empty(Hint::Personal { info_type: Some(info_type), class, word });
    }
    named(Some(info_type), class, (word, checked), &Shape::of(text))
}

/// What a value is that may be of an info type of the policy by itself. What is provably not personal,
/// or technical by its name, only a checksum speaks against; between equals the taxonomy decides.
pub(crate) fn with_defined(detection: Detection, found: Option<Finding>) -> Detection {
    let Some(finding) = found else { return detection };
    let ours = by_value(finding);
    let is_raised = match detection.standing {
        Standing::Personal => ours.confidence > detection.confidence,
        Standing::Unknown => true,
        Standing::NotPersonal => finding.certainty == Certainty::Sure,
    };
    if is_raised { ours } else { detection }
}

/// What a text is with something personal inside of it, which raises protection and never lowers it.
pub(crate) fn with_text(detection: Detection, found: Option<InText>) -> Detection {
    let is_raised = |found: &InText| match detection.standing {
        Standing::Personal => false,
        Standing::Unknown => true,
        Standing::NotPersonal => found.is_sure(),
    };
    let Some(InText { rule, confidence }) = found.filter(is_raised) else {
        return detection;
    };
    Detection {
        standing: Standing::Personal,
        info_type: Some(InfoType::FreeText),
        class: DataClass::FreeText,
        confidence,
        source: Source::Text,
        evidence: Evidence::InText { rule },
    }
}

/// A value of a field whose name says nothing.
fn untold(shape: &Shape<'_>) -> Detection {
    if let Some(finding) = shape.finding() {
        return by_value(finding);
    }
    match harmless(shape) {
        Some(kind) => not_personal(Source::Value, Evidence::NotPersonal { kind }),
        None => unknown(shape.text()),
    }
}

/// What a value of a field declared clear is, if it is personal: by its value alone, which the
/// field's name only tells which rule to ask.
fn contradiction_in(hint: Hint, text: &str) -> Option<Finding> {
    let text = trimmed(text);
    if let Hint::Personal { info_type: Some(info_type), .. } = hint
        && is_telling(info_type)
        && let Check::Holds(rule) = check(info_type, text)
    {
        return Some(Finding { info_type, rule, certainty: Certainty::Sure });
    }
    Shape::of(text).shaped().filter(|f| f.certainty == Certainty::Sure)
}

/// No value: of a personal field it is treated as one, so that having none does not show.
fn empty(hint: Hint) -> Detection {
    let nothing = not_personal(Source::Value, Evidence::Empty);
    match hint {
        Hint::Personal { info_type, class, .. } => Detection {
            standing: Standing::Personal,
            info_type,
            class,
            source: Source::FieldName,
            ..nothing
        },
        Hint::Technical { .. } | Hint::Nothing => nothing,
    }
}

/// Bytes, which are not looked into.
pub(crate) fn bytes(hint: Hint) -> Detection {
    match hint {
        Hint::Personal { info_type, class, word } => {
            by_name(info_type, class, 0.9, Evidence::FieldName { word })
        }
        Hint::Technical { .. } | Hint::Nothing => {
            Detection { evidence: Evidence::Bytes, ..unknown("") }
        }
    }
}

/// A value of a field with a personal name.
fn named(
    info_type: Option<InfoType>,
    class: DataClass,
    (word, checked): (&'static str, Check),
    shape: &Shape<'_>,
) -> Detection {
    if let Check::Holds(rule) = checked {
        let evidence = Evidence::FieldNameAndValue { word, rule };
        return by_name(info_type, class, 0.99, evidence);
    }
    // A telephone column with an e-mail address in it: the checked value knows better, except in
    // notes, which are sealed as a whole.
    if info_type != Some(InfoType::FreeText)
        && let Some(finding) = shape.shaped().filter(|f| f.certainty == Certainty::Sure)
    {
        return by_value(finding);
    }
    match checked {
        Check::Fails => by_name(info_type, class, 0.75, Evidence::FieldNameDespiteValue { word }),
        Check::Holds(_) | Check::Silent => {
            by_name(info_type, class, 0.9, Evidence::FieldName { word })
        }
    }
}

fn by_name(
    info_type: Option<InfoType>,
    class: DataClass,
    confidence: f32,
    evidence: Evidence,
) -> Detection {
    Detection {
        standing: Standing::Personal,
        info_type,
        class,
        confidence,
        source: Source::FieldName,
        evidence,
    }
}

fn by_value(finding: Finding) -> Detection {
    Detection {
        standing: Standing::Personal,
        info_type: Some(finding.info_type),
        class: finding.info_type.class(),
        confidence: match finding.certainty {
            Certainty::Sure => 0.98,
            Certainty::Likely => 0.7,
        },
        source: Source::Value,
        evidence: Evidence::Value { rule: finding.rule },
    }
}

fn not_personal(source: Source, evidence: Evidence) -> Detection {
    Detection {
        standing: Standing::NotPersonal,
        info_type: None,
        class: DataClass::Other,
        confidence: 0.9,
        source,
        evidence,
    }
}

/// A value of which nothing is known.
pub(crate) fn unknown(text: &str) -> Detection {
    let is_prose = is_prose(text);
    let (info_type, class, source, evidence) = match () {
        () if is_prose => {
            (Some(InfoType::FreeText), DataClass::FreeText, Source::Text, Evidence::Prose)
        }
        () if is_long_number(text) => (None, DataClass::Other, Source::Value, Evidence::LongNumber),
        () => (None, DataClass::Other, Source::Value, Evidence::UnknownText),
    };
    Detection {
        standing: Standing::Unknown,
        info_type,
        class,
        confidence: if is_prose { 0.6 } else { 0.5 },
        source,
        evidence,
    }
}
