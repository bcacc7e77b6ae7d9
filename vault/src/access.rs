//! Who calls, and what they may do: a [`Permit`] is the proof an operation asks for.
//!
//! A permit has private fields and is made here only, after every check; a call without one does
//! not compile. The tenant of the certificate, of the customer token and of the request agree, and
//! "absent" looks like "not yours".

mod permit;
mod verbs;

use std::net::IpAddr;

use tresor_proto::{ClientName, ServiceName, TenantId};

pub(crate) use permit::TokenHolder;
pub use permit::{EnrolPermit, OperatorPermit, Permit, PolicyPermit};
pub use verbs::{Delete, IssueTokens, Lend, ManageTokens, Read, TokenVerb, Write};

/// Whom the door has seen: made from a verified certificate, or from verified evidence.
#[derive(Clone, Debug)]
pub enum Caller {
    /// A service of the operator, by its own certificate.
    Service {
        /// Its name.
        name: ServiceName,
        /// What the configuration grants it.
        role: Role,
    },
    /// A client of a tenant, whose certificate an edge forwarded as evidence.
    Client {
        /// The tenant of the certificate.
        tenant: TenantId,
        /// Which of its clients.
        client: ClientName,
        /// SHA-256 of the certificate.
        certificate_digest: [u8; 32],
        /// Where the client came from.
        source_address: IpAddr,
    },
}

/// What a service is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Registers tenants and policies; opens nothing.
    Operator,
    /// Calls with a customer token for these tenants.
    Service(Vec<TenantId>),
}

impl Caller {
    /// The certificate a customer token may be bound to.
    fn certificate_digest(&self) -> Option<&[u8; 32]> {
        match self {
            Self::Service { .. } => None,
            Self::Client { certificate_digest, .. } => Some(certificate_digest),
        }
    }
}
