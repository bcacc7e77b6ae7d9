//! Reads NDJSON: a JSON object a line, empty lines left out.
//!
//! It promises that a line over the limit is skipped without being held. It relies on `flatten`
//! for what a line says.

use std::io::{BufRead, BufReader, Read};

use zeroize::Zeroizing;

use super::{ROW_BYTES_MAX, ReadError, Row, RowError, Sink, flatten::Flattener};

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Reads all lines of `input`.
pub(super) fn read(input: impl Read, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let mut input = BufReader::new(input);
    let mut flattener = Flattener::default();
    let mut bytes = Zeroizing::new(Vec::new());
    let (mut number, mut line, mut end) = (0, 0, 0);
    loop {
        line += 1;
        let offset = end;
        let Some(is_whole) = read_line(&mut input, &mut bytes, &mut end)? else {
            break;
        };
        let text = if line == 1 { bytes.strip_prefix(BOM).unwrap_or(&bytes) } else { &bytes };
        if is_whole && text.trim_ascii().is_empty() {
            continue;
        }
        number += 1;
        let result = match is_whole {
            true => flattener.record(text),
            false => Err(RowError::RowTooLarge),
        };
        let row = Row { number, line, offset, result };
        if sink(row).is_break() {
            return Ok(());
        }
    }
    if number == 0 {
        return Err(ReadError::Empty);
    }
    Ok(())
}

/// Reads a line into `bytes` and moves `end` behind it; says whether it is the whole line, `None` at
/// the end.
fn read_line(
    input: &mut impl BufRead,
    bytes: &mut Vec<u8>,
    end: &mut u64,
) -> Result<Option<bool>, ReadError> {
    bytes.clear();
    let limit = u64::try_from(ROW_BYTES_MAX).unwrap_or(u64::MAX) + 1;
    let read = input.by_ref().take(limit).read_until(b'\n', bytes)?;
    *end += read as u64;
    if read == 0 {
        return Ok(None);
    }
    if bytes.len() <= ROW_BYTES_MAX || bytes.ends_with(b"\n") {
        return Ok(Some(true));
    }
    *end += input.skip_until(b'\n')? as u64;
    Ok(Some(false))
}
