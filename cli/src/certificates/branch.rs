//! The branches of the authority: an intermediate for each kind of peer, so that a listener that
//! trusts one branch takes nobody of another.

use rcgen::ExtendedKeyUsagePurpose;
use serde::{Deserialize, Serialize};

/// Whom an intermediate authority issues for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Branch {
    /// Clients of tenants; they call the external API.
    Clients,
    /// Services; they answer, and call the data plane.
    Services,
    /// Operators; they call the control plane.
    Operators,
}

impl Branch {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Clients, Self::Services, Self::Operators];

    /// Its name, which its files have too.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Services => "services",
            Self::Operators => "operators",
        }
    }

    /// The file of its certificate, in the authority's directory.
    pub(crate) fn certificate_file(self) -> String {
        format!("{}.pem", self.name())
    }

    /// The file of its revocation list, in the authority's directory.
    pub(crate) fn revocation_list_file(self) -> String {
        format!("{}.crl", self.name())
    }

    /// What its certificates are for: services answer and call, the others only call (RFC 5280
    /// §4.2.1.12).
    pub(super) fn usages(self) -> Vec<ExtendedKeyUsagePurpose> {
        match self {
            Self::Services => {
                vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth]
            }
            Self::Clients | Self::Operators => vec![ExtendedKeyUsagePurpose::ClientAuth],
        }
    }
}
