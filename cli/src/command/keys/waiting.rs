//! What only customers can do about their keys: the tenants that wait for theirs, and for what.

use comfy_table::Cell;
use serde_json::{Value, json};
use tresor_proto::vault::TenantKeyStatus;

use super::{rotate_data::class_name, scope::Scope};
use crate::{
    control_plane::ControlPlane,
    error::CliError,
    output::{Output, Tone, counted, printable},
};

/// What a tenant waits for its customer to do.
pub(super) struct Waiting<'a> {
    tenant: &'a TenantKeyStatus,
    /// Classes whose data key is due: the customer writes, or lends.
    classes: Vec<&'static str>,
    /// Customer tokens that were locked under a compromised cipher key: the customer rotates them.
    tokens: u32,
}

impl<'a> Waiting<'a> {
    /// What a tenant waits for.
    pub(super) fn of(tenant: &'a TenantKeyStatus) -> Self {
        let pending = tenant.keys.iter().filter(|key| key.pending_customer);
        let classes = pending.map(|key| class_name(key.data_class)).collect();
        Self { tenant, classes, tokens: tenant.exposed_tokens }
    }

    /// Whether it waits for nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.classes.is_empty() && self.tokens == 0
    }

    /// What the customer is to do.
    pub(super) fn in_words(&self) -> String {
        let mut what = Vec::new();
        if self.tokens > 0 {
            what.push(format!("rotate {}", counted(self.tokens.into(), "customer token")));
        }
        if !self.classes.is_empty() {
            what.push(format!("write or lend: {}", self.classes.join(", ")));
        }
        what.join("; ")
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "rotate_customer_tokens": self.tokens, "write_or_lend": self.classes })
    }
}

/// The tenants of a scope that wait for their customers.
pub(super) struct WaitingList(Vec<TenantKeyStatus>);

impl WaitingList {
    /// Those that wait now.
    pub(super) async fn read(plane: &ControlPlane, scope: &Scope) -> Result<Self, CliError> {
        Ok(Self(scope.enrolled(plane).await?))
    }

    fn waiting(&self) -> impl Iterator<Item = Waiting<'_>> {
        self.0.iter().map(Waiting::of).filter(|waiting| !waiting.is_empty())
    }

    pub(super) fn to_json(&self) -> Value {
        let told = |waiting: Waiting<'_>| {
            json!({
                "tenant": waiting.tenant.tenant_name,
                "id": waiting.tenant.tenant_id,
                "for": waiting.to_json(),
            })
        };
        self.waiting().map(told).collect()
    }

    /// Shows them as a table.
    pub(super) fn show(&self, output: &Output) -> Result<(), CliError> {
        let row = |waiting: Waiting<'_>| {
            vec![
                Cell::new(printable(&waiting.tenant.tenant_name)),
                Cell::new(&waiting.tenant.tenant_id),
                output.cell(Tone::Notable, &waiting.in_words()),
            ]
        };
        let rows: Vec<_> = self.waiting().map(row).collect();
        if rows.is_empty() {
            return output.line("no tenant waits for its customer");
        }
        output.line("")?;
        output.table(&["tenant", "id", "waits for its customer to"], rows)
    }
}
