//! Who may call which method: one table. What is not in it does not exist for anybody.
//!
//! It promises that a role is served on its own plane only, that a service calls no method it was
//! not granted, and that no role of operators reaches data; a test walks the descriptors and fails
//! for a method without a rule. It relies on the handshake for who calls, and on the vault, which
//! wants proofs of its own whatever is allowed here.

use std::collections::BTreeSet;

use tresor_proto::RefusalReason;

use crate::{
    directory::{RoleName, ServiceRole},
    plane::Plane,
};

use RoleName::{Auditor, CaOfficer, Deployer, Edge, Operator, Service};

/// What the vault's own methods begin with.
const PACKAGE: &str = "/tresor.vault.v1.";
/// What every service of a plane may ask: nothing of it is about tenants.
const FOR_ALL: [&str; 5] = [
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/List",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

type Roles = &'static [RoleName];

/// Data, under a customer token.
const RECORDS: Roles = &[Edge, Service];
/// The customer's own keys and who he is: never for the operator's services.
const CUSTOMERS_OWN: Roles = &[Edge];
/// What both planes look at.
const POLICIES: Roles = &[Edge, Service, Operator, Auditor];
/// Changes of the register and of keys.
const CHANGES: Roles = &[Operator];
/// Looks at the register and at keys.
const LOOKS: Roles = &[Operator, Auditor];
/// What issuing a certificate takes: which tenants there are.
const TENANTS: Roles = &[Operator, Auditor, CaOfficer];
/// What running the machines takes.
const RUNNING: Roles = &[Operator, Deployer];
/// How the machines are.
const CONDITION: Roles = &[Operator, Deployer, Auditor];

/// Every method, and the roles that may call it. A role has one plane, so this is the plane too.
const RULES: &[(&str, Roles)] = &[
    ("RecordService/Put", RECORDS),
    ("RecordService/Ingest", RECORDS),
    ("RecordService/Get", RECORDS),
    ("RecordService/List", RECORDS),
    ("RecordService/Search", RECORDS),
    ("RecordService/Delete", RECORDS),
    ("SurrogateService/Tokenize", RECORDS),
    ("SurrogateService/TokenizeStream", RECORDS),
    ("SurrogateService/Detokenize", RECORDS),
    ("SurrogateService/DetokenizeStream", RECORDS),
    ("SurrogateService/Describe", RECORDS),
    ("SurrogateService/Renew", RECORDS),
    ("SurrogateService/Delete", RECORDS),
    ("CustomerTokenService/Enrol", CUSTOMERS_OWN),
    ("CustomerTokenService/Issue", CUSTOMERS_OWN),
    ("CustomerTokenService/Rotate", CUSTOMERS_OWN),
    ("CustomerTokenService/Revoke", CUSTOMERS_OWN),
    ("CustomerTokenService/List", CUSTOMERS_OWN),
    ("CustomerTokenService/Lend", CUSTOMERS_OWN),
    ("AccessService/Introspect", RECORDS),
    ("AccessService/Login", CUSTOMERS_OWN),
    ("AccessService/ChangePassword", CUSTOMERS_OWN),
    ("CollectionService/GetCollection", POLICIES),
    ("CollectionService/ListCollections", POLICIES),
    ("CollectionService/PutCollection", CHANGES),
    ("CollectionService/AnalyzeCollection", LOOKS),
    ("CollectionService/GetInventory", LOOKS),
    ("CollectionService/BuildIndex", CHANGES),
    ("TenantService/CreateTenant", CHANGES),
    ("TenantService/GetTenant", TENANTS),
    ("TenantService/ListTenants", TENANTS),
    ("TenantService/GetTenantUsage", LOOKS),
    ("TenantService/AddUser", CHANGES),
    ("TenantService/ListUsers", LOOKS),
    ("TenantService/SetUserRoles", CHANGES),
    ("TenantService/DisableUser", CHANGES),
    ("TenantService/EnableUser", CHANGES),
    ("TenantService/ResetUserPassword", CHANGES),
    ("TenantService/RemoveUser", CHANGES),
    ("TenantService/UpdateTenant", CHANGES),
    ("TenantService/SuspendTenant", CHANGES),
    ("TenantService/ResumeTenant", CHANGES),
    ("TenantService/DeleteTenant", CHANGES),
    ("KeyService/GetKeyStatus", CONDITION),
    ("KeyService/RotateRootKey", CHANGES),
    // Keeps what it counted.
    ("KeyService/TakeCensus", CHANGES),
    ("KeyService/RotateCipherKey", CHANGES),
    ("KeyService/MarkDataKeysDue", CHANGES),
    ("KeyService/RekeyIdentifiers", CHANGES),
    ("KeyService/GetOperation", LOOKS),
    ("KeyService/ListOperations", LOOKS),
    ("KeyService/PauseOperation", CHANGES),
    ("KeyService/ResumeOperation", CHANGES),
    ("KeyService/CancelOperation", CHANGES),
    ("SealService/GetSealStatus", CONDITION),
    ("SealService/AddSeal", RUNNING),
    ("SealService/RemoveSeal", RUNNING),
    ("SealService/MigrateSeal", RUNNING),
    ("SealService/Lock", RUNNING),
    ("SealService/Unlock", RUNNING),
];

/// The methods that a service was granted, of those that services may call at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantedMethods(BTreeSet<&'static str>);

/// Why a call does not get any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Barred {
    /// There is no such method.
    Unknown,
    /// Whoever calls may not.
    Refused(RefusalReason),
}

impl From<RefusalReason> for Barred {
    fn from(reason: RefusalReason) -> Self {
        Self::Refused(reason)
    }
}

/// Whether a service with `role` may make the call at `path` on `plane`.
pub(crate) fn check(plane: Plane, role: &ServiceRole, path: &str) -> Result<(), Barred> {
    if role.name().plane() != plane {
        return Err(RefusalReason::ServiceOnWrongListener.into());
    }
    if FOR_ALL.contains(&path) {
        return Ok(());
    }
    let (method, roles) = path.strip_prefix(PACKAGE).and_then(rule).ok_or(Barred::Unknown)?;
    let is_granted = match role {
        ServiceRole::Service(rights) => rights.methods.0.contains(method),
        ServiceRole::Edge
        | ServiceRole::Operator
        | ServiceRole::Deployer
        | ServiceRole::Auditor
        | ServiceRole::CaOfficer => true,
    };
    let may = is_granted && roles.contains(&role.name());
    if may { Ok(()) } else { Err(RefusalReason::MethodNotGranted.into()) }
}

fn rule(method: &str) -> Option<(&'static str, Roles)> {
    RULES.iter().find(|(name, _)| *name == method).copied()
}

impl GrantedMethods {
    /// Parses `RecordService/Get`, or `RecordService/*` for all of a service; `None` for what there
    /// is not, or what no service may be granted.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let prefix = text.strip_suffix('*').filter(|prefix| prefix.ends_with('/'));
        let fits = |method: &str| match prefix {
            Some(prefix) => method.starts_with(prefix),
            None => method == text,
        };
        let found: BTreeSet<_> = grantable().filter(|method| fits(method)).collect();
        (!found.is_empty()).then_some(Self(found))
    }

    /// All that a service may be granted.
    #[must_use]
    pub fn all() -> Self {
        Self(grantable().collect())
    }
}

impl FromIterator<Self> for GrantedMethods {
    fn from_iter<I: IntoIterator<Item = Self>>(grants: I) -> Self {
        Self(grants.into_iter().flat_map(|grant| grant.0).collect())
    }
}

fn grantable() -> impl Iterator<Item = &'static str> {
    let is_for_services = |(_, roles): &&(&str, Roles)| roles.contains(&Service);
    RULES.iter().filter(is_for_services).map(|(method, _)| *method)
}

#[cfg(test)]
mod tests;
