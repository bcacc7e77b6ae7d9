//! How a command reaches a service: address, authorities, own certificate and key.
//!
//! Each comes from a flag, else from `TRESOR_*`, else from the side of the profile that the command
//! belongs to. What is missing is named all at once.

use std::{path::PathBuf, sync::Arc};

use tresor_door::TlsFiles;

use crate::{
    error::CliError,
    https::Https,
    profile::Side,
    session::Session,
    user::{User, UserFlags},
};

/// The connection flags.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionFlags {
    /// Address of the service, `https://host:port`
    #[arg(long, value_name = "URL", env = "TRESOR_SERVER")]
    server: Option<String>,
    /// Authorities that may vouch for the service, PEM
    #[arg(long, value_name = "FILE", env = "TRESOR_CA")]
    ca: Option<PathBuf>,
    /// Own certificate, PEM
    #[arg(long, value_name = "FILE", env = "TRESOR_CERT")]
    cert: Option<PathBuf>,
    /// Private key of the certificate, PEM, readable by its owner only
    #[arg(long, value_name = "FILE", env = "TRESOR_KEY")]
    key: Option<PathBuf>,
}

/// The connection flags of a customer, who may have a user too.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct CustomerFlags {
    #[command(flatten)]
    connection: ConnectionFlags,
    #[command(flatten)]
    user: UserFlags,
}

/// A service and how to prove oneself to it.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    /// `https://host:port`.
    pub(crate) server: String,
    /// Certificates and key.
    pub(crate) tls: TlsFiles,
}

impl ConnectionFlags {
    /// The operator's way to the control plane.
    pub(crate) fn to_operator(&self, session: &Session) -> Result<Endpoint, CliError> {
        self.complete(session.profile()?.operator, "operator")
    }

    fn complete(&self, side: Side, name: &str) -> Result<Endpoint, CliError> {
        let flags = self.clone();
        let server = flags.server.or(side.server);
        let [ca, cert, key] =
            [flags.ca.or(side.ca), flags.cert.or(side.cert), flags.key.or(side.key)];
        match (server, ca, cert, key) {
            (Some(server), Some(ca), Some(cert), Some(key)) => Ok(Endpoint {
                server,
                tls: TlsFiles { certificate_chain: cert, private_key: key, authorities: ca },
            }),
            (server, ca, cert, key) => {
                let given = [
                    ("--server", server.is_some()),
                    ("--ca", ca.is_some()),
                    ("--cert", cert.is_some()),
                    ("--key", key.is_some()),
                ];
                Err(missing(given, name))
            }
        }
    }
}

impl CustomerFlags {
    /// Where the external API is.
    pub(crate) fn endpoint(&self, session: &Session) -> Result<Endpoint, CliError> {
        self.connection.complete(session.profile()?.customer, "customer")
    }

    /// Whether the user's password is read from standard input.
    pub(crate) fn has_standard_input(&self) -> bool {
        self.user.has_standard_input()
    }

    /// The user, if there is one.
    pub(crate) fn user(&self, session: &Session) -> Result<Option<Arc<User>>, CliError> {
        self.user.read(session)
    }

    /// The way to the external API.
    pub(crate) fn https(&self, session: &Session) -> Result<Https, CliError> {
        let https = Https::new(&self.endpoint(session)?)?;
        Ok(https.with_user(self.user(session)?))
    }
}

fn missing(given: [(&str, bool); 4], side: &str) -> CliError {
    let names = given.iter().filter(|(_, is_given)| !is_given).map(|(name, _)| *name);
    let names = names.collect::<Vec<_>>().join(", ");
    CliError::usage(format!("missing: {names}")).advise(format!(
        "give the flags, set TRESOR_SERVER, TRESOR_CA, TRESOR_CERT, TRESOR_KEY, or write [{side}] \
         in tresor.toml"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_at_once() {
        let flags = ConnectionFlags { ca: Some("ca.pem".into()), ..ConnectionFlags::default() };
        let error = flags.complete(Side::default(), "customer").unwrap_err();
        assert_eq!(error.to_string(), "missing: --server, --cert, --key");
        assert_eq!(error.exit(), crate::error::Exit::Usage);
    }

    #[test]
    fn a_flag_wins_over_the_profile() {
        let side = Side {
            server: Some("https://profile:1".to_owned()),
            ca: Some("ca.pem".into()),
            cert: Some("a.pem".into()),
            key: Some("a.key".into()),
            ..Side::default()
        };
        let flags =
            ConnectionFlags { server: Some("https://flag:2".to_owned()), ..Default::default() };
        let endpoint = flags.complete(side, "customer").unwrap();
        assert_eq!(endpoint.server, "https://flag:2");
        assert_eq!(endpoint.tls.private_key, PathBuf::from("a.key"));
    }
}
