//! Surrogates as they are given, or why they are not.
//!
//! It promises that a result never gives data back. It relies on the vault to answer once they are
//! durable.

use serde::Serialize;
use serde_json::{Value, json};
use tresor_proto::{Failure, vault};
use utoipa::ToSchema;

use crate::{problem::Problem, vault::malformed};

/// A result for each item, in order.
#[derive(Serialize, ToSchema)]
#[schema(as = IssuedSurrogates)]
pub(crate) struct Answer {
    results: Vec<Told>,
}

/// A surrogate, or why there is none.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = IssuedSurrogate)]
struct Told {
    /// As it came.
    #[serde(skip_serializing_if = "String::is_empty")]
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    surrogate: Option<String>,
    /// Given before, to a request with the same idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    replayed: Option<bool>,
    /// Of the key that made it; only of format-preserving ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key_version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Problem, nullable = false)]
    problem: Option<Value>,
}

/// What became of one item.
struct Given {
    reference: String,
    issued: Result<vault::IssuedSurrogate, Failure>,
}

impl From<vault::TokenizeResult> for Given {
    fn from(result: vault::TokenizeResult) -> Self {
        use vault::tokenize_result::Outcome;
        let issued = match result.outcome {
            Some(Outcome::Issued(issued)) => Ok(issued),
            Some(Outcome::Status(status)) => Err(Failure::from_item_status(&status)),
            None => Err(malformed()),
        };
        Self { reference: result.reference, issued }
    }
}

impl From<vault::RenewResult> for Given {
    fn from(result: vault::RenewResult) -> Self {
        use vault::renew_result::Outcome;
        let issued = match result.outcome {
            Some(Outcome::Renewed(issued)) => Ok(issued),
            Some(Outcome::Status(status)) => Err(Failure::from_item_status(&status)),
            None => Err(malformed()),
        };
        Self { reference: result.reference, issued }
    }
}

impl From<vault::TokenizeResponse> for Answer {
    fn from(answer: vault::TokenizeResponse) -> Self {
        Self { results: answer.results.into_iter().map(|result| told(result.into())).collect() }
    }
}

impl From<vault::RenewResponse> for Answer {
    fn from(answer: vault::RenewResponse) -> Self {
        Self { results: answer.results.into_iter().map(|result| told(result.into())).collect() }
    }
}

fn told(Given { reference, issued }: Given) -> Told {
    match issued {
        Ok(issued) => Told {
            reference,
            surrogate: Some(issued.surrogate),
            replayed: issued.replayed.then_some(true),
            key_version: (issued.key_version > 0).then_some(issued.key_version),
            problem: None,
        },
        Err(failure) => {
            let failure = failure.calling("uses_max", "uses");
            Told { reference, problem: Some(json!(Problem::of(&failure))), ..Told::default() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_item_has_a_problem_in_the_place_of_a_surrogate() {
        let told = refused(&tresor_proto::ErrorCode::WrongKey.into());
        assert_eq!(told["problem"]["code"], "wrong_key");
        assert_eq!((&told["reference"], told.get("surrogate")), (&json!("r"), None));
    }

    fn refused(failure: &Failure) -> Value {
        let outcome = vault::tokenize_result::Outcome::Status(failure.to_item_status());
        let result = vault::TokenizeResult { reference: "r".to_owned(), outcome: Some(outcome) };
        json!(told(result.into()))
    }

    #[test]
    fn a_field_at_fault_is_called_as_it_is_asked_for() {
        let told = refused(&Failure::invalid("uses_max", "not of this kind"));
        assert_eq!(told["problem"]["violations"][0]["field"], "uses");
    }
}
