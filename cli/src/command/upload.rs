//! `tresor upload`: streams a file of records through the external API.
//!
//! Rows that are refused do not stop the rest; they are written beside the file with their line and
//! reason, never with their values. How far the upload has come is kept beside the file too, so that
//! the next one goes on there.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    time::Instant,
};

use clap::{Args, ValueEnum};
use tresor_screening::reader::{Charset, Format};

use super::{
    apart::{self, Role},
    get::Target,
    screen::CharsetFlag,
};
use crate::{
    certificates::tenant_of,
    connection::Endpoint,
    error::{CliError, Exit},
    https::Https,
    output::{Output, Tone, counted, printable},
    progress::Progress,
    row_list::{RowList, RowLists},
    session::Session,
    transfer::{
        Checkpoint, Destination, FileMark, Ledger, Media, Part, Pseudonymous, Resumable, Totals,
        Upload, check_ids, place_of,
    },
};

/// Uploads a file of records.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor upload customers.csv --collection customers
  tresor upload customers.ndjson.gz --collection customers --id-field order_number
  tresor upload customers.csv --collection customers --out pseudonymous.csv
  tresor upload customers.csv --collection customers --results rows.ndjson --explain

CSV needs a header row; `;` or `,` is found out. Rows that are refused are listed in
FILE.rejects.ndjson, by line and reason; the rest is stored, and the exit code is 3.

When the connection breaks or the server is overloaded, it tries again by itself. When that does
not help, or the process is ended, the same command goes on behind the last row that was
acknowledged; FILE.tresor-progress says which that is.")]
pub(crate) struct UploadCommand {
    /// File of records: .csv, .ndjson, .jsonl, .json; also with .gz or .zst
    file: PathBuf,
    #[command(flatten)]
    target: Target,
    /// Type of the file, when its name does not tell
    #[arg(long, value_enum)]
    format: Option<FileFormat>,
    /// Character set of a CSV file
    #[arg(long, value_enum, default_value = "utf-8")]
    charset: CharsetFlag,
    /// Field whose value becomes the record's id; the vault makes one when not given
    #[arg(long, value_name = "NAME")]
    id_field: Option<String>,
    /// File to write every row's result to (NDJSON): line, and id or reason
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Write down with each result what screening said of the row's fields, and why
    #[arg(long, requires = "results")]
    explain: bool,
    /// File to write the same records to, with surrogates and masks for personal data
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Begin with the first row, whatever an upload that broke off has stored
    #[arg(long)]
    restart: bool,
    /// How often to try again without any progress
    #[arg(long, value_name = "NUMBER", default_value = "8")]
    retries: usize,
}

/// Type of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileFormat {
    /// Rows under a header row
    Csv,
    /// A JSON object a line
    Ndjson,
    /// One JSON object, or an array of them
    Json,
}

impl UploadCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let media = self.media()?;
        self.check_files()?;
        let endpoint = self.target.connection.endpoint(session)?;
        let https = Https::new(&endpoint)?.with_user(self.target.connection.user(session)?);
        let customer_token = self.target.customer_token.read(session)?;
        // Held to the end: two uploads of one file would write over each other's progress.
        let _file = locked(&self.file)?;
        let ledger = self.ledger(&endpoint, media).await?;
        announce(&session.output, &self, &ledger);
        let upload = Upload {
            file: &self.file,
            media,
            collection: &self.target.collection,
            id_field: self.id_field.as_deref(),
            part: Part::WHOLE,
            is_pseudonymous: self.out.is_some(),
            is_explained: self.explain,
            idempotency_key: None,
            policy_version: None,
        };
        let resumable = Resumable {
            https: &https,
            customer_token: &customer_token,
            upload,
            // What is no regular file can be read once only.
            retries: if self.file.is_file() { self.retries } else { 0 },
            output: &session.output,
            ledger,
        };
        let (totals, end) = resumable.run().await?;
        conclude(&session.output, &totals, end)
    }

    /// What is known of the upload: what an earlier run has kept of it, or nothing yet.
    async fn ledger(&self, endpoint: &Endpoint, media: Media) -> Result<Ledger, CliError> {
        let is_file = self.file.is_file();
        let path = is_file.then(|| Checkpoint::path_beside(&self.file));
        let mark = if is_file { FileMark::of(&self.file)? } else { FileMark::default() };
        let destination = Destination {
            server: endpoint.server.clone(),
            tenant: tenant_of(&endpoint.tls.certificate_chain),
            collection: self.target.collection.as_str().to_owned(),
            content_type: media.content_type.to_owned(),
            id_field: self.id_field.clone(),
            out: self.out.as_deref().map(place_of).transpose()?,
        };
        let kept = match path.as_deref().filter(|_| !self.restart) {
            Some(path) => Checkpoint::load(path)?,
            None => None,
        };
        let checkpoint = match kept {
            Some(kept) => kept.continued(&self.file, &mark, &destination)?,
            None => Checkpoint::begin(mark, destination),
        };
        let mut lists = RowLists {
            rejects: RowList::of_rejects(&self.file),
            results: self.results.clone().map(RowList::at),
        };
        lists.go_on_after(checkpoint.rows)?;
        let progress = Progress::start(&self.file)?;
        let pseudonymous = self.pseudonymous(&checkpoint, media).await?;
        Ok(Ledger { checkpoint, path, lists, pseudonymous, progress, saved: Instant::now() })
    }

    /// The pseudonymous file, from its beginning or from where an earlier run has left it.
    async fn pseudonymous(
        &self,
        checkpoint: &Checkpoint,
        media: Media,
    ) -> Result<Option<Pseudonymous>, CliError> {
        let Some(path) = self.out.as_deref().map(place_of).transpose()? else { return Ok(None) };
        if !self.file.is_file() {
            return Err(CliError::usage("--out needs a file that can be read more than once"));
        }
        let file = &self.file;
        if let Some(id_field) = &self.id_field {
            check_ids(file, media, id_field).await?;
        }
        match checkpoint.extent {
            Some(extent) => Pseudonymous::go_on(path, file, media, extent).await.map(Some),
            None => Pseudonymous::begin(path, file, media).await.map(Some),
        }
    }

    /// A directory has no records, and nothing is written over what is uploaded or kept of it.
    fn check_files(&self) -> Result<(), CliError> {
        let file = self.file.as_path();
        if file.is_dir() {
            return Err(CliError::usage(format!("{} is a directory", file.display())));
        }
        let rejects = RowList::of_rejects(file);
        let progress = Checkpoint::path_beside(file);
        let roles = [
            ("FILE", Some(file)),
            ("the list of refused rows", Some(rejects.path())),
            ("the progress", Some(&progress)),
            ("--results", self.results.as_deref()),
            ("--out", self.out.as_deref()),
        ];
        let roles = roles.into_iter().filter_map(|(name, path)| Some(Role { name, path: path? }));
        apart::check(&roles.collect::<Vec<_>>())
    }

    fn media(&self) -> Result<Media, CliError> {
        let by_name = Media::of(&self.file);
        let media = match (self.format, by_name) {
            (Some(format), by_name) => format.to_media(by_name.and_then(|media| media.encoding)),
            (None, Some(media)) => media,
            (None, None) => {
                return Err(CliError::usage("the file's name does not tell its type")
                    .advise("give --format csv, ndjson or json"));
            }
        };
        self.charset.applied_to(media)
    }
}

impl FileFormat {
    /// As HTTP names it, packed as its name says.
    pub(super) fn to_media(self, encoding: Option<&'static str>) -> Media {
        Media { content_type: self.content_type(), encoding }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Ndjson => "application/x-ndjson",
            Self::Json => "application/json",
        }
    }

    /// As the reader names it.
    pub(crate) fn to_reader(self, charset: Charset) -> Format {
        match self {
            Self::Csv => Format::Csv(charset),
            Self::Ndjson => Format::NdJson,
            Self::Json => Format::Json,
        }
    }
}

/// Opens the file and keeps other uploads off it.
fn locked(file: &Path) -> Result<File, CliError> {
    let opened = File::open(file).map_err(|error| CliError::file("read", file, &error))?;
    match opened.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let message = format!("another upload of {} is under way", file.display());
            Err(CliError::failed(message))
        }
        // Some file systems know no locks.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(opened),
    }
}

/// Says where an upload goes on.
fn announce(output: &Output, command: &UploadCommand, ledger: &Ledger) {
    let (rows, file) = (ledger.checkpoint.rows, command.file.display());
    if rows == 0 {
        return;
    }
    output.note(format!("going on after row {rows} of {file}"));
    if ledger.checkpoint.is_forgotten() && command.id_field.is_none() {
        output.note(
            "it broke off more than a day ago: rows that were stored without being acknowledged are \
             no longer recognised, and are stored again",
        );
    }
}

fn conclude(output: &Output, totals: &Totals, end: Result<(), CliError>) -> Result<Exit, CliError> {
    if end.is_ok() || totals.accepted + totals.rejected > 0 {
        output.give(totals, |output| show(output, totals))?;
    }
    end?;
    Ok(match (totals.accepted, totals.rejected) {
        (_, 0) => Exit::Done,
        (0, _) => Exit::Failed,
        _ => Exit::SomeRejected,
    })
}

fn show(output: &Output, totals: &Totals) -> Result<(), CliError> {
    if totals.complete && totals.accepted == 0 && totals.rejected == 0 {
        return output.line("the file has no records; nothing was stored");
    }
    let accepted = format!("{} stored", counted(totals.accepted, "record"));
    output.line(output.paint(Tone::Good, &accepted))?;
    if let Some(row) = totals.resumed_after_row {
        output.line(format!("  in all runs together; this one went on after row {row}"))?;
    }
    if let (Some(sealed), Some(tokenized), Some(clear), Some(dropped)) =
        (totals.fields_sealed, totals.fields_tokenized, totals.fields_clear, totals.fields_dropped)
    {
        output.line(format!(
            "  {sealed} fields sealed, {tokenized} of them tokenized, {clear} stored readable, \
             {dropped} dropped"
        ))?;
    }
    if let Some(flagged @ 1..) = totals.fields_flagged {
        let flagged = counted(flagged, "field");
        let line = format!("  {flagged} stored readable though they look personal: flagged");
        output.line(output.paint(Tone::Notable, &line))?;
    }
    if totals.superseded > 0 {
        let superseded = counted(totals.superseded, "record");
        let line =
            format!("  {superseded} of them replaced by a later row of the same id, or since");
        output.line(output.paint(Tone::Notable, &line))?;
    }
    if totals.rejected > 0 {
        let rejected = format!("{} refused", counted(totals.rejected, "row"));
        output.line(output.paint(Tone::Bad, &rejected))?;
    }
    if let Some(file) = &totals.rejects_file {
        let file = file.display().to_string();
        output.line(format!("  lines and reasons in {}", printable(&file)))?;
    }
    show_pseudonymous(output, totals)
}

fn show_pseudonymous(output: &Output, totals: &Totals) -> Result<(), CliError> {
    let Some(file) = &totals.pseudonymous_file else { return Ok(()) };
    let records = counted(totals.pseudonymous_records.unwrap_or_default(), "record");
    let file = file.display().to_string();
    let left_out = match (totals.rejected, totals.superseded) {
        (0, 0) => "",
        (_, 0) => "; refused rows are not in it",
        (0, _) => "; replaced rows are not in it",
        (_, _) => "; refused and replaced rows are not in it",
    };
    output
        .line(format!("{records} with surrogates and masks in {}{left_out}", printable(&file)))?;
    totals.key_versions.show(output)
}
