//! What the columns of uploads hold over time, and word of it when one begins to hold something else.
//!
//! It promises fixed memory, one line a column and upload at most, without any value, and that no
//! verdict depends on it. It relies on a few records of each batch standing for all of them.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tresor_door::{Figures, Metrics, Sample};
use tresor_proto::{CollectionName, FieldName, InfoType, TenantId};
use tresor_screening::{ColumnKey, ColumnMemory, Drift, Verdict};

/// Records of a batch that are looked at: enough for a column to settle or to change within two.
const BATCH_RECORDS_MAX: usize = 64;

/// Columns that one upload may be told of.
const COLUMNS_TOLD_MAX: usize = 256;

/// The columns of all uploads.
#[derive(Default)]
pub(crate) struct Columns {
    memory: Mutex<ColumnMemory>,
    drifts: AtomicU64,
}

/// The columns of one upload.
pub(crate) struct UploadColumns {
    columns: Arc<Columns>,
    tenant: String,
    collection: CollectionName,
    told: Mutex<Vec<ColumnKey>>,
}

impl Columns {
    /// Lets the count of drifts be read.
    pub(crate) fn tell(self: &Arc<Self>, metrics: &Metrics) {
        let columns = Arc::clone(self);
        metrics.watch(move || {
            let drifts = Sample::new(columns.drifts.load(Ordering::Relaxed));
            let help = "Columns that began to hold something else, once an upload";
            vec![Figures::counter("column_drifts", help, vec![drifts])]
        });
    }

    /// The columns of an upload to a collection.
    pub(crate) fn of(
        self: &Arc<Self>,
        tenant: TenantId,
        collection: CollectionName,
    ) -> UploadColumns {
        let (columns, told) = (Arc::clone(self), Mutex::default());
        UploadColumns { columns, tenant: tenant.to_string(), collection, told }
    }
}

impl UploadColumns {
    /// Which records of a batch of so many are to be observed.
    pub(super) fn is_observed(index: usize, records: usize) -> bool {
        index.is_multiple_of(records.div_ceil(BATCH_RECORDS_MAX).max(1))
    }

    /// Counts a record's verdicts, and tells of the columns that have become others.
    pub(super) fn observe(&self, names: &[FieldName], verdicts: &[Verdict]) {
        for (column, drift) in self.drifts(names, verdicts) {
            self.columns.drifts.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                tenant = self.tenant,
                collection = self.collection.as_str(),
                column,
                held = drift.from.as_ref().map(InfoType::as_str),
                holds = drift.to.as_ref().map(InfoType::as_str),
                "a column begins to hold something else"
            );
        }
    }

    /// The columns that have become others and were not told yet, by their place from 1.
    fn drifts(&self, names: &[FieldName], verdicts: &[Verdict]) -> Vec<(u64, Drift)> {
        let mut memory = self.columns.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let observe = |(column, (name, verdict)): (u64, (&FieldName, &Verdict))| {
            let key = ColumnKey::of(&self.tenant, self.collection.as_str(), name);
            let drift = memory.observe(key, verdict)?;
            let is_news = told.len() < COLUMNS_TOLD_MAX && !told.contains(&key);
            is_news.then(|| told.push(key)).map(|()| (column, drift))
        };
        (1..).zip(names.iter().zip(verdicts)).filter_map(observe).collect()
    }
}

#[cfg(test)]
mod tests {
    use tresor_proto::Policy;
    use tresor_screening::{Plan, Value};

    use super::*;

    fn columns() -> (Arc<Columns>, UploadColumns) {
        let columns = Arc::new(Columns::default());
        let collection = CollectionName::parse("customers").unwrap();
        let upload = columns.of(TenantId::from_bytes([7; 16]), collection);
        (columns, upload)
    }

    fn observe(upload: &UploadColumns, value: &str, times: usize) -> Vec<(u64, Drift)> {
        let names = ["nr", "f1"].map(|name| FieldName::parse(name).unwrap());
        let values = [Value::Text("17"), Value::Text(value)];
        let verdicts = Plan::compile(&Policy::default(), &names).screen(&values);
        (0..times).flat_map(|_| upload.drifts(&names, &verdicts)).collect()
    }

    #[test]
    fn a_column_that_becomes_another_is_told_once_an_upload() {
        let (columns, upload) = columns();
        assert_eq!(observe(&upload, "+49 30 1234567", 1_000), []);
        let [email, phone] = [InfoType::EmailAddress, InfoType::PhoneNumber].map(Some);
        let drift = Drift { from: phone, to: email };
        assert_eq!(observe(&upload, "anna@example.org", 1_000), [(2, drift)]);
        assert_eq!(observe(&upload, "+49 30 1234567", 1_000), [], "it is known by now");
        let next = columns.of(TenantId::from_bytes([7; 16]), upload.collection.clone());
        assert_eq!(observe(&next, "anna@example.org", 1_000), [(2, drift)]);
        let other = columns.of(TenantId::from_bytes([8; 16]), upload.collection);
        assert_eq!(observe(&other, "+49 30 1234567", 1_000), [], "another tenant's is another");
    }

    #[test]
    fn a_batch_is_looked_at_in_64_places_or_all() {
        let observed =
            |records| (0..records).filter(|at| UploadColumns::is_observed(*at, records)).count();
        assert_eq!([0, 1, 64, 65, 1_000].map(observed), [0, 1, 64, 33, 63]);
    }
}
