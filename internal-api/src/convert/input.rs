//! Records, ids and views on their way in.
//!
//! A batch is refused whole only for its size; every mistake inside an item stays with the item.
//! Mistakes name a place (`fields[3]`), never a value.

use tresor_proto::{
    Action, CollectionName, Content, DataClass, ErrorCode, Failure, FieldName, InfoType, RecordId,
    Reveal, SurrogateForm,
    limits::{BATCH_ITEMS_MAX, RECORD_FIELDS_MAX, RECORD_ID_BYTES_MAX, REFERENCE_BYTES_MAX},
    vault,
};
use tresor_vault::{Destination, NewField, NewRecord, Subject, Treatment, VaultError, View};

use super::{at_path, item_keys::ItemKeys, time};

/// The items of one batch of records, in order: their references, and what became of parsing them.
pub(crate) struct Batch {
    pub(crate) references: Vec<String>,
    pub(crate) records: Vec<Result<NewRecord, Failure>>,
}

/// The ids of one request, in order, as asked and as parsed.
pub(crate) struct Ids(Vec<(String, Result<RecordId, Failure>)>);

/// Where records go.
pub(crate) fn destination(wire: Option<vault::Destination>) -> Result<Destination, Failure> {
    let wire = wire.ok_or_else(|| Failure::invalid("destination", "is missing"))?;
    Ok(Destination {
        collection: CollectionName::parse(&wire.collection)?,
        policy_version: (wire.policy_version > 0).then_some(wire.policy_version),
        has_masks: wire.masks,
    })
}

/// What to read, and how much of it to show.
pub(crate) fn view(collection: &str, reveal: i32, fields: &[String]) -> Result<View, Failure> {
    let reveal = self::reveal(reveal)?;
    if fields.len() > RECORD_FIELDS_MAX {
        return Err(Failure::new(ErrorCode::TooLarge, "over 256 field names"));
    }
    let fields = fields.iter().map(|name| FieldName::parse(name));
    Ok(View {
        collection: CollectionName::parse(collection)?,
        reveal,
        fields: fields.collect::<Result<_, _>>()?,
    })
}

/// How much of values to show.
pub(crate) fn reveal(wire: i32) -> Result<Reveal, Failure> {
    let unknown = |_| Failure::invalid("reveal", "not a known reveal");
    vault::Reveal::try_from(wire).map(Reveal::from_wire).map_err(unknown)
}

impl Batch {
    /// Parses each item on its own.
    pub(crate) fn from_wire(
        records: Vec<vault::RecordInput>,
        keys: &mut ItemKeys,
    ) -> Result<Self, Failure> {
        check_batch("records", records.len())?;
        let keyed = |input: vault::RecordInput| {
            let key = keys.next(input.ordinal);
            let (reference, record) = item(input);
            (reference, record.map(|record| record.with_item_key(key)))
        };
        let (references, records) = records.into_iter().map(keyed).unzip();
        Ok(Self { references, records })
    }
}

impl Ids {
    /// Parses each id on its own; one over its limit is not echoed.
    pub(crate) fn from_wire(texts: Vec<String>) -> Result<Self, Failure> {
        check_batch("ids", texts.len())?;
        let parse = |mut text: String| {
            let parsed = RecordId::parse(&text);
            if text.len() > RECORD_ID_BYTES_MAX {
                text.clear();
            }
            (text, parsed)
        };
        Ok(Self(texts.into_iter().map(parse).collect()))
    }

    /// Splits off the first `count` of them.
    pub(crate) fn split_first(&mut self, count: usize) -> Self {
        let rest = self.0.split_off(count.min(self.0.len()));
        Self(core::mem::replace(&mut self.0, rest))
    }

    /// Whether none is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ids as they were asked for.
    pub(crate) fn into_texts(self) -> impl Iterator<Item = String> {
        self.0.into_iter().map(|(text, _)| text)
    }

    /// Those the vault can be asked for.
    pub(crate) fn valid(&self) -> Vec<RecordId> {
        let valid = self.0.iter().filter_map(|(_, parsed)| parsed.as_ref().ok());
        valid.cloned().collect()
    }

    /// Puts the vault's answers for the valid ones back among the others, in order.
    pub(crate) fn in_order<T>(
        self,
        answers: Vec<Result<T, VaultError>>,
    ) -> impl Iterator<Item = (String, Result<T, Failure>)> {
        let mut answers = answers.into_iter();
        self.0.into_iter().map(move |(text, parsed)| {
            let mut answer = || {
                let answer = answers.next().unwrap_or(Err(VaultError::Internal));
                answer.map_err(Failure::from)
            };
            (text, parsed.and_then(|_| answer()))
        })
    }
}

/// Checks how many items a batch has.
pub(super) fn check_batch(field: &str, items: usize) -> Result<(), Failure> {
    if items == 0 {
        return Err(Failure::invalid(field, "at least one item"));
    }
    if items > BATCH_ITEMS_MAX {
        let failure = Failure::new(ErrorCode::TooLarge, "a batch is over 1000 items");
        return Err(failure.with_violation(field, "at most 1000 items"));
    }
    Ok(())
}

/// One item: its reference, and its record.
fn item(mut input: vault::RecordInput) -> (String, Result<NewRecord, Failure>) {
    let (reference, checked) = reference(core::mem::take(&mut input.reference));
    (reference, checked.and_then(|()| record(input)))
}

/// A reference to echo; of one over its limit nothing.
pub(super) fn reference(text: String) -> (String, Result<(), Failure>) {
    if text.len() <= REFERENCE_BYTES_MAX {
        return (text, Ok(()));
    }
    let failure = Failure::new(ErrorCode::TooLarge, "a reference is over 128 bytes");
    (String::new(), Err(failure))
}

fn record(input: vault::RecordInput) -> Result<NewRecord, Failure> {
    // Looked at before the fields are converted, so that a flood of them costs nothing.
    if input.fields.len() > RECORD_FIELDS_MAX {
        let failure = Failure::new(ErrorCode::TooLarge, "a record has over 256 fields");
        return Err(failure);
    }
    let id = (!input.id.is_empty()).then(|| RecordId::parse(&input.id));
    let subject = (!input.subject.is_empty()).then(|| Subject::new(input.subject));
    let expires_ms = input.expires.as_ref().map(time::from_timestamp);
    let fields = input.fields.into_iter().enumerate();
    let fields = fields.map(|(at, wire)| {
        field(wire).map_err(|failure| at_path(&failure, &format!("fields[{at}]")))
    });
    let record = NewRecord::new(id.transpose()?, fields.collect::<Result<_, _>>()?)?;
    Ok(record.with_subject(subject.transpose()?).with_expiry(expires_ms.transpose()?))
}

fn field(wire: vault::Field) -> Result<NewField, Failure> {
    let treatment = treatment(&wire)?;
    let value = wire.value.unwrap_or_default();
    Ok(NewField {
        name: FieldName::parse(&wire.name)?,
        content: Content::try_from(value)?,
        treatment,
    })
}

/// What a field's caller decided; not given means sealed, the safe side.
fn treatment(wire: &vault::Field) -> Result<Treatment, Failure> {
    let class = DataClass::from_wire(wire.data_class).map_err(|()| unknown("class"))?;
    let info_type = match wire.info_type.as_str() {
        "" => None,
        // Whether the policy defines it, and of which class it is, is for the vault to say.
        text => {
            let named = InfoType::named(text, class.unwrap_or(DataClass::Other));
            Some(named.ok_or_else(|| unknown("info type"))?)
        }
    };
    let action = vault::Action::try_from(wire.action).map_err(|_| unknown("action"))?;
    match Action::from_wire(action).unwrap_or(Action::Seal) {
        Action::Seal => Ok(Treatment::Seal {
            info_type,
            class: class.unwrap_or_else(|| info_type.map_or(DataClass::Other, InfoType::class)),
        }),
        Action::Clear => Ok(Treatment::Clear),
        // Which surrogate is the policy's to say.
        Action::Tokenize => Ok(Treatment::Tokenize {
            info_type: info_type
                .ok_or_else(|| Failure::invalid("info_type", "a tokenized field has one"))?,
            form: SurrogateForm::default(),
            mask: None,
        }),
        Action::Drop | Action::Reject => {
            Err(Failure::invalid("action", "a field arrives sealed or clear, or not at all"))
        }
    }
}

fn unknown(what: &str) -> Failure {
    Failure::invalid(what, format!("unknown {what}"))
}

#[cfg(test)]
#[path = "input/tests.rs"]
mod tests;
