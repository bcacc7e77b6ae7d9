use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::DoorError;

/// Permission bits of group and others.
const NOT_THE_OWNER: u32 = 0o077;
/// What nobody but the owner may do to a credential, and others not at all. Group may read: the
/// service manager gives a service that runs as a user of its own the file by an access control
/// list, whose mask is shown in the place of the group's permissions.
const NOT_THE_SERVICE: u32 = 0o037;
/// The permission of others to write.
const WRITTEN_BY_ALL: u32 = 0o002;

/// Reads a file that holds a secret: refuses it when group or others may read, write or run it,
/// or when it is longer than `bytes_max`. The bytes are wiped on drop.
///
/// # Errors
/// [`DoorError::Exposed`] names the file and the command that repairs it; also
/// [`DoorError::Unreadable`] and [`DoorError::FileTooLarge`].
pub fn read_private_file(path: &Path, bytes_max: u64) -> Result<Zeroizing<Vec<u8>>, DoorError> {
    read_unless(NOT_THE_OWNER, path, bytes_max)
}

/// Reads a credential that the service manager handed over, as [`read_private_file`] does; the group
/// may read it.
///
/// # Errors
/// As [`read_private_file`].
pub fn read_credential(path: &Path, bytes_max: u64) -> Result<Zeroizing<Vec<u8>>, DoorError> {
    read_unless(NOT_THE_SERVICE, path, bytes_max)
}

fn read_unless(exposed: u32, path: &Path, bytes_max: u64) -> Result<Zeroizing<Vec<u8>>, DoorError> {
    read_bounded(path, bytes_max, |mode| {
        let path = path.to_owned();
        (mode & exposed != 0).then_some(DoorError::Exposed { path, mode })
    })
}

/// Reads a file that anybody may read but not everybody may write.
pub(crate) fn read_trusted_file(path: &Path, bytes_max: u64) -> Result<Vec<u8>, DoorError> {
    let bytes = read_bounded(path, bytes_max, |mode| {
        let path = path.to_owned();
        (mode & WRITTEN_BY_ALL != 0).then_some(DoorError::WorldWritable { path, mode })
    })?;
    Ok(bytes.to_vec())
}

/// The permissions are those of the opened file, so that it cannot be exchanged in between.
fn read_bounded(
    path: &Path,
    bytes_max: u64,
    refuse: impl FnOnce(u32) -> Option<DoorError>,
) -> Result<Zeroizing<Vec<u8>>, DoorError> {
    let unreadable =
        |error: std::io::Error| DoorError::Unreadable { path: path.to_owned(), kind: error.kind() };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if let Some(refusal) = refuse(metadata.permissions().mode() & 0o7777) {
        return Err(refusal);
    }
    // With room for one byte more the vector does not move, which would leave a copy behind.
    let room = usize::try_from(metadata.len().min(bytes_max)).unwrap_or(0) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > bytes_max {
        let path = path.to_owned();
        return Err(DoorError::FileTooLarge { path, bytes_max });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    fn file_of_mode(mode: u32) -> tempfile::TempPath {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        fs::write(&path, b"sixteen bytes ok").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_private_file_is_read() {
        for mode in [0o600, 0o400, 0o700] {
            let path = file_of_mode(mode);
            assert_eq!(*read_private_file(&path, 16).unwrap(), b"sixteen bytes ok");
        }
    }

    #[test]
    fn a_file_others_may_read_is_refused_with_its_remedy() {
        for mode in [0o640, 0o604, 0o620, 0o601] {
            let path = file_of_mode(mode);
            let refusal = read_private_file(&path, 16).unwrap_err();
            assert_eq!(refusal, DoorError::Exposed { path: path.to_path_buf(), mode });
            let remedy = format!("chmod 600 {}", path.display());
            assert!(refusal.to_string().contains(&remedy), "{refusal}");
        }
    }

    #[test]
    fn a_credential_may_be_read_by_the_group_and_by_nobody_else() {
        for mode in [0o400, 0o440, 0o600] {
            assert!(read_credential(&file_of_mode(mode), 16).is_ok(), "{mode:o}");
        }
        for mode in [0o444, 0o460, 0o404, 0o402] {
            let refused = read_credential(&file_of_mode(mode), 16).map_err(|e| e.reason());
            assert_eq!(refused, Err("file_exposed"), "{mode:o}");
        }
    }

    #[test]
    fn a_trusted_file_may_be_read_but_not_written_by_all() {
        assert!(read_trusted_file(&file_of_mode(0o644), 16).is_ok());
        assert_eq!(
            read_trusted_file(&file_of_mode(0o646), 16).map_err(|e| e.reason()),
            Err("file_world_writable")
        );
    }

    #[test]
    fn a_file_over_its_limit_is_refused() {
        assert_eq!(
            read_private_file(&file_of_mode(0o600), 15).map_err(|e| e.reason()),
            Err("file_too_large")
        );
    }
}
