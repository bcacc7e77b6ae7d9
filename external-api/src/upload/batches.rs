//! Rows in batches: large when rows come fast, soon when they come slowly.
//!
//! It promises a batch of at most 1,000 rows and about 1 MiB, closed 20 ms after its first row at
//! the latest, and that giving up waiting for one loses no row. It relies on the order of the rows.

use core::time::Duration;

use tokio::time::{Instant, timeout_at};
use tresor_proto::{Failure, limits::BATCH_ITEMS_MAX};
use tresor_screening::reader::Row;

use super::rows::{Item, Rows};

/// How long a first row waits for others: about what a sync costs.
const LINGER: Duration = Duration::from_millis(20);
/// Bytes of a batch, one record more at most: well below the limit of a message.
const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// What a field takes on the wire beside name and value: info type, action, class and framing.
const FIELD_FRAME_BYTES: usize = 64;

/// Some rows, and how the upload ended when they are the last.
#[derive(Default)]
pub(crate) struct Batch {
    /// The rows, in order.
    pub(crate) rows: Vec<Row>,
    /// How the upload ended.
    pub(crate) end: Option<Result<(), Failure>>,
    bytes: usize,
}

/// The rows of an upload, in batches.
pub(crate) struct Batches {
    rows: Rows,
    /// What is gathered; kept here, so that whoever waits may be interrupted.
    gathered: Batch,
    closing: Option<Instant>,
}

impl Batches {
    /// The batches of `rows`.
    pub(crate) fn new(rows: Rows) -> Self {
        Self { rows, gathered: Batch::default(), closing: None }
    }

    /// The next batch; one with an end is the last. Cancel safe.
    pub(crate) async fn next(&mut self) -> Batch {
        while !self.gathered.is_closed() {
            let item = match (self.rows.next_waiting(), self.closing) {
                (Some(item), _) => item,
                (None, None) => self.rows.next().await,
                (None, Some(closing)) => match timeout_at(closing, self.rows.next()).await {
                    Ok(item) => item,
                    Err(_) => break,
                },
            };
            self.closing.get_or_insert_with(|| Instant::now() + LINGER);
            self.gathered.add(item);
        }
        self.closing = None;
        core::mem::take(&mut self.gathered)
    }
}

impl Batch {
    fn is_closed(&self) -> bool {
        self.end.is_some() || self.rows.len() >= BATCH_ITEMS_MAX || self.bytes >= BATCH_BYTES_MAX
    }

    fn add(&mut self, item: Item) {
        match item {
            Item::Row(row) => {
                self.bytes += row.result.as_ref().map_or(0, |record| {
                    let names = record.names.iter().map(|name| name.as_str().len());
                    let values = record.values.iter().map(|value| value.as_bytes().len());
                    names.chain(values).sum::<usize>() + FIELD_FRAME_BYTES * record.names.len()
                });
                self.rows.push(row);
            }
            Item::End(end) => self.end = Some(end),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::sync::mpsc;
    use tresor_proto::{Content, ContentType, FieldName};
    use tresor_screening::reader::{Record, RowError};

    use super::*;

    fn row(number: u64) -> Item {
        Item::Row(Row { number, line: number, offset: 0, result: Err(RowError::NotJson) })
    }

    #[tokio::test]
    async fn a_slow_upload_gets_small_batches() {
        let (sender, items) = mpsc::channel(8);
        let mut batches = Batches::new(Rows::of(items));
        sender.send(row(1)).await.unwrap();
        sender.send(row(2)).await.unwrap();
        let batch = batches.next().await;
        assert_eq!((batch.rows.len(), batch.end), (2, None));
        sender.send(row(3)).await.unwrap();
        sender.send(Item::End(Ok(()))).await.unwrap();
        let batch = batches.next().await;
        assert_eq!((batch.rows.len(), batch.end), (1, Some(Ok(()))));
    }

    #[tokio::test]
    async fn a_fast_upload_gets_full_batches() {
        let (sender, items) = mpsc::channel(BATCH_ITEMS_MAX + 1);
        let mut batches = Batches::new(Rows::of(items));
        for number in 0..=BATCH_ITEMS_MAX as u64 {
            sender.send(row(number)).await.unwrap();
        }
        drop(sender);
        assert_eq!(batches.next().await.rows.len(), BATCH_ITEMS_MAX);
        let last = batches.next().await;
        assert_eq!(last.rows.len(), 1);
        // The sender is gone without an end: the upload has failed.
        let end = match last.end {
            Some(end) => end,
            None => batches.next().await.end.unwrap(),
        };
        assert!(end.is_err());
    }

    #[tokio::test]
    async fn many_small_fields_close_a_batch_before_a_message_is_full() {
        let names: Vec<_> = (0..256).map(|n| FieldName::parse(&format!("f{n}")).unwrap()).collect();
        let names: std::sync::Arc<[FieldName]> = names.into();
        let (sender, items) = mpsc::channel(BATCH_ITEMS_MAX);
        for number in 0..BATCH_ITEMS_MAX as u64 {
            let value = || Content::new(ContentType::Text, b"1".to_vec()).unwrap();
            let values = names.iter().map(|_| value()).collect();
            let result = Ok(Record { names: names.clone(), values });
            sender.send(Item::Row(Row { number, line: number, offset: 0, result })).await.unwrap();
        }
        let mut batches = Batches::new(Rows::of(items));
        let first = batches.next().await.rows.len();
        assert!((50..100).contains(&first), "{first}");
    }

    #[tokio::test]
    async fn giving_up_waiting_loses_no_row() {
        let (sender, items) = mpsc::channel(8);
        let mut batches = Batches::new(Rows::of(items));
        sender.send(row(1)).await.unwrap();
        assert!(batches.next().now_or_never().is_none());
        assert_eq!(batches.next().await.rows.len(), 1);
    }
}
