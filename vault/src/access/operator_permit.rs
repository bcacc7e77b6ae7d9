//! The permit of operators, who open nothing.

use tresor_proto::{RefusalReason as Reason, ServiceName};

use super::{Caller, Role};
use crate::{error::VaultError, vault::Vault};

/// The proof that a caller is an operator.
#[derive(Debug)]
pub struct OperatorPermit {
    name: ServiceName,
}

impl OperatorPermit {
    /// Permits an operator's work; it takes no vault, since he works on locked ones too.
    ///
    /// # Errors
    /// `forbidden` to everyone else.
    pub fn of(caller: &Caller) -> Result<Self, VaultError> {
        match caller {
            Caller::Service { name, role: Role::Operator } => Ok(Self { name: name.clone() }),
            Caller::Service { .. } => Err(Reason::NotForServices.into()),
            Caller::Client { .. } => Err(Reason::NotForClients.into()),
        }
    }

    /// The vault's own, for what its policy of keys does without an operator.
    pub(crate) fn of_policy() -> Result<Self, VaultError> {
        let name = ServiceName::parse("key-policy").ok_or(VaultError::Internal)?;
        Ok(Self { name })
    }

    /// Which operator.
    #[must_use]
    pub fn name(&self) -> &ServiceName {
        &self.name
    }
}

impl Vault {
    /// Permits an operator's work.
    ///
    /// # Errors
    /// `forbidden` to everyone else.
    pub fn permit_operator(&self, caller: &Caller) -> Result<OperatorPermit, VaultError> {
        OperatorPermit::of(caller)
    }
}
