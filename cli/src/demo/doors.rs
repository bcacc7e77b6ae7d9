//! Thieves at the doors: the right questions with the wrong credentials.

use std::sync::Arc;

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use tresor_door::TlsFiles;
use tresor_proto::{CustomerToken, Secret};
use tresor_vault::entropy::{Entropy as _, SystemEntropy};
use zeroize::ZeroizeOnDrop;

use super::{attack::Attack, stage::Stage};
use crate::{
    command::get::RevealFlag,
    connection::Endpoint,
    error::CliError,
    https::{Https, fetch},
    local::{LocalSystem, Premises, parse_customer_token},
};

/// What opens the victim's door, but no lock behind it.
const VICTIMS_DOOR: &str = "the victim's certificate and password";

/// Tries them all on the record `id`; gives the attacks and the controls.
pub(crate) async fn attempt(
    stage: &Stage,
    id: Option<&str>,
) -> Result<(Vec<Attack>, Vec<Attack>), CliError> {
    let Some(id) = id else { return Ok((Vec::new(), Vec::new())) };
    let victim = &stage.set.victim;
    let own = victim.https(&stage.system)?;
    let read = async |https: &Https, customer_token: &CustomerToken| {
        stage.set.get(https, customer_token, id, RevealFlag::Plain).await
    };
    let uploader = issue_write_only(&own, &victim.customer_token).await?;
    let mut attacks = through_other_doors(stage, id).await?;
    attacks.push(Attack::through_door(
        "read with a customer token that only writes",
        VICTIMS_DOOR,
        read(&own, &uploader).await,
    ));
    attacks.extend(without_the_password(stage, id).await?);
    let control = read(&own, &victim.customer_token).await;
    let control = Attack::through_door(
        "read with the right certificate, password and customer token",
        "all of them",
        control,
    );
    let written = write(stage, &own, &uploader).await;
    let writes = Attack::through_door(
        "store with the customer token that only writes",
        VICTIMS_DOOR,
        written,
    );
    Ok((attacks, vec![control, writes]))
}

/// With the certificate of one and the customer token of another, or none, or a forged one.
async fn through_other_doors(stage: &Stage, id: &str) -> Result<Vec<Attack>, CliError> {
    let (victim, other) = (&stage.set.victim, &stage.set.other);
    let own = victim.https(&stage.system)?;
    let foreign = other.https(&stage.system)?;
    let guess = guess_for(&victim.customer_token)?;
    let read = async |https: &Https, customer_token: &CustomerToken| {
        stage.set.get(https, customer_token, id, RevealFlag::Plain).await
    };
    Ok(vec![
        Attack::through_door(
            "read with no customer token",
            VICTIMS_DOOR,
            read_without(stage, &own, id).await,
        ),
        Attack::through_door(
            "read with a wrong customer token",
            VICTIMS_DOOR,
            read(&own, &guess).await,
        ),
        Attack::through_door(
            "read with another tenant's customer token",
            VICTIMS_DOOR,
            read(&own, &other.customer_token).await,
        ),
        Attack::through_door(
            "read with another tenant's certificate",
            "the victim's customer token",
            read(&foreign, &victim.customer_token).await,
        ),
        Attack::through_door(
            "read as another tenant",
            "the other tenant's own credentials",
            read(&foreign, &other.customer_token).await,
        ),
        Attack::through_door(
            "read with the operator's certificate",
            "the victim's customer token",
            read(&with_service(stage, "operator")?, &victim.customer_token).await,
        ),
        Attack::through_door(
            "read with a certificate of one's own making",
            "the victim's customer token",
            read(&with_forged_certificate(stage)?, &victim.customer_token).await,
        ),
    ])
}

/// With everything the victim has but the password.
async fn without_the_password(stage: &Stage, id: &str) -> Result<[Attack; 2], CliError> {
    let (victim, other) = (&stage.set.victim, &stage.set.other);
    let nobody = victim.https_without_user(&stage.system)?;
    let namesake = nobody.clone().with_user(Some(Arc::clone(&other.user)));
    let read = async |https: &Https| {
        stage.set.get(https, &victim.customer_token, id, RevealFlag::Plain).await
    };
    let with = "the victim's certificate and customer token";
    let what = "read with the password of another tenant's user of that name";
    Ok([
        Attack::through_door("read without a password", with, read(&nobody).await),
        Attack::through_door(what, with, read(&namesake).await),
    ])
}

/// A customer token for a machine that uploads, from the customer's own.
async fn issue_write_only(
    https: &Https,
    customer_token: &CustomerToken,
) -> Result<CustomerToken, CliError> {
    let request = https.request_with(Method::POST, &["v1", "keys", "tokens"], customer_token)?;
    let order = json!({ "kind": "write_only", "name": "uploader" });
    let issued: Issued = fetch(request.json(&order)).await?;
    parse_customer_token(&issued.customer_token)
}

/// A customer token that was made.
#[derive(Deserialize, ZeroizeOnDrop)]
struct Issued {
    customer_token: String,
}

async fn write(
    stage: &Stage,
    https: &Https,
    customer_token: &CustomerToken,
) -> Result<serde_json::Value, CliError> {
    let segments = ["v1", "collections", stage.set.collection.as_str(), "records"];
    let request = https.request_with(Method::POST, &segments, customer_token)?;
    fetch(request.json(&json!({ "note": "from the uploader" }))).await
}

async fn read_without(
    stage: &Stage,
    https: &Https,
    id: &str,
) -> Result<serde_json::Value, CliError> {
    let segments = ["v1", "collections", stage.set.collection.as_str(), "records", id];
    fetch(https.request(Method::GET, &segments)).await
}

/// A customer token with the right id and a secret of one's own.
fn guess_for(customer_token: &CustomerToken) -> Result<CustomerToken, CliError> {
    let entropy = SystemEntropy::default();
    let secret = Secret::try_fill(|bytes| entropy.fill(bytes));
    let secret = secret.map_err(|_| CliError::failed("the system gives no randomness"))?;
    Ok(CustomerToken::new(customer_token.kind(), customer_token.id(), secret))
}

fn with_service(stage: &Stage, service: &str) -> Result<Https, CliError> {
    let tls = stage.set.premises.service(service);
    Https::new(&Endpoint { server: server_of(&stage.system), tls })
}

/// A certificate with the victim's very name, from an authority of the thief's.
fn with_forged_certificate(stage: &Stage) -> Result<Https, CliError> {
    let forge = stage.set.premises.root().join("forged");
    let forged = Premises::prepare(&forge)?;
    forged.issue_client("victim", stage.set.victim.tenant)?;
    let tls =
        TlsFiles { authorities: stage.set.premises.authority_file(), ..forged.client("victim") };
    Https::new(&Endpoint { server: server_of(&stage.system), tls })
}

fn server_of(system: &LocalSystem) -> String {
    format!("https://localhost:{}", system.addresses().external.port())
}
