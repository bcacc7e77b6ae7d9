//! Files that a command reads and writes: each has to be another one.
//!
//! It promises that nothing is written over what is read, nor two things into one file, whatever
//! links lead there. What is no regular file, like a terminal, may take several.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::error::CliError;

/// A file by what the command calls it.
pub(super) struct Role<'a> {
    /// As an error names it.
    pub(super) name: &'a str,
    /// Where it is or will be.
    pub(super) path: &'a Path,
}

/// What tells one file from another.
#[derive(PartialEq, Eq)]
enum Place {
    /// A file that is there.
    There(u64, u64),
    /// One that will be.
    ToBe(PathBuf),
    /// None that could be written over.
    Nowhere,
}

/// Refuses two roles that are played by one file.
pub(super) fn check(roles: &[Role<'_>]) -> Result<(), CliError> {
    let places: Vec<_> = roles.iter().map(|role| Place::of(role.path)).collect();
    for (at, (role, place)) in roles.iter().zip(&places).enumerate() {
        let mut before = roles.iter().zip(&places).take(at);
        if let Some((other, _)) = before.find(|(_, other)| *other == place && place.is_file()) {
            let message = format!(
                "{} and {} are the same file: {}",
                other.name,
                role.name,
                role.path.display()
            );
            return Err(CliError::usage(message).advise("name another one"));
        }
    }
    Ok(())
}

impl Place {
    fn of(path: &Path) -> Self {
        match std::fs::metadata(path) {
            Ok(there) if there.is_file() => Self::There(there.dev(), there.ino()),
            Ok(_) => Self::Nowhere,
            Err(_) => Self::ToBe(absolute(path)),
        }
    }

    fn is_file(&self) -> bool {
        *self != Self::Nowhere
    }
}

/// A path without the links of its directory; as it is where there is none.
fn absolute(path: &Path) -> PathBuf {
    let directory = path.parent().filter(|it| !it.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new(".")).canonicalize();
    match (directory, path.file_name()) {
        (Ok(directory), Some(name)) => directory.join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(paths: &[(&str, &Path)]) -> Option<String> {
        let roles: Vec<_> = paths.iter().map(|(name, path)| Role { name, path }).collect();
        check(&roles).err().map(|error| error.to_string())
    }

    #[test]
    fn one_file_does_not_play_two_roles_whatever_leads_there() {
        let directory = tempfile::tempdir().unwrap();
        let [file, soft, hard, new] =
            ["a.csv", "soft", "hard", "new"].map(|name| directory.path().join(name));
        std::fs::write(&file, "name\nErika\n").unwrap();
        std::os::unix::fs::symlink(&file, &soft).unwrap();
        std::fs::hard_link(&file, &hard).unwrap();
        for other in [&file, &soft, &hard] {
            let refused = told(&[("FILE", &file), ("--results", &new), ("--out", other)]).unwrap();
            assert!(refused.starts_with("FILE and --out are the same file"), "{refused}");
        }
        let around = directory.path().join("..").join(directory.path().file_name().unwrap());
        let around = around.join("new");
        assert!(told(&[("--out", &new), ("--rejects", &around)]).is_some(), "neither is there yet");
        assert_eq!(told(&[("FILE", &file), ("--out", &new)]), None);
    }

    #[test]
    fn what_is_no_file_takes_several() {
        let null = Path::new("/dev/null");
        assert_eq!(told(&[("--results", null), ("--rejects", null)]), None);
    }
}
