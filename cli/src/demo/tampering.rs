//! A thief who can write to the databases: rows copied to other places, bits flipped.
//!
//! It works on a copy of the data directory, which both APIs are then started over: what is left
//! for inspection is as the customer left it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use reqwest::Method;
use tresor_vault::store::{Change, StoreKey, Write};
use walkdir::WalkDir;

use super::{
    attack::Attack,
    stage::{OnDisk as _, Set},
    stored_row::{StoredRow, key_of, open, unreadable},
};
use crate::{
    error::CliError,
    https::fetch,
    local::{Addresses, Customer, LocalSystem},
    private_file::make_private_directory,
};

/// The id a stolen row is copied to.
const COPIED: &str = "copied-record";

/// A changed row, and how it is asked for.
struct Forgery<'a> {
    what: &'static str,
    customer: &'a Customer,
    collection: &'a str,
    id: String,
    key: StoreKey,
    row: Vec<u8>,
}

/// Forges rows in a copy of the data directory, then reads them with the right credentials.
pub(crate) async fn attempt(
    set: &Set,
    ids: &[String],
    attacks: &mut Vec<Attack>,
    controls: &mut Vec<Attack>,
) -> Result<(), CliError> {
    let Some(first) = ids.first() else { return Ok(()) };
    let copy = set.premises.root().join("tampered");
    copy_directory(&set.data_dir(), &copy)?;
    let mut forgeries = copies(set, &set.read_row(first).await?);
    forgeries.extend(flips(set, ids).await?);
    for forgery in &forgeries {
        let tenant = forgery.customer.tenant.to_string();
        write(copy.join("databases").join(tenant), forgery).await?;
    }
    let untouched = ids.iter().find(|id| !forgeries.iter().any(|forgery| forgery.id == **id));
    let system = LocalSystem::start(&set.premises, &copy, Addresses::any(), None).await?;
    for forgery in &forgeries {
        let answer = read(&system, forgery.customer, forgery.collection, &forgery.id).await;
        attacks.push(Attack::through_door(forgery.what, "write access to the databases", answer));
    }
    if let Some(id) = untouched {
        let answer = read(&system, &set.victim, set.collection.as_str(), id).await;
        let what = "read an untouched row of the same database";
        controls.push(Attack::through_door(what, "both keys", answer));
    }
    system.stop().await
}

impl Set {
    async fn read_row(&self, id: &str) -> Result<StoredRow, CliError> {
        StoredRow::read(self.database(), &self.collection, id).await
    }
}

/// The row in three other places.
fn copies<'a>(set: &'a Set, row: &StoredRow) -> Vec<Forgery<'a>> {
    let forgery = |what, customer, collection: &'a tresor_proto::CollectionName, id: &str| {
        let key = key_of(collection, id);
        let (id, row) = (id.to_owned(), row.bytes.clone());
        Forgery { what, customer, collection: collection.as_str(), id, key, row }
    };
    vec![
        forgery("copy a row to another record", &set.victim, &set.collection, COPIED),
        forgery("copy a row to another collection", &set.victim, &set.elsewhere, &row.id),
        forgery("copy a row to another tenant's database", &set.other, &set.collection, &row.id),
    ]
}

/// Rows with a flipped bit, each of another record as far as there are enough.
async fn flips<'a>(set: &'a Set, ids: &[String]) -> Result<Vec<Forgery<'a>>, CliError> {
    let mut flips = Vec::new();
    let mut ids = ids.iter();
    type Flip = fn(&StoredRow) -> Option<Vec<u8>>;
    let kinds: [(&str, Flip); 3] = [
        ("flip a bit of a sealed value", StoredRow::with_flipped_ciphertext),
        ("flip a bit of a clear value", StoredRow::with_flipped_clear_value),
        ("flip a bit of a row's MAC", |row| Some(row.with_flipped_mac())),
    ];
    let mut next = ids.next();
    for (what, flip) in kinds {
        let Some(id) = next else { break };
        let Some(row) = flip(&set.read_row(id).await?) else { continue };
        let key = key_of(&set.collection, id);
        let collection = set.collection.as_str();
        let id = id.clone();
        flips.push(Forgery { what, customer: &set.victim, collection, id, key, row });
        next = ids.next();
    }
    Ok(flips)
}

async fn write(database: PathBuf, forgery: &Forgery<'_>) -> Result<(), CliError> {
    let store = open(database).await?;
    let writes = vec![Write::Put(forgery.key.clone(), forgery.row.clone())];
    let applied = store.apply(vec![Change { preconditions: Vec::new(), writes }]).await;
    let closed = store.close().await;
    applied.map_err(unreadable)?;
    closed.map_err(unreadable)
}

async fn read(
    system: &LocalSystem,
    customer: &Customer,
    collection: &str,
    id: &str,
) -> Result<serde_json::Value, CliError> {
    let https = customer.https(system)?;
    let segments = ["v1", "collections", collection, "records", id];
    let request = https.request_with(Method::GET, &segments, &customer.customer_token)?;
    fetch(request.query(&[("reveal", "plain")])).await
}

/// Copies files with their modes; directories are for their owner only.
fn copy_directory(from: &Path, to: &Path) -> Result<(), CliError> {
    for entry in WalkDir::new(from) {
        let entry = entry.map_err(|_| CliError::failed("the data directory cannot be copied"))?;
        let inside = entry.path().strip_prefix(from).unwrap_or(entry.path());
        let target = to.join(inside);
        if entry.file_type().is_dir() {
            make_private_directory(&target)?;
        } else {
            let copied = fs::copy(entry.path(), &target);
            copied.map_err(|error| CliError::file("copy", entry.path(), &error))?;
        }
    }
    Ok(())
}
