//! Against a real token: SoftHSM2, of the Debian package `softhsm2`.
//!
//! Its configuration comes by an environment variable, which is read when the module begins; so a
//! test runs this program again, as another process, with a token directory of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::AtomicU32,
};

use super::*;
use crate::entropy::SystemEntropy;

/// Where the distributions put the module.
const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
];
/// Says where the token is; without it a test is not the inner one.
const PLACE: &str = "TRESOR_TEST_TOKEN_PLACE";
const PIN: &str = "4711-4711";

struct Pin(&'static str);

impl SecretSource for Pin {
    fn read(&self) -> Result<Zeroizing<Vec<u8>>, SealError> {
        Ok(Zeroizing::new(format!("{}\n", self.0).into_bytes()))
    }
}

/// A wrong PIN that counts how often it is asked for.
struct Counted(AtomicU32);

impl SecretSource for Counted {
    fn read(&self) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Pin("0815-0815").read()
    }
}

fn module() -> PathBuf {
    let found = MODULES.iter().map(PathBuf::from).find(|path| path.exists());
    found.expect("softhsm2 is installed")
}

fn seal(token: &str, key: &str, pin: &'static str) -> Pkcs11Seal {
    let place = Pkcs11Key { module: module(), token: token.to_owned(), key: key.to_owned() };
    Pkcs11Seal::new(place, Arc::new(Pin(pin)))
}

/// Makes a token with an AES key in it.
fn make_token(place: &Path) {
    let mut command = Command::new("softhsm2-util");
    command.args(["--init-token", "--free", "--label", "vault", "--so-pin", "so-4711", "--pin"]);
    let made = command.arg(PIN).env("SOFTHSM2_CONF", place.join("softhsm2.conf")).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let module = Pkcs11::new(module()).unwrap();
    let running = Running::start(&module).unwrap();
    let slot = running.0.get_slots_with_initialized_token().unwrap()[0];
    let session = running.0.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&AuthPin::from(PIN.to_owned()))).unwrap();
    for label in ["root", "other"] {
        let template = [
            Attribute::Token(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::ValueLen(Ulong::from(32)),
            Attribute::Label(label.as_bytes().to_vec()),
        ];
        session.generate_key(&Mechanism::AesKeyGen, &template).unwrap();
    }
}

/// Runs a test of this file again where a token is.
fn with_token(test: &str, inner: impl FnOnce(&Path)) {
    if let Some(place) = std::env::var_os(PLACE) {
        make_token(Path::new(&place));
        return inner(Path::new(&place));
    }
    let directory = tempfile::tempdir().unwrap();
    let tokens = directory.path().join("tokens");
    fs::create_dir(&tokens).unwrap();
    let text = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
    fs::write(directory.path().join("softhsm2.conf"), text).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([&format!("seal::pkcs11::tests::{test}"), "--exact", "--nocapture"]);
    command.env("SOFTHSM2_CONF", directory.path().join("softhsm2.conf"));
    let output = command.env(PLACE, directory.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let is_right = output.status.success() && text.contains("1 passed");
    assert!(is_right, "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_token_gives_the_seal_key_again_and_only_for_its_seal() {
    with_token("a_token_gives_the_seal_key_again_and_only_for_its_seal", |_| {
        let (hsm, other) = (SealId::parse("hsm").unwrap(), SealId::parse("other").unwrap());
        let (key, kept) = seal("vault", "root", PIN).make(&hsm, &SystemEntropy::default()).unwrap();
        let again = seal("vault", "root", PIN).key(&hsm, &kept).unwrap();
        assert_eq!(again.expose_secret(), key.expose_secret());
        assert_eq!(seal("vault", "root", PIN).key(&other, &kept).err(), Some(SealError::Refused));
        assert_eq!(seal("vault", "other", PIN).key(&hsm, &kept).err(), Some(SealError::Refused));
        let Provider::Pkcs11(mut damaged) = kept else { panic!("another provider's") };
        damaged.wrapped[0] ^= 1;
        let damaged = Provider::Pkcs11(damaged);
        assert_eq!(seal("vault", "root", PIN).key(&hsm, &damaged).err(), Some(SealError::Refused));
    });
}

#[test]
fn what_is_missing_is_told_and_what_may_come_back_is_tried_again() {
    with_token("what_is_missing_is_told_and_what_may_come_back_is_tried_again", |place| {
        let id = SealId::parse("hsm").unwrap();
        let (_, kept) = seal("vault", "root", PIN).make(&id, &SystemEntropy::default()).unwrap();
        let of = |seal: Pkcs11Seal| seal.key(&id, &kept).err();
        assert_eq!(of(seal("another", "root", PIN)), Some(SealError::TokenMissing));
        assert_eq!(of(seal("vault", "none", PIN)), Some(SealError::KeyMissing));
        let no_module = Pkcs11Key {
            module: place.join("none.so"),
            token: "vault".to_owned(),
            key: "root".to_owned(),
        };
        let without = Pkcs11Seal::new(no_module, Arc::new(Pin(PIN)));
        assert_eq!(of(without), Some(SealError::ModuleUnusable));

        // The token goes and comes back, and the same seal finds it again.
        let lasting = seal("vault", "root", PIN);
        assert!(lasting.key(&id, &kept).is_ok());
        fs::rename(place.join("tokens"), place.join("away")).unwrap();
        let error = lasting.key(&id, &kept).err().unwrap();
        assert!(error.is_transient(), "{error}");
        fs::rename(place.join("away"), place.join("tokens")).unwrap();
        assert!(lasting.key(&id, &kept).is_ok());
    });
}

#[test]
fn a_wrong_pin_is_tried_once() {
    with_token("a_wrong_pin_is_tried_once", |_| {
        let id = SealId::parse("hsm").unwrap();
        let (_, kept) = seal("vault", "root", PIN).make(&id, &SystemEntropy::default()).unwrap();
        let pin = Arc::new(Counted(AtomicU32::new(0)));
        let tries = || pin.0.load(Ordering::Relaxed);
        let place =
            Pkcs11Key { module: module(), token: "vault".to_owned(), key: "root".to_owned() };
        let wrong = Pkcs11Seal::new(place, pin.clone());
        for _ in 0..20 {
            let error = wrong.key(&id, &kept).err().unwrap();
            assert_eq!((error, error.is_transient()), (SealError::PinRefused, false));
        }
        assert_eq!(tries(), 1);
        wrong.forgive();
        assert_eq!(wrong.key(&id, &kept).err(), Some(SealError::PinRefused));
        assert_eq!(tries(), 2);
        assert!(seal("vault", "root", PIN).key(&id, &kept).is_ok(), "the token is not locked");
    });
}
