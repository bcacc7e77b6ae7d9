//! `tresor collection inventory`: what kinds of personal data tenants hold, in which fields and classes,
//! since when, under which versions of the policy.
//!
//! It relies on the vault to count, one collection after the other, and takes as long as that takes; a
//! tenant that cannot be counted does not hide the others.

use clap::Args;
use comfy_table::Cell;
use serde_json::{Value, json};
use tresor_proto::{
    DataClass,
    vault::{
        GetInventoryRequest, GetInventoryResponse, GetTenantRequest, HeldField,
        ListCollectionsRequest, Tenant, TenantState,
    },
};

use crate::{
    command::tenant::{self, moment},
    connection::ConnectionFlags,
    control_plane::{ControlPlane, context_for},
    error::{CliError, Exit},
    output::{Output, Tone, counted, printable},
    session::Session,
};

/// Lists what kinds of personal data tenants hold.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor collection inventory --tenant stadtwerke-burg
  tresor collection inventory --tenant stadtwerke-burg --collection customers --output json
  tresor collection inventory

Each line is a field with one info type and class, or readable where the policy has it so: in how many records it is sealed, in how many of them
a surrogate stands in for it, how many are found by it, when the first of them was made and one of them
was last written, and the versions of the policy they were stored under. The values that surrogates
stand in for are a list of their own. It reads the whole database, page by page, opens nothing, and
needs no customer.")]
pub(crate) struct TakeInventory {
    /// Name or id of the tenant; all tenants when left out
    #[arg(long)]
    tenant: Option<String>,
    /// Name of the collection; all collections, and surrogates, when left out
    #[arg(long, requires = "tenant")]
    collection: Option<String>,
    #[command(flatten)]
    connection: ConnectionFlags,
}

/// What a tenant holds: each collection by its name, which is empty for surrogates.
type Holdings = Vec<(String, GetInventoryResponse)>;
/// The tenants, each with what it holds, or why that is not known.
type Taken = Vec<(Tenant, Result<Holdings, CliError>)>;

impl TakeInventory {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        let taken = match &self.tenant {
            Some(tenant) => vec![self.one(&plane, tenant).await?],
            None => everything(&plane).await?,
        };
        session.output.give(
            &json!({ "tenants": taken.iter().map(tenant_json).collect::<Vec<_>>() }),
            |output| taken.iter().try_for_each(|(tenant, holdings)| show(output, tenant, holdings)),
        )?;
        let failed = taken.iter().filter(|(_, holdings)| holdings.is_err()).count();
        Ok(if failed == 0 { Exit::Done } else { Exit::SomeRejected })
    }

    /// Of one tenant, who is there and can be counted.
    async fn one(
        &self,
        plane: &ControlPlane,
        tenant: &str,
    ) -> Result<(Tenant, Result<Holdings, CliError>), CliError> {
        let request = GetTenantRequest { tenant: tenant.to_owned() };
        let answer = plane.tenants().get_tenant(request).await?.into_inner();
        let tenant = answer.tenant.unwrap_or_default();
        let holdings = match &self.collection {
            Some(collection) => vec![held_in(plane, &tenant, collection.clone()).await?],
            None => holdings(plane, &tenant).await?,
        };
        Ok((tenant, Ok(holdings)))
    }
}

/// Of all tenants.
async fn everything(plane: &ControlPlane) -> Result<Taken, CliError> {
    let mut taken = Vec::new();
    for tenant in tenant::all(plane).await? {
        let holdings = holdings(plane, &tenant).await;
        taken.push((tenant, holdings));
    }
    Ok(taken)
}

/// Each collection of a tenant, and its surrogates; nothing before there are keys.
async fn holdings(plane: &ControlPlane, tenant: &Tenant) -> Result<Holdings, CliError> {
    let mut holdings = Vec::new();
    if tenant.state() == TenantState::Created {
        return Ok(holdings);
    }
    let request = ListCollectionsRequest { context: Some(context_for(&tenant.id)) };
    let answer = plane.collections().list_collections(request).await?.into_inner();
    for collection in answer.collections {
        holdings.push(held_in(plane, tenant, collection.name).await?);
    }
    holdings.push(held_in(plane, tenant, String::new()).await?);
    Ok(holdings)
}

async fn held_in(
    plane: &ControlPlane,
    tenant: &Tenant,
    collection: String,
) -> Result<(String, GetInventoryResponse), CliError> {
    let context = Some(context_for(&tenant.id));
    let request = GetInventoryRequest { context, collection: collection.clone() };
    let answer = plane.collections().get_inventory(request).await?.into_inner();
    Ok((collection, answer))
}

const COLUMNS: [&str; 10] = [
    "collection",
    "field",
    "info type",
    "class",
    "records",
    "tokenized",
    "searchable",
    "since",
    "latest",
    "policy",
];

fn show(
    output: &Output,
    tenant: &Tenant,
    holdings: &Result<Holdings, CliError>,
) -> Result<(), CliError> {
    let name = printable(&tenant.name);
    let holdings = match holdings {
        Ok(holdings) => holdings,
        Err(error) => {
            let why = output.paint(Tone::Bad, &format!("cannot be counted: {error}"));
            return output.line(format!("{name}: {why}"));
        }
    };
    if holdings.is_empty() {
        return output.line(format!("{name}: nothing yet"));
    }
    for (collection, held) in holdings {
        output.line(format!("{name}: {}", heading(output, collection, held)))?;
    }
    let rows = holdings
        .iter()
        .flat_map(|(collection, held)| held.fields.iter().map(move |field| row(collection, field)));
    output.table(&COLUMNS, rows)
}

/// What there is of a collection, or of surrogates, beside the fields.
fn heading(output: &Output, collection: &str, held: &GetInventoryResponse) -> String {
    if collection.is_empty() {
        return format!("{}{}", counted(held.records, "surrogate"), remarks(output, held));
    }
    let updated = moment(held.policy_updated).unwrap_or_default();
    let (records, version) = (counted(held.records, "record"), held.policy_version);
    let mut remarks = remarks(output, held);
    if held.is_flagging {
        let line = "personal values in clear fields are only flagged, and not counted";
        remarks.push_str(&format!(", {}", output.paint(Tone::Notable, line)));
    }
    format!("{}: {records}{remarks}; policy version {version} of {updated}", printable(collection))
}

fn remarks(output: &Output, held: &GetInventoryResponse) -> String {
    let counts = [
        (Tone::Notable, held.expired_records, "expired"),
        (Tone::Bad, held.damaged, "damaged beside"),
        (Tone::Notable, held.unlisted_values, "values in further fields"),
    ];
    let told = counts.into_iter().filter(|(_, count, _)| *count > 0);
    told.map(|(tone, count, what)| format!(", {}", output.paint(tone, &format!("{count} {what}"))))
        .collect()
}

fn row(collection: &str, field: &HeldField) -> Vec<Cell> {
    let (collection, info_type) = match (collection, &*field.info_type) {
        ("", info_type) => ("(surrogates)", info_type),
        (collection, "") => (collection, "not known"),
        named => named,
    };
    let policy = match (field.policy_version_first, field.policy_version_last) {
        (0, 0) => String::new(),
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first} to {last}"),
    };
    let cells = [
        printable(collection).to_string(),
        printable(&field.field).to_string(),
        info_type.to_owned(),
        class(field).unwrap_or("readable").to_owned(),
        field.records.to_string(),
        field.tokenized.to_string(),
        field.searchable.to_string(),
        moment(field.earliest).unwrap_or_default(),
        moment(field.latest).unwrap_or_default(),
        policy,
    ];
    cells.into_iter().map(Cell::new).collect()
}

fn class(field: &HeldField) -> Option<&'static str> {
    let class = u32::try_from(field.data_class).ok().and_then(DataClass::from_code);
    class.map(DataClass::as_str)
}

fn tenant_json((tenant, holdings): &(Tenant, Result<Holdings, CliError>)) -> Value {
    let mut document = json!({ "tenant": tenant.name, "id": tenant.id });
    match holdings {
        Err(error) => document["problem"] = error.to_json()["error"].take(),
        Ok(holdings) => {
            let is_named = |name: &str| !name.is_empty();
            let collections = holdings.iter().filter(|(name, _)| is_named(name));
            document["collections"] = collections.map(collection_json).collect();
            let surrogates = holdings.iter().find(|(name, _)| !is_named(name));
            document["surrogates"] = surrogates.map(|(_, held)| held_json(held)).into();
        }
    }
    document
}

fn collection_json((name, held): &(String, GetInventoryResponse)) -> Value {
    let mut document = held_json(held);
    document["collection"] = json!(name);
    document["policy_version"] = json!(held.policy_version);
    document["policy_updated"] = json!(moment(held.policy_updated));
    document["is_flagging"] = json!(held.is_flagging);
    document
}

fn held_json(held: &GetInventoryResponse) -> Value {
    json!({
        "records": held.records,
        "expired_records": held.expired_records,
        "damaged": held.damaged,
        "unlisted_values": held.unlisted_values,
        "fields": held.fields.iter().map(field_json).collect::<Vec<_>>(),
    })
}

fn field_json(field: &HeldField) -> Value {
    let named = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    json!({
        "field": named(&field.field),
        "info_type": named(&field.info_type),
        "class": class(field),
        "records": field.records,
        "tokenized": field.tokenized,
        "searchable": field.searchable,
        "earliest": moment(field.earliest),
        "latest": moment(field.latest),
        "policy_version_first": field.policy_version_first,
        "policy_version_last": field.policy_version_last,
    })
}
