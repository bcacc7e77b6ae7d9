//! Looks for a value in every file below a directory, in the forms a leak would take.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use memchr::memmem;
use walkdir::WalkDir;

/// A value raw, as hex, UTF-16 and base64 at each of its three alignments.
#[must_use]
pub fn encodings(value: &str) -> Vec<Vec<u8>> {
    let bytes = value.as_bytes();
    let utf16: Vec<u16> = value.encode_utf16().collect();
    let mut forms = vec![
        bytes.to_vec(),
        hex::encode(bytes).into_bytes(),
        hex::encode_upper(bytes).into_bytes(),
        utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
        utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
    ];
    for skipped in 0..3 {
        let text = STANDARD_NO_PAD.encode([&vec![0; skipped], bytes].concat());
        // The first and last digits hang on the neighbours.
        let first = (skipped * 8).div_ceil(6);
        let last = (skipped + bytes.len()) * 8 / 6;
        forms.push(text.as_bytes()[first..last].to_vec());
    }
    forms
}

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
