//! The rows of a request's body, read on a thread of their own.
//!
//! It promises that a few rows at most wait to be taken, that a client which goes silent for 30
//! seconds is cut off, that the thread ends when nobody takes its rows any more, and that
//! compression cannot blow up the memory. It relies on the screening reader for the formats.

use core::{error::Error, time::Duration};
use std::{
    io::{self, Read},
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};

use async_compression::{
    tokio::bufread::{GzipDecoder, ZstdDecoder},
    zstd::DParameter,
};
use axum::body::{Body, Bytes};
use futures::{Stream, StreamExt as _};
use tokio::{
    io::AsyncBufRead,
    sync::mpsc::{self, Receiver, Sender},
};
use tokio_util::io::{StreamReader, SyncIoBridge};
use tresor_proto::{ErrorCode, Failure, limits::IDLE_TIMEOUT_MS};
use tresor_screening::reader::{Format, Row, read};

use super::media::{Compression, Media};

/// Rows that wait to be taken; each may be as large as a record.
const ROWS_QUEUED_MAX: usize = 16;
/// log2 of the window that RFC 8878 §3.1.1.1.2 asks decoders to support: 8 MiB.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// What any upload may unpack to; beyond, the ratio counts.
const UNPACKED_BYTES_FREE: u64 = 64 * 1024 * 1024;
/// Tables of persons compress to a tenth; far beyond that it is a bomb.
const UNPACKED_RATIO_MAX: u64 = 200;

/// A row, or how the upload ended.
pub(crate) enum Item {
    Row(Row),
    End(Result<(), Failure>),
}

/// The rows as they come.
pub(crate) struct Rows(Receiver<Item>);

/// What a JSON upload looks like, known as soon as its first row or its end is.
#[derive(Clone, Default)]
pub(crate) struct Shape(Arc<AtomicU8>);

impl Rows {
    /// Starts to read a body, whose first row has the number `first_row`.
    pub(crate) fn open(media: Media, body: Body, first_row: u64) -> (Self, Shape) {
        let (sender, items) = mpsc::channel(ROWS_QUEUED_MAX);
        let shape = Shape::default();
        let packed = Arc::new(AtomicU64::new(0));
        let taken = sender.clone();
        let deserted = async move { taken.closed().await };
        // A refused client could dribble on, and hold a thread for which it has no seat any more.
        let chunks = chunks(body, Arc::clone(&packed)).take_until(Box::pin(deserted));
        let bytes = unpacked(media.compression, chunks);
        let input = Input {
            bytes: SyncIoBridge::new(bytes),
            shape: (media.format == Format::Json).then(|| shape.clone()),
            is_packed: media.compression != Compression::None,
            packed,
            unpacked: 0,
        };
        tokio::task::spawn_blocking(move || send_rows(media.format, input, first_row, &sender));
        (Self(items), shape)
    }

    /// The next row, or the end. After the end, or when the reading thread died, a failure.
    pub(crate) async fn next(&mut self) -> Item {
        let item = self.0.recv().await;
        item.unwrap_or_else(|| Item::End(Err(ErrorCode::Internal.into())))
    }

    /// The next row when it is already there.
    pub(crate) fn next_waiting(&mut self) -> Option<Item> {
        self.0.try_recv().ok()
    }

    #[cfg(test)]
    pub(crate) fn of(items: Receiver<Item>) -> Self {
        Self(items)
    }
}

impl Shape {
    /// Whether the upload is one JSON object.
    pub(crate) fn is_object(&self) -> bool {
        self.0.load(Ordering::Acquire) == b'{'
    }

    /// Notes the first byte that is neither white space nor a byte order mark.
    fn see(&self, bytes: &[u8]) {
        if self.0.load(Ordering::Relaxed) == 0 {
            let is_blank = |byte: &u8| byte.is_ascii_whitespace() || b"\xEF\xBB\xBF".contains(byte);
            let first = bytes.iter().find(|byte| !is_blank(byte));
            self.0.store(first.copied().unwrap_or(0), Ordering::Release);
        }
    }
}

/// Sends all rows; ends early when nobody takes them any more.
fn send_rows(format: Format, input: impl Read, first_row: u64, sender: &Sender<Item>) {
    let rows_before = first_row.saturating_sub(1);
    let result = read(format, input, &mut |row| {
        let row = Row { number: row.number.saturating_add(rows_before), ..row };
        match sender.blocking_send(Item::Row(row)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    // Nobody is left to be told.
    let _ = sender.blocking_send(Item::End(result.map_err(Failure::from)));
}

/// The chunks of a body, counted; a client that sends nothing for too long is cut off.
fn chunks(
    body: Body,
    packed: Arc<AtomicU64>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin {
    let idle = Duration::from_millis(IDLE_TIMEOUT_MS);
    let chunks = tokio_stream::StreamExt::timeout(body.into_data_stream(), idle);
    let chunks = chunks.map(move |chunk| {
        let chunk = chunk.map_err(|_| io::Error::other(Failure::from(ErrorCode::DeadlineExceeded)));
        let chunk = chunk?.map_err(io::Error::other)?;
        packed.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        Ok(chunk)
    });
    Box::pin(chunks)
}

fn unpacked(
    compression: Compression,
    chunks: impl Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static,
) -> Box<dyn AsyncBufRead + Send + Unpin> {
    let bytes = StreamReader::new(chunks);
    match compression {
        Compression::None => Box::new(bytes),
        Compression::Gzip => {
            let mut decoder = GzipDecoder::new(bytes);
            decoder.multiple_members(true);
            Box::new(tokio::io::BufReader::new(decoder))
        }
        Compression::Zstd => {
            let window = DParameter::window_log_max(ZSTD_WINDOW_LOG_MAX);
            let mut decoder = ZstdDecoder::with_params(bytes, &[window]);
            decoder.multiple_members(true);
            Box::new(tokio::io::BufReader::new(decoder))
        }
    }
}

/// Looks at what the reader reads.
struct Input<R> {
    bytes: R,
    shape: Option<Shape>,
    is_packed: bool,
    packed: Arc<AtomicU64>,
    unpacked: u64,
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer).map_err(|error| self.told(error))?;
        if let Some(shape) = &self.shape {
            shape.see(buffer.get(..read).unwrap_or_default());
        }
        self.unpacked += read as u64;
        let packed = self.packed.load(Ordering::Relaxed);
        let unpacked_max = UNPACKED_BYTES_FREE + UNPACKED_RATIO_MAX * packed;
        if self.is_packed && self.unpacked > unpacked_max {
            let message = "the upload unpacks to more than 200 times its size";
            return Err(io::Error::other(Failure::new(ErrorCode::TooLarge, message)));
        }
        Ok(read)
    }
}

impl<R> Input<R> {
    /// What the client is told: whether its connection broke or its bytes are not what it says.
    fn told(&self, error: io::Error) -> io::Error {
        let is_ours =
            |e: &(dyn Error + Send + Sync + 'static)| e.is::<Failure>() || e.is::<axum::Error>();
        if !self.is_packed || error.get_ref().is_some_and(is_ours) {
            return error;
        }
        let message = "the upload cannot be unpacked: it is packed otherwise, damaged or cut off";
        io::Error::other(Failure::new(ErrorCode::InvalidRequest, message))
    }
}

#[cfg(test)]
mod tests {
    use tresor_screening::reader::Charset;

    use super::*;

    #[test]
    fn the_shape_is_told_by_the_first_byte_that_counts() {
        let shape = Shape::default();
        shape.see(b" \n\xEF\xBB\xBF ");
        assert!(!shape.is_object());
        shape.see(b"\t{");
        assert!(shape.is_object());
        shape.see(b"[");
        assert!(shape.is_object());
    }

    #[tokio::test]
    async fn rows_are_numbered_on_from_the_first() {
        let (sender, items) = mpsc::channel(8);
        let csv = &b"a;b\n1;2\n3\n"[..];
        let read = tokio::task::spawn_blocking(move || {
            send_rows(Format::Csv(Default::default()), csv, 41, &sender);
        });
        read.await.unwrap();
        let mut rows = Rows::of(items);
        for number in [41, 42] {
            let Item::Row(row) = rows.next().await else { panic!("a row") };
            assert_eq!((row.number, row.line), (number, number - 39));
        }
    }

    #[tokio::test]
    async fn the_thread_ends_when_nobody_takes_its_rows() {
        let (held, dropped) = tokio::sync::oneshot::channel::<()>();
        let first = futures::stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"a;b\n1"))]);
        let never = futures::stream::once(async move {
            let _held = held;
            futures::future::pending().await
        });
        let media = Media { format: Format::Csv(Charset::Utf8), compression: Compression::None };
        let (rows, _) = Rows::open(media, Body::from_stream(first.chain(never)), 1);
        drop(rows);
        let ended = tokio::time::timeout(Duration::from_secs(10), dropped).await;
        assert!(ended.is_ok(), "the body is still read");
    }

    #[tokio::test]
    async fn what_cannot_be_unpacked_is_told_so() {
        let whole = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
        for packed in [&b"a;b\n1;2\n"[..], whole] {
            let media =
                Media { format: Format::Csv(Charset::Utf8), compression: Compression::Gzip };
            let (mut rows, _) = Rows::open(media, Body::from(packed), 1);
            let Item::End(Err(failure)) = rows.next().await else { panic!("a failure") };
            assert!(failure.to_string().contains("unpacked"), "{failure}");
        }
    }

    #[test]
    fn a_decompression_bomb_is_refused() {
        let mut input = Input {
            bytes: io::repeat(b'x'),
            shape: None,
            is_packed: true,
            packed: Arc::new(AtomicU64::new(1000)),
            unpacked: UNPACKED_BYTES_FREE + UNPACKED_RATIO_MAX * 1000 - 10,
        };
        assert!(input.read(&mut [0; 10]).is_ok());
        let error = input.read(&mut [0; 1]).unwrap_err();
        let failure = error.get_ref().and_then(|e| e.downcast_ref::<Failure>());
        assert_eq!(failure.unwrap().code(), ErrorCode::TooLarge);
    }
}
