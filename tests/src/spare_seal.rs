//! A second seal for a vault, beside its passphrase.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::Site;

/// Below the site's directory, as the service manager would hand it over.
const CREDENTIALS: &str = "credentials";

impl Site {
    /// Names the seal `spare` in the vault's configuration, from its next start on. It is a
    /// credential, which costs less work than a passphrase.
    ///
    /// # Panics
    /// When a file cannot be written.
    pub fn name_spare_seal(&mut self) {
        fs::create_dir(self.path(CREDENTIALS)).expect("a directory");
        fs::set_permissions(self.path(CREDENTIALS), fs::Permissions::from_mode(0o700))
            .expect("its mode");
        self.write_private("credentials/spare", &"k".repeat(32));
        self.set_vault_variable("CREDENTIALS_DIRECTORY", &self.path(CREDENTIALS));
        let spare = "[seal.spare]\nprovider = \"credential\"\ncredential = \"spare\"\n[control]\n";
        let configuration = fs::read_to_string(self.path("internal-api.toml")).expect("it");
        self.write_private("internal-api.toml", &configuration.replace("[control]\n", spare));
    }
}
