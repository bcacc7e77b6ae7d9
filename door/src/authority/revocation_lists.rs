//! Certificate revocation lists (RFC 5280 §5) and whether they belong to the authorities.

use std::path::Path;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use time::OffsetDateTime;
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

use super::TrustFiles;
use crate::DoorError;
use crate::private_file::read_trusted_file;

/// Bytes of a file of lists: some ten thousand revoked certificates.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The lists of the files; each is signed by one of the authorities, and each authority has one.
pub(super) fn read_revocation_lists(
    files: &TrustFiles,
    authorities: &[CertificateDer<'_>],
) -> Result<Vec<CertificateRevocationListDer<'static>>, DoorError> {
    let mut lists = Vec::new();
    for path in &files.revocation_lists {
        lists.extend(read_one(path, authorities)?);
    }
    let has_one = |authority: &CertificateDer<'_>| {
        lists.iter().any(|list| is_of(list, authority).unwrap_or(false))
    };
    if lists.is_empty() || authorities.iter().all(has_one) {
        return Ok(lists);
    }
    Err(DoorError::NoRevocationList { path: files.authorities.clone() })
}

fn read_one(
    path: &Path,
    authorities: &[CertificateDer<'_>],
) -> Result<Vec<CertificateRevocationListDer<'static>>, DoorError> {
    let none = || DoorError::NoRevocationListInFile { path: path.to_owned() };
    let pem = read_trusted_file(path, BYTES_MAX)?;
    let lists = CertificateRevocationListDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| none())?;
    if lists.is_empty() {
        return Err(none());
    }
    for list in &lists {
        let of = authorities.iter().map(|authority| is_of(list, authority).ok_or_else(none));
        if !of.collect::<Result<Vec<_>, _>>()?.contains(&true) {
            return Err(DoorError::ForeignRevocationList { path: path.to_owned() });
        }
        tell_age(path, list);
    }
    Ok(lists)
}

/// Whether an authority has signed the list.
fn is_of(list: &CertificateRevocationListDer<'_>, authority: &CertificateDer<'_>) -> Option<bool> {
    let (_, list) = CertificateRevocationList::from_der(list).ok()?;
    let (_, authority) = X509Certificate::from_der(authority).ok()?;
    let is_named = list.issuer().as_raw() == authority.subject().as_raw();
    Some(is_named && list.verify_signature(authority.public_key()).is_ok())
}

fn tell_age(path: &Path, list: &CertificateRevocationListDer<'_>) {
    let Ok((_, list)) = CertificateRevocationList::from_der(list) else { return };
    let due = list.next_update().map(|due| due.to_datetime());
    if due.is_some_and(|due| due < OffsetDateTime::now_utc()) {
        let (reason, file) = ("revocation_list_outdated", tracing::field::display(path.display()));
        tracing::warn!(reason, file, "a revocation list is past its next update");
    }
}
