//! The bodies of uploads.
//!
//! It promises to describe each media type that `upload::media` reads. It relies on the bounds.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Array, ObjectBuilder, RefOr, Schema,
        schema::{OneOfBuilder, Type},
    },
};

use super::bounds::record;

/// `application/json`: one record, or an array of records.
pub(crate) struct JsonUpload;

/// `application/x-ndjson`: a record a line.
pub(crate) struct NdJsonUpload;

/// `text/csv`: a header row, then rows.
pub(crate) struct CsvUpload;

impl PartialSchema for JsonUpload {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new().item(record()).item(Array::new(record())).into()
    }
}

impl PartialSchema for NdJsonUpload {
    fn schema() -> RefOr<Schema> {
        lines("A record a line, each a JSON object.")
    }
}

impl PartialSchema for CsvUpload {
    fn schema() -> RefOr<Schema> {
        lines(
            "RFC 4180 with a header row; columns are separated by `;` or `,`. UTF-8, or ISO-8859-1 \
             when declared: `text/csv; charset=iso-8859-1`.",
        )
    }
}

impl ToSchema for JsonUpload {}
impl ToSchema for NdJsonUpload {}
impl ToSchema for CsvUpload {}

fn lines(description: &str) -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1));
    text.description(Some(description)).into()
}
