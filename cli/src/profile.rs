//! The profile file `tresor.toml`: where the services are and which certificates to show.
//!
//! It holds paths and addresses, never a secret. Paths in it are relative to the file itself, and a
//! key it does not know is an error, so that a typing mistake does not silently mean a default.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::CliError;

/// The profile looked for in the working directory.
pub(crate) const FILE_NAME: &str = "tresor.toml";

/// Everything a profile may say.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// How the operator reaches the control plane.
    #[serde(default)]
    pub(crate) operator: Side,
    /// How the customer reaches the external API.
    #[serde(default)]
    pub(crate) customer: Side,
}

/// One side's connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Side {
    /// `https://host:port`.
    pub(crate) server: Option<String>,
    /// Certificates of the authorities that may vouch for the server, PEM.
    pub(crate) ca: Option<PathBuf>,
    /// Own certificate, PEM.
    pub(crate) cert: Option<PathBuf>,
    /// Its private key, PEM.
    pub(crate) key: Option<PathBuf>,
    /// The file that holds the customer token (customer only).
    pub(crate) customer_token_file: Option<PathBuf>,
    /// The user, where the tenant requires one (customer only).
    pub(crate) user: Option<String>,
    /// The file that holds the user's password (customer only).
    pub(crate) password_file: Option<PathBuf>,
}

impl Profile {
    /// Reads `explicit`, or `tresor.toml` here if there is one, or nothing.
    pub(crate) fn load(explicit: Option<&Path>) -> Result<Self, CliError> {
        let path = explicit.unwrap_or(Path::new(FILE_NAME));
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, path),
            Err(error) if explicit.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(error) => Err(CliError::usage(format!(
                "cannot read the profile {}: {}",
                path.display(),
                tresor_door::in_words(error.kind())
            ))),
        }
    }

    fn parse(text: &str, path: &Path) -> Result<Self, CliError> {
        let mistake = |error: toml::de::Error| {
            let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
            let message = format!("{}, line {line}: {}", path.display(), error.message());
            CliError::usage(message).advise("see `tresor help` for what a profile may say")
        };
        let mut profile: Self = toml::from_str(text).map_err(mistake)?;
        let directory = path.parent().unwrap_or(Path::new(""));
        profile.operator.resolve(directory);
        profile.customer.resolve(directory);
        Ok(profile)
    }
}

impl Side {
    fn resolve(&mut self, directory: &Path) {
        let connection = [&mut self.ca, &mut self.cert, &mut self.key];
        let secrets = [&mut self.customer_token_file, &mut self.password_file];
        for path in connection.into_iter().chain(secrets).flatten() {
            *path = directory.join(&*path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_profile() {
        let text = "[customer]\nserver = \"https://localhost:8443\"\nca = \"ca/ca.pem\"\n";
        let profile = Profile::parse(text, Path::new("/etc/tresor/tresor.toml")).unwrap();
        assert_eq!(profile.customer.ca, Some(PathBuf::from("/etc/tresor/ca/ca.pem")));
        assert_eq!(profile.operator, Side::default());
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let text = "[customer]\nserver = \"https://a\"\ncustomer_token = \"x\"\n";
        let error = Profile::parse(text, Path::new("tresor.toml")).unwrap_err();
        assert!(error.to_string().starts_with("tresor.toml, line "), "{error}");
        assert_eq!(error.exit(), crate::error::Exit::Usage);
    }

    #[test]
    fn a_profile_asked_for_must_exist() {
        assert!(Profile::load(Some(Path::new("/nonexistent/tresor.toml"))).is_err());
    }
}
