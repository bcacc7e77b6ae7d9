//! Looks for a value in every file below a directory, in the forms a leak would take.

use std::path::{Path, PathBuf};

use memchr::memmem;
use walkdir::WalkDir;

use crate::encodings;

/// The files below `directory` that hold one of the values in any of its forms.
///
/// # Panics
/// When a file cannot be read.
#[must_use]
pub fn hits_in_directory(directory: &Path, values: &[&str]) -> Vec<(PathBuf, String)> {
    let mut hits = Vec::new();
    for entry in WalkDir::new(directory) {
        let entry = entry.expect("a directory that can be read");
        if !entry.file_type().is_file() {
            continue;
        }
        let content = std::fs::read(entry.path()).expect("a file that can be read");
        for value in values {
            let is_hit = |form: &Vec<u8>| memmem::find(&content, form).is_some();
            if encodings(value).iter().any(is_hit) {
                hits.push((entry.path().to_owned(), (*value).to_owned()));
            }
        }
    }
    hits
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

    use super::*;

    #[test]
    fn every_form_of_a_value_is_found() {
        let value = "Anna-Lena Mäßig";
        let long = format!("xy{value}z");
        let base64 = STANDARD_NO_PAD.encode(&long);
        let utf16: Vec<u8> = long.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for leak in [long.into_bytes(), base64.into_bytes(), utf16] {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join("leak"), leak).unwrap();
            assert_eq!(hits_in_directory(directory.path(), &[value]).len(), 1);
        }
    }
}
