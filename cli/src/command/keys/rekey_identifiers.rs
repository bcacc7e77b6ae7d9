//! `tresor keys rekey-identifiers`: has identifier keys replaced, after showing which and asking.

use clap::Args;
use comfy_table::Cell;
use serde_json::json;
use tresor_proto::{
    DataClass,
    vault::{IdentifierRekey, RekeyIdentifiersRequest, RekeyIdentifiersResponse},
};

use super::rotate_data::class_name;
use crate::{
    command::{
        parse,
        question::{Consent, ask},
    },
    connection::ConnectionFlags,
    control_plane::ControlPlane,
    error::{CliError, Exit},
    output::{Output, printable},
    session::Session,
};

/// Has identifier keys replaced.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor keys rekey-identifiers --tenant stadtwerke-burg --destroy-after 30d
  tresor keys rekey-identifiers --tenant stadtwerke-burg --class contact --dry-run

Indexes and the look-ups of surrogates move under new keys while a customer token is lent:
`tresor keys operations`. Random and deterministic surrogates keep their text. Format-preserving
ones are different under the new key: those of the older key give their values back, with its
version, until it is destroyed. Give systems that keep them the time for that.")]
pub(crate) struct RekeyIdentifiers {
    /// Name or id of the tenant
    #[arg(long)]
    tenant: String,
    /// Only this class; may be repeated
    #[arg(long = "class", value_name = "CLASS", value_parser = parse::data_class)]
    classes: Vec<DataClass>,
    /// How long to keep the older keys once nothing hangs on them, `30d` for instance
    #[arg(long, value_name = "TIME", value_parser = parse::span)]
    destroy_after: Option<prost_types::Duration>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only show which would be replaced
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    connection: ConnectionFlags,
}

impl RekeyIdentifiers {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        let consent = Consent { yes: self.yes, dry_run: self.dry_run };
        let ask_for = async |dry_run| self.ask_for(&plane, dry_run).await;
        let rekeying = consent.to(ask_for, |planned| self.confirm(planned)).await?;
        self.conclude(&session.output, &rekeying)
    }

    async fn ask_for(
        &self,
        plane: &ControlPlane,
        dry_run: bool,
    ) -> Result<RekeyIdentifiersResponse, CliError> {
        let request = RekeyIdentifiersRequest {
            tenant: self.tenant.clone(),
            classes: self.classes.iter().map(|class| i32::from(class.code())).collect(),
            destroy_after: self.destroy_after,
            dry_run,
        };
        Ok(plane.keys().rekey_identifiers(request).await?.into_inner())
    }

    fn confirm(&self, planned: &RekeyIdentifiersResponse) -> Result<(), CliError> {
        let when = match &self.destroy_after {
            None => "at once".to_owned(),
            Some(span) => format!("{} later", parse::span_in_words(span)),
        };
        let question = format!(
            "{} identifier keys of {} will be replaced; once nothing hangs on the older ones they \
             are destroyed, {when}: format-preserving surrogates made under them give nothing \
             back from then on. Replace them?",
            planned.keys.len(),
            printable(&self.tenant),
        );
        ask(&question, "nothing was replaced")
    }

    fn conclude(
        &self,
        output: &Output,
        rekeying: &RekeyIdentifiersResponse,
    ) -> Result<Exit, CliError> {
        let key = |key: &IdentifierRekey| {
            json!({
                "class": class_name(key.data_class),
                "old_version": key.old_version,
                "new_version": key.new_version,
            })
        };
        let document = json!({
            "tenant": self.tenant,
            "tenant_id": rekeying.tenant_id,
            "operation": Some(&rekeying.operation_id).filter(|id| !id.is_empty()),
            "identifier_keys": rekeying.keys.iter().map(key).collect::<Vec<_>>(),
            "dry_run": self.dry_run,
        });
        output.give(&document, |output| {
            let row = |key: &IdentifierRekey| -> Vec<Cell> {
                let class = Cell::new(class_name(key.data_class));
                let operation = Cell::new(&rekeying.operation_id);
                vec![class, key.old_version.into(), key.new_version.into(), operation]
            };
            let header = ["class", "old version", "new version", "operation"];
            output.table(&header, rekeying.keys.iter().map(row))?;
            if self.dry_run { output.line("nothing was replaced") } else { Ok(()) }
        })?;
        if !self.dry_run {
            output.note("next: the customer lends a customer token");
        }
        Ok(Exit::Done)
    }
}
