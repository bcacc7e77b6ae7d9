//! How secrets come in: from a file, a file descriptor or a prompt.
//!
//! Never from an argument or the value of an environment variable, which other processes can read,
//! nor from a file that others can read, as with private keys. What was read is wiped on drop.

use std::{
    fs::File,
    io::{IsTerminal as _, Read as _},
    path::{Path, PathBuf},
};

use tresor_proto::{CustomerToken, EnrolmentCode, Password};
use zeroize::Zeroizing;

use crate::{error::CliError, session::Session};

/// Secrets are short; whatever is longer is the wrong file.
const SECRET_BYTES_MAX: u64 = 4_096;
/// The file travels, and whoever finds it may guess.
const PASSWORD_CHARACTERS_MIN: usize = 12;
/// Room for all of it from the start: growing would leave copies behind.
const ROOM: usize = 4_096;

/// Where the customer token comes from. Without either flag it is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct CustomerTokenSource {
    /// File that holds the customer token
    #[arg(long, value_name = "FILE", env = "TRESOR_CUSTOMER_TOKEN_FILE", help_heading = "Secrets")]
    customer_token_file: Option<PathBuf>,
    /// File descriptor to read the customer token from
    #[arg(
        long,
        value_name = "FD",
        conflicts_with = "customer_token_file",
        help_heading = "Secrets"
    )]
    customer_token_fd: Option<u32>,
}

impl CustomerTokenSource {
    /// Whether it is read from standard input.
    pub(crate) fn is_standard_input(&self) -> bool {
        self.customer_token_fd == Some(0)
    }

    /// Reads the customer token; the profile's file stands in for flags.
    pub(crate) fn read(&self, session: &Session) -> Result<CustomerToken, CliError> {
        let by_profile = || Ok::<_, CliError>(session.profile()?.customer.customer_token_file);
        let file = match (&self.customer_token_file, self.customer_token_fd) {
            (Some(file), _) => Some(file.clone()),
            (None, Some(_)) => None,
            (None, None) => by_profile()?,
        };
        let text = read(file.as_deref(), self.customer_token_fd, "Customer token")?;
        CustomerToken::parse(&text).ok_or_else(|| {
            CliError::failed("that is not a customer token")
                .advise("it begins with `trs`, has 72 characters, and comes from `tresor enrol`")
        })
    }
}

/// Where the enrolment code comes from. Without either flag it is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct EnrolmentCodeSource {
    /// File that holds the enrolment code
    #[arg(long, value_name = "FILE", env = "TRESOR_CODE_FILE", help_heading = "Secrets")]
    code_file: Option<PathBuf>,
    /// File descriptor to read the enrolment code from
    #[arg(long, value_name = "FD", conflicts_with = "code_file", help_heading = "Secrets")]
    code_fd: Option<u32>,
}

impl EnrolmentCodeSource {
    /// Reads the enrolment code.
    pub(crate) fn read(&self) -> Result<EnrolmentCode, CliError> {
        let text = read(self.code_file.as_deref(), self.code_fd, "Enrolment code")?;
        EnrolmentCode::parse(&text).ok_or_else(|| {
            CliError::failed("that is not an enrolment code").advise(
                "it begins with `tre_` and comes from the operator's `tresor tenant create`",
            )
        })
    }
}

/// Where the password of a PKCS#12 file comes from. Without either flag it is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct PasswordSource {
    /// File that holds the password of the PKCS#12 file
    #[arg(long, value_name = "FILE", help_heading = "Secrets")]
    password_file: Option<PathBuf>,
    /// File descriptor to read the password of the PKCS#12 file from
    #[arg(long, value_name = "FD", conflicts_with = "password_file", help_heading = "Secrets")]
    password_fd: Option<u32>,
}

impl PasswordSource {
    /// Reads the password.
    pub(crate) fn read(&self) -> Result<Zeroizing<String>, CliError> {
        let text = read(self.password_file.as_deref(), self.password_fd, "Password")?;
        if text.chars().count() < PASSWORD_CHARACTERS_MIN {
            return Err(CliError::failed(format!(
                "the password has fewer than {PASSWORD_CHARACTERS_MIN} characters"
            )));
        }
        Ok(text)
    }
}

/// Where a user's new password comes from. Without either flag it is asked for, twice.
#[derive(Debug, clap::Args)]
pub(crate) struct NewPasswordSource {
    /// File that holds the new password
    #[arg(long, value_name = "FILE", help_heading = "Secrets")]
    new_password_file: Option<PathBuf>,
    /// File descriptor to read the new password from
    #[arg(long, value_name = "FD", conflicts_with = "new_password_file", help_heading = "Secrets")]
    new_password_fd: Option<u32>,
}

impl NewPasswordSource {
    /// Reads the new password.
    pub(crate) fn read(&self) -> Result<Password, CliError> {
        let (file, descriptor) = (self.new_password_file.as_deref(), self.new_password_fd);
        let password = read_password(file, descriptor, "New password")?;
        if file.is_none() && descriptor.is_none() {
            let again = prompt("The same again")?;
            // Both come from the same pair of hands: nobody else learns how long they are alike.
            if *again != password.expose_secret() {
                return Err(CliError::failed("the two are not the same"));
            }
        }
        Ok(password)
    }

    /// The file it is in, if it is in one.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.new_password_file.as_deref()
    }
}

/// Reads a user's password. Only the end of its line is not part of it.
pub(crate) fn read_password(
    file: Option<&Path>,
    descriptor: Option<u32>,
    what: &str,
) -> Result<Password, CliError> {
    let text = read_text(file, descriptor, what)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    Password::parse(line).map_err(|failure| {
        let why = failure.violations().first().map_or("", |violation| &violation.description);
        CliError::failed(format!("the {} cannot be one: it {why}", what.to_lowercase()))
    })
}

fn read(
    file: Option<&Path>,
    descriptor: Option<u32>,
    what: &str,
) -> Result<Zeroizing<String>, CliError> {
    Ok(Zeroizing::new(read_text(file, descriptor, what)?.trim().to_owned()))
}

fn read_text(
    file: Option<&Path>,
    descriptor: Option<u32>,
    what: &str,
) -> Result<Zeroizing<String>, CliError> {
    match (file, descriptor) {
        (Some(path), _) => read_file(path),
        (None, Some(number)) => read_descriptor(number),
        (None, None) => prompt(what),
    }
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, CliError> {
    let bytes = tresor_door::read_private_file(path, SECRET_BYTES_MAX);
    let bytes = bytes.map_err(|error| CliError::failed(error.to_string()))?;
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|_| CliError::failed(format!("{}: is not text", path.display())))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Whoever opened the descriptor answers for who else can read it.
fn read_descriptor(number: u32) -> Result<Zeroizing<String>, CliError> {
    // Opening by name instead of taking the number keeps the descriptor its owner's.
    let path = format!("/dev/fd/{number}");
    let failed = |error: std::io::Error| CliError::file("read", Path::new(&path), &error);
    let file = File::open(&path).map_err(failed)?;
    let mut text = Zeroizing::new(String::with_capacity(ROOM));
    file.take(SECRET_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

fn prompt(what: &str) -> Result<Zeroizing<String>, CliError> {
    if !std::io::stdin().is_terminal() {
        let flags = match what {
            "Enrolment code" => "--code-file or --code-fd",
            "Password" => "--password-file or --password-fd",
            "New password" => "--new-password-file or --new-password-fd",
            _ => "--customer-token-file or --customer-token-fd",
        };
        let message = format!("no terminal to ask for the {}", what.to_lowercase());
        return Err(CliError::usage(message).advise(format!("give it with {flags}")));
    }
    let typed = rpassword::prompt_password(format!("{what}: "));
    typed.map(Zeroizing::new).map_err(|_| CliError::failed("nothing was typed"))
}

#[cfg(test)]
mod tests {
    use std::{
        fs::Permissions,
        io::Write as _,
        os::{fd::AsRawFd as _, unix::fs::PermissionsExt as _},
    };

    use tresor_proto::Secret;

    use super::*;

    fn code() -> EnrolmentCode {
        EnrolmentCode::new(Secret::from_slice(&[7; 16]).unwrap())
    }

    #[test]
    fn a_code_is_read_from_a_file_with_an_end_of_line() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "{}", code().expose_text().as_str()).unwrap();
        let source = EnrolmentCodeSource { code_file: Some(file.path().into()), code_fd: None };
        assert_eq!(source.read().unwrap().expose_secret(), &[7; 16]);
    }

    #[test]
    fn a_code_is_read_from_a_descriptor() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "{}", code().expose_text().as_str()).unwrap();
        let opened = File::open(file.path()).unwrap();
        let code_fd = u32::try_from(opened.as_raw_fd()).ok();
        let source = EnrolmentCodeSource { code_file: None, code_fd };
        assert_eq!(source.read().unwrap().expose_secret(), &[7; 16]);
    }

    #[test]
    fn a_password_keeps_its_spaces_and_loses_the_end_of_its_line() {
        for end in ["", "\n", "\r\n"] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            write!(file, " korrekt pferd {end}").unwrap();
            let password = read_password(Some(file.path()), None, "Password").unwrap();
            assert_eq!(password.expose_secret(), " korrekt pferd ");
        }
    }

    #[test]
    fn what_is_no_password_is_refused_with_the_reason_and_not_repeated() {
        for (text, why) in [("elevenbytes", "at least 12"), ("two\nlines of it", "control")] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            write!(file, "{text}").unwrap();
            let refusal = read_password(Some(file.path()), None, "New password").unwrap_err();
            assert!(refusal.to_string().contains(why), "{refusal}");
            assert!(!refusal.to_string().contains("eleven"), "{refusal}");
        }
    }

    #[test]
    fn a_file_others_may_read_is_refused_with_its_remedy() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "{}", code().expose_text().as_str()).unwrap();
        std::fs::set_permissions(file.path(), Permissions::from_mode(0o644)).unwrap();
        let code_file = Some(file.path().to_owned());
        let refusal = EnrolmentCodeSource { code_file, code_fd: None }.read().unwrap_err();
        assert!(refusal.to_string().contains("chmod 600"), "{refusal}");
        let file = Some(file.path());
        assert!(read(file, None, "Customer token").is_err(), "the same for a customer token");
    }

    #[test]
    fn a_wrong_file_is_refused_without_repeating_it() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "tre_something").unwrap();
        let source = EnrolmentCodeSource { code_file: Some(file.path().into()), code_fd: None };
        assert!(!source.read().unwrap_err().to_string().contains("something"));
    }
}
