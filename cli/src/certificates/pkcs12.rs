//! A certificate with its key and chain in one encrypted file, for machines that want PKCS#12 (RFC
//! 7292): AES-256, HMAC-SHA-256.

use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey,
    PrivateKeyChain,
};
use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

use crate::error::CliError;

/// Rounds of PBKDF2: OWASP's number for HMAC-SHA-256.
const ITERATIONS: u32 = 600_000;

/// The bytes of the file. `chain_der` begins with the key's own certificate and ends with the root.
pub(super) fn encode(
    file_name: &str,
    key_der: &[u8],
    chain_der: &[Vec<u8>],
    password: &str,
) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let failed = |_| CliError::failed("the certificate cannot be written as PKCS#12");
    let certificates = chain_der.iter().map(|der| Certificate::from_der(der));
    let certificates = certificates.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let key = PrivateKey::from_der(key_der).map_err(failed)?;
    let key_id = chain_der.first().map(|leaf| digest(&SHA256, leaf).as_ref().to_vec());
    let chain = PrivateKeyChain::new(key_id.unwrap_or_default(), key, certificates);
    let mut store = KeyStore::new();
    store.add_entry(file_name, KeyStoreEntry::PrivateKeyChain(chain));
    let bytes = store
        .writer(password)
        .encryption_algorithm(EncryptionAlgorithm::PbeWithHmacSha256AndAes256)
        .encryption_iterations(ITERATIONS)
        .mac_algorithm(MacAlgorithm::HmacSha256)
        .mac_iterations(ITERATIONS)
        .write();
    bytes.map(Zeroizing::new).map_err(failed)
}
