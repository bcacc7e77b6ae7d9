//! Where the other file goes: under its final name once it is whole, or to standard output.
//!
//! It promises that nothing of the original is written but what was not to be exchanged, in the
//! layout of the original.

use std::{
    io::{BufWriter, Stdout, Write as _},
    path::PathBuf,
};

use tresor_proto::Content;

use super::{Entry, batch::Held};
use crate::{
    error::CliError,
    transfer::{Extent, Layout, Pseudonymous},
};

/// Where rows are written.
pub(crate) enum Outlet {
    /// A file.
    File(Box<Pseudonymous>, Layout),
    /// Standard output.
    Output(Output),
}

/// Standard output, to which nothing is written before there is a record, or the end: until then a
/// file may turn out to be none that can be exchanged.
pub(crate) struct Output {
    to: BufWriter<Stdout>,
    layout: Layout,
    begun: Begun,
}

/// How far standard output is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Begun {
    Nothing,
    /// What stands before the first record is written.
    Opening,
    Record,
}

impl Output {
    fn write(&mut self, text: &[u8], begun: Begun) -> Result<(), CliError> {
        if self.begun == Begun::Nothing {
            self.to.write_all(self.layout.opening())?;
        }
        self.begun = begun.max(self.begun);
        Ok(self.to.write_all(text)?)
    }
}

impl Outlet {
    /// A file that is begun, or gone on with behind what is known to be written.
    pub(crate) fn file(
        path: PathBuf,
        layout: Layout,
        extent: Option<Extent>,
    ) -> Result<Self, CliError> {
        let file = match extent {
            Some(extent) => Pseudonymous::go_on_laid_out(path, layout.clone(), extent)?,
            None => Pseudonymous::begin_laid_out(path, layout.clone())?,
        };
        Ok(Self::File(Box::new(file), layout))
    }

    /// Standard output.
    pub(crate) fn output(layout: Layout) -> Self {
        let to = BufWriter::new(std::io::stdout());
        Self::Output(Output { to, layout, begun: Begun::Nothing })
    }

    /// Writes what was asked for beside what stands in its place.
    pub(super) fn write_pair(&mut self, old: &str, new: &Content) -> Result<(), CliError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let written = writer.write_record([old.as_bytes(), new.as_bytes()]);
        let row = written.ok().and_then(|()| writer.into_inner().ok());
        self.write_text(&row.ok_or_else(|| CliError::failed("a pair cannot be written"))?)
    }

    /// Writes a row. One that could not be read is left out, unless rows are told by their lines.
    pub(super) fn write(&mut self, entry: &Entry) -> Result<(), CliError> {
        let (layout, is_first) = match self {
            Self::File(file, layout) => (layout, file.records() == 0),
            Self::Output(output) => (&mut output.layout, output.begun < Begun::Record),
        };
        let text = match (&entry.content, layout) {
            (Held::Line(value, end), _) => {
                let value = value.as_ref().map_or(&b""[..], |value| value.as_bytes());
                [value, end.as_bytes()].concat()
            }
            (Held::Nothing(_), Layout::Values) => b"\n".to_vec(),
            (Held::Nothing(_), _) => return Ok(()),
            (Held::Record(..), layout) => {
                let fields = entry.fields();
                let text = fields.and_then(|fields| layout.record(&fields, is_first));
                text.ok_or_else(|| CliError::failed("a row cannot be written as it was read"))?
            }
        };
        self.write_text(&text)
    }

    fn write_text(&mut self, text: &[u8]) -> Result<(), CliError> {
        match self {
            Self::File(file, _) => file.add_text(text),
            Self::Output(output) => output.write(text, Begun::Record),
        }
    }

    /// Hands what is written on; of a file, tells how much that is.
    pub(super) fn flush(&mut self) -> Result<Option<Extent>, CliError> {
        match self {
            Self::File(file, _) => file.sync().map(Some),
            Self::Output(output) => Ok(output.to.flush().map(|()| None)?),
        }
    }

    /// Writes the end; a file only lacks its final name then.
    pub(super) fn complete(&mut self) -> Result<Option<Extent>, CliError> {
        match self {
            Self::File(file, _) => file.complete().map(Some),
            Self::Output(output) => {
                output.write(output.layout.closing(), Begun::Opening)?;
                self.flush()
            }
        }
    }

    /// Gives a file its final name.
    pub(super) fn name(&mut self) -> Result<(), CliError> {
        match self {
            Self::File(file, _) => file.name(),
            Self::Output(..) => Ok(()),
        }
    }

    /// Takes away what is written.
    pub(super) fn discard(&mut self) {
        if let Self::File(file, _) = self {
            file.discard();
        }
    }

    /// Where the file is or will be.
    pub(super) fn path(&self) -> Option<PathBuf> {
        match self {
            Self::File(file, _) => Some(file.path().to_owned()),
            Self::Output(..) => None,
        }
    }
}
