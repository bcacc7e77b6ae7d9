//! The ceilings inside this process: bare sealing, bare opening, the bare store.

use std::{
    path::Path,
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tresor_proto::RecordId;
use tresor_vault::{
    OpenLoop, SealLoop,
    store::{
        Change, Existence, Keyspace, Outcome, Precondition, Store, StoreEngine, StoreKey,
        Write as StoreWrite, open_database,
    },
};

use crate::{
    bare_keys::BareKeys,
    records,
    sample::{Sample, Stopwatch, closed_loop},
};

/// Records sealed or opened between two looks at the clock.
const LOOP_RECORDS: usize = 1_000;
/// Rows in the bare store that are read.
const ROWS: u64 = 20_000;

/// A vault in memory for its keys, and a bare store on the disk.
pub(crate) struct Bare {
    seal: SealLoop,
    open: OpenLoop,
    row: (RecordId, Vec<u8>),
    store: Arc<dyn Store>,
    next: Arc<AtomicU64>,
}

impl Bare {
    pub(crate) async fn prepare(engine: StoreEngine, directory: &Path) -> Self {
        let keys = BareKeys::open(&directory.join("keys")).await;
        let (seal, open) = keys.record_loops().await;
        let sealed = seal.seal(vec![records::parsed()]).expect("a sealed record");
        let row = row_of(&sealed[0]);
        let database = directory.join("database");
        let store = open_database(engine, database, Existence::Create).await.expect("a store");
        let bare = Self { seal, open, row, store, next: Arc::new(AtomicU64::new(0)) };
        for _ in 0..ROWS / 1_000 {
            bare.store.apply(changes(&bare.next, 1_000, &bare.row.1)).await.expect("rows");
        }
        bare
    }

    /// Bytes of a row at rest.
    pub(crate) fn row_bytes(&self) -> usize {
        self.row.1.len()
    }

    /// Seals on one thread.
    pub(crate) fn seal(&self, duration: Duration) -> Sample {
        let mut total = Sample::default();
        while total.wall < duration.as_secs_f64() {
            // Made before the clock runs.
            let batch = || (0..LOOP_RECORDS).map(|_| records::parsed()).collect::<Vec<_>>();
            let batches: Vec<_> = (0..20).map(|_| batch()).collect();
            let own = [process::id()];
            let watch = Stopwatch::start(&own);
            let sealed = batches.into_iter().map(|batch| self.seal.seal(batch).expect("sealed"));
            let records = sealed.map(|changes| changes.len() as u64).sum();
            total += watch.stop(records);
        }
        total
    }

    /// Opens on one thread.
    pub(crate) fn open(&self, duration: Duration) -> Sample {
        let (own, mut records) = ([process::id()], 0);
        let watch = Stopwatch::start(&own);
        while watch.elapsed() < duration {
            for _ in 0..LOOP_RECORDS {
                let record = self.open.open(&self.row.0, &self.row.1).expect("a record");
                assert_eq!(record.fields.len() as u64, records::FIELDS);
            }
            records += LOOP_RECORDS as u64;
        }
        watch.stop(records)
    }

    /// Applies batches of new rows, as many callers at once as there are connections.
    pub(crate) async fn apply(&self, duration: Duration, batch: usize, callers: usize) -> Sample {
        let (store, next) = (Arc::clone(&self.store), Arc::clone(&self.next));
        let row = Arc::new(self.row.1.clone());
        let apply = move |(), _| {
            let changes = changes(&next, batch, &row);
            let store = Arc::clone(&store);
            async move {
                let outcomes = store.apply(changes).await.expect("a store that writes");
                assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Applied));
                outcomes.len() as u64
            }
        };
        closed_loop(&[process::id()], duration, &vec![(); callers], apply).await
    }

    /// Reads batches of rows, as many callers at once as there are connections.
    pub(crate) async fn read(&self, duration: Duration, batch: usize, callers: usize) -> Sample {
        let store = Arc::clone(&self.store);
        let read = move |(), turn: usize| {
            let first = (turn * batch) as u64;
            let keys = (0..batch as u64).map(|number| key((first + number) % ROWS)).collect();
            let store = Arc::clone(&store);
            async move {
                let rows = store.read(keys).await.expect("a store that reads");
                assert!(rows.iter().all(Option::is_some));
                rows.len() as u64
            }
        };
        closed_loop(&[process::id()], duration, &vec![(); callers], read).await
    }
}

/// The record id and the row that a change writes.
fn row_of(change: &Change) -> (RecordId, Vec<u8>) {
    let StoreWrite::Put(key, row) = &change.writes[0] else { panic!("a put") };
    let id = key.key.rsplit(|byte| *byte == 0).next().expect("an id");
    let id = RecordId::parse(core::str::from_utf8(id).expect("a text")).expect("an id");
    (id, row.clone())
}

/// As long as the keys of records, and ascending as theirs.
fn key(number: u64) -> StoreKey {
    let key = format!("customers\0{number:012x}-774b-bcce-b302-099a80570000");
    StoreKey::new(Keyspace::Records, key.into_bytes())
}

fn changes(next: &AtomicU64, batch: usize, row: &[u8]) -> Vec<Change> {
    let first = next.fetch_add(batch as u64, Ordering::Relaxed);
    let change = |number| Change {
        preconditions: vec![Precondition::Absent(key(number))],
        writes: vec![StoreWrite::Put(key(number), row.to_vec())],
    };
    (first..first + batch as u64).map(change).collect()
}
