//! Finding records by a sealed value: whoever may, and whoever may not.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tresor_proto::CustomerToken;

use super::{
    attack::Attack,
    stage::{SEARCHABLE, Stage},
};
use crate::{
    command::get::RecordDocument,
    error::CliError,
    https::{Https, fetch},
};

/// A page of what was found.
#[derive(Deserialize)]
struct Found {
    records: Vec<Value>,
}

/// Searches for a value of the record `plain`, if a field of it is searchable.
pub(crate) async fn attempt(
    stage: &Stage,
    plain: Option<&RecordDocument>,
    attacks: &mut Vec<Attack>,
    controls: &mut Vec<Attack>,
) -> Result<(), CliError> {
    let Some((field, value)) = plain.and_then(term) else { return Ok(()) };
    let (victim, other) = (&stage.set.victim, &stage.set.other);
    let own = victim.https(&stage.system)?;
    let order = json!({ "terms": [{ "field": field, "value": value }] });
    attacks.push(Attack::through_door(
        "search with another tenant's customer token",
        "the victim's certificate and password",
        search(stage, &own, &other.customer_token, &order).await,
    ));
    let found = search(stage, &own, &victim.customer_token, &order).await?.records.len();
    controls.push(Attack {
        what: format!("search by the sealed {field} of the record shown"),
        with: "all of them",
        got: format!("{found} found"),
        code: None,
        is_refused: found == 0,
    });
    Ok(())
}

/// The first searchable field of a record, with its value.
fn term(plain: &RecordDocument) -> Option<(&'static str, &str)> {
    SEARCHABLE.into_iter().find_map(|field| {
        let value = plain.record.get(field)?.as_str()?;
        (!value.trim().is_empty()).then_some((field, value))
    })
}

async fn search(
    stage: &Stage,
    https: &Https,
    customer_token: &CustomerToken,
    order: &Value,
) -> Result<Found, CliError> {
    let segments = ["v1", "collections", stage.set.collection.as_str(), "records:search"];
    let request = https.request_with(Method::POST, &segments, customer_token)?;
    fetch(request.json(order)).await
}
