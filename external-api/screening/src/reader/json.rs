//! Reads one JSON object, or the objects of a JSON array, as they arrive.
//!
//! It promises that an element over the limit is skipped without being held, and that a broken
//! element of valid JSON is refused alone. It relies on `serde_json` to find where an element ends:
//! that parser walks over it keeping nothing, while a recorder keeps its bytes up to the limit.

use std::{
    cell::RefCell,
    io::{self, BufRead, BufReader, Read},
    ops::ControlFlow,
    rc::Rc,
};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use tresor_proto::{ErrorCode, Failure};
use zeroize::Zeroizing;

use super::{ROW_BYTES_MAX, ReadError, Record, Row, RowError, Sink, flatten::Flattener};

/// Bytes after which an element is not even skipped: the parser keeps a byte a level of nesting.
const SKIPPED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Reads the object or the array in `input`.
pub(super) fn read(input: impl Read, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let mut input = BufReader::new(input);
    let Some((first, line, offset)) = first_byte(&mut input)? else {
        return Err(ReadError::Empty);
    };
    let recording = Rc::new(RefCell::new(Recording::new(line, offset)));
    let recorder =
        Recorder { input: io::Cursor::new([first]).chain(input), recording: Rc::clone(&recording) };
    let mut deserializer = serde_json::Deserializer::from_reader(recorder);
    let mut elements =
        Elements { recording, flattener: Flattener::default(), sink, rows: 0, is_stopped: false };
    let read = match first {
        b'{' => elements.object(&mut deserializer),
        b'[' => (&mut elements).deserialize(&mut deserializer).and_then(|()| deserializer.end()),
        _ => return Err(ReadError::NotRecords),
    };
    match read {
        Ok(()) => Ok(()),
        Err(_) if elements.is_stopped => Ok(()),
        Err(error) if error.is_io() => Err(ReadError::Io(error.into())),
        Err(error) => Err(ReadError::Broken {
            line: error.line() + usize::try_from(line - 1).unwrap_or_default(),
        }),
    }
}

/// Skips a byte order mark and white space; gives the byte behind them, its line and its offset.
fn first_byte(input: &mut impl BufRead) -> io::Result<Option<(u8, u64, u64)>> {
    let mut line = 1;
    for (at, byte) in input.by_ref().bytes().enumerate() {
        match (byte?, at) {
            (0xEF, 0) | (0xBB, 1) | (0xBF, 2) | (b' ' | b'\t' | b'\r', _) => {}
            (b'\n', _) => line += 1,
            (byte, _) => return Ok(Some((byte, line, at as u64))),
        }
    }
    Ok(None)
}

/// Walks over the elements and gives each to the sink.
struct Elements<'a, 's> {
    recording: Rc<RefCell<Recording>>,
    flattener: Flattener,
    sink: &'a mut Sink<'s>,
    rows: u64,
    is_stopped: bool,
}

impl Elements<'_, '_> {
    /// Reads the upload as one object, with nothing behind it.
    fn object<'de, R: serde_json::de::Read<'de>>(
        &mut self,
        deserializer: &mut serde_json::Deserializer<R>,
    ) -> serde_json::Result<()> {
        deserializer.deserialize_ignored_any(IgnoredAny)?;
        deserializer.end()?;
        self.give()
    }

    /// Gives the element just walked over to the sink.
    fn give<E: serde::de::Error>(&mut self) -> Result<(), E> {
        let result = self.record();
        self.rows += 1;
        let Recording { line, offset, .. } = *self.recording.borrow();
        let row = Row { number: self.rows, line, offset, result };
        match (self.sink)(row) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => {
                self.is_stopped = true;
                Err(E::custom("the sink broke"))
            }
        }
    }

    fn record(&mut self) -> Result<Record, RowError> {
        let recording = self.recording.borrow();
        if recording.length > ROW_BYTES_MAX {
            return Err(RowError::RowTooLarge);
        }
        self.flattener.record(&recording.bytes)
    }
}

impl<'de> DeserializeSeed<'de> for &mut Elements<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Elements<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.recording.borrow_mut().begin(None);
        while elements.next_element::<IgnoredAny>()?.is_some() {
            self.give()?;
            self.recording.borrow_mut().begin(Some(b','));
        }
        Ok(())
    }
}

/// Hands bytes through and shows them to the recording.
struct Recorder<R> {
    input: R,
    recording: Rc<RefCell<Recording>>,
}

impl<R: Read> Read for Recorder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        let mut recording = self.recording.borrow_mut();
        for byte in buffer.iter().take(read) {
            recording.push(*byte);
        }
        if recording.length > SKIPPED_BYTES_MAX {
            let message = "an element is over 4 MiB";
            return Err(io::Error::other(Failure::new(ErrorCode::TooLarge, message)));
        }
        Ok(read)
    }
}

/// The bytes of the element being walked over, up to the limit.
struct Recording {
    bytes: Zeroizing<Vec<u8>>,
    length: usize,
    /// What may stand once before the element.
    separator: Option<u8>,
    /// The line the element begins on.
    line: u64,
    /// The bytes before the element.
    offset: u64,
    lines: u64,
    passed: u64,
}

impl Recording {
    fn new(line: u64, offset: u64) -> Self {
        Self {
            bytes: Zeroizing::new(Vec::new()),
            length: 0,
            separator: None,
            line,
            offset,
            lines: line,
            passed: offset,
        }
    }

    fn begin(&mut self, separator: Option<u8>) {
        self.bytes.clear();
        self.length = 0;
        self.separator = separator;
    }

    fn push(&mut self, byte: u8) {
        self.lines += u64::from(byte == b'\n');
        self.passed += 1;
        if self.length == 0 {
            if byte.is_ascii_whitespace() {
                return;
            }
            if self.separator.take() == Some(byte) {
                return;
            }
            (self.line, self.offset) = (self.lines, self.passed - 1);
        }
        self.length += 1;
        if self.length <= ROW_BYTES_MAX {
            self.bytes.push(byte);
        }
    }
}
