//! A stored record with what stands in for its personal data.
//!
//! It promises to show a value only where it is stored readable, a redacted copy among them, and null
//! where nothing is known to stand in for it. It relies on the vault for surrogates and masks, and on screening for which
//! fields are stored readable.

use std::collections::HashMap;

use serde_json::Value;
use tresor_proto::{
    Action, Content, Failure,
    vault::{FieldState, PutResult},
};
use tresor_screening::reader::{Record, unflatten};

use super::screening::Fate;

/// The record, rebuilt from surrogates, masks and the values that are stored readable; behind its own
/// fields all copies that the policy makes, so that records of one kind have the same fields.
pub(super) fn record(record: &Record, fate: &Fate, result: &PutResult) -> Result<Value, Failure> {
    let stand_ins = stand_ins(result)?;
    let named = record.names.iter().zip(&record.values);
    let values = named.zip(&fate.actions).map(|((name, value), action)| match action {
        Action::Clear => Some(value),
        Action::Seal | Action::Tokenize => stand_ins.get(name.as_str()),
        Action::Drop | Action::Reject => None,
    });
    let copies = fate.copies.iter().map(|copy| copy.text.as_ref());
    let names = record.names.iter().chain(fate.copies.iter().map(|copy| &copy.name));
    Ok(unflatten(names, values.chain(copies)))
}

/// What the vault says stands in for a field, by its name: a surrogate rather than a mask.
fn stand_ins(result: &PutResult) -> Result<HashMap<&str, Content>, Failure> {
    let masked = result.fields.iter().filter(|field| field.state() == FieldState::Masked);
    let mut stand_ins = HashMap::new();
    for field in masked {
        let mask = field.value.clone().map(Content::try_from).transpose()?;
        stand_ins.extend(mask.map(|mask| (field.name.as_str(), mask)));
    }
    for given in &result.surrogates {
        stand_ins.insert(&given.field, Content::text(&given.surrogate)?);
    }
    Ok(stand_ins)
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use tresor_proto::{
        FieldName,
        vault::{FieldSurrogate, RevealedField},
    };
    use tresor_screening::reader::{Format, read};

    use super::*;
    use crate::upload::screening::{Counts, RedactedCopy};

    fn read_one(text: &str) -> Record {
        let mut record = None;
        let end = read(Format::Json, text.as_bytes(), &mut |row| {
            record = row.result.ok();
            ControlFlow::Break(())
        });
        end.unwrap();
        record.unwrap()
    }

    #[test]
    fn each_value_is_itself_its_surrogate_its_mask_or_nothing() {
        let text = r#"{"a":"IBAN","b":{"c":1.10,"d":"Erika"},"e":"dropped","f":"unknown"}"#;
        let masked = |name: &str| RevealedField {
            name: name.to_owned(),
            value: Some(Content::text("•••").unwrap().into_wire()),
            state: FieldState::Masked as i32,
            ..RevealedField::default()
        };
        let (field, surrogate) = ("a".to_owned(), "srg_x".to_owned());
        let given = FieldSurrogate { field, surrogate, key_version: 0 };
        let result = PutResult {
            surrogates: vec![given],
            fields: vec![masked("a"), masked("/b/d")],
            ..PutResult::default()
        };
        let actions = [Action::Tokenize, Action::Clear, Action::Seal, Action::Drop, Action::Seal];
        let copy = |name, text| RedactedCopy {
            name: FieldName::parse(name).unwrap(),
            text: Option::map(text, |text| Content::text(text).unwrap()),
        };
        let fate = Fate {
            row: 1,
            line: 1,
            outcome: Ok(Counts::default()),
            verdicts: None,
            actions: actions.to_vec(),
            copies: vec![copy("/b/short", Some("Frau [NAME]")), copy("none", None)],
            flagged: Vec::new(),
        };
        let expected = r#"{"a":"srg_x","b":{"c":1.10,"d":"•••","short":"Frau [NAME]"},"#;
        let expected = format!(r#"{expected}"e":null,"f":null,"none":null}}"#);
        assert_eq!(record(&read_one(text), &fate, &result).unwrap().to_string(), expected);
    }
}
