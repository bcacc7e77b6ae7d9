//! `tresor check-config`: configuration files of the services, and the files they name.
//!
//! It relies on the services' own readers, so what it takes they take. It promises to report every
//! mistake at once, and to repeat no value of a file of secrets.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use tresor_door::{
    TlsFiles, TrustFiles,
    config::{Inspection, Named},
};

use crate::{
    error::{CliError, Exit},
    output::{Output, Tone, counted, printable},
    session::Session,
};

/// A certificate that ends sooner is worth a warning: time to have another one issued.
const DAYS_LEFT_MIN: i64 = 30;
/// What only one of the files has, at the beginning of a line.
const OF_INTERNAL_API: &[&str] = &[
    "data_dir",
    "engine",
    "shutdown_grace_ms",
    "[seal]",
    "[seal.",
    "[control]",
    "[health]",
    "[[services]]",
];
const OF_EXTERNAL_API: &[&str] = &["health_listen", "tls12_allowed", "[vault]", "[vault."];

/// Checks configuration files.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor check-config /etc/tresor/internal-api.toml /etc/tresor/external-api.toml
  tresor check-config edge.toml --service external-api --output json

Certificates must be valid today and match their keys; one that ends within 30 days is warned of.
Run it as the user the service runs as. Exit codes: 0 no mistake, 1 mistakes.")]
pub(crate) struct CheckConfigCommand {
    /// Configuration files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Whose configuration it is; found out from the file when not given
    #[arg(long, value_enum)]
    service: Option<Service>,
}

/// A service with a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Service {
    /// The vault process
    InternalApi,
    /// The customers' edge
    ExternalApi,
}

/// What is said of one file.
#[derive(Debug, Serialize)]
struct Report {
    file: PathBuf,
    service: Service,
    mistakes: Vec<Remark>,
    warnings: Vec<Remark>,
    certificates: Vec<Certificate>,
}

/// Something worth saying, and where.
#[derive(Debug, Serialize)]
struct Remark {
    line: Option<usize>,
    path: String,
    message: String,
}

/// A certificate and how long it is valid.
#[derive(Debug, Serialize)]
struct Certificate {
    path: String,
    #[serde(serialize_with = "as_date")]
    valid_until: OffsetDateTime,
    days_left: i64,
}

impl CheckConfigCommand {
    /// Runs it.
    pub(crate) fn run(self, session: &Session) -> Result<Exit, CliError> {
        let now = OffsetDateTime::now_utc();
        let mut reports = Vec::with_capacity(self.files.len());
        for file in &self.files {
            let service = self.service.map_or_else(|| Service::of(file), Ok)?;
            reports.push(Report::of(file, service, now));
        }
        let document = serde_json::json!({ "files": reports });
        let show = |output: &Output| reports.iter().try_for_each(|report| report.show(output));
        session.output.give(&document, show)?;
        let is_right = reports.iter().all(|report| report.mistakes.is_empty());
        Ok(if is_right { Exit::Done } else { Exit::Failed })
    }
}

impl Service {
    /// The service whose words a file has. A file that is broken otherwise can still be told.
    fn of(file: &Path) -> Result<Self, CliError> {
        let bytes = std::fs::read(file).map_err(|error| CliError::file("read", file, &error))?;
        Self::of_text(&String::from_utf8_lossy(&bytes)).ok_or_else(|| {
            let message = format!("{} does not tell whose configuration it is", file.display());
            CliError::usage(message).advise("give --service internal-api or external-api")
        })
    }

    fn of_text(text: &str) -> Option<Self> {
        let count = |words: &[&str]| {
            let begins = |line: &&str| words.iter().any(|word| line.trim_start().starts_with(word));
            text.lines().filter(begins).count()
        };
        match count(OF_INTERNAL_API).cmp(&count(OF_EXTERNAL_API)) {
            std::cmp::Ordering::Greater => Some(Self::InternalApi),
            std::cmp::Ordering::Less => Some(Self::ExternalApi),
            std::cmp::Ordering::Equal => None,
        }
    }

    fn inspect(self, file: &Path) -> Inspection {
        match self {
            Self::InternalApi => tresor_internal_api::Config::inspect(file),
            Self::ExternalApi => tresor_external_api::Config::inspect(file),
        }
    }
}

impl Report {
    fn of(file: &Path, service: Service, now: OffsetDateTime) -> Self {
        let found = service.inspect(file);
        let mistakes = found.mistakes.into_iter().map(|mistake| Remark {
            line: mistake.line,
            path: mistake.path,
            message: mistake.what,
        });
        let mut report = Self {
            file: file.to_owned(),
            service,
            mistakes: mistakes.collect(),
            warnings: Vec::new(),
            certificates: Vec::new(),
        };
        for named in &found.files.tls {
            report.add(named, now);
        }
        for named in &found.files.trust {
            report.add_trust(named);
        }
        report
    }

    /// A file that cannot be read was told of with the certificates already, in the same table.
    fn add_trust(&mut self, named: &Named<TrustFiles>) {
        let Some((key, fault)) = named.files.fault() else { return };
        let (path, message) = (format!("{}.{key}", named.path), fault.to_string());
        if !self.mistakes.iter().any(|told| (&told.path, &told.message) == (&path, &message)) {
            self.mistakes.push(Remark { line: Some(named.line), path, message });
        }
    }

    fn add(&mut self, named: &Named<TlsFiles>, now: OffsetDateTime) {
        let health = named.files.health();
        let path_of = |key: &str| format!("{}.{key}", named.path);
        let remark = |path, message| Remark { line: Some(named.line), path, message };
        for (key, fault) in health.faults {
            self.mistakes.push(remark(path_of(key), fault.to_string()));
        }
        for certificate in &health.certificates {
            let path = path_of(certificate.key);
            let (valid_until, place) = (certificate.not_after, certificate.place);
            let days_left = (valid_until - now).whole_days();
            let date = valid_until.date();
            if certificate.not_before > now {
                let begin = certificate.not_before.date();
                let message = format!("certificate {place} is not valid before {begin}");
                self.mistakes.push(remark(path.clone(), message));
            } else if valid_until < now {
                let message = format!("certificate {place} has expired on {date}");
                self.mistakes.push(remark(path.clone(), message));
            } else if days_left < DAYS_LEFT_MIN {
                let days = counted(days_left.unsigned_abs(), "day");
                let message = format!("certificate {place} expires in {days}, on {date}");
                self.warnings.push(remark(path.clone(), message));
            }
            self.certificates.push(Certificate { path, valid_until, days_left });
        }
    }

    fn show(&self, output: &Output) -> Result<(), CliError> {
        for (remarks, tone, word) in
            [(&self.mistakes, Tone::Bad, "mistake"), (&self.warnings, Tone::Notable, "warning")]
        {
            for remark in remarks {
                let text = printable(&remark.place_in(&self.file)).into_owned();
                output.line(format!("{} {text}", output.paint(tone, word)))?;
            }
        }
        let soonest = self.certificates.iter().min_by_key(|certificate| certificate.valid_until);
        let valid = soonest.map(|certificate| {
            let (date, days) = (certificate.valid_until.date(), certificate.days_left);
            format!("; the first certificate to expire does on {date}, in {days} days")
        });
        if self.mistakes.is_empty() {
            let file = printable(&self.file.display().to_string()).into_owned();
            let good = output.paint(Tone::Good, "no mistake");
            output.line(format!("{file}: {good}{}", valid.unwrap_or_default()))?;
        }
        Ok(())
    }
}

impl Remark {
    fn place_in(&self, file: &Path) -> String {
        let line = self.line.map_or_else(String::new, |line| format!(":{line}"));
        let path = if self.path.is_empty() { "" } else { ": " };
        format!("{}{line}{path}{}: {}", file.display(), self.path, self.message)
    }
}

fn as_date<S: Serializer>(moment: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&moment.date())
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use tresor_door::TlsFiles;
    use tresor_proto::{CertificateName, ServiceName, TrustDomain};

    use super::*;
    use crate::certificates::{Branch, CertificateAuthority, Subject, Validity};

    #[test]
    fn the_shipped_files_tell_whose_they_are() {
        let internal_api = include_str!("../../../deploy/config/internal-api.toml");
        let external_api = include_str!("../../../deploy/config/external-api.toml");
        assert_eq!(Service::of_text(internal_api), Some(Service::InternalApi));
        assert_eq!(Service::of_text(external_api), Some(Service::ExternalApi));
        assert_eq!(Service::of_text("listen = \"127.0.0.1:1\"\n"), None);
        assert_eq!(Service::of_text("[seal\npassphrase_file ="), None);
        assert_eq!(Service::of_text("data_dir = broken"), Some(Service::InternalApi));
    }

    /// What is said of a certificate that begins and ends so many days from now.
    fn said_of(begin: i64, end: i64) -> Report {
        let directory = tempfile::tempdir().unwrap();
        let domain = TrustDomain::parse("tresor.example").unwrap();
        CertificateAuthority::create(directory.path(), domain).unwrap();
        let authority = CertificateAuthority::open(directory.path()).unwrap();
        let name = CertificateName::Service(ServiceName::parse("edge").unwrap());
        let subject = Subject::caller(name, Branch::Services);
        let now = OffsetDateTime::now_utc();
        let [not_before, not_after] = [begin, end].map(|days| now + Duration::days(days));
        let validity = Validity { not_before, not_after };
        let issued = authority.issue(&subject, validity, (directory.path(), "edge"), None).unwrap();
        let files = TlsFiles {
            certificate_chain: issued.certificate,
            private_key: issued.key,
            authorities: directory.path().join("ca.pem"),
        };
        let mut report = Report {
            file: "edge.toml".into(),
            service: Service::ExternalApi,
            mistakes: Vec::new(),
            warnings: Vec::new(),
            certificates: Vec::new(),
        };
        report.add(&Named { path: "vault.tls".to_owned(), line: 7, files }, now);
        report
    }

    #[test]
    fn a_certificate_out_of_its_time_is_a_mistake_and_one_that_ends_soon_a_warning() {
        for (begin, end, mistake, warning) in [
            (-2, -1, Some("has expired"), None),
            (1, 90, Some("is not valid before"), None),
            (-1, 29, None, Some("expires in 28 days")),
            (-1, 31, None, None),
        ] {
            let report = said_of(begin, end);
            for (remarks, expected) in [(&report.mistakes, mistake), (&report.warnings, warning)] {
                let told = remarks.iter().map(|r| (r.path.as_str(), r.message.as_str()));
                let told = told.collect::<Vec<_>>();
                assert_eq!(told.len(), usize::from(expected.is_some()), "{told:?}");
                for (path, message) in told {
                    assert_eq!(path, "vault.tls.certificate_chain");
                    assert!(message.contains(expected.unwrap_or_default()), "{message}");
                }
            }
        }
    }
}
