//! The ceilings of trades inside this process: bare issuing, bare disclosing, the bare store.

use std::{
    collections::HashMap,
    path::Path,
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tresor_proto::{Content, InfoType, Reveal, SurrogateForm, SurrogateOptions, vault};
use tresor_vault::{
    DiscloseLoop, FormatPreserved, IssueLoop, NewSurrogate, SurrogateQuery,
    store::{
        Change, Existence, Keyspace, Outcome, Precondition, Store, StoreEngine, StoreKey, Write,
        open_database,
    },
};

use crate::{
    bare_keys::BareKeys,
    sample::{Sample, Stopwatch, closed_loop},
    trades::Trade,
};

/// Values issued or disclosed between two looks at the clock.
const LOOP_VALUES: u64 = 1_000;
/// Kinds of rows, as the first byte of their keys.
const SEALED: u8 = 1;
const LOOK_UP: u8 = 2;
const COUNT: u8 = 4;

/// Rows by key.
type Rows = HashMap<StoreKey, Vec<u8>>;

/// A vault in memory for its keys, and a bare store on the disk.
pub(crate) struct BareTrades {
    issue: IssueLoop,
    disclose: [DiscloseLoop; 2],
    /// The rows of what is there already: deterministic and random surrogates.
    there: Rows,
    /// The surrogates that are disclosed: random, then format-preserving.
    surrogates: [Vec<String>; 2],
    table: Table,
}

/// The bare store, and what rows look like in it.
#[derive(Clone)]
struct Table {
    store: Arc<dyn Store>,
    /// A surrogate's row, and one that looks it up.
    rows: Arc<[Vec<u8>; 2]>,
    loaded: u64,
    next: Arc<AtomicU64>,
}

impl BareTrades {
    pub(crate) async fn prepare(engine: StoreEngine, directory: &Path, loaded: u64) -> Self {
        let keys = BareKeys::open(&directory.join("keys")).await;
        let issue = keys.issue_loop().await;
        let masked = keys.disclose_loop(Reveal::Masked).await;
        let disclose = [masked, keys.disclose_loop(Reveal::Plain).await];
        let (_, known) = issued(&issue, Trade::New, &Rows::new());
        let (random, sealed) = issued(&issue, Trade::Random, &Rows::new());
        let (preserved, _) = issued(&issue, Trade::Preserving, &Rows::new());
        let row = |kind| known.iter().find(|(key, _)| key.key[0] == kind).expect("a row").1.clone();
        let rows = Arc::new([row(SEALED), row(LOOK_UP)]);
        let database = directory.join("database");
        let store = open_database(engine, database, Existence::Create).await.expect("a store");
        let table = Table { store, rows, loaded, next: Arc::new(AtomicU64::new(loaded)) };
        for first in (0..loaded).step_by(1_000) {
            let numbers = first..loaded.min(first + 1_000);
            let changes = numbers.map(|number| table.change(Trade::New, number)).collect();
            table.store.apply(changes).await.expect("rows");
        }
        let there = known.into_iter().chain(sealed).collect();
        Self { issue, disclose, there, surrogates: [random, preserved], table }
    }

    /// Bytes of a surrogate's row at rest.
    pub(crate) fn row_bytes(&self) -> usize {
        self.table.rows[0].len()
    }

    /// Issues or discloses on one thread.
    pub(crate) fn keys(&self, trade: Trade, duration: Duration) -> Sample {
        let mut total = Sample::default();
        while total.wall < duration.as_secs_f64() {
            total += match trade.reveal() {
                None => self.issue(trade),
                Some(reveal) => self.disclose(trade, reveal),
            };
        }
        total
    }

    fn issue(&self, trade: Trade) -> Sample {
        // Made before the clock runs.
        let batches: Vec<_> = (0..10).map(|_| values(trade)).collect();
        let none = Rows::new();
        let rows = if trade == Trade::Known { &self.there } else { &none };
        let own = [process::id()];
        let watch = Stopwatch::start(&own);
        let mut values = 0;
        for batch in batches {
            let (issued, _) = self.issue.issue(batch, rows).expect("surrogates");
            assert!(issued.iter().all(Result::is_ok), "refused");
            values += issued.len() as u64;
        }
        watch.stop(values)
    }

    fn disclose(&self, trade: Trade, reveal: vault::Reveal) -> Sample {
        let disclose = &self.disclose[usize::from(reveal == vault::Reveal::Plain)];
        let form = trade.is_preserving().then(|| FormatPreserved {
            info_type: InfoType::from_text(trade.info_type()).expect("an info type"),
            format: tresor_proto::SurrogateFormat::Card,
            key_version: None,
        });
        let surrogates = &self.surrogates[usize::from(trade.is_preserving())];
        let query = |text: &String| SurrogateQuery { text: text.clone(), form };
        let batches = (0..10).map(|_| surrogates.iter().map(query).collect::<Vec<_>>());
        let batches: Vec<_> = batches.collect();
        let own = [process::id()];
        let watch = Stopwatch::start(&own);
        let mut values = 0;
        for batch in batches {
            let shown = disclose.disclose(batch, &self.there).expect("values");
            assert!(shown.iter().all(Result::is_ok), "refused");
            values += shown.len() as u64;
        }
        watch.stop(values)
    }

    /// Does what a trade does with the store, as many callers at once as there are connections; nothing
    /// where it does nothing.
    pub(crate) async fn store(
        &self,
        trade: Trade,
        duration: Duration,
        (batch, callers): (usize, usize),
    ) -> Sample {
        if trade.is_preserving() {
            return Sample::default();
        }
        let table = self.table.clone();
        let call = move |(), turn: usize| {
            let table = table.clone();
            async move { table.trade(trade, batch as u64, turn as u64).await }
        };
        closed_loop(&[process::id()], duration, &vec![(); callers], call).await
    }
}

impl Table {
    async fn trade(&self, trade: Trade, batch: u64, turn: u64) -> u64 {
        let first = match trade.is_new() {
            true => self.next.fetch_add(batch, Ordering::Relaxed),
            false => turn * batch,
        };
        let number = |number| if trade.is_new() { number } else { number % self.loaded };
        let numbers: Vec<_> = (first..first + batch).map(number).collect();
        for kinds in reads(trade) {
            let keys =
                |number: &u64| kinds.iter().map(|kind| key(*kind, *number)).collect::<Vec<_>>();
            self.store.read(numbers.iter().flat_map(keys).collect()).await.expect("rows");
        }
        if trade.reveal().is_none() {
            let changes = numbers.iter().map(|number| self.change(trade, *number)).collect();
            let outcomes = self.store.apply(changes).await.expect("a store that writes");
            assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Applied));
        }
        batch
    }

    fn change(&self, trade: Trade, number: u64) -> Change {
        let [row, look_up] = self.rows.as_ref();
        let (sealed, look_up_key) = (key(SEALED, number), key(LOOK_UP, number));
        let put = |key: &StoreKey, row: &Vec<u8>| Write::Put(key.clone(), row.clone());
        let absent = Precondition::Absent;
        match trade {
            Trade::Random => {
                Change { writes: vec![put(&sealed, row)], preconditions: vec![absent(sealed)] }
            }
            Trade::New => Change {
                writes: vec![put(&look_up_key, look_up), put(&sealed, row)],
                preconditions: vec![absent(sealed), absent(look_up_key)],
            },
            Trade::Known => Change {
                preconditions: [sealed, look_up_key].map(Precondition::Present).into(),
                writes: Vec::new(),
            },
            Trade::Preserving
            | Trade::RandomMasked
            | Trade::RandomPlain
            | Trade::PreservedMasked
            | Trade::PreservedPlain => Change::default(),
        }
    }
}

/// The kinds of rows that a trade reads, one after the other.
fn reads(trade: Trade) -> &'static [&'static [u8]] {
    match trade {
        Trade::Random | Trade::Preserving | Trade::PreservedMasked | Trade::PreservedPlain => &[],
        Trade::New => &[&[LOOK_UP]],
        Trade::Known => &[&[LOOK_UP], &[SEALED, COUNT]],
        Trade::RandomMasked | Trade::RandomPlain => &[&[SEALED]],
    }
}

/// As long as the keys of surrogates, and in as little order.
fn key(kind: u8, number: u64) -> StoreKey {
    let bytes = if kind == SEALED { 16 } else { 32 };
    let mut key = vec![kind];
    for word in 0..bytes / 8 {
        key.extend_from_slice(&scattered(number + (word << 56)).to_be_bytes());
    }
    StoreKey::new(Keyspace::Surrogates, key)
}

/// Each number to another, without order (SplitMix64).
pub(crate) fn scattered(number: u64) -> u64 {
    let mut bits = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// The first values of a trade, as the vault gets them from its door.
fn values(trade: Trade) -> Vec<NewSurrogate> {
    let wire = trade.options();
    let info_type = InfoType::from_text(&wire.info_type).expect("an info type");
    let vault::SurrogateOptions { kind, format, reveal, forced, .. } = wire;
    let form = vault::SurrogateForm { kind, format, reveal, forced };
    let form = SurrogateForm::from_wire(&form, info_type).expect("a form");
    let value = |number| NewSurrogate {
        content: Content::text(&trade.value(number)).expect("a text"),
        options: SurrogateOptions::new(info_type, form, None, None).expect("options"),
        item_key: None,
    };
    (0..LOOP_VALUES).map(value).collect()
}

/// Surrogates of the first values, and their rows.
fn issued(issue: &IssueLoop, trade: Trade, there: &Rows) -> (Vec<String>, Rows) {
    let (issued, changes) = issue.issue(values(trade), there).expect("surrogates");
    let texts = issued.into_iter().map(|issued| issued.expect("a surrogate").text).collect();
    let rows = changes.into_iter().flat_map(|change| change.writes).map(|write| match write {
        Write::Put(key, row) => (key, row),
        Write::Remove(_) => panic!("a row was removed"),
    });
    (texts, rows.collect())
}
