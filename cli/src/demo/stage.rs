//! The stage: both APIs, a customer whose data are attacked, and another one.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use reqwest::Method;
use tresor_proto::{
    Action, CollectionName, CustomerToken, FieldName, FieldPolicy, InfoType, Policy, SearchIndex,
    SurrogateForm, SurrogateKind, UndeclaredPolicy,
};
use tresor_screening::{
    Column,
    reader::{Charset, Format},
};

use super::stored_row::StoredRow;
use crate::{
    command::get::{RecordDocument, RevealFlag},
    error::CliError,
    file_report::{FileReport, format_of, has_rows},
    https::{Https, fetch},
    local::{Addresses, Customer, LocalSystem, Premises},
    output::Output,
    progress::Progress,
    transfer::{Event, Media, Part, Summary, Upload, upload},
};

/// A few made-up records, for a demonstration without a file.
pub(crate) const SAMPLE: &str = include_str!("sample.csv");

/// Fields with surnames, as the examples call them: with a deterministic surrogate, and searchable.
pub(crate) const SEARCHABLE: [&str; 2] = ["nachname", "achternaam"];

const CSV: Media = Media { content_type: "text/csv", encoding: None };

/// Both APIs with two customers.
pub(crate) struct Stage {
    pub(crate) system: LocalSystem,
    pub(crate) set: Set,
}

/// What stays of a stage when the APIs have stopped.
pub(crate) struct Set {
    pub(crate) premises: Premises,
    pub(crate) victim: Customer,
    pub(crate) other: Customer,
    /// Where the records are.
    pub(crate) collection: CollectionName,
    /// A second collection of the victim.
    pub(crate) elsewhere: CollectionName,
}

/// What an upload came to.
pub(crate) struct Uploaded {
    pub(crate) summary: Summary,
    pub(crate) time: Duration,
    /// Record ids by row.
    pub(crate) ids: HashMap<u64, String>,
    /// What screening finds in the file.
    pub(crate) columns: Vec<Column>,
}

/// What a thief of the disk finds.
pub(crate) trait OnDisk {
    /// The vault's data directory.
    fn data_dir(&self) -> PathBuf;
    /// The victim's database.
    fn database(&self) -> PathBuf;
}

/// Refuses a file without records, before anything is made.
pub(super) fn check(file: &Path) -> Result<(), CliError> {
    if has_rows(file, format_or_csv(file))? {
        return Ok(());
    }
    Err(CliError::failed(format!("there is nothing to show: {} has no records", file.display()))
        .advise("a CSV needs a header row and rows below it"))
}

fn format_or_csv(file: &Path) -> Format {
    format_of(file, Charset::Utf8).unwrap_or(Format::Csv(Charset::Utf8))
}

/// What is declared of fields, where a file has them; screening finds out the rest.
fn policy() -> Result<Policy, CliError> {
    let tokenized = |name: &str, info_type, kind| -> Result<FieldPolicy, CliError> {
        Ok(FieldPolicy {
            info_type: Some(info_type),
            surrogate: Some(SurrogateForm { kind, ..SurrogateForm::default() }),
            ..FieldPolicy::new(FieldName::parse(name)?, Action::Tokenize)
        })
    };
    let mut fields = vec![tokenized("iban", InfoType::IbanCode, SurrogateKind::Random)?];
    for name in SEARCHABLE {
        let surname = tokenized(name, InfoType::LastName, SurrogateKind::Deterministic)?;
        fields.push(FieldPolicy { search: Some(SearchIndex::default()), ..surname });
    }
    Ok(Policy::new(fields, UndeclaredPolicy::default(), Action::Seal)?)
}

impl Stage {
    /// Makes keys and certificates, starts both APIs, registers and enrols two customers.
    pub(crate) async fn set(output: &Output, root: &Path) -> Result<Self, CliError> {
        output.note("making a certificate authority and keys …");
        let premises = Premises::prepare(root)?;
        let data_dir = premises.data_dir();
        let system = LocalSystem::start(&premises, &data_dir, Addresses::any(), None).await?;
        let at = system.addresses();
        output.note(format!(
            "external API on {}, vault on {} and {}",
            at.external, at.data_plane, at.control_plane
        ));
        let victim = Customer::register(&system, &premises, "stadtwerke-burg").await?;
        let other = Customer::register(&system, &premises, "gemeente-buren").await?;
        output.note("two tenants enrolled, each with its own customer token");
        let (collection, elsewhere) =
            (CollectionName::parse("records")?, CollectionName::parse("elsewhere")?);
        let policy = policy()?;
        for (customer, name) in
            [(&victim, &collection), (&victim, &elsewhere), (&other, &collection)]
        {
            customer.put_collection(&system, &premises, name, &policy).await?;
        }
        let set = Set { premises, victim, other, collection, elsewhere };
        Ok(Self { system, set })
    }

    /// Screens the file on this machine and uploads it through the external API.
    pub(crate) async fn upload(&self, output: &Output, file: &Path) -> Result<Uploaded, CliError> {
        let media = Media::of(file).unwrap_or(CSV);
        let report = FileReport::of(file, format_or_csv(file), &policy()?)?.report;
        let columns = report.columns();
        output.note(format!("uploading {} …", file.display()));
        let begun = Instant::now();
        let progress = Progress::start(file)?;
        let mut ids = HashMap::new();
        let mut observe = |event| {
            progress.advance(&event);
            if let Event::Row(row) = event {
                ids.extend(row.id.map(|id| (row.row, id)));
            }
            Ok(())
        };
        let job = Upload {
            file,
            media,
            collection: &self.set.collection,
            id_field: None,
            part: Part::WHOLE,
            is_pseudonymous: false,
            is_explained: false,
            idempotency_key: None,
            policy_version: None,
        };
        let https = self.set.victim.https(&self.system)?;
        let customer_token = &self.set.victim.customer_token;
        let summary = upload(&https, customer_token, &job, &mut observe).await;
        progress.finish();
        Ok(Uploaded { summary: summary?, time: begun.elapsed(), ids, columns })
    }

    /// One record, masked and plain.
    pub(crate) async fn reveal(
        &self,
        id: Option<&str>,
    ) -> Result<Option<(RecordDocument, RecordDocument)>, CliError> {
        let Some(id) = id else { return Ok(None) };
        let https = self.set.victim.https(&self.system)?;
        let token = &self.set.victim.customer_token;
        let masked = self.set.get(&https, token, id, RevealFlag::Masked).await?;
        let plain = self.set.get(&https, token, id, RevealFlag::Plain).await?;
        Ok(Some((masked, plain)))
    }

    /// Stops both APIs.
    pub(crate) async fn stop(self) -> Result<Set, CliError> {
        self.system.stop().await?;
        Ok(self.set)
    }
}

impl Set {
    /// Reads a record of the collection through a door.
    pub(crate) async fn get(
        &self,
        https: &Https,
        customer_token: &CustomerToken,
        id: &str,
        reveal: RevealFlag,
    ) -> Result<RecordDocument, CliError> {
        let segments = ["v1", "collections", self.collection.as_str(), "records", id];
        let request = https.request_with(Method::GET, &segments, customer_token)?;
        fetch(request.query(&[("reveal", reveal.as_str())])).await
    }

    /// A record as it lies in the database.
    pub(crate) async fn stored_row(&self, id: Option<&str>) -> Result<Option<StoredRow>, CliError> {
        match id {
            None => Ok(None),
            Some(id) => StoredRow::read(self.database(), &self.collection, id).await.map(Some),
        }
    }
}

impl OnDisk for Set {
    fn data_dir(&self) -> PathBuf {
        self.premises.data_dir()
    }

    fn database(&self) -> PathBuf {
        self.data_dir().join("databases").join(self.victim.tenant.to_string())
    }
}

impl OnDisk for Stage {
    fn data_dir(&self) -> PathBuf {
        self.set.data_dir()
    }

    fn database(&self) -> PathBuf {
        self.set.database()
    }
}
