//! Loans as JSON: what is lent, and how far the work is that it is lent to.
//!
//! It promises words for every number of the wire, and tells nothing of records but the ids of
//! damaged ones.

use prost_types::{Duration, Timestamp};
use serde::{Deserialize, Serialize};
use tresor_proto::{
    Failure,
    vault::{self, RequestContext},
};
use utoipa::ToSchema;

use super::{
    Asked,
    json::{class_names, classes},
};
use crate::{
    openapi::bounds,
    vault::{Vault, malformed},
};

/// Seconds of a loan that says nothing of its length.
pub(crate) const LIFETIME_DEFAULT_SECONDS: u32 = 3_600;

/// How to lend a customer token.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Loan {
    /// The classes; all it opens when not given.
    #[schema(schema_with = bounds::classes)]
    classes: Option<Vec<String>>,
    /// Seconds until the loan ends; an hour when not given, 24 hours at most.
    #[schema(schema_with = bounds::lifetime)]
    lifetime_seconds: Option<u32>,
    /// Lends nothing: tells what would be lent, and how far the work is.
    #[serde(default)]
    #[schema(default = false)]
    dry_run: bool,
}

/// What is lent.
#[derive(Serialize, ToSchema)]
pub(crate) struct Lent {
    #[schema(schema_with = bounds::classes)]
    classes: Vec<&'static str>,
    #[schema(format = DateTime)]
    ends: String,
    /// The work that needs no other classes, as it is now.
    operations: Vec<Work>,
}

/// The re-encryption of the tenant's records.
#[derive(Serialize, ToSchema)]
#[schema(as = Operation)]
pub(crate) struct Work {
    id: String,
    #[schema(schema_with = bounds::operation_state)]
    state: &'static str,
    /// Records this stage has been at.
    done: u64,
    /// Records there were when they were counted.
    total: u64,
    /// Groups re-encrypted, in all.
    resealed: u64,
    /// When this stage ends at its rate, while it runs.
    #[schema(format = DateTime)]
    estimated_end: Option<String>,
    /// When the older keys are destroyed, once nothing hangs on them.
    #[schema(format = DateTime)]
    destroy: Option<String>,
    /// Damaged records the last scan found.
    damaged: u64,
    /// The first 100 of them, `collection/record`.
    damaged_records: Vec<String>,
}

impl Asked for Loan {
    type Request = vault::LendRequest;
    type Answer = Lent;

    fn to_wire(&self, context: RequestContext, id: String) -> Result<Self::Request, Failure> {
        let seconds = self.lifetime_seconds.unwrap_or(LIFETIME_DEFAULT_SECONDS).into();
        Ok(vault::LendRequest {
            context: Some(context),
            classes: classes(self.classes.clone())?,
            lifetime: Some(Duration { seconds, nanos: 0 }),
            id,
            dry_run: self.dry_run,
        })
    }

    async fn ask(vault: &Vault, request: Self::Request) -> Result<Lent, Failure> {
        let lent = vault.lend_customer_token(request).await?;
        Ok(Lent {
            classes: class_names(&lent.classes),
            ends: lent.ends.ok_or_else(malformed)?.to_string(),
            operations: lent.operations.into_iter().map(Work::from).collect(),
        })
    }
}

impl From<vault::Operation> for Work {
    fn from(operation: vault::Operation) -> Self {
        let moment = |time: Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            state: state(operation.state()),
            id: operation.id,
            done: operation.done,
            total: operation.total,
            resealed: operation.resealed,
            estimated_end: moment(operation.estimated_end),
            destroy: moment(operation.destroy),
            damaged: operation.damaged,
            damaged_records: operation.damaged_records,
        }
    }
}

/// The words for where work is, also for the document.
pub(crate) const OPERATION_STATES: [&str; 13] = [
    "unspecified",
    "pending_customer",
    "counting",
    "resealing",
    "verifying",
    "destroying",
    "paused",
    "needs_attention",
    "done",
    "cancelled",
    "indexing",
    "removing",
    "moving",
];

fn state(state: vault::OperationState) -> &'static str {
    let word = usize::try_from(state as i32).ok().and_then(|at| OPERATION_STATES.get(at));
    word.copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_word() {
        for (at, word) in OPERATION_STATES.iter().enumerate() {
            let wire = vault::OperationState::try_from(i32::try_from(at).unwrap()).unwrap();
            let name = format!("OPERATION_STATE_{}", word.to_uppercase());
            assert_eq!((state(wire), wire.as_str_name()), (*word, name.as_str()));
        }
        let beyond = i32::try_from(OPERATION_STATES.len()).unwrap();
        assert!(vault::OperationState::try_from(beyond).is_err(), "a state without a word");
    }

    #[test]
    fn a_loan_is_for_an_hour_unless_given() {
        let wire = |json: &str| {
            let loan: Loan = serde_json::from_str(json).unwrap();
            loan.to_wire(RequestContext::default(), "id".to_owned())
        };
        let asked = wire("{}").unwrap();
        assert_eq!((asked.lifetime.unwrap().seconds, asked.classes.len()), (3_600, 0));
        assert!(!asked.dry_run);
        let asked = wire(r#"{"classes":["contact"],"lifetime_seconds":60,"dry_run":true}"#);
        let asked = asked.unwrap();
        assert_eq!((asked.lifetime.unwrap().seconds, asked.classes.len()), (60, 1));
        assert!(asked.dry_run);
        assert_eq!(wire(r#"{"classes":["names"]}"#).unwrap_err().violations()[0].field, "classes");
    }
}
