//! How a file of records is laid out, so that another one is written like it.
//!
//! It promises that the header of a CSV is kept byte by byte, with what is added behind it, and its
//! delimiter, line ends and character set; what is JSON stays JSON, an object a line. It relies on the reader that the
//! external API uses, so that both mean the same columns.

use std::{
    io::{BufRead as _, BufReader, Read},
    path::Path,
};

use serde_json::{Map, Value};
use tresor_screening::reader::{Charset, CsvHead, Format, ReadError, csv_head};

use super::{Media, part};
use crate::error::CliError;

/// The layout of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Rows below a header.
    Csv(Csv),
    /// An object a line.
    Lines,
    /// The objects of one array, each on a line.
    Array,
    /// A value a line, which is no record.
    Values,
    /// A CSV of what was there and what stands in its place.
    Map,
}

/// The layout of a CSV.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Csv {
    header: Vec<u8>,
    delimiter: u8,
    columns: usize,
    charset: Charset,
}

impl Layout {
    /// Finds out how a file is laid out.
    pub(crate) async fn of(file: &Path, media: Media) -> Result<Self, CliError> {
        let (first, second) = (part::reader(file, media).await?, part::reader(file, media).await?);
        let found = tokio::task::spawn_blocking(move || Self::read(media.format(), first, second));
        let found = found.await.map_err(|_| CliError::failed("the file cannot be read"))?;
        found.map_err(|error| CliError::failed(format!("the file cannot be read: {error}")))
    }

    /// Reads the beginning of a file, twice if it is a CSV.
    pub(crate) fn read(
        format: Format,
        first: impl Read,
        second: impl Read,
    ) -> Result<Self, ReadError> {
        let charset = match format {
            Format::Csv(charset) => charset,
            Format::NdJson => return Ok(Self::Lines),
            Format::Json if is_array(first)? => return Ok(Self::Array),
            Format::Json => return Ok(Self::Lines),
        };
        let CsvHead { delimiter, columns, bytes } = csv_head(first)?;
        let mut header = Vec::new();
        second.take(bytes).read_to_end(&mut header)?;
        Ok(Self::Csv(Csv { header, delimiter, columns, charset }))
    }

    /// What stands before the first record.
    pub(crate) fn opening(&self) -> &[u8] {
        match self {
            Self::Csv(csv) => &csv.header,
            Self::Lines | Self::Values => b"",
            Self::Array => b"[",
            Self::Map => b"old,new\n",
        }
    }

    /// How many columns records have, where that is the same for all of them.
    pub(crate) fn columns(&self) -> Option<usize> {
        match self {
            Self::Csv(csv) => Some(csv.columns),
            Self::Lines | Self::Array | Self::Values | Self::Map => None,
        }
    }

    /// Makes room for what the first record has besides the columns of the original: copies that the
    /// policy has made.
    pub(crate) fn widen(&mut self, first: &Map<String, Value>) -> Option<()> {
        match self {
            Self::Csv(csv) => csv.widen(first),
            Self::Lines | Self::Array | Self::Values | Self::Map => Some(()),
        }
    }

    /// Goes on with a file whose records have so many columns.
    pub(crate) fn go_on_with(&mut self, columns: usize) {
        if let Self::Csv(csv) = self {
            csv.columns = columns;
        }
    }

    /// What stands behind the last record.
    pub(crate) fn closing(&self) -> &'static [u8] {
        match self {
            Self::Csv(_) | Self::Lines | Self::Values | Self::Map => b"",
            Self::Array => b"\n]\n",
        }
    }

    /// A record, with what parts it from those before; `None` when it does not fit the file.
    pub(crate) fn record(&self, fields: &Map<String, Value>, is_first: bool) -> Option<Vec<u8>> {
        let json = || serde_json::to_vec(fields).ok();
        match self {
            Self::Csv(csv) => csv.row(fields),
            Self::Values | Self::Map => None,
            Self::Lines => Some([&json()?[..], b"\n"].concat()),
            Self::Array if is_first => Some([b"\n", &json()?[..]].concat()),
            Self::Array => Some([b",\n", &json()?[..]].concat()),
        }
    }
}

impl Csv {
    fn widen(&mut self, first: &Map<String, Value>) -> Option<()> {
        let added: Vec<_> = first.keys().skip(self.columns).collect();
        if added.is_empty() {
            return Some(());
        }
        let cells = added.iter().map(|name| self.charset.encode(name));
        let cells = self.terminated(cells.collect::<Option<Vec<_>>>()?)?;
        while self.header.pop_if(|end| matches!(end, b'\r' | b'\n')).is_some() {}
        self.header.push(self.delimiter);
        self.header.extend(cells);
        self.columns = first.len();
        Some(())
    }

    fn row(&self, fields: &Map<String, Value>) -> Option<Vec<u8>> {
        if fields.len() != self.columns {
            return None;
        }
        let texts = fields.values().map(cell).collect::<Option<Vec<_>>>()?;
        let texts = texts.iter().map(|text| self.charset.encode(text));
        self.terminated(texts.collect::<Option<Vec<_>>>()?)
    }

    fn terminated(&self, cells: Vec<impl AsRef<[u8]>>) -> Option<Vec<u8>> {
        let terminator = match self.header.as_slice() {
            [.., b'\r', b'\n'] => csv::Terminator::CRLF,
            [.., b'\r'] => csv::Terminator::Any(b'\r'),
            _ => csv::Terminator::Any(b'\n'),
        };
        let mut builder = csv::WriterBuilder::new();
        let builder = builder.delimiter(self.delimiter).terminator(terminator);
        let mut writer = builder.from_writer(Vec::new());
        writer.write_record(cells).ok()?;
        writer.into_inner().ok()
    }
}

/// What a column holds; nothing that was dropped is told from nothing that was there.
fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether a JSON text begins as an array.
fn is_array(input: impl Read) -> std::io::Result<bool> {
    let mut input = BufReader::new(input);
    loop {
        let chunk = input.fill_buf()?;
        let begins = |byte: &&u8| matches!(byte, b'[' | b'{');
        if let Some(first) = chunk.iter().find(begins) {
            return Ok(*first == b'[');
        }
        let read = chunk.len();
        if read == 0 {
            return Ok(false);
        }
        input.consume(read);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use tresor_screening::reader::{read, unflatten};

    use super::*;

    const CSV: Format = Format::Csv(Charset::Utf8);

    fn layout(format: Format, text: &[u8]) -> Layout {
        Layout::read(format, text, text).unwrap()
    }

    fn written(layout: &Layout, records: &[Value]) -> Vec<u8> {
        let mut text = layout.opening().to_vec();
        for (at, record) in records.iter().enumerate() {
            text.extend(layout.record(record.as_object().unwrap(), at == 0).unwrap());
        }
        text.extend(layout.closing());
        text
    }

    /// The records that the external API would read, as JSON.
    fn read_back(format: Format, text: &[u8]) -> Vec<Value> {
        let mut records = Vec::new();
        let end = read(format, text, &mut |row| {
            let record = row.result.unwrap();
            records.push(unflatten(&*record.names, record.values.iter().map(Some)));
            core::ops::ControlFlow::Continue(())
        });
        end.unwrap();
        records
    }

    #[test]
    fn a_csv_keeps_header_delimiter_line_ends_and_character_set() {
        let text = b"\xEF\xBB\xBF\"Name\";Ort\r\nErika;Burg\r\n";
        let record = json!({ "Name": "a;\"b\"", "Ort": null });
        let expected = "\u{feff}\"Name\";Ort\r\n\"a;\"\"b\"\"\";\r\n";
        assert_eq!(written(&layout(CSV, text), &[record]), expected.as_bytes());
        let latin1 = layout(Format::Csv(Charset::Latin1), b"Stra\xDFe,Ort\nx,y\n");
        let record = json!({ "Straße": "Süd", "Ort": "•••" });
        assert_eq!(written(&latin1, &[record]), b"Stra\xDFe,Ort\nS\xFCd,\x95\x95\x95\n");
    }

    #[test]
    fn what_the_first_record_adds_gets_columns_of_its_own() {
        let text = b"\xEF\xBB\xBF\"Name\";Notiz\r\nErika;x\r\n";
        let mut layout = layout(CSV, text);
        let first = json!({ "Name": "E.", "Notiz": "\u{2022}", "k;": "a", "l": null });
        layout.widen(first.as_object().unwrap()).unwrap();
        let expected = "\u{feff}\"Name\";Notiz;\"k;\";l\r\nE.;\u{2022};a;\r\n";
        assert_eq!(written(&layout, &[first]), expected.as_bytes());
        let narrow = json!({ "Name": "E.", "Notiz": "\u{2022}" });
        assert_eq!(layout.record(narrow.as_object().unwrap(), false), None);
    }

    #[test]
    fn a_record_of_another_shape_does_not_fit() {
        let layout = layout(CSV, b"a;b\n1;2\n");
        for record in [json!({ "a": "1" }), json!({ "a": "1", "b": ["2"] })] {
            assert_eq!(layout.record(record.as_object().unwrap(), true), None);
        }
    }

    #[test]
    fn json_stays_json() {
        let records = [json!({ "a": 1.10, "b": { "c": null } }), json!({ "a": "x" })];
        for text in [&b" \n[{\"a\":1}]"[..], b"[]"] {
            let array = layout(Format::Json, text);
            assert_eq!(array, Layout::Array);
            let read: Vec<Value> = serde_json::from_slice(&written(&array, &records)).unwrap();
            assert_eq!(read, records);
            assert!(serde_json::from_slice::<Vec<Value>>(&written(&array, &[])).is_ok());
        }
        for (format, text) in [(Format::Json, &b"{\"a\":1}"[..]), (Format::NdJson, b"{\"a\":1}\n")]
        {
            let lines = written(&layout(format, text), &records);
            assert_eq!(lines, b"{\"a\":1.1,\"b\":{\"c\":null}}\n{\"a\":\"x\"}\n");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_as_csv_reads_as_the_same(
            rows in proptest::collection::vec(["[a;,\"\n\r é]{0,5}", "[a;,\"\n\r é]{1,5}"], 0..5),
            comma in any::<bool>(),
        ) {
            let header = if comma { "x,y\n" } else { "x;y\r\n" };
            let layout = layout(CSV, header.as_bytes());
            let records: Vec<_> = rows.iter().map(|[x, y]| json!({ "x": x, "y": y })).collect();
            let text = written(&layout, &records);
            prop_assert_eq!(read_back(CSV, &text), records);
        }
    }
}
