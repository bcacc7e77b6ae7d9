//! Values and surrogates on their way in and out.
//!
//! A batch is refused whole only for its size; every mistake inside an item stays with the item.

use tresor_proto::{
    Content, DataClass, ErrorCode, Failure, InfoType, SurrogateForm, SurrogateFormat,
    SurrogateOptions, limits::VALUE_BYTES_MAX, vault,
};
use tresor_vault::{
    FormatPreserved, IssuedSurrogate, NewSurrogate, RevealedValue, Shown, SurrogateDescription,
    SurrogateQuery, VaultError,
};

use super::{
    input::{check_batch, reference},
    item_keys::ItemKeys,
    revealed::shown_to_wire,
    time::{from_timestamp, to_timestamp},
};

/// What a surrogate that names its own info type begins with; no format has its last character.
const OWN_TYPE: &str = "srg_";

/// What the items of a call or stream are for that say nothing of it themselves.
pub(crate) struct CommonOptions(Result<SurrogateOptions, Failure>);

/// What surrogates were made for that say nothing of it themselves; only format-preserving ones.
#[derive(Default)]
pub(crate) struct CommonForm {
    info_type: Option<InfoType>,
    format: i32,
    key_version: u32,
}

/// Values of one batch, in order: their references, and what became of parsing them.
pub(crate) struct Values {
    pub(crate) references: Vec<String>,
    pub(crate) values: Vec<Result<NewSurrogate, Failure>>,
}

/// Surrogates of one batch, in order.
pub(crate) struct Names {
    pub(crate) references: Vec<String>,
    pub(crate) queries: Vec<Result<SurrogateQuery, Failure>>,
}

impl CommonOptions {
    /// Parses them; a mistake is told with each item that wants them.
    pub(crate) fn from_wire(wire: Option<vault::SurrogateOptions>) -> Self {
        let missing = || Failure::invalid("options", "are missing");
        Self(wire.ok_or_else(missing).and_then(|wire| options(&wire)))
    }
}

impl CommonForm {
    /// Parses them.
    pub(crate) fn from_wire(
        info_type_name: &str,
        format: i32,
        key_version: u32,
    ) -> Result<Self, Failure> {
        let info_type = (!info_type_name.is_empty()).then(|| info_type(info_type_name));
        Ok(Self { info_type: info_type.transpose()?, format, key_version })
    }
}

impl Values {
    /// Parses each item on its own.
    pub(crate) fn from_wire(
        items: Vec<vault::TokenizeItem>,
        common: &CommonOptions,
        keys: &mut ItemKeys,
    ) -> Result<Self, Failure> {
        check_batch("items", items.len())?;
        let parse = |item: vault::TokenizeItem| {
            let item_key = keys.next(item.ordinal);
            let (reference, checked) = reference(item.reference);
            let value = checked.and_then(|()| {
                let options = item.options.as_ref().map_or_else(|| common.0.clone(), options)?;
                let content = Content::try_from(item.value.unwrap_or_default())?;
                Ok(NewSurrogate { content, options, item_key })
            });
            (reference, value)
        };
        let (references, values) = items.into_iter().map(parse).unzip();
        Ok(Self { references, values })
    }
}

impl Names {
    /// Parses each item on its own.
    pub(crate) fn from_wire(
        items: Vec<vault::SurrogateItem>,
        common: &CommonForm,
    ) -> Result<Self, Failure> {
        check_batch("items", items.len())?;
        let parse = |item: vault::SurrogateItem| {
            let (reference, checked) = reference(item.reference.clone());
            (reference, checked.and_then(|()| query(item, common)))
        };
        let (references, queries) = items.into_iter().map(parse).unzip();
        Ok(Self { references, queries })
    }

    /// Splits off the first `count` of them.
    pub(crate) fn split_first(&mut self, count: usize) -> Self {
        let count = count.min(self.queries.len());
        let references = self.references.split_off(count);
        let queries = self.queries.split_off(count);
        Self {
            references: core::mem::replace(&mut self.references, references),
            queries: core::mem::replace(&mut self.queries, queries),
        }
    }
}

fn options(wire: &vault::SurrogateOptions) -> Result<SurrogateOptions, Failure> {
    let info_type = info_type(&wire.info_type)?;
    let vault::SurrogateOptions { kind, format, reveal, forced, .. } = *wire;
    let form = vault::SurrogateForm { kind, format, reveal, forced };
    let form = SurrogateForm::from_wire(&form, info_type)?;
    let expires_ms = wire.expires.as_ref().map(from_timestamp).transpose()?;
    SurrogateOptions::new(info_type, form, expires_ms, Some(wire.uses_max))
}

fn query(item: vault::SurrogateItem, common: &CommonForm) -> Result<SurrogateQuery, Failure> {
    if item.surrogate.len() > VALUE_BYTES_MAX {
        return Err(Failure::new(ErrorCode::TooLarge, "a surrogate is over 65536 bytes"));
    }
    let of_type = match item.info_type.as_str() {
        "" => common.info_type.filter(|_| !item.surrogate.starts_with(OWN_TYPE)),
        name => Some(info_type(name)?),
    };
    let form = of_type.map(|info_type| {
        let format = if item.format == 0 { common.format } else { item.format };
        let format = SurrogateFormat::from_wire(format, info_type)?;
        let versions = [item.key_version, common.key_version];
        let key_version = versions.into_iter().find(|version| *version > 0);
        Ok::<_, Failure>(FormatPreserved { info_type, format, key_version })
    });
    Ok(SurrogateQuery { form: form.transpose()?, text: item.surrogate })
}

fn info_type(name: &str) -> Result<InfoType, Failure> {
    let description = if name.is_empty() { "is missing" } else { "unknown info type" };
    // Whether the tenant has it, and of which class it is, is for the vault to say.
    let named = InfoType::named(name, DataClass::Other);
    named.ok_or_else(|| Failure::invalid("info_type", description))
}

/// The result for one value.
pub(crate) fn tokenize_result(
    reference: String,
    issued: Result<IssuedSurrogate, VaultError>,
) -> vault::TokenizeResult {
    use vault::tokenize_result::Outcome;
    let outcome = match issued {
        Ok(issued) => Outcome::Issued(issued_to_wire(issued)),
        Err(error) => Outcome::Status(Failure::from(error).to_item_status()),
    };
    vault::TokenizeResult { reference, outcome: Some(outcome) }
}

/// The result for one surrogate that was to be renewed.
pub(crate) fn renew_result(
    reference: String,
    renewed: Result<IssuedSurrogate, VaultError>,
) -> vault::RenewResult {
    use vault::renew_result::Outcome;
    let outcome = match renewed {
        Ok(renewed) => Outcome::Renewed(issued_to_wire(renewed)),
        Err(error) => Outcome::Status(Failure::from(error).to_item_status()),
    };
    vault::RenewResult { reference, outcome: Some(outcome) }
}

fn issued_to_wire(issued: IssuedSurrogate) -> vault::IssuedSurrogate {
    vault::IssuedSurrogate {
        surrogate: issued.text,
        replayed: issued.is_replayed,
        key_version: issued.key_version.unwrap_or_default(),
    }
}

/// The result for one surrogate that was to be traded.
pub(crate) fn detokenize_result(
    reference: String,
    revealed: Result<RevealedValue, Failure>,
) -> vault::DetokenizeResult {
    use vault::detokenize_result::Outcome;
    let outcome = match revealed {
        Ok(value) => Outcome::Revealed(value_to_wire(value)),
        Err(failure) => Outcome::Status(failure.to_item_status()),
    };
    vault::DetokenizeResult { reference, outcome: Some(outcome) }
}

fn value_to_wire(revealed: RevealedValue) -> vault::RevealedValue {
    let is_redacted = matches!(revealed.shown, Shown::Redacted);
    let (state, content) = shown_to_wire(revealed.shown);
    vault::RevealedValue {
        value: content.map(Content::into_wire),
        state: state as i32,
        info_type: revealed.info_type.as_str().to_owned(),
        data_class: vault::DataClass::from(revealed.class) as i32,
        length_bytes_max: if is_redacted { revealed.length_bytes_max } else { 0 },
    }
}

/// The result for one surrogate that was to be described.
pub(crate) fn describe_result(
    reference: String,
    description: Result<SurrogateDescription, VaultError>,
) -> vault::DescribeResult {
    use vault::describe_result::Outcome;
    let outcome = match description {
        Ok(description) => Outcome::Description(description_to_wire(&description)),
        Err(error) => Outcome::Status(Failure::from(error).to_item_status()),
    };
    vault::DescribeResult { reference, outcome: Some(outcome) }
}

fn description_to_wire(description: &SurrogateDescription) -> vault::SurrogateDescription {
    let format = description.kind.format();
    let format = format.map_or(vault::SurrogateFormat::Unspecified, Into::into);
    vault::SurrogateDescription {
        info_type: description.info_type.as_str().to_owned(),
        data_class: vault::DataClass::from(description.class) as i32,
        kind: vault::SurrogateKind::from(description.kind) as i32,
        format: format as i32,
        reveal: vault::Reveal::from(description.reveal) as i32,
        created: description.created_ms.map(to_timestamp),
        expires: description.expires_ms.map(to_timestamp),
        uses: description.uses,
        uses_max: description.uses_max.unwrap_or_default(),
        references: description.references,
    }
}

/// The result for one surrogate that was to be deleted.
pub(crate) fn delete_surrogate_result(
    reference: String,
    deleted: Result<(), VaultError>,
) -> vault::DeleteSurrogateResult {
    let status = deleted.err().map(|error| Failure::from(error).to_item_status());
    vault::DeleteSurrogateResult { reference, status }
}

#[cfg(test)]
#[path = "surrogates/tests.rs"]
mod tests;
