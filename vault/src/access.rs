//! Who calls, and what they may do: a [`Permit`] is the proof an operation asks for.
//!
//! A permit has private fields and is made here only, after every check; a call without one does
//! not compile. The tenant of the certificate, of the user's session, of the customer token and of the
//! request agree, and "absent" looks like "not yours".

mod operator_permit;
mod permit;
mod session_check;
mod token_holder;
mod verbs;

use std::{net::IpAddr, sync::Arc};

use tresor_proto::{ClientName, ServiceName, Session, TenantId};

pub use operator_permit::OperatorPermit;
pub use permit::{AdmissionPermit, EnrolPermit, LoginPermit, Permit, PolicyPermit, UnderWay};
pub(crate) use token_holder::TokenHolder;
pub use verbs::{
    Delete, DeleteSurrogates, DescribeSurrogates, Detokenize, IssueTokens, Lend, ListTokens,
    ManageTokens, Read, RenewSurrogates, Search, TokenVerb, Tokenize, Write,
};

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
        /// The session of the user who has logged in, if one is shown.
        session: Option<Arc<Session>>,
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
