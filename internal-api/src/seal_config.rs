//! The seals of the configuration: `[seal.NAME]`, each with a provider and where its secret is.
//!
//! It promises that no secret is in the configuration or in a call: a seal is named, and its secret is
//! in a file that this process reads each time it is used. It relies on [`read_private_file`] for
//! who else can read that.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use tresor_door::{DoorError, TlsFiles, config::Table, read_credential, read_private_file};
use tresor_vault::{
    CredentialSeal, PassphraseSeal, Pkcs11Key, Pkcs11Seal, Seal, SealError, SealId, Seals,
    SecretSource,
};
use zeroize::Zeroizing;

use crate::transit_seal::{TransitKey, TransitSeal};

/// Bytes of a secret's file; more is some other file.
const SECRET_BYTES_MAX: u64 = 4 * 1024;
/// Where the service manager puts credentials (systemd.exec(5)).
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// A seal of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealConfig {
    /// Its name, which calls and the seal file use too.
    pub id: SealId,
    /// How it keeps its key.
    pub provider: SealProvider,
}

/// How a seal keeps its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealProvider {
    /// A passphrase.
    Passphrase(SecretFile),
    /// 32 random bytes.
    Credential(SecretFile),
    /// A key in a token, which opens with a PIN.
    Pkcs11(Pkcs11Key, SecretFile),
    /// A key in a service.
    Transit(TransitKey),
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFile {
    /// A file only its owner may read.
    Path(PathBuf),
    /// A credential of the service manager, by its name.
    Credential(String),
}

/// What a credential holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Key,
    Passphrase,
}

impl SealConfig {
    /// The seal of a passphrase, under the name it has in a configuration that names none.
    #[must_use]
    pub fn passphrase(file: PathBuf) -> Self {
        let provider = SealProvider::Passphrase(SecretFile::Path(file));
        Self { id: SealId::passphrase(), provider }
    }

    /// Reads `[seal]`: `passphrase_file`, or tables by name, or both.
    pub(crate) fn read_all(table: &mut Table<'_>) -> Option<Vec<Self>> {
        let alone = table.optional_path("passphrase_file");
        let alone = alone?.map(|path| Self::passphrase(tried(table, "passphrase_file", path)));
        let named = table.named_tables(Self::read)?;
        let is_twice = alone.is_some() && named.iter().any(|seal| seal.id == SealId::passphrase());
        if is_twice {
            table.mistake("passphrase", "passphrase_file is the seal of this name already");
        }
        let seals: Vec<_> = alone.into_iter().chain(named).collect();
        if seals.is_empty() {
            table.mistake("passphrase_file", "is missing; or name a seal: [seal.NAME]");
        }
        Some(seals)
    }

    fn read(name: &str, table: &mut Table<'_>) -> Option<Self> {
        let id = SealId::parse(name);
        if id.is_none() {
            table.mistake("", "a seal's name is [a-z][a-z0-9-]{0,62}");
        }
        let providers: [(&str, Reader); 4] = [
            ("passphrase", passphrase),
            ("credential", credential),
            ("pkcs11", pkcs11),
            ("transit", transit),
        ];
        let provider = table.one_of("provider", &providers)?(table);
        Some(Self { id: id?, provider: provider? })
    }

    fn build(&self) -> Arc<dyn Seal> {
        match &self.provider {
            SealProvider::Passphrase(file) => Arc::new(PassphraseSeal::new(Arc::new(file.clone()))),
            SealProvider::Credential(file) => Arc::new(CredentialSeal::new(Arc::new(file.clone()))),
            SealProvider::Transit(key) => Arc::new(TransitSeal::new(key.clone())),
            SealProvider::Pkcs11(place, pin) => {
                Arc::new(Pkcs11Seal::new(place.clone(), Arc::new(pin.clone())))
            }
        }
    }
}

/// What reads the keys of one provider.
type Reader = fn(&mut Table<'_>) -> Option<SealProvider>;

fn passphrase(table: &mut Table<'_>) -> Option<SealProvider> {
    let path = table.path("passphrase_file")?;
    let path = tried(table, "passphrase_file", path);
    Some(SealProvider::Passphrase(SecretFile::Path(path)))
}

fn credential(table: &mut Table<'_>) -> Option<SealProvider> {
    let name = table.parsed("credential", "the name of a credential, not a path", file_name);
    let forms = [("key", Form::Key), ("passphrase", Form::Passphrase)];
    let form = table.one_of_or("form", &forms, Form::Key);
    let file = SecretFile::Credential(name?);
    Some(match form? {
        Form::Key => SealProvider::Credential(file),
        Form::Passphrase => SealProvider::Passphrase(file),
    })
}

fn pkcs11(table: &mut Table<'_>) -> Option<SealProvider> {
    let module = table.path("module");
    let token = table.text("token");
    let key = table.text("key");
    let pin_file = table.path("pin_file").map(|path| tried(table, "pin_file", path));
    let place = Pkcs11Key { module: module?, token: token?, key: key? };
    Some(SealProvider::Pkcs11(place, SecretFile::Path(pin_file?)))
}

fn transit(table: &mut Table<'_>) -> Option<SealProvider> {
    let address = table.parsed("address", "https://host:port", service_address);
    let mount = table.parsed_or("mount", "a name", path_segment, "transit".to_owned());
    let key = table.parsed("key", "a name", path_segment);
    let token = table.optional_path("token_file")?.map(|path| tried(table, "token_file", path));
    let tls = table.table("tls", TlsFiles::read);
    Some(SealProvider::Transit(TransitKey {
        address: address?,
        tls: tls?,
        token: token.map(SecretFile::Path),
        mount: mount?,
        key: key?,
    }))
}

/// `https://host:port` and nothing behind it.
fn service_address(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(text).ok()?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
    (url.scheme() == "https" && is_bare).then(|| text.trim_end_matches('/').to_owned())
}

/// A name that may stand in a path.
fn path_segment(text: &str) -> Option<String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!text.is_empty() && text.chars().all(is_allowed)).then(|| text.to_owned())
}

fn file_name(text: &str) -> Option<String> {
    (!text.is_empty() && !text.contains('/') && text != "..").then(|| text.to_owned())
}

/// The file of a secret, tried at once: one that others can read is a mistake of the configuration.
fn tried(table: &mut Table<'_>, key: &str, path: PathBuf) -> PathBuf {
    if let Err(error) = read_private_file(&path, SECRET_BYTES_MAX) {
        table.mistake(key, &error.to_string());
    }
    path
}

/// The seals, ready to be asked.
pub(crate) fn build_seals(seals: &[SealConfig]) -> Seals {
    Seals::new(seals.iter().map(|seal| (seal.id.clone(), seal.build())).collect())
}

impl SecretSource for SecretFile {
    fn read(&self) -> Result<Zeroizing<Vec<u8>>, SealError> {
        match self {
            Self::Path(path) => {
                let read = read_private_file(path, SECRET_BYTES_MAX);
                read.map_err(|error| unreadable(&error, SealError::SecretUnreadable))
            }
            Self::Credential(name) => {
                let directory = std::env::var_os(CREDENTIALS_DIRECTORY);
                let path = Path::new(&directory.ok_or(SealError::NoCredential)?).join(name);
                let read = read_credential(&path, SECRET_BYTES_MAX);
                read.map_err(|error| unreadable(&error, SealError::NoCredential))
            }
        }
    }
}

/// Why a secret is not there, or cannot be read.
fn unreadable(error: &DoorError, absent: SealError) -> SealError {
    tracing::warn!(%error, "the file of a seal's secret");
    let is_absent =
        matches!(error, DoorError::Unreadable { kind, .. } if *kind == ErrorKind::NotFound);
    if is_absent { absent } else { SealError::SecretUnreadable }
}
