//! What tenants have used of what they may, and how many logins they have under way, for their
//! operator and for Prometheus.
//!
//! It promises to name tenants by their id and nothing of them. It relies on the turnstile and on
//! the vault's budgets; while the vault is locked these are not told.

use std::collections::BTreeMap;

use tresor_door::{Figures, Sample};
use tresor_proto::{RefusalReason, TenantId, TenantLimits, vault};
use tresor_vault::{BudgetKind, BudgetUse};

use crate::{gate::Gate, turnstile::TenantTally};

/// What one tenant has used, as its operator sees it.
pub(crate) fn of(
    gate: &Gate,
    tenant: TenantId,
    limits: &TenantLimits,
) -> vault::GetTenantUsageResponse {
    let turnstile = gate.turnstile();
    let tally = turnstile.tally().of(tenant);
    let mut budgets = budget_uses(gate);
    budgets.retain(|budget| budget.tenant == tenant);
    let used = |kind| {
        let of_kind = budgets.iter().find(|budget| budget.kind == kind);
        of_kind.map_or(0, |budget| budget.used)
    };
    vault::GetTenantUsageResponse {
        limits: Some(limits.effective(turnstile.seats_default())),
        concurrent_requests: u32::try_from(turnstile.seats_taken(tenant)).unwrap_or(u32::MAX),
        requests: tally.requests,
        reveals_used: used(BudgetKind::Reveals),
        searches_used: used(BudgetKind::Searches),
        refused: refused(&tally, &budgets).into_iter().map(to_count).collect(),
    }
}

/// What all tenants have used, as Prometheus reads it.
pub(crate) fn figures(gate: &Gate) -> Vec<Figures> {
    let (tallies, budgets) = (gate.turnstile().tally().all(), budget_uses(gate));
    let mut refusals: BTreeMap<TenantId, BTreeMap<RefusalReason, u64>> = BTreeMap::new();
    for (tenant, tally) in &tallies {
        let theirs: Vec<_> = budgets.iter().copied().filter(|of| of.tenant == *tenant).collect();
        refusals.insert(*tenant, refused(tally, &theirs));
    }
    let refusals = refusals.iter().flat_map(|(tenant, counts)| {
        counts.iter().map(|(reason, count)| named(*count, tenant).with("reason", reason.as_str()))
    });
    let requests = tallies.iter().map(|(tenant, tally)| named(tally.requests, tenant));
    let running = tallies.iter().map(|(tenant, _)| {
        let taken = gate.turnstile().seats_taken(*tenant);
        named(u64::try_from(taken).unwrap_or(u64::MAX), tenant)
    });
    let mut figures = vec![
        Figures::counter("tenant_requests", "Requests of a tenant", requests.collect()),
        Figures::gauge("tenant_running", "Requests of a tenant that run now", running.collect()),
        Figures::counter("tenant_refusals", "Requests that were one too many", refusals.collect()),
    ];
    figures.extend(of_budgets(&budgets));
    figures.push(logins_under_way(gate));
    figures
}

/// All tenants share the places where passwords are checked.
fn logins_under_way(gate: &Gate) -> Figures {
    let count = gate.vault().map(|vault| Sample::new(vault.logins_under_way()));
    let help = "Passwords that are being checked or wait for it";
    Figures::gauge("logins_under_way", help, count.into_iter().collect())
}

fn of_budgets(budgets: &[BudgetUse]) -> [Figures; 3] {
    let each = |value: fn(&BudgetUse) -> u64| {
        let sample = |of: &BudgetUse| named(value(of), &of.tenant).with("budget", of.kind.as_str());
        budgets.iter().map(sample).collect()
    };
    [
        Figures::gauge("budget_used", "What is spent of a budget", each(|of| of.used)),
        Figures::gauge("budget_per_day", "What there is of a budget", each(|of| of.per_day)),
        Figures::counter("budget_alarms", "Budgets spent to 80 %", each(|of| of.alarms)),
    ]
}

fn named(value: u64, tenant: &TenantId) -> Sample {
    Sample::new(value).with("tenant", tenant.to_string())
}

fn budget_uses(gate: &Gate) -> Vec<BudgetUse> {
    gate.vault().map(|vault| vault.budget_uses()).unwrap_or_default()
}

/// What was one too many, of calls and of budgets.
fn refused(tally: &TenantTally, budgets: &[BudgetUse]) -> BTreeMap<RefusalReason, u64> {
    let mut refused = tally.refused.clone();
    let spent = budgets.iter().filter(|budget| budget.refused > 0);
    refused.extend(spent.map(|budget| (budget.kind.refusal(), budget.refused)));
    refused
}

fn to_count((reason, count): (RefusalReason, u64)) -> vault::RefusalCount {
    vault::RefusalCount { reason: reason.as_str().to_owned(), count }
}
