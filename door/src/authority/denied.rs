//! The deny list: certificates refused from one second to the next, by their fingerprints.
//!
//! A line is the SHA-256 of a certificate's DER in hex, with or without colons, as
//! `openssl x509 -noout -fingerprint -sha256` prints it; what follows a `#` is a remark.

use std::collections::HashSet;
use std::path::Path;

use crate::DoorError;
use crate::private_file::read_trusted_file;

/// Bytes of a deny list: some ten thousand certificates.
const BYTES_MAX: u64 = 1024 * 1024;

/// The SHA-256 of each certificate that is refused.
#[derive(Debug, Default)]
pub(super) struct Denied(HashSet<[u8; 32]>);

impl Denied {
    pub(super) fn read(path: &Path) -> Result<Self, DoorError> {
        let text = read_trusted_file(path, BYTES_MAX)?;
        let text = String::from_utf8_lossy(&text);
        let entry = |(at, line): (usize, &str)| {
            let written = line.split('#').next().unwrap_or_default().trim();
            (!written.is_empty()).then(|| fingerprint(written).ok_or(at + 1))
        };
        let denied = text.lines().enumerate().filter_map(entry).collect::<Result<_, _>>();
        let bad = |line| DoorError::BadFingerprint { path: path.to_owned(), line };
        denied.map(Self).map_err(bad)
    }

    pub(super) fn contains(&self, certificate_digest: &[u8; 32]) -> bool {
        self.0.contains(certificate_digest)
    }
}

fn fingerprint(written: &str) -> Option<[u8; 32]> {
    let hex = written.rsplit('=').next()?.replace(':', "");
    let digits = hex.is_ascii().then_some(hex.as_bytes()).filter(|digits| digits.len() == 64)?;
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(digest)
}

fn digit(ascii: u8) -> Option<u8> {
    char::from(ascii).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
