//! `tresor demo`: the main job end to end on throwaway keys, then a tour of what each thief sees.

use std::{
    fs::remove_dir_all,
    path::{Path, PathBuf},
};

use clap::Args;
use tresor_door::Shutdown;

use crate::{
    demo::{SAMPLE, perform, show},
    error::{CliError, Exit},
    private_file::write_private,
    session::Session,
};

/// Shows the main job end to end.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor demo
  tresor demo examples/planning_de.csv
  tresor demo customers.csv --output json
  tresor demo customers.csv --data-dir look --keep

Everything is made for the occasion and thrown away: certificate authority, keys, two tenants,
databases. Exit code 1 means that an attack succeeded or a sealed value was found on disk.")]
pub(crate) struct DemoCommand {
    /// File of records, CSV by default; a few made-up ones when not given
    file: Option<PathBuf>,
    /// Directory to work in; a temporary one when not given
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Leave everything for inspection
    #[arg(long, requires = "data_dir")]
    keep: bool,
}

impl DemoCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let temporary = tempfile::Builder::new().prefix("tresor-demo-").tempdir()?;
        let file = match &self.file {
            Some(file) => file.clone(),
            None => write_sample(temporary.path())?,
        };
        let root = match &self.data_dir {
            Some(directory) => self.claim(directory)?,
            None => temporary.path().join("demo"),
        };
        let mut ours = vec![temporary.path().to_owned()];
        ours.extend(self.data_dir.clone().filter(|_| !self.keep));
        remove_when_interrupted(ours)?;
        let performed = perform(&session.output, &root, &file).await;
        if let (Some(directory), false) = (&self.data_dir, self.keep) {
            remove_dir_all(directory)
                .map_err(|error| CliError::file("remove", directory, &error))?;
        }
        let demonstration = performed?;
        session.output.give(&demonstration.to_json(), |output| show(output, &demonstration))?;
        if self.keep {
            session.output.note(format!("everything is in {}", root.display()));
        }
        Ok(demonstration.exit())
    }

    /// A directory that is ours to fill, and to remove.
    fn claim(&self, directory: &Path) -> Result<PathBuf, CliError> {
        let is_free = match directory.read_dir() {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        if is_free {
            return Ok(directory.to_owned());
        }
        Err(CliError::usage(format!("{} is not empty", directory.display()))
            .advise("a demonstration begins in a directory of its own"))
    }
}

/// Ends the process when it is interrupted, and leaves nothing of it behind. Nothing that runs is
/// worth waiting for.
fn remove_when_interrupted(directories: Vec<PathBuf>) -> Result<(), CliError> {
    let interrupted = Shutdown::on_signals();
    let interrupted = interrupted.map_err(|error| CliError::failed(error.to_string()))?;
    tokio::spawn(async move {
        interrupted.wait().await;
        for directory in directories {
            // The vault may have written a file while its directory was emptied.
            let _ = remove_dir_all(&directory).or_else(|_| remove_dir_all(&directory));
        }
        std::process::exit(Exit::Failed as i32);
    });
    Ok(())
}

fn write_sample(directory: &Path) -> Result<PathBuf, CliError> {
    let file = directory.join("sample.csv");
    write_private(&file, SAMPLE.as_bytes())?;
    Ok(file)
}
