//! Redacted copies: readable fields that the policy has made of sealed texts.
//!
//! It promises that such a field holds what was made here and nothing else, whatever a client sends
//! under its name. It relies on the spans that screening found; what it did not find is in the copy.

use tresor_proto::{Content, ContentType, ErrorCode, Failure, FieldName, Policy, covering, vault};
use tresor_screening::{TextFinding, reader::Record, redact};

/// A field that the policy has made, beside those that a record brings along.
pub(crate) struct RedactedCopy {
    pub(crate) name: FieldName,
    /// `None` where there is no text to copy.
    pub(crate) text: Option<Content>,
}

/// The copies that are to be added to a record; each that it does not bring along.
pub(super) fn of(
    policy: &Policy,
    record: &Record,
    findings: &[TextFinding],
) -> Result<Vec<RedactedCopy>, Failure> {
    let mut copies = Vec::new();
    for field in policy.fields() {
        let Some(copy) = &field.redacted_copy else { continue };
        let made = text_of(record, &field.name).map(|(at, text)| {
            let inside: Vec<_> = findings.iter().filter(|it| it.field == at).copied().collect();
            redact(text, &inside)
        });
        if record.names.iter().any(|name| lies_below(name, copy)) {
            return Err(refused(copy));
        }
        let given = value_of(record, copy).map(|(_, value)| value.as_text().unwrap_or_default());
        match (made, given) {
            (made, None) => {
                let text = made.map(|text| Content::new(ContentType::Text, text.into_bytes()));
                let text = text.transpose()?;
                copies.push(RedactedCopy { name: copy.clone(), text });
            }
            (Some(made), Some(given)) if made == given => {}
            (None, Some("")) => {}
            (_, Some(_)) => return Err(refused(copy)),
        }
    }
    Ok(copies)
}

/// Whether a value is part of an array or object in the place of a field.
fn lies_below(name: &FieldName, field: &FieldName) -> bool {
    let is_it = |name: &str| (name == field.as_str()).then_some(());
    name != field && covering(name.as_str(), is_it, |()| true).is_some()
}

/// Where a field's text is, and the text; nothing of an empty one.
fn text_of<'a>(record: &'a Record, name: &FieldName) -> Option<(usize, &'a str)> {
    let (at, value) = value_of(record, name)?;
    let text = value.as_text().filter(|_| value.content_type() == ContentType::Text)?;
    (!text.trim().is_empty()).then_some((at, text))
}

fn value_of<'a>(record: &'a Record, name: &FieldName) -> Option<(usize, &'a Content)> {
    let at = record.names.iter().position(|it| it == name)?;
    Some((at, record.values.get(at)?))
}

impl RedactedCopy {
    /// What is forwarded of it.
    pub(super) fn field(&self) -> Option<vault::Field> {
        let value = super::wire(self.text.as_ref()?);
        let (name, action) = (self.name.as_str().to_owned(), vault::Action::Clear as i32);
        Some(vault::Field { name, value: Some(value), action, ..vault::Field::default() })
    }
}

fn refused(name: &FieldName) -> Failure {
    let failure = Failure::from(ErrorCode::RejectedByPolicy);
    failure.with_violation(name.as_str(), "the policy has this field made; leave it out")
}
