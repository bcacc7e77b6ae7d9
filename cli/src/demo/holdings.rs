//! What the vault holds, read back whole through the external API: which values are sealed, which
//! are clear, and whether every record is what was uploaded.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    ops::ControlFlow,
    path::Path,
};

use serde_json::Value;
use tresor_proto::{DataClass, InfoType};
use tresor_screening::reader::{Charset, Format, read};

use super::{
    disk_search::{Needles, VALUE_BYTES_MIN},
    stage::Stage,
};
use crate::{
    command::{
        get::{RecordDocument, RevealFlag},
        list::{PageRequest, fetch_page},
    },
    error::CliError,
    file_report::format_of,
    local::USER,
};

const PAGE_SIZE: u16 = 500;
const CLEAR_VALUES_KEPT: usize = 100;

/// What the vault holds.
#[derive(Default)]
pub(crate) struct Holdings {
    ids: Vec<String>,
    sealed: HashSet<String>,
    /// Some of the clear values, for the control of the search.
    clear: HashSet<String>,
    /// Everything that is stored readable, and may hold a sealed value by chance.
    readable: HashSet<String>,
    digests: HashMap<String, u64>,
    changed: u64,
}

impl Holdings {
    /// Reads every record and compares it with its row in the file.
    pub(crate) async fn read_back(
        stage: &Stage,
        file: &Path,
        ids: &HashMap<u64, String>,
    ) -> Result<Self, CliError> {
        let https = stage.set.victim.https(&stage.system)?;
        let mut holdings = Self::default();
        let mut request = PageRequest {
            collection: &stage.set.collection,
            reveal: RevealFlag::Plain,
            page_size: PAGE_SIZE,
            page_token: None,
        };
        loop {
            let page = fetch_page(&https, &stage.set.victim.customer_token, &request).await?;
            page.records.into_iter().try_for_each(|record| holdings.add(record))?;
            match page.next_page_token {
                Some(next) => request.page_token = Some(next),
                None => break,
            }
        }
        holdings.compare(file, ids)?;
        Ok(holdings)
    }

    /// The first record.
    pub(crate) fn first_id(&self) -> Option<&String> {
        self.ids.first()
    }

    /// All records.
    pub(crate) fn ids(&self) -> &[String] {
        &self.ids
    }

    /// How many records there are.
    pub(crate) fn count(&self) -> u64 {
        self.ids.len() as u64
    }

    /// How many are not what was uploaded.
    pub(crate) fn changed(&self) -> u64 {
        self.changed
    }

    /// Some of the values that are stored readable.
    pub(crate) fn clear(&self) -> impl Iterator<Item = &str> {
        self.clear.iter().map(String::as_str)
    }

    /// The sealed values worth searching for, and how many are left out: too short to mean
    /// anything, or part of something that is stored readable.
    pub(crate) fn searchable(&self, stage: &Stage) -> (Vec<String>, usize) {
        let long = self.sealed.iter().filter(|value| value.len() >= VALUE_BYTES_MIN);
        let long = long.cloned().collect::<Vec<_>>();
        let needles = Needles::as_they_are(long.iter().map(String::as_str));
        let mut is_readable = vec![false; long.len()];
        let own = self.readable.iter().map(String::as_str);
        let tenants = [&stage.set.victim, &stage.set.other].map(|c| c.tenant.to_string());
        let known = InfoType::ALL.iter().map(|t| t.as_str());
        let known = known.chain(DataClass::ALL.iter().map(|class| class.as_str()));
        let set = &stage.set;
        let names = [set.collection.as_str(), set.elsewhere.as_str(), USER, "127.0.0.0/8"];
        let all = own.chain(tenants.iter().map(String::as_str)).chain(known).chain(names);
        all.for_each(|text| needles.mark(text, &mut is_readable));
        let kept = long.into_iter().zip(is_readable).filter(|(_, is_readable)| !is_readable);
        let kept = kept.map(|(value, _)| value).collect::<Vec<_>>();
        let skipped = self.sealed.len() - kept.len();
        (kept, skipped)
    }

    fn add(&mut self, record: Value) -> Result<(), CliError> {
        let record: RecordDocument = serde_json::from_value(record)
            .map_err(|_| CliError::failed("a stored record does not authenticate"))?;
        let mut digest = DefaultHasher::new();
        for field in &record.fields {
            let value = record.literal_of(&field.name);
            (&field.name, &value).hash(&mut digest);
            if field.state == "clear" {
                if value.len() >= VALUE_BYTES_MIN && self.clear.len() < CLEAR_VALUES_KEPT {
                    self.clear.insert(value.clone());
                }
                self.readable.insert(value);
            } else if !value.is_empty() {
                self.sealed.insert(value);
            }
            if !self.readable.contains(&field.name) {
                self.readable.insert(field.name.clone());
            }
        }
        self.digests.insert(record.id.clone(), digest.finish());
        self.readable.insert(record.id.clone());
        self.ids.push(record.id);
        Ok(())
    }

    fn compare(&mut self, file: &Path, ids: &HashMap<u64, String>) -> Result<(), CliError> {
        let opened = File::open(file).map_err(|error| CliError::file("read", file, &error))?;
        let format = format_of(file, Charset::Utf8).unwrap_or(Format::Csv(Charset::Utf8));
        let mut unequal = 0;
        let compared = read(format, opened, &mut |row| {
            let (Some(id), Ok(record)) = (ids.get(&row.number), row.result) else {
                return ControlFlow::Continue(());
            };
            let mut digest = DefaultHasher::new();
            for (name, content) in record.names.iter().zip(&record.values) {
                (name.as_str(), content.as_text().unwrap_or_default()).hash(&mut digest);
            }
            unequal += u64::from(self.digests.get(id) != Some(&digest.finish()));
            ControlFlow::Continue(())
        });
        compared.map_err(|error| CliError::failed(format!("the file cannot be read: {error}")))?;
        self.changed = unequal;
        Ok(())
    }
}
