//! How much a tenant may ask for, and how much of it it has used.

use clap::Args;
use serde_json::{Value, json};
use tonic::Code;
use tresor_proto::vault::{GetTenantUsageRequest, GetTenantUsageResponse, TenantLimits};

use crate::{
    control_plane::ControlPlane,
    error::CliError,
    output::{Output, printable},
};

/// Other limits of a tenant; 0 for the default.
#[derive(Clone, Debug, Args)]
pub(super) struct LimitFlags {
    /// Requests a second of all its clients; 0 for the default, as below
    #[arg(long, value_name = "N")]
    requests_per_second: Option<u32>,
    /// Requests a second of one user
    #[arg(long, value_name = "N")]
    user_requests_per_second: Option<u32>,
    /// Requests a second with one customer token
    #[arg(long, value_name = "N")]
    customer_token_requests_per_second: Option<u32>,
    /// Requests a second from one address
    #[arg(long, value_name = "N")]
    address_requests_per_second: Option<u32>,
    /// Records shown plain a day
    #[arg(long, value_name = "N")]
    reveals_per_day: Option<u64>,
    /// Searches a day
    #[arg(long, value_name = "N")]
    searches_per_day: Option<u64>,
    /// Requests at once
    #[arg(long, value_name = "N")]
    concurrent_requests: Option<u32>,
}

/// The flags, as a group of arguments knows them.
pub(super) const FLAGS: [&str; 7] = [
    "requests_per_second",
    "user_requests_per_second",
    "customer_token_requests_per_second",
    "address_requests_per_second",
    "reveals_per_day",
    "searches_per_day",
    "concurrent_requests",
];

impl LimitFlags {
    /// The limits with what the flags say; `None` when they say nothing.
    pub(super) fn changed(&self, before: Option<TenantLimits>) -> Option<TenantLimits> {
        let before = before.unwrap_or_default();
        let after = TenantLimits {
            requests_per_second: self.requests_per_second.unwrap_or(before.requests_per_second),
            user_requests_per_second: self
                .user_requests_per_second
                .unwrap_or(before.user_requests_per_second),
            customer_token_requests_per_second: self
                .customer_token_requests_per_second
                .unwrap_or(before.customer_token_requests_per_second),
            address_requests_per_second: self
                .address_requests_per_second
                .unwrap_or(before.address_requests_per_second),
            reveals_per_day: self.reveals_per_day.unwrap_or(before.reveals_per_day),
            searches_per_day: self.searches_per_day.unwrap_or(before.searches_per_day),
            concurrent_requests: self.concurrent_requests.unwrap_or(before.concurrent_requests),
        };
        (after != before).then_some(after)
    }
}

/// What differs between two sets of limits, a sentence each.
pub(super) fn differences(
    before: Option<TenantLimits>,
    after: Option<TenantLimits>,
) -> Vec<String> {
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let in_words = |limit: u64| match limit {
        0 => "the default".to_owned(),
        limit => limit.to_string(),
    };
    let pairs = named(&before).into_iter().zip(named(&after));
    let changed = pairs.filter(|((_, before), (_, after))| before != after);
    let sentence = |((name, before), (_, after)): ((&str, u64), (&str, u64))| {
        format!("{name} {} → {}", in_words(before), in_words(after))
    };
    changed.map(sentence).collect()
}

/// Asks how much a tenant has used; `None` for whom that is not told.
pub(super) async fn usage(
    plane: &ControlPlane,
    tenant: &str,
) -> Result<Option<GetTenantUsageResponse>, CliError> {
    let request = GetTenantUsageRequest { tenant: tenant.to_owned() };
    match plane.tenants().get_tenant_usage(request).await {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(status) if status.code() == Code::PermissionDenied => Ok(None),
        Err(status) => Err(status.into()),
    }
}

/// Shows it to a person.
pub(super) fn show(output: &Output, usage: &GetTenantUsageResponse) -> Result<(), CliError> {
    let limits = usage.limits.unwrap_or_default();
    output.line("")?;
    output.line("limits, and what is used of them")?;
    for (name, limit) in named(&limits) {
        let used = match name {
            "reveals a day" => format!("{limit}, {} used", usage.reveals_used),
            "searches a day" => format!("{limit}, {} used", usage.searches_used),
            "requests at once" => format!("{limit}, {} now", usage.concurrent_requests),
            _ => limit.to_string(),
        };
        output.line(format!("  {name:34}{used}"))?;
    }
    output.line(format!("  {:34}{}", "requests since the vault started", usage.requests))?;
    output.line(match usage.refused.is_empty() {
        true => "  the vault has refused none as one too many",
        false => "  the vault has refused as one too many",
    })?;
    let refused = usage.refused.iter();
    refused
        .map(|it| (printable(&it.reason), it.count))
        .try_for_each(|(reason, count)| output.line(format!("    {reason:32}{count}")))
}

/// The same for a program.
pub(super) fn to_json(usage: &GetTenantUsageResponse) -> Value {
    let limits = usage.limits.unwrap_or_default();
    let refused = usage.refused.iter().map(|it| (it.reason.clone(), json!(it.count)));
    json!({
        "limits": {
            "requests_per_second": limits.requests_per_second,
            "user_requests_per_second": limits.user_requests_per_second,
            "customer_token_requests_per_second": limits.customer_token_requests_per_second,
            "address_requests_per_second": limits.address_requests_per_second,
            "reveals_per_day": limits.reveals_per_day,
            "searches_per_day": limits.searches_per_day,
            "concurrent_requests": limits.concurrent_requests,
        },
        "requests": usage.requests,
        "concurrent_requests": usage.concurrent_requests,
        "reveals_used": usage.reveals_used,
        "searches_used": usage.searches_used,
        "refused": refused.collect::<serde_json::Map<_, _>>(),
    })
}

fn named(limits: &TenantLimits) -> [(&'static str, u64); 7] {
    [
        ("requests a second", limits.requests_per_second.into()),
        ("requests a second of one user", limits.user_requests_per_second.into()),
        ("… with one customer token", limits.customer_token_requests_per_second.into()),
        ("… from one address", limits.address_requests_per_second.into()),
        ("reveals a day", limits.reveals_per_day),
        ("searches a day", limits.searches_per_day),
        ("requests at once", limits.concurrent_requests.into()),
    ]
}
