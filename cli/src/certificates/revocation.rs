//! Certificate revocation lists (RFC 5280 §5), one for each branch.

use std::path::Path;

use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};
use time::{Duration, OffsetDateTime};

use super::{Branch, CertificateAuthority, Issued, Ledger, unencodable};
use crate::{error::CliError, private_file::replace};

/// Days until the next list is due, by default.
pub(crate) const NEXT_UPDATE_DAYS: u16 = 30;

impl CertificateAuthority {
    /// Marks certificates as revoked and writes the lists of their branches.
    pub(crate) fn revoke(&self, ledger: &mut Ledger, revoked: &[Issued]) -> Result<(), CliError> {
        let serials: Vec<_> = revoked.iter().map(|issued| issued.serial.as_str()).collect();
        ledger.revoke(&serials, OffsetDateTime::now_utc())?;
        let is_touched = |branch: &Branch| revoked.iter().any(|issued| issued.branch == *branch);
        for branch in Branch::ALL.into_iter().filter(is_touched) {
            self.write_revocation_list(ledger, branch, NEXT_UPDATE_DAYS)?;
        }
        Ok(())
    }

    /// Writes the list of a branch, with everything it ever revoked.
    pub(crate) fn write_revocation_list(
        &self,
        ledger: &Ledger,
        branch: Branch,
        days: u16,
    ) -> Result<(), CliError> {
        let of_branch = ledger.issued().iter().filter(|issued| issued.branch == branch);
        let revoked = of_branch.filter_map(|issued| entry(issued).transpose());
        let revoked_certs = revoked.collect::<Result<Vec<_>, CliError>>()?;
        let now = OffsetDateTime::now_utc();
        // Lists are numbered by the clock, so that a later one has a higher number.
        let number = u64::try_from(now.unix_timestamp_nanos() / 1_000).unwrap_or_default();
        let list = CertificateRevocationListParams {
            this_update: now,
            next_update: now + Duration::days(days.into()),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer(branch)?).and_then(|list| list.pem());
        let path = self.directory().join(branch.revocation_list_file());
        replace(&path, list.map_err(unencodable)?.as_bytes())
    }

    fn directory(&self) -> &Path {
        &self.directory
    }
}

fn entry(issued: &Issued) -> Result<Option<RevokedCertParams>, CliError> {
    let Some(revoked) = issued.revoked else { return Ok(None) };
    let serial = hex::decode(&issued.serial);
    let serial = serial.map_err(|_| CliError::failed("a serial number in the list is damaged"))?;
    Ok(Some(RevokedCertParams {
        serial_number: SerialNumber::from(serial),
        revocation_time: revoked,
        reason_code: None,
        invalidity_date: None,
    }))
}
