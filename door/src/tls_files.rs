use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::DoorError;
use crate::config::Table;

/// The files one end of mutual TLS needs, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Our certificate, then its intermediates.
    pub certificate_chain: PathBuf,
    /// Our private key; readable by its owner only, refused otherwise.
    pub private_key: PathBuf,
    /// The authorities that issue our peers' certificates.
    pub authorities: PathBuf,
}

impl TlsFiles {
    /// Reads the keys `certificate_chain`, `private_key`, `authorities` of a table.
    #[must_use]
    pub fn read(table: &mut Table<'_>) -> Option<Self> {
        let certificate_chain = table.path("certificate_chain");
        let private_key = table.path("private_key");
        let authorities = table.path("authorities");
        Some(Self {
            certificate_chain: certificate_chain?,
            private_key: private_key?,
            authorities: authorities?,
        })
    }
}

/// Reads a file that holds a secret: refuses it when group or others can read it, or when it is
/// longer than `bytes_max`.
pub fn read_private_file(_path: &Path, _bytes_max: u64) -> Result<Zeroizing<Vec<u8>>, DoorError> {
    todo!()
}
