//! The flags of the commands that exchange the values of a file, and what they have in common.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum, value_parser};
use serde_json::{Map, Value, json};
use tresor_proto::{DataClass, FieldName, InfoType};

use super::{
    apart::{self, Role},
    screen::CharsetFlag,
    upload::FileFormat,
};
use crate::{
    certificates::tenant_of,
    connection::CustomerFlags,
    error::{CliError, Exit},
    exchange::{Column, Desk, Direction, Exchange, Kept, Outlet, Source, Task, Totals, Written},
    https::Https,
    output::{Output, Tone, counted, printable},
    retrying::Patience,
    row_list::RowList,
    secret_input::CustomerTokenSource,
    session::Session,
    transfer::{FileMark, Layout, Media, place_of},
};

/// Where standard input has its name as a file.
const STANDARD_INPUT: &str = "/dev/stdin";

/// A file, and what of it is exchanged.
#[derive(Debug, Args)]
pub(super) struct FileFlags {
    /// File with a value a line, or with records; `-` for standard input
    file: PathBuf,
    /// Column of a CSV, or field of JSON records, to exchange; may be repeated. Without it every
    /// line is a value
    #[arg(long = "column", visible_alias = "field", value_name = "NAME", value_parser = field_name)]
    columns: Vec<FieldName>,
    /// What the values are, like IBAN_CODE; one for all columns, or one for each, in order
    #[arg(long = "info-type", value_name = "TYPE", value_parser = info_type)]
    info_types: Vec<InfoType>,
    /// How the file is written, when its name does not tell
    #[arg(long, value_enum)]
    file_format: Option<FileFormat>,
    /// Character set of a CSV file
    #[arg(long, value_enum, default_value = "utf-8")]
    charset: CharsetFlag,
    /// File to write to; standard output unless given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// File to list refused values in, by line and reason; FILE.COMMAND.rejects.ndjson unless given
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Begin with the first row, whatever a run that broke off has written
    #[arg(long)]
    restart: bool,
    /// How often to try again without any progress
    #[arg(long, value_name = "NUMBER", default_value = "8")]
    retries: usize,
    #[command(flatten)]
    customer_token: CustomerTokenSource,
    #[command(flatten)]
    connection: CustomerFlags,
}

/// What a format-preserving surrogate looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatFlag {
    /// A card number that never passes Luhn
    Card,
    /// A telephone number of the same country
    Phone,
    /// Digits
    Digits,
    /// Digits and letters
    Alphanumeric,
    /// Digits and capital letters
    UpperAlphanumeric,
}

/// What format-preserving surrogates of a file were made as, where that is not what it is now.
#[derive(Debug, Args)]
pub(super) struct FormerForm {
    /// What format-preserving surrogates look like; that of the info type unless given
    #[arg(long, value_enum)]
    format: Option<FormatFlag>,
    /// Version of the key that made format-preserving surrogates, as tokenizing told it; the newest
    /// unless given, except to renew them
    #[arg(long, value_name = "NUMBER", value_parser = value_parser!(u32).range(1..))]
    key_version: Option<u32>,
}

/// What is asked of all values.
pub(super) struct Asked {
    pub(super) direction: Direction,
    /// As the external API takes it, but for what is relative to now.
    pub(super) options: Map<String, Value>,
    /// When the surrogates expire.
    pub(super) expires: Option<String>,
}

impl FileFlags {
    /// Exchanges the values of the file.
    pub(super) async fn exchange(self, asked: Asked, session: &Session) -> Result<Exit, CliError> {
        let mut rejects = self.rejects(asked.direction);
        self.check(&rejects)?;
        let endpoint = self.connection.endpoint(session)?;
        let https = Https::new(&endpoint)?.with_user(self.connection.user(session)?);
        let source = self.source(asked.direction)?;
        let customer_token = self.customer_token.read(session)?;
        let task = Task {
            file: self.mark()?,
            server: endpoint.server.clone(),
            tenant: tenant_of(&endpoint.tls.certificate_chain),
            flags: self.flags(&asked)?,
        };
        let out = self.out.as_deref().map(place_of).transpose()?;
        let kept_at = self.kept_at(out.as_deref());
        let kept = self.kept(kept_at.as_deref(), task, asked.expires)?;
        if kept.rows > 0 {
            session.output.note(format!("going on after row {}", kept.rows));
        }
        let (layout, portions) = source.open(kept.rows).await?;
        let layout = if asked.direction == Direction::Renew { Layout::Map } else { layout };
        let outlet = match out {
            Some(out) => Outlet::file(out, layout, kept.extent)?,
            None => Outlet::output(layout),
        };
        rejects.go_on_after(kept.rows)?;
        let mut options = asked.options;
        if let Some(expires) = &kept.expires {
            options.insert("expires".to_owned(), json!(expires));
        }
        let desk = Desk {
            https: &https,
            customer_token: &customer_token,
            direction: asked.direction,
            options,
            retries: self.retries,
            output: &session.output,
            patience: Patience::default(),
        };
        let exchange = Exchange { desk, outlet, rejects, kept, kept_at };
        let (totals, end) = exchange.run(portions).await?;
        conclude(&session.output, asked.direction, &totals, end)
    }

    fn source(&self, direction: Direction) -> Result<Source, CliError> {
        Ok(Source {
            file: self.path().map(Path::to_owned),
            written: self.written()?,
            columns: self.columns()?,
            key: direction.asked(),
        })
    }

    /// The file; `None` for standard input.
    fn path(&self) -> Option<&Path> {
        Some(self.file.as_path()).filter(|file| *file != Path::new("-"))
    }

    fn written(&self) -> Result<Written, CliError> {
        let by_name = self.path().and_then(Media::of);
        let media = match (self.file_format, by_name) {
            (Some(format), by_name) => {
                Some(format.to_media(by_name.and_then(|media| media.encoding)))
            }
            (None, by_name) => by_name.filter(|_| !self.columns.is_empty() || !self.is_text()),
        };
        match media {
            None if self.columns.is_empty() => Ok(Written::Values),
            None => Err(CliError::usage("the file's name does not tell how it is written")
                .advise("give --file-format csv, ndjson or json")),
            Some(_) if self.columns.is_empty() => {
                Err(CliError::usage("a file of records has columns, and none is named")
                    .advise("name those to exchange with --column"))
            }
            Some(media) => Ok(Written::Records(self.charset.applied_to(media)?)),
        }
    }

    /// Whether the name says that it is a file of lines.
    fn is_text(&self) -> bool {
        self.file.extension().is_some_and(|extension| extension == "txt")
    }

    /// The columns, each with what its values are.
    fn columns(&self) -> Result<Vec<Column>, CliError> {
        let names: Vec<_> = match self.columns.as_slice() {
            [] => vec![None],
            names => names.iter().cloned().map(Some).collect(),
        };
        let mut info_types = self.info_types.iter().copied().map(Some);
        let info_types: Vec<_> = match self.info_types.len() {
            0 | 1 => vec![info_types.next().flatten(); names.len()],
            count if count == names.len() => info_types.collect(),
            count => {
                let message = format!("there are {count} info types for {} columns", names.len());
                return Err(CliError::usage(message)
                    .advise("give one --info-type for all, or one for each --column, in order"));
            }
        };
        let columns = names.into_iter().zip(info_types);
        Ok(columns.map(|(name, info_type)| Column { name, info_type }).collect())
    }

    /// Whether it was said what the values are.
    pub(super) fn has_info_type(&self) -> bool {
        !self.info_types.is_empty()
    }

    fn mark(&self) -> Result<FileMark, CliError> {
        let file = self.path().filter(|file| file.is_file());
        file.map_or_else(|| Ok(FileMark::default()), FileMark::of)
    }

    /// What has to be the same for a run to be gone on with.
    fn flags(&self, asked: &Asked) -> Result<Value, CliError> {
        let columns = self.columns()?;
        let columns = columns.iter().map(|column| {
            json!([
                column.name.as_ref().map(FieldName::as_str),
                column.info_type.as_ref().map(InfoType::as_str),
            ])
        });
        let written = match self.written()? {
            Written::Values => "values",
            Written::Records(media) => media.content_type,
        };
        Ok(json!({
            "direction": asked.direction.as_str(),
            "options": asked.options,
            "ends": asked.expires.is_some(),
            "columns": columns.collect::<Vec<_>>(),
            "written": written,
        }))
    }

    /// Where progress is kept: beside what is written, when both can be gone on with.
    fn kept_at(&self, out: Option<&Path>) -> Option<PathBuf> {
        self.path().filter(|file| file.is_file())?;
        out.map(Kept::path_beside)
    }

    fn kept(
        &self,
        path: Option<&Path>,
        task: Task,
        expires: Option<String>,
    ) -> Result<Kept, CliError> {
        let kept = match path.filter(|_| !self.restart) {
            Some(path) => Kept::load(path)?,
            None => None,
        };
        match kept {
            Some(kept) => kept.continued(&task),
            None => Ok(Kept::begin(task, expires)),
        }
    }

    fn rejects(&self, direction: Direction) -> RowList {
        let of = |file| RowList::of_rejects_by(direction.command(), file);
        match (&self.rejects, self.path()) {
            (Some(path), _) => RowList::at(path.clone()),
            (None, Some(file)) => of(file),
            (None, None) => of(self.out.as_deref().unwrap_or(Path::new("stdin"))),
        }
    }

    /// Refuses what cannot be read, and a file that would be written over.
    fn check(&self, rejects: &RowList) -> Result<(), CliError> {
        if self.file.is_dir() {
            return Err(CliError::usage(format!("{} is a directory", self.file.display())));
        }
        if let Some(file) = self.path() {
            File::open(file).map_err(|error| CliError::file("read", file, &error))?;
        }
        let has_secret =
            self.customer_token.is_standard_input() || self.connection.has_standard_input();
        if self.path().is_none() && has_secret {
            let message = "standard input cannot be both the values and a secret";
            return Err(CliError::usage(message).advise("give one of them as a file"));
        }
        let (file, out) = (self.path().unwrap_or(STANDARD_INPUT.as_ref()), self.out.as_deref());
        let roles = [("FILE", Some(file)), ("--out", out), ("--rejects", Some(rejects.path()))];
        let roles = roles.into_iter().filter_map(|(name, path)| Some(Role { name, path: path? }));
        apart::check(&roles.collect::<Vec<_>>())
    }
}

impl FormerForm {
    /// Whether it was said which key made them.
    pub(super) fn has_key_version(&self) -> bool {
        self.key_version.is_some()
    }

    /// As the external API takes it.
    pub(super) fn options(&self) -> Map<String, Value> {
        let format = self.format.map(|format| ("format".to_owned(), json!(format.as_str())));
        let key_version =
            self.key_version.map(|version| ("key_version".to_owned(), json!(version)));
        format.into_iter().chain(key_version).collect()
    }
}

impl FormatFlag {
    /// Its name in the API.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Phone => "phone",
            Self::Digits => "digits",
            Self::Alphanumeric => "alphanumeric",
            Self::UpperAlphanumeric => "upper-alphanumeric",
        }
    }
}

fn field_name(text: &str) -> Result<FieldName, &'static str> {
    FieldName::parse(text).map_err(|_| "a field's name has 1 to 128 bytes and no control character")
}

fn info_type(text: &str) -> Result<InfoType, &'static str> {
    let expected = "an info type, like PERSON_NAME, FREE_TEXT or one of a policy of the tenant";
    // One that a policy of the tenant defines is of a class that the vault knows.
    InfoType::named(&text.to_ascii_uppercase(), DataClass::Other).ok_or(expected)
}

fn conclude(
    output: &Output,
    direction: Direction,
    totals: &Totals,
    end: Result<(), CliError>,
) -> Result<Exit, CliError> {
    match &totals.out {
        Some(_) => output.give(totals, |output| show(output, direction, totals))?,
        // The values themselves are the result.
        None => {
            if end.is_ok() {
                totals.key_versions.note(output);
            }
            if totals.rejected > 0 {
                output.note(refused(totals));
            }
        }
    }
    end?;
    Ok(match (totals.traded, totals.rejected) {
        (_, 0) => Exit::Done,
        (0, _) => Exit::Failed,
        _ => Exit::SomeRejected,
    })
}

fn show(output: &Output, direction: Direction, totals: &Totals) -> Result<(), CliError> {
    let done = match direction {
        Direction::Tokenize => format!("{} tokenized", counted(totals.traded, "value")),
        Direction::Detokenize => format!("{} detokenized", counted(totals.traded, "surrogate")),
        Direction::Renew => format!("{} renewed", counted(totals.traded, "surrogate")),
    };
    output.line(output.paint(Tone::Good, &done))?;
    if let Some(row) = totals.resumed_after_row {
        output.line(format!("  in all runs together; this one went on after row {row}"))?;
    }
    if let Some(out) = &totals.out {
        output.line(format!("  in {}", printable(&out.display().to_string())))?;
    }
    totals.key_versions.show(output)?;
    if totals.rejected > 0 {
        output.line(output.paint(Tone::Bad, &refused(totals)))?;
    }
    Ok(())
}

fn refused(totals: &Totals) -> String {
    let refused = format!("{} refused", totals.rejected);
    match &totals.rejects_file {
        Some(file) => {
            let file = file.display().to_string();
            format!("{refused}; lines and reasons in {}", printable(&file))
        }
        None => refused,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use tresor_proto::SurrogateFormat;

    use super::*;

    #[derive(Parser)]
    struct Called {
        #[command(flatten)]
        flags: FileFlags,
    }

    fn flags(words: &[&str]) -> FileFlags {
        Called::parse_from([&["tresor"][..], words].concat()).flags
    }

    #[test]
    fn the_formats_are_those_of_the_api() {
        let names = FormatFlag::value_variants().iter().map(|flag| flag.as_str());
        assert_eq!(names.collect::<Vec<_>>(), SurrogateFormat::ALL.map(SurrogateFormat::as_str));
    }

    #[test]
    fn standard_input_is_one_thing() {
        let check = |words: &[&str]| {
            let flags = flags(words);
            flags.check(&flags.rejects(Direction::Tokenize)).is_ok()
        };
        for secret in ["--customer-token-fd", "--password-fd"] {
            assert!(check(&["-", secret, "3"]), "{secret}");
            assert!(!check(&["-", secret, "0"]), "{secret}");
            assert!(check(&["Cargo.toml", secret, "0"]), "{secret}");
        }
    }

    #[test]
    fn each_column_has_its_type_or_all_have_one() {
        let types = |words: &[&str]| {
            let columns = flags(words).columns();
            columns
                .ok()
                .map(|columns| columns.iter().map(|column| column.info_type).collect::<Vec<_>>())
        };
        let city = Some(InfoType::City);
        let two = ["a.csv", "--column", "a", "--column", "b"];
        assert_eq!(types(&["a.txt", "--info-type", "city"]), Some(vec![city]));
        assert_eq!(types(&["a.txt"]), Some(vec![None]));
        assert_eq!(types(&[&two[..], &["--info-type", "CITY"]].concat()), Some(vec![city; 2]));
        let each = ["--info-type", "CITY", "--info-type", "AGE"];
        let age = Some(InfoType::Age);
        assert_eq!(types(&[&two[..], &each].concat()), Some(vec![city, age]));
        assert_eq!(types(&[&["a.txt"][..], &each].concat()), None);
    }

    #[test]
    fn how_a_file_is_written_is_told_by_its_name_or_a_flag() {
        let written = |words: &[&str]| match flags(words).written() {
            Ok(Written::Values) => "values",
            Ok(Written::Records(media)) => media.content_type,
            Err(_) => "unknown",
        };
        for (words, expected) in [
            (&["names.txt"][..], "values"),
            (&["names"], "values"),
            (&["-"], "values"),
            (&["a.csv", "--column", "x"], "text/csv"),
            (&["a.ndjson", "--field", "x"], "application/x-ndjson"),
            (&["-", "--field", "x", "--file-format", "ndjson"], "application/x-ndjson"),
            (&["-", "--column", "x"], "unknown"),
            (&["a.csv"], "unknown"),
            (&["-", "--file-format", "csv"], "unknown"),
        ] {
            assert_eq!(written(words), expected, "{words:?}");
        }
    }
}
