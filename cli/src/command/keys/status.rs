//! `tresor keys status`: every key, its state, age and use, and what is due.

use clap::Args;
use comfy_table::Cell;
use serde_json::{Value, json};
use tresor_proto::{
    DataClass,
    vault::{
        Census, GetKeyStatusResponse, KeyDue, KeyKind, KeyState, KeyVersion, TakeCensusRequest,
        TenantKeyStatus,
    },
};

use super::{scope::key_status, waiting::Waiting};
use crate::{
    command::tenant::moment,
    connection::ConnectionFlags,
    control_plane::ControlPlane,
    error::{CliError, Exit},
    output::{Output, Tone, counted, printable},
    session::Session,
};

/// Shows the state of the keys.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor keys status
  tresor keys status --tenant stadtwerke-burg
  tresor keys status --tenant stadtwerke-burg --census --output json

The census counts how many sealed groups hang on each data key, and how many rows on each identifier
key: records by their index entries, deterministic surrogates by their look-ups. It reads the whole
database, page by page, and needs no customer; its result is kept and shown from then on.")]
pub(crate) struct Status {
    /// Name or id of the tenant; all tenants when left out
    #[arg(long)]
    tenant: Option<String>,
    /// Count first what hangs on the keys
    #[arg(long)]
    census: bool,
    #[command(flatten)]
    connection: ConnectionFlags,
}

impl Status {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        let mut status = key_status(&plane, self.tenant.as_deref()).await?;
        if self.census {
            let enrolled = status.tenants.iter().filter(|tenant| !tenant.keys.is_empty());
            for tenant in enrolled {
                take_census(&session.output, &plane, tenant).await?;
            }
            status = key_status(&plane, self.tenant.as_deref()).await?;
        }
        session.output.give(&to_json(&status), |output| {
            match (&self.tenant, &*status.tenants) {
                (Some(_), [tenant]) => show_tenant(output, tenant),
                _ => show_all(output, &status),
            }
        })?;
        Ok(Exit::Done)
    }
}

async fn take_census(
    output: &Output,
    plane: &ControlPlane,
    tenant: &TenantKeyStatus,
) -> Result<(), CliError> {
    let request = TakeCensusRequest { tenant: tenant.tenant_id.clone() };
    let mut answers = plane.keys().take_census(request).await?.into_inner();
    let mut census = Census::default();
    while let Some(answer) = answers.message().await? {
        census = answer.census.unwrap_or_default();
    }
    output.note(format!("{}: {} counted", printable(&tenant.tenant_name), rows(&census)));
    Ok(())
}

fn show_tenant(output: &Output, tenant: &TenantKeyStatus) -> Result<(), CliError> {
    output.line(format!("tenant           {}", printable(&tenant.tenant_name)))?;
    output.line(format!("id               {}", tenant.tenant_id))?;
    let TenantKeyStatus { working_tokens, expired_tokens, revoked_tokens, .. } = tenant;
    output.line(format!(
        "customer tokens  {working_tokens} working, {expired_tokens} expired, {revoked_tokens} revoked"
    ))?;
    output.line(format!("census           {}", census_line(tenant.census.as_ref())))?;
    let waiting = Waiting::of(tenant);
    if !waiting.is_empty() {
        let what = output.paint(Tone::Notable, &waiting.in_words());
        output.line(format!("waits for        its customer to {what}"))?;
    }
    if tenant.damaged {
        return output.line(output.paint(Tone::Bad, "the keyring cannot be read"));
    }
    output.line("")?;
    let header = ["key", "class", "version", "state", "created", "seals", "hangs on it", "due"];
    output.table(&header, tenant.keys.iter().map(|key| row(output, key)))
}

fn census_line(census: Option<&Census>) -> String {
    let Some(census) = census else {
        return "none yet".to_owned();
    };
    let ended = moment(census.ended).unwrap_or_default();
    let beside = match census.damaged_side_rows {
        0 => String::new(),
        count => format!(", {} beside surrogates damaged", counted(count, "row")),
    };
    format!("{}, {} damaged{beside}, at {ended}", rows(census), census.damaged)
}

/// What was counted: records, and surrogates where there are any.
fn rows(census: &Census) -> String {
    let records = counted(census.records, "record");
    match census.surrogates {
        0 => records,
        surrogates => format!("{records}, {}", counted(surrogates, "surrogate")),
    }
}

fn row(output: &Output, key: &KeyVersion) -> Vec<Cell> {
    let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    vec![
        Cell::new(kind(key)),
        Cell::new(class(key.data_class).unwrap_or_default()),
        Cell::new(key.version),
        output.cell(tone(key), &state_line(key)),
        Cell::new(moment(key.created).unwrap_or_default()),
        Cell::new(number(key.seal_count)),
        Cell::new(number(key.groups.or(key.identifier_rows))),
        output.cell(Tone::Notable, &due_line(key)),
    ]
}

fn show_all(output: &Output, status: &GetKeyStatusResponse) -> Result<(), CliError> {
    let header = ["key of the vault", "version", "state", "created"];
    let system = status.system_keys.iter().map(|key| {
        vec![
            Cell::new(kind(key)),
            Cell::new(key.version),
            output.cell(tone(key), &state_line(key)),
            Cell::new(moment(key.created).unwrap_or_default()),
        ]
    });
    output.table(&header, system)?;
    output.line("")?;
    let header = [
        "tenant",
        "cipher key",
        "made",
        "data keys",
        "customer tokens",
        "due",
        "waits for customer",
    ];
    output.table(&header, status.tenants.iter().map(|tenant| summary(output, tenant)))
}

fn summary(output: &Output, tenant: &TenantKeyStatus) -> Vec<Cell> {
    let name = Cell::new(printable(&tenant.tenant_name));
    if tenant.damaged {
        return vec![name, output.cell(Tone::Bad, "damaged")];
    }
    let cipher = tenant.keys.iter().rfind(|key| key.kind() == KeyKind::Cipher);
    let Some(cipher) = cipher else {
        return vec![name, output.cell(Tone::Faint, "not enrolled")];
    };
    let data = tenant.keys.iter().filter(|key| key.kind() == KeyKind::Data).count();
    let due = tenant.keys.iter().filter(|key| key.due() != KeyDue::Unspecified).count();
    let due = match due {
        0 => output.cell(Tone::Good, "nothing"),
        due => output.cell(Tone::Notable, &due.to_string()),
    };
    vec![
        name,
        Cell::new(cipher.version),
        Cell::new(moment(cipher.created).unwrap_or_default()),
        Cell::new(data),
        Cell::new(tenant.working_tokens),
        due,
        output.cell(Tone::Notable, &Waiting::of(tenant).in_words()),
    ]
}

fn to_json(status: &GetKeyStatusResponse) -> Value {
    let tenants = status.tenants.iter().map(|tenant| {
        json!({
            "tenant": tenant.tenant_name,
            "id": tenant.tenant_id,
            "damaged": tenant.damaged,
            "keys": tenant.keys.iter().map(key_to_json).collect::<Vec<_>>(),
            "customer_tokens": {
                "working": tenant.working_tokens,
                "expired": tenant.expired_tokens,
                "revoked": tenant.revoked_tokens,
                "exposed": tenant.exposed_tokens,
            },
            "waits_for_customer": Waiting::of(tenant).to_json(),
            "census": tenant.census.as_ref().map(census_to_json),
        })
    });
    let system = status.system_keys.iter().map(key_to_json);
    json!({ "system": system.collect::<Vec<_>>(), "tenants": tenants.collect::<Vec<_>>() })
}

fn key_to_json(key: &KeyVersion) -> Value {
    json!({
        "key": kind(key),
        "class": class(key.data_class),
        "version": key.version,
        "state": state(key),
        "created": moment(key.created),
        "compromised": moment(key.compromised),
        "destroyed": moment(key.destroyed),
        "seals": key.seal_count,
        "groups": key.groups,
        "identifier_rows": key.identifier_rows,
        "due": due(key),
        "pending_customer": key.pending_customer,
    })
}

fn census_to_json(census: &Census) -> Value {
    let epochs = census.epochs.iter().map(|epoch| {
        json!({ "class": class(epoch.data_class), "epoch": epoch.epoch, "groups": epoch.groups })
    });
    let identifiers = census.identifiers.iter().map(
        |key| json!({ "class": class(key.data_class), "version": key.version, "rows": key.rows }),
    );
    json!({
        "begun": moment(census.begun),
        "ended": moment(census.ended),
        "records": census.records,
        "damaged": census.damaged,
        "groups": epochs.collect::<Vec<_>>(),
        "index_entries": census.index_entries,
        "surrogates": census.surrogates,
        "identifiers": identifiers.collect::<Vec<_>>(),
        "damaged_side_rows": census.damaged_side_rows,
    })
}

fn kind(key: &KeyVersion) -> &'static str {
    match key.kind() {
        KeyKind::Unspecified => "unknown",
        KeyKind::Root => "root key",
        KeyKind::Pepper => "pepper",
        KeyKind::SystemMetadata | KeyKind::Metadata => "metadata key",
        KeyKind::Cipher => "cipher key",
        KeyKind::Data => "data key",
        KeyKind::Identifier => "identifier key",
    }
}

fn class(number: i32) -> Option<&'static str> {
    let class = u32::try_from(number).ok().and_then(DataClass::from_code);
    class.map(DataClass::as_str)
}

fn state(key: &KeyVersion) -> &'static str {
    match key.state() {
        KeyState::Unspecified => "unknown",
        KeyState::PreActive => "pre-active",
        KeyState::Active => "active",
        KeyState::Deactivated => "deactivated",
        KeyState::Compromised => "compromised",
        KeyState::Destroyed => "destroyed",
    }
}

/// Its state; of one that is gone, also that others may know it.
fn state_line(key: &KeyVersion) -> String {
    match (key.state(), key.compromised) {
        (KeyState::Destroyed, Some(_)) => "destroyed, compromised".to_owned(),
        _ => state(key).to_owned(),
    }
}

fn tone(key: &KeyVersion) -> Tone {
    match key.state() {
        KeyState::Active => Tone::Good,
        KeyState::Compromised | KeyState::Unspecified => Tone::Bad,
        KeyState::PreActive => Tone::Notable,
        KeyState::Deactivated | KeyState::Destroyed => Tone::Faint,
    }
}

fn due(key: &KeyVersion) -> Option<&'static str> {
    match key.due() {
        KeyDue::Unspecified => None,
        KeyDue::Age => Some("age"),
        KeyDue::Seals => Some("seals"),
        KeyDue::Requested => Some("requested"),
        KeyDue::Compromised => Some("compromised"),
    }
}

fn due_line(key: &KeyVersion) -> String {
    match (due(key), key.pending_customer) {
        (None, _) => String::new(),
        (Some(why), true) => format!("{why}, pending customer"),
        (Some(why), false) => why.to_owned(),
    }
}
