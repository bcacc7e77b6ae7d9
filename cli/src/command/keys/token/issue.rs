//! `tresor keys token issue`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use tresor_proto::{CustomerTokenKind, DataClass, OperationSet, TokenOperation};

use super::{Asking, Destination, Made, shown_path};
use crate::{
    error::{CliError, Exit},
    session::Session,
};

/// Issues a customer token.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor keys token issue --kind write_only --name uploader --token-file uploader.token
  tresor keys token issue --kind grant --classes contact --expires 2027-01-01T00:00:00Z \\
      --bind-certificate auditor.pem --token-file auditor.token
  tresor keys token issue --kind admin --customer-token-file recovery.token --token-file new.token
  tresor keys token issue --kind recovery --token-file recovery-2.token

It opens, does and lasts no more than the customer token that asks; a recovery token may let it do
anything. Kinds: read_write, write_only, grant (a third party's), admin, recovery.")]
pub(crate) struct Issue {
    /// What it is for
    #[arg(long, value_parser = kind)]
    kind: CustomerTokenKind,
    /// What you call it; not a secret
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,
    /// Classes it opens, separated by commas; all of yours unless given
    #[arg(long, value_delimiter = ',', value_parser = class)]
    classes: Vec<DataClass>,
    /// What it may do, separated by commas; what is usual for its kind unless given
    #[arg(long, value_delimiter = ',', value_parser = operation)]
    operations: Vec<TokenOperation>,
    /// When it stops working, like 2027-01-01T00:00:00Z; when yours does unless given
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Client certificate (PEM) it is bound to: it works with no other
    #[arg(long, value_name = "FILE")]
    bind_certificate: Option<PathBuf>,
    #[command(flatten)]
    destination: Destination,
    /// Only show what would be asked for; the vault is not asked whether it grants it
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    asking: Asking,
}

impl Issue {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let order = self.order()?;
        if self.dry_run {
            return self.tell(session, &order);
        }
        let desk = self.asking.desk(session)?;
        let reserved = self.destination.reserve()?;
        let made: Made = desk.post(None, &order).await?;
        Destination::keep(session, reserved, &made)
    }

    fn order(&self) -> Result<Value, CliError> {
        let mut order = json!({ "kind": self.kind.as_str(), "name": self.name });
        if !self.classes.is_empty() {
            let classes: Vec<_> = self.classes.iter().map(|class| class.as_str()).collect();
            order["classes"] = json!(classes);
        }
        if !self.operations.is_empty() {
            let operations: Vec<_> = self.operations.iter().map(|one| one.as_str()).collect();
            order["operations"] = json!(operations);
        }
        if let Some(expires) = &self.expires {
            order["expires"] = json!(expires);
        }
        if let Some(file) = &self.bind_certificate {
            order["bound_certificate"] = json!(crate::certificates::digest(file)?);
        }
        Ok(order)
    }

    fn tell(&self, session: &Session, order: &Value) -> Result<Exit, CliError> {
        let document = json!({ "dry_run": true, "is_checked": false, "asked_for": order });
        session.output.give(&document, |output| {
            output.line(
                "a customer token would be asked for; whether it is granted was not checked:",
            )?;
            let names = |names: Vec<&str>| names.join(", ");
            let classes = self.classes.iter().map(|class| class.as_str()).collect();
            let set: OperationSet = self.operations.iter().copied().collect();
            let set = if set.bits() == 0 { OperationSet::usual(self.kind) } else { set };
            output.line(format!("  kind        {}", self.kind.as_str()))?;
            output.line(format!(
                "  classes     {}",
                match names(classes) {
                    names if names.is_empty() => "all of yours".to_owned(),
                    names => names,
                }
            ))?;
            let operations = set.iter().map(TokenOperation::as_str).collect();
            output.line(format!("  operations  {}", names(operations)))?;
            output.line(format!(
                "  expires     {}",
                self.expires.as_deref().unwrap_or("with yours")
            ))?;
            let file = self.destination.token_file.as_deref();
            output.line(format!("  written to  {}", shown_path(file)))
        })?;
        Ok(Exit::Done)
    }
}

fn kind(text: &str) -> Result<CustomerTokenKind, &'static str> {
    let expected = "one of: read_write, write_only, grant, admin, recovery";
    CustomerTokenKind::from_text(text).ok_or(expected)
}

fn class(text: &str) -> Result<DataClass, String> {
    let known = || DataClass::ALL.map(DataClass::as_str).join(", ");
    DataClass::from_text(text).ok_or_else(|| format!("one of: {}", known()))
}

fn operation(text: &str) -> Result<TokenOperation, String> {
    let known = || TokenOperation::ALL.map(TokenOperation::as_str).join(", ");
    TokenOperation::from_text(text).ok_or_else(|| format!("one of: {}", known()))
}
