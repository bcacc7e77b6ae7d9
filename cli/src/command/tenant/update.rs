//! `tresor tenant update`: changes a tenant's settings, after showing what that means and asking.

use clap::Args;
use serde_json::json;
use tresor_proto::vault::{GetTenantRequest, PasswordRule, Tenant, UpdateTenantRequest};

use super::{Password, limits, page};
use crate::{
    command::question::ask,
    connection::ConnectionFlags,
    control_plane::ControlPlane,
    error::{CliError, Exit},
    output::{Output, Tone, printable},
    session::Session,
};

/// Changes a tenant's settings.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor tenant update stadtwerke-burg --add 198.51.100.0/24 --dry-run
  tresor tenant update stadtwerke-burg --add 198.51.100.0/24 --remove 192.0.2.0/24
  tresor tenant update stadtwerke-burg --requests-per-second 50 --reveals-per-day 1000
  tresor tenant update stadtwerke-burg --allow 192.0.2.7 --password not-required --yes

It counts from the next request on, and from the next batch of uploads that are open.")]
#[group(required = true, multiple = true, args = ["allow", "add", "remove", "password"], args = limits::FLAGS)]
pub(crate) struct Update {
    /// Name or id of the tenant
    tenant: String,
    /// The new list of source addresses, in place of the old one; may be repeated
    #[arg(long, value_name = "CIDR", conflicts_with_all = ["add", "remove"])]
    allow: Vec<String>,
    /// Another source address; may be repeated
    #[arg(long, value_name = "CIDR")]
    add: Vec<String>,
    /// A source address to be taken off the list; may be repeated
    #[arg(long, value_name = "CIDR")]
    remove: Vec<String>,
    /// Whether its clients show a user's password besides their certificate
    #[arg(long, value_enum)]
    password: Option<Password>,
    #[command(flatten)]
    limits: limits::LimitFlags,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only show what would change
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    connection: ConnectionFlags,
}

impl Update {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        let request = GetTenantRequest { tenant: self.tenant.clone() };
        let answer = plane.tenants().get_tenant(request).await?.into_inner();
        let before = answer.tenant.unwrap_or_default();
        let would = self.update(&plane, &before, true).await?;
        let changes = Changes::between(&before, &would);
        if self.dry_run {
            return changes.conclude(&session.output, &would, true);
        }
        if !self.yes {
            changes.confirm(&before)?;
        }
        // What was shown is what is done: a change in between is a conflict.
        let after = self.update(&plane, &before, false).await?;
        changes.conclude(&session.output, &after, false)
    }

    async fn update(
        &self,
        plane: &ControlPlane,
        before: &Tenant,
        dry_run: bool,
    ) -> Result<Tenant, CliError> {
        let rule = self.password.map_or(PasswordRule::Unspecified, PasswordRule::from);
        let request = UpdateTenantRequest {
            tenant: before.id.clone(),
            etag: before.etag.clone(),
            allowed_addresses: self.allow.clone(),
            added_addresses: self.add.clone(),
            removed_addresses: self.remove.clone(),
            password_rule: rule as i32,
            dry_run,
            limits: self.limits.changed(before.limits),
        };
        let answer = plane.tenants().update_tenant(request).await?.into_inner();
        Ok(answer.tenant.unwrap_or_default())
    }
}

/// What differs between two states of a tenant.
struct Changes {
    added: Vec<String>,
    removed: Vec<String>,
    /// Before and after.
    password: Option<(&'static str, &'static str)>,
    limits: Vec<String>,
}

impl Changes {
    fn between(before: &Tenant, after: &Tenant) -> Self {
        let missing = |from: &Tenant, to: &Tenant| {
            let entries = from.allowed_addresses.iter();
            entries.filter(|entry| !to.allowed_addresses.contains(entry)).cloned().collect()
        };
        let rules = (page::password_rule(before), page::password_rule(after));
        Self {
            added: missing(after, before),
            removed: missing(before, after),
            password: Some(rules).filter(|(before, after)| before != after),
            limits: limits::differences(before.limits, after.limits),
        }
    }

    /// One sentence each.
    fn sentences(&self) -> Vec<(Tone, String)> {
        let entry =
            |tone, sign: &str, entry: &String| (tone, format!("{sign} {}", printable(entry)));
        let added = self.added.iter().map(|it| entry(Tone::Good, "+", it));
        let removed = self.removed.iter().map(|it| entry(Tone::Bad, "-", it));
        let password = self.password.iter();
        let password =
            password.map(|(old, new)| (Tone::Notable, format!("password {old} → {new}")));
        let limits = self.limits.iter().map(|sentence| (Tone::Notable, sentence.clone()));
        added.chain(removed).chain(password).chain(limits).collect()
    }

    fn confirm(&self, tenant: &Tenant) -> Result<(), CliError> {
        let sentences = self.sentences();
        if sentences.is_empty() {
            return Ok(());
        }
        let list: Vec<_> = sentences.iter().map(|(_, text)| format!("  {text}")).collect();
        let name = printable(&tenant.name);
        let question = format!("{name} is changed at once:\n{}\nChange?", list.join("\n"));
        ask(&question, "nothing was changed")
    }

    fn conclude(&self, output: &Output, tenant: &Tenant, dry_run: bool) -> Result<Exit, CliError> {
        let mut document = page::to_json(tenant);
        document["dry_run"] = json!(dry_run);
        document["added_addresses"] = json!(self.added);
        document["removed_addresses"] = json!(self.removed);
        output.give(&document, |output| {
            let sentences = self.sentences();
            output.line(match (sentences.is_empty(), dry_run) {
                (true, _) => "nothing is changed by this",
                (false, true) => "this would be changed:",
                (false, false) => "changed:",
            })?;
            let line = |(tone, text): &(Tone, String)| format!("  {}", output.paint(*tone, text));
            sentences.iter().try_for_each(|sentence| output.line(line(sentence)))?;
            output.line("")?;
            page::show(output, tenant)
        })?;
        Ok(Exit::Done)
    }
}
