//! Schemas of what is bounded, by the constants that are enforced.
//!
//! It promises that a value beyond a bound is refused, and relies on `tresor_proto` for both.

use tresor_proto::{
    Action, CustomerTokenKind, DataClass, ErrorCode, InfoType, Reveal, SurrogateFormat,
    TokenOperation,
    limits::{
        COLLECTION_NAME_BYTES_MAX, CUSTOMER_TOKEN_NAME_BYTES_MAX, FIELD_NAME_BYTES_MAX,
        IDEMPOTENCY_KEY_BYTES_MAX, OVERLAP_DEFAULT_MS, OVERLAP_MAX_MS, PAGE_ITEMS_DEFAULT,
        PAGE_ITEMS_MAX, PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN, RECORD_FIELDS_MAX,
        RECORD_ID_BYTES_MAX, REFERENCE_BYTES_MAX,
    },
};
use tresor_screening::Evidence;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat,
        schema::{AdditionalProperties, ArrayBuilder, SchemaType, Type},
    },
};

use crate::{customer_tokens::LIFETIME_DEFAULT_SECONDS, upload::ROW_NUMBER_MAX};

/// Parameters, each a type of its own: a function would lose its description and that it is needed.
macro_rules! parameters {
    ($($name:ident: $schema:expr;)*) => {$(
        #[doc = concat!("The schema of a parameter: `", stringify!($schema), "`.")]
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $name {}
    )*};
}

parameters! {
    Collection: collection();
    RecordName: record_id();
    IdField: field_name();
    Shown: reveal();
    PageSize: page_size();
    Results: results();
    RowNumber: row_number();
    RepeatKey: idempotency_key();
    TokenId: token_id();
}

/// The name of a collection.
fn collection() -> ObjectBuilder {
    text().pattern(Some("^[a-z][a-z0-9_-]*$")).max_length(Some(COLLECTION_NAME_BYTES_MAX))
}

/// A record's id.
pub(crate) fn record_id() -> ObjectBuilder {
    let id = text().pattern(Some("^[A-Za-z0-9._~-]+$"));
    id.min_length(Some(1)).max_length(Some(RECORD_ID_BYTES_MAX))
}

/// A field's name.
pub(crate) fn field_name() -> ObjectBuilder {
    text().min_length(Some(1)).max_length(Some(FIELD_NAME_BYTES_MAX))
}

/// An idempotency key; quotes around it are taken too.
fn idempotency_key() -> ObjectBuilder {
    let key = text().pattern(Some(r"^[!#-\[\]-~]+$"));
    key.min_length(Some(1)).max_length(Some(IDEMPOTENCY_KEY_BYTES_MAX))
}

/// How much an answer shows.
pub(crate) fn reveal() -> ObjectBuilder {
    let words = [Reveal::Redacted, Reveal::Masked, Reveal::Plain].map(Reveal::as_str);
    text().enum_values(Some(words)).default(Some(Reveal::default().as_str().into()))
}

/// How much a surrogate ever shows.
pub(crate) fn reveal_bound() -> ObjectBuilder {
    reveal().default(Some(Reveal::Plain.as_str().into()))
}

/// What a value is.
pub(crate) fn info_type() -> ObjectBuilder {
    let names: Vec<_> = InfoType::ALL.iter().map(InfoType::as_str).collect();
    let names = names.join(", ");
    let description = format!("One that a policy of the tenant defines, or one of: {names}.");
    text().pattern(Some("^[A-Z][A-Z0-9_]{0,63}$")).description(Some(description))
}

/// The kind of reason of a verdict.
pub(crate) fn verdict_code() -> ObjectBuilder {
    text().enum_values(Some(Evidence::CODES))
}

/// The stage that decided.
pub(crate) fn verdict_source() -> ObjectBuilder {
    text().enum_values(Some(["declared", "field_name", "value", "column", "text"]))
}

/// What is done with a field.
pub(crate) fn action() -> ObjectBuilder {
    text().enum_values(Some(Action::ALL.map(Action::as_str)))
}

/// How many values each action is taken on.
pub(crate) fn action_counts() -> ObjectBuilder {
    counts(action())
}

/// How often each info type was found.
pub(crate) fn type_counts() -> ObjectBuilder {
    counts(info_type())
}

fn counts(names: ObjectBuilder) -> ObjectBuilder {
    let count = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property_names(Some(names))
        .additional_properties(Some(count))
}

/// How a surrogate is made.
pub(crate) fn surrogate_kind() -> ObjectBuilder {
    let words = ["random", "deterministic", "format-preserving"];
    text().enum_values(Some(words)).default(Some("random".into()))
}

/// What a format-preserving surrogate looks like.
pub(crate) fn surrogate_format() -> ObjectBuilder {
    text().enum_values(Some(SurrogateFormat::ALL.map(SurrogateFormat::as_str)))
}

/// What a caller calls an item.
pub(crate) fn reference() -> ObjectBuilder {
    text().max_length(Some(REFERENCE_BYTES_MAX))
}

/// A string, a number or a boolean.
pub(crate) fn scalar() -> ObjectBuilder {
    let types = SchemaType::from_iter([Type::String, Type::Number, Type::Boolean]);
    ObjectBuilder::new().schema_type(types)
}

/// How many records a page holds at most.
pub(crate) fn page_size() -> ObjectBuilder {
    let size = ObjectBuilder::new().schema_type(Type::Integer);
    let size = size.minimum(Some(1)).maximum(Some(PAGE_ITEMS_MAX));
    size.default(Some(PAGE_ITEMS_DEFAULT.into()))
}

/// Why a field shows what it shows.
pub(crate) fn field_state() -> ObjectBuilder {
    text().enum_values(Some(["clear", "plain", "masked", "redacted", "withheld", "unspecified"]))
}

/// The number of a row; JSON's numbers are exact as far as that.
fn row_number() -> ObjectBuilder {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    number.minimum(Some(1)).maximum(Some(ROW_NUMBER_MAX)).default(Some(1.into()))
}

/// Which rows are told.
fn results() -> ObjectBuilder {
    text().enum_values(Some(["all", "rejected"])).default(Some("all".into()))
}

/// The id of a customer token.
pub(crate) fn token_id() -> ObjectBuilder {
    text().pattern(Some("^[0-9A-Za-z]{17}$"))
}

/// What a customer token is for.
pub(crate) fn token_kind() -> ObjectBuilder {
    text().enum_values(Some(CustomerTokenKind::ALL.map(CustomerTokenKind::as_str)))
}

/// What a customer calls a customer token.
pub(crate) fn token_name() -> ObjectBuilder {
    text().max_length(Some(CUSTOMER_TOKEN_NAME_BYTES_MAX))
}

/// Whether a customer token works.
pub(crate) fn token_state() -> ObjectBuilder {
    text().enum_values(Some(crate::customer_tokens::STATES))
}

/// A password; its bytes are bounded, and a character has four at most.
pub(crate) fn password() -> ObjectBuilder {
    let password = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)));
    password.min_length(Some(PASSWORD_BYTES_MIN / 4)).max_length(Some(PASSWORD_BYTES_MAX))
}

/// Where long work is.
pub(crate) fn operation_state() -> ObjectBuilder {
    text().enum_values(Some(crate::customer_tokens::OPERATION_STATES))
}

/// Data classes.
pub(crate) fn classes() -> ArrayBuilder {
    words(DataClass::ALL.map(DataClass::as_str))
}

/// What a customer token may do.
pub(crate) fn operations() -> ArrayBuilder {
    words(TokenOperation::ALL.map(TokenOperation::as_str))
}

/// A SHA-256 digest in hex, with or without colons.
pub(crate) fn digest() -> ObjectBuilder {
    text().pattern(Some("^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$"))
}

/// Seconds that two customer tokens work side by side.
pub(crate) fn overlap() -> ObjectBuilder {
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
    let most = u32::try_from(OVERLAP_MAX_MS / 1_000).unwrap_or(u32::MAX);
    seconds.maximum(Some(most)).default(Some((OVERLAP_DEFAULT_MS / 1_000).into()))
}

/// Seconds of a loan.
pub(crate) fn lifetime() -> ObjectBuilder {
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
    seconds.maximum(Some(24 * 3_600)).default(Some(LIFETIME_DEFAULT_SECONDS.into()))
}

fn words(words: impl IntoIterator<Item = &'static str>) -> ArrayBuilder {
    ArrayBuilder::new().items(text().enum_values(Some(words))).min_items(Some(1))
}

/// A code of the one table.
pub(crate) fn error_code() -> ObjectBuilder {
    text().enum_values(Some(ErrorCode::all().map(ErrorCode::as_str)))
}

/// A record: an object with any values, nested or not.
pub(crate) fn record() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property_names(Some(field_name()))
        .min_properties(Some(1))
        .max_properties(Some(RECORD_FIELDS_MAX))
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(true)))
}

/// Surrogates by field.
pub(crate) fn surrogates() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property_names(Some(field_name()))
        .max_properties(Some(RECORD_FIELDS_MAX))
        .additional_properties(Some(text()))
}

/// Versions of keys by field.
pub(crate) fn key_versions() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property_names(Some(field_name()))
        .max_properties(Some(RECORD_FIELDS_MAX))
        .additional_properties(Some(
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)),
        ))
}

/// The field whose value may be anything.
pub(crate) fn anything() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue)
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
