//! `POST …/records:search`: finds records by the values of searchable fields.
//!
//! It promises that values are in the body only, and that the answer tells whether all that is there
//! could be found. It relies on the vault's blind indexes, and on it for what may be searched.

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tresor_proto::{
    CollectionName, Failure, Reveal,
    vault::{self, SearchRequest, SearchTerm},
};
use utoipa::ToSchema;

use super::json;
use crate::{
    bounded_items::Items,
    client::KeyHolder,
    openapi::{Refused, RefusedKey, RefusedName, RefusedSize, bounds},
    problem::Refusal,
    query::{CollectionPath, Parameters},
    routes::App,
    small_body,
    surrogates::value,
};

/// What to look for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Search)]
pub(crate) struct Order {
    /// What is to be true of a record, all of it.
    #[schema(value_type = Vec<Term>, min_items = 1, max_items = 8)]
    terms: Items<Term>,
    #[schema(schema_with = bounds::reveal)]
    reveal: Option<String>,
    #[schema(schema_with = bounds::page_size)]
    page_size: Option<u32>,
    /// The `next_page_token` of the page before.
    page_token: Option<String>,
    /// Only these fields; all when not given.
    #[schema(value_type = Option<Vec<String>>)]
    fields: Option<Items<String>>,
}

/// A field that is to have a value.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SearchTerm)]
struct Term {
    /// The collection's policy has to call it searchable.
    #[schema(schema_with = bounds::field_name)]
    field: String,
    /// What differs in case, spaces and notation only is the same.
    #[schema(schema_with = bounds::scalar)]
    value: Box<RawValue>,
}

/// A page of what was found.
#[derive(Serialize, ToSchema)]
#[schema(as = FoundPage)]
pub(crate) struct Found {
    records: Vec<json::Item>,
    /// Null on the last page. A page may be shorter than asked for and not be the last.
    next_page_token: Option<String>,
    /// Whether every record could be found: not while an index is yet to be built over records that
    /// were there before it.
    index_complete: bool,
}

/// Finds records by the values of searchable fields.
#[utoipa::path(
    post, path = "/v1/collections/{collection}/records:search", tag = "records",
    operation_id = "search",
    security(("mutual_tls" = [], "customer_token" = [])),
    params(CollectionPath),
    request_body(content = Order, description = "At most 4 MiB."),
    responses(
        (status = 200, description = "A page, in the order of ids.", body = Found),
        Refused, RefusedName, RefusedKey, RefusedSize,
    )
)]
pub(crate) async fn search(
    State(app): State<App>,
    holder: KeyHolder,
    Path(path): Path<CollectionPath>,
    parameters: Parameters,
    body: Body,
) -> Result<Json<Found>, Refusal> {
    parameters.finish()?;
    let collection = CollectionName::parse(&path.collection)?;
    let order: Order = small_body::read_batch(body).await?;
    let request = order.into_wire(&collection)?;
    let page = holder.ask(|context| {
        let mut request = request.clone();
        request.context = Some(context);
        app.vault.search(request)
    });
    let page = page.await?;
    Ok(Json(Found {
        records: page.results.into_iter().map(json::item).collect(),
        next_page_token: Some(page.next_page_token).filter(|next| !next.is_empty()),
        index_complete: page.index_complete,
    }))
}

impl Order {
    fn into_wire(self, collection: &CollectionName) -> Result<SearchRequest, Failure> {
        let reveal = self.reveal.as_deref().map(|word| {
            let unknown = || Failure::invalid("reveal", "one of: redacted, masked, plain");
            Reveal::from_text(word).ok_or_else(unknown)
        });
        let terms = self.terms.all()?.into_iter();
        let term =
            |term: Term| SearchTerm { field: term.field, value: value::to_wire(&term.value) };
        Ok(SearchRequest {
            context: None,
            collection: collection.as_str().to_owned(),
            terms: terms.map(term).collect(),
            page_size: self.page_size.unwrap_or_default(),
            page_token: self.page_token.unwrap_or_default(),
            reveal: vault::Reveal::from(reveal.transpose()?.unwrap_or_default()) as i32,
            fields: self.fields.map(Items::all).transpose()?.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(json: &str) -> Result<SearchRequest, Failure> {
        let collection = CollectionName::parse("customers").unwrap();
        serde_json::from_str::<Order>(json).unwrap().into_wire(&collection)
    }

    #[test]
    fn what_is_looked_for_is_what_the_vault_looks_for() {
        let asked = wire(
            r#"{"terms":[{"field":"name","value":"Muster"},{"field":"nr","value":7}],
                "reveal":"plain","page_size":5,"page_token":"a","fields":["name"]}"#,
        );
        let asked = asked.unwrap();
        assert_eq!((asked.collection.as_str(), asked.reveal, asked.page_size), ("customers", 3, 5));
        let fields: Vec<_> = asked.terms.iter().map(|term| term.field.as_str()).collect();
        assert_eq!((fields, asked.page_token.as_str()), (vec!["name", "nr"], "a"));
        assert_eq!(asked.fields, ["name"]);
        assert_eq!(wire(r#"{"terms":[]}"#).unwrap().reveal, vault::Reveal::Masked as i32);
        assert!(wire(r#"{"terms":[],"reveal":"all"}"#).is_err());
    }
}
