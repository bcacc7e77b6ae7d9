//! The part of a file that is still to be sent.
//!
//! It promises that a part reads as what it is the rest of: what stands before the first row, a
//! header for instance, then the rows from one on. It relies on the reader that the external API
//! uses for where rows begin, and holds no more than a row of the file.

use std::{io::Read, ops::ControlFlow, path::Path, pin::Pin};

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder, ZstdEncoder};
use reqwest::Body;
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt as _, BufReader, copy, sink},
    sync::mpsc::UnboundedSender,
};
use tokio_util::io::{InspectReader, ReaderStream, SyncIoBridge};
use tresor_screening::reader::{Format, read};

use super::{Media, checkpoint::START_OVER};
use crate::error::CliError;

/// Bytes read from the file at a time.
const CHUNK_BYTES: usize = 64 * 1024;

type Input = Pin<Box<dyn AsyncRead + Send>>;

/// The rows of a file from one on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The number of its first row.
    first_row: u64,
    /// Bytes of the unpacked file before its first row.
    preamble_bytes: u64,
    /// Bytes of the unpacked file before the first row of the part.
    offset: u64,
    /// Lines of the file that the part leaves out.
    lines_left_out: u64,
}

impl Part {
    /// The whole file.
    pub(crate) const WHOLE: Self =
        Self { first_row: 1, preamble_bytes: 0, offset: 0, lines_left_out: 0 };

    /// The rows behind the first `rows`; `None` when there are no more.
    pub(crate) async fn behind(
        rows: u64,
        file: &Path,
        media: Media,
    ) -> Result<Option<Self>, CliError> {
        if rows == 0 {
            return Ok(Some(Self::WHOLE));
        }
        let input = reader(file, media).await?;
        let found = tokio::task::spawn_blocking(move || find(rows, media.format(), input));
        found.await.map_err(|_| CliError::failed("the file's rows cannot be counted"))?
    }

    /// The number of its first row.
    pub(crate) fn first_row(self) -> u64 {
        self.first_row
    }

    /// Where a line of the part is in the file.
    pub(crate) fn line_in_file(self, line: u64) -> u64 {
        line.saturating_add(self.lines_left_out)
    }

    /// How its bytes are packed, when the file's are packed so.
    pub(crate) fn encoding(self, of_file: Option<&'static str>) -> Option<&'static str> {
        if self == Self::WHOLE { of_file } else { of_file.map(|_| "zstd") }
    }

    /// Its bytes, packed again when the file's are; what is read of the file is told to `passed`.
    pub(crate) async fn open(
        self,
        file: &Path,
        encoding: Option<&'static str>,
        passed: UnboundedSender<u64>,
    ) -> Result<Body, CliError> {
        let opened = InspectReader::new(open(file).await?, move |chunk: &[u8]| {
            // Nobody counts any more when the upload has ended.
            let _ = passed.send(chunk.len() as u64);
        });
        if self == Self::WHOLE {
            return Ok(body_of(opened));
        }
        let failed = |error: std::io::Error| CliError::file("read", file, &error);
        let preamble = unpacked(open(file).await?, encoding).take(self.preamble_bytes);
        let mut rows = unpacked(opened, encoding);
        copy(&mut (&mut rows).take(self.offset), &mut sink()).await.map_err(failed)?;
        let part = preamble.chain(rows);
        Ok(match encoding {
            None => body_of(part),
            Some(_) => body_of(ZstdEncoder::new(BufReader::with_capacity(CHUNK_BYTES, part))),
        })
    }
}

/// The unpacked bytes of a file, for whoever reads them on a thread of its own.
pub(crate) async fn reader(
    file: &Path,
    media: Media,
) -> Result<impl Read + Send + 'static, CliError> {
    Ok(SyncIoBridge::new(unpacked(open(file).await?, media.encoding)))
}

fn body_of(input: impl AsyncRead + Send + 'static) -> Body {
    Body::wrap_stream(ReaderStream::with_capacity(input, CHUNK_BYTES))
}

async fn open(file: &Path) -> Result<File, CliError> {
    File::open(file).await.map_err(|error| CliError::file("read", file, &error))
}

fn unpacked(input: impl AsyncRead + Send + 'static, encoding: Option<&str>) -> Input {
    let input = BufReader::with_capacity(CHUNK_BYTES, Box::pin(input));
    match encoding {
        Some("gzip") => {
            let mut decoder = GzipDecoder::new(input);
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
        Some(_) => {
            let mut decoder = ZstdDecoder::new(input);
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
        None => Box::pin(input),
    }
}

fn find(rows: u64, format: Format, input: impl Read) -> Result<Option<Part>, CliError> {
    let (mut first, mut next, mut seen) = (None, None, 0);
    let end = read(format, input, &mut |row| {
        let place = (row.offset, row.line);
        first.get_or_insert(place);
        seen = row.number;
        if row.number <= rows {
            return ControlFlow::Continue(());
        }
        next = Some(place);
        ControlFlow::Break(())
    });
    end.map_err(|error| CliError::failed(format!("the file cannot be read: {error}")))?;
    if seen < rows {
        let message = format!("{rows} rows are said to be uploaded, and the file has {seen}");
        return Err(CliError::failed(message).advise(START_OVER));
    }
    let places = first.zip(next);
    Ok(places.map(|((preamble_bytes, first_line), (offset, line))| Part {
        first_row: rows + 1,
        preamble_bytes,
        offset,
        lines_left_out: line - first_line,
    }))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const CSV: &str = "\u{feff}id;text\r\n1;\"a\nb\"\r\n2;c\r\n\r\n3;d\r\n";

    async fn rest_of(rows: u64, name: &str, content: &[u8]) -> Option<(Part, String)> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(content).unwrap();
        let media = Media::of(&path).unwrap();
        let part = Part::behind(rows, &path, media).await.unwrap()?;
        let (passed, mut told) = tokio::sync::mpsc::unbounded_channel();
        let body = part.open(&path, media.encoding, passed).await.unwrap();
        let bytes = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
        let mut read = Vec::new();
        let packed = std::io::Cursor::new(bytes);
        let mut unpacked = unpacked(packed, part.encoding(media.encoding));
        unpacked.read_to_end(&mut read).await.unwrap();
        let mut passed = 0;
        while let Ok(bytes) = told.try_recv() {
            passed += bytes;
        }
        assert_eq!(passed, content.len() as u64, "the bar reaches its end");
        Some((part, String::from_utf8(read).unwrap()))
    }

    #[tokio::test]
    async fn the_rest_of_a_csv_has_its_header_and_the_rows_not_yet_stored() {
        assert_eq!(rest_of(0, "a.csv", CSV.as_bytes()).await.unwrap(), (Part::WHOLE, CSV.into()));
        let (part, text) = rest_of(1, "a.csv", CSV.as_bytes()).await.unwrap();
        assert_eq!(text, "\u{feff}id;text\r\n2;c\r\n\r\n3;d\r\n");
        assert_eq!((part.first_row(), part.line_in_file(2)), (2, 4));
        let (part, text) = rest_of(2, "a.csv", CSV.as_bytes()).await.unwrap();
        assert_eq!((part.line_in_file(2), &*text), (6, "\u{feff}id;text\r\n3;d\r\n"));
        assert_eq!(rest_of(3, "a.csv", CSV.as_bytes()).await, None);
    }

    #[tokio::test]
    async fn the_rest_of_an_array_is_an_array() {
        let (part, text) = rest_of(1, "a.json", b"[\n{\"a\":1},\n{\"a\":2}]").await.unwrap();
        assert_eq!((part.first_row(), &*text), (2, "[\n{\"a\":2}]"));
        assert_eq!(part.line_in_file(2), 3);
    }

    #[tokio::test]
    async fn the_rest_of_a_packed_file_is_packed() {
        let mut packed = Vec::new();
        let mut encoder = async_compression::tokio::bufread::GzipEncoder::new(CSV.as_bytes());
        encoder.read_to_end(&mut packed).await.unwrap();
        let (part, text) = rest_of(2, "a.csv.gz", &packed).await.unwrap();
        assert_eq!(text, "\u{feff}id;text\r\n3;d\r\n");
        assert_eq!(part.encoding(Some("gzip")), Some("zstd"));
        assert_eq!(Part::WHOLE.encoding(Some("gzip")), Some("gzip"));
    }

    #[tokio::test]
    async fn more_rows_than_the_file_has_are_not_taken_for_all() {
        assert!(rest_of(3, "a.csv", CSV.as_bytes()).await.is_none());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.csv");
        std::fs::write(&path, CSV).unwrap();
        let refusal = Part::behind(4, &path, Media::of(&path).unwrap()).await.unwrap_err();
        assert!(refusal.to_string().contains("the file has 3"), "{refusal}");
    }
}
