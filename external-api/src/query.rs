//! Parameters of paths, and of a query: named, each at most once, and none unknown.
//!
//! It promises that a misspelt parameter is refused instead of overlooked. It relies on axum for
//! the decoding.

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use serde::Deserialize;
use tresor_proto::Failure;

use crate::{openapi::bounds, problem::Refusal};

/// The path of a collection's records.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct CollectionPath {
    /// The collection.
    #[param(inline, value_type = bounds::Collection)]
    pub(crate) collection: String,
}

/// The path of a record.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct RecordPath {
    /// The collection.
    #[param(inline, value_type = bounds::Collection)]
    pub(crate) collection: String,
    /// The record.
    #[param(inline, value_type = bounds::RecordName)]
    pub(crate) id: String,
}

/// The parameters that nobody has asked for yet.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Takes a parameter; `None` when it is not given.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(key, _)| key == name)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Takes a parameter that `parse` understands; `description` says what that is.
    ///
    /// # Errors
    /// `invalid_request` when `parse` does not.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &str,
        description: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let invalid = || Failure::invalid(name, description);
        parse(&text).map(Some).ok_or_else(invalid)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// `invalid_request` when a parameter is left: an unknown one, or one given twice.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        let description = "a parameter is unknown or given twice";
        Err(Failure::invalid("query", description))
    }
}

/// Reads `true` or `false`.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    text.parse().ok()
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let unreadable = |_| Failure::invalid("query", "the query cannot be read");
        let Query(parameters) = Query::try_from_uri(&parts.uri).map_err(unreadable)?;
        Ok(Self(parameters))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(query: &str) -> Parameters {
        let uri = format!("/?{query}").parse().unwrap();
        Parameters(Query::try_from_uri(&uri).unwrap().0)
    }

    #[test]
    fn parameters_are_taken_once() {
        let mut given = parameters("a=1&b=%C3%A4");
        assert_eq!(given.text("b").as_deref(), Some("ä"));
        assert_eq!(given.text("b"), None);
        let number = given.parsed("a", "a number", |text| text.parse::<u8>().ok());
        assert_eq!(number, Ok(Some(1)));
        assert_eq!(given.finish(), Ok(()));
    }

    #[test]
    fn unknown_and_repeated_parameters_are_refused() {
        assert!(parameters("a=1").finish().is_err());
        let mut twice = parameters("a=1&a=2");
        twice.text("a");
        assert!(twice.finish().is_err());
        let number = parameters("a=x").parsed("a", "a number", |text| text.parse::<u8>().ok());
        assert_eq!(number, Err(Failure::invalid("a", "a number")));
    }
}
