//! Schemas of what is bounded, by the constants that are enforced.
//!
//! It promises that a value beyond a bound is refused, and relies on `tresor_proto` for both.

use tresor_proto::{
    ErrorCode, Reveal,
    limits::{
        COLLECTION_NAME_BYTES_MAX, FIELD_NAME_BYTES_MAX, IDEMPOTENCY_KEY_BYTES_MAX,
        PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX, RECORD_FIELDS_MAX, RECORD_ID_BYTES_MAX,
    },
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema,
        schema::{AdditionalProperties, SchemaType, Type},
    },
};

use crate::upload::ROW_NUMBER_MAX;

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
fn field_name() -> ObjectBuilder {
    text().min_length(Some(1)).max_length(Some(FIELD_NAME_BYTES_MAX))
}

/// An idempotency key; quotes around it are taken too.
fn idempotency_key() -> ObjectBuilder {
    let key = text().pattern(Some(r"^[!#-\[\]-~]+$"));
    key.min_length(Some(1)).max_length(Some(IDEMPOTENCY_KEY_BYTES_MAX))
}

/// How much an answer shows.
fn reveal() -> ObjectBuilder {
    let words = [Reveal::Redacted, Reveal::Masked, Reveal::Plain].map(Reveal::as_str);
    text().enum_values(Some(words)).default(Some(Reveal::default().as_str().into()))
}

/// How many records a page holds at most.
fn page_size() -> ObjectBuilder {
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

/// The field whose value may be anything.
pub(crate) fn anything() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue)
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
