use crate::TenantId;

/// Bytes of a trust domain, of a service's name, of a client's name.
const NAME_BYTES_MAX: usize = 63;

/// Whom a certificate names: the one URI among its subject alternative names (SPIFFE ID §2),
/// `spiffe://<trust domain>/svc/<name>` or `spiffe://<trust domain>/tenant/<uuid>/client/<name>`.
///
/// Parsing is strict: lower case, no percent encoding, no port, query, fragment or empty segment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CertificateName {
    /// A service of the operator: the edge, an internal caller, an operator's command line.
    Service(ServiceName),
    /// A client of one tenant.
    Client {
        /// The tenant.
        tenant: TenantId,
        /// Which of the tenant's clients.
        client: ClientName,
    },
}

/// The trust domain the operator's certificates live in, `[a-z0-9.-]{1,63}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TrustDomain(String);

/// The name of a service, `[a-z0-9-]{1,63}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceName(String);

/// The name of a tenant's client, `[a-z0-9-]{1,63}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientName(String);

impl CertificateName {
    /// Parses a URI within `trust_domain`; `None` for anything else.
    #[must_use]
    pub fn parse(uri: &str, trust_domain: &TrustDomain) -> Option<Self> {
        let path = uri.strip_prefix("spiffe://")?.strip_prefix(trust_domain.as_str())?;
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["", "svc", name] => ServiceName::parse(name).map(Self::Service),
            ["", "tenant", tenant, "client", name] => Some(Self::Client {
                tenant: TenantId::parse(tenant)?,
                client: ClientName::parse(name)?,
            }),
            _ => None,
        }
    }

    /// The URI within `trust_domain`.
    #[must_use]
    pub fn to_uri(&self, trust_domain: &TrustDomain) -> String {
        let domain = trust_domain.as_str();
        match self {
            Self::Service(name) => format!("spiffe://{domain}/svc/{name}"),
            Self::Client { tenant, client } => {
                format!("spiffe://{domain}/tenant/{tenant}/client/{client}")
            }
        }
    }
}

macro_rules! certificate_text {
    ($type:ident, $extra:literal) => {
        impl $type {
            /// Parses it; `None` for anything out of its alphabet or length.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let fits = |byte: u8| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || $extra.contains(&byte)
                };
                let is_valid = (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(fits);
                is_valid.then(|| Self(text.to_owned()))
            }

            /// Its text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

certificate_text!(TrustDomain, b".-");
certificate_text!(ServiceName, b"-");
certificate_text!(ClientName, b"-");

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b1";

    fn parse(uri: &str) -> Option<CertificateName> {
        CertificateName::parse(uri, &TrustDomain::parse("tresor.example").unwrap())
    }

    #[test]
    fn services_and_clients_survive_the_round_trip() {
        let domain = TrustDomain::parse("tresor.example").unwrap();
        for path in ["svc/edge".to_owned(), format!("tenant/{TENANT}/client/planner-1")] {
            let uri = format!("spiffe://tresor.example/{path}");
            assert_eq!(parse(&uri).unwrap().to_uri(&domain), uri);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let upper = TENANT.to_uppercase();
        for uri in [
            "spiffe://tresor.example/svc/",
            "spiffe://tresor.example/svc/Edge",
            "spiffe://tresor.example/svc/edge/",
            "spiffe://tresor.example//svc/edge",
            "spiffe://tresor.example/svc/ed%67e",
            "spiffe://tresor.example/svc/edge?x=1",
            "spiffe://tresor.example.evil/svc/edge",
            "spiffe://tresor.example:443/svc/edge",
            "SPIFFE://tresor.example/svc/edge",
            "https://tresor.example/svc/edge",
            "spiffe://tresor.example/tenant/acme/client/a",
            &format!("spiffe://tresor.example/tenant/{upper}/client/a"),
            &format!("spiffe://tresor.example/svc/{}", "a".repeat(64)),
        ] {
            assert_eq!(parse(uri), None, "{uri}");
        }
    }
}
