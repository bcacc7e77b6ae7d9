//! Whether two rows of a file have the same id: the later would replace the record of the earlier, and
//! what stands in for its fields would be gone from the vault and still be in the copy.
//!
//! It promises to name two such rows before anything is sent, in bounded memory: a file with many rows
//! is read several times. It relies on the reader that the external API uses.

use std::{collections::HashMap, io::Read, ops::ControlFlow, path::Path};

use ring::digest::SHA256;
use tresor_screening::reader::{Format, Row, read};

use super::{Media, part::reader};
use crate::error::CliError;

/// Ids remembered at once: some 30 MB.
const IDS_MAX: usize = 1 << 20;
/// Enough that no two different ids are taken for the same.
const DIGEST_BYTES: usize = 16;

/// Refuses a file in which two rows have the same id.
pub(crate) async fn check_ids(file: &Path, media: Media, id_field: &str) -> Result<(), CliError> {
    check_shares(file, media, (id_field, IDS_MAX)).await
}

/// The same with so many ids remembered at once.
async fn check_shares(
    file: &Path,
    media: Media,
    (id_field, ids_max): (&str, usize),
) -> Result<(), CliError> {
    let mut share = Share { number: 0, of: 1, ids_max };
    while share.number < share.of {
        let (input, id_field) = (reader(file, media).await?, id_field.to_owned());
        let look = move || share.look(media.format(), input, &id_field);
        let seen = tokio::task::spawn_blocking(look).await;
        match seen.map_err(|_| CliError::failed("the file's ids cannot be compared"))? {
            Seen::Different => share.number += 1,
            Seen::TooMany => share = Share { number: 0, of: share.of * 2, ..share },
            Seen::Same(first, second) => return Err(refusal(first, second)),
        }
    }
    Ok(())
}

fn refusal(first: u64, second: u64) -> CliError {
    CliError::failed(format!("rows {first} and {second} have the same id")).advise(
        "the later one would replace the record of the earlier, whose surrogates would stay in the \
         copy and stand for nothing: leave one of them out, or upload without --out",
    )
}

/// Those of the ids that are compared in one reading of the file.
#[derive(Clone, Copy)]
struct Share {
    number: u64,
    of: u64,
    ids_max: usize,
}

/// What a reading of the file has shown.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// No two of the ids are the same.
    Different,
    /// There are more ids than may be remembered.
    TooMany,
    /// These two rows have the same.
    Same(u64, u64),
}

impl Share {
    fn look(self, format: Format, input: impl Read, id_field: &str) -> Seen {
        let mut rows = HashMap::new();
        let mut seen = Seen::Different;
        // What cannot be read is told by the upload.
        let _ = read(format, input, &mut |row| {
            let digest = id_of(&row, id_field).map(digest).filter(|digest| self.has(*digest));
            let Some(digest) = digest else { return ControlFlow::Continue(()) };
            seen = match rows.insert(digest, row.number) {
                Some(before) => Seen::Same(before, row.number),
                None if rows.len() > self.ids_max => Seen::TooMany,
                None => return ControlFlow::Continue(()),
            };
            ControlFlow::Break(())
        });
        seen
    }

    fn has(self, digest: [u8; DIGEST_BYTES]) -> bool {
        u64::from(u16::from_be_bytes([digest[0], digest[1]])) % self.of == self.number
    }
}

/// The id that a row brings along. One that is refused for its id replaces nothing.
fn id_of<'r>(row: &'r Row, id_field: &str) -> Option<&'r str> {
    let record = row.result.as_ref().ok()?;
    let at = record.names.iter().position(|name| name.as_str() == id_field)?;
    record.values.get(at)?.as_text().filter(|id| !id.is_empty())
}

/// By what an id is remembered, whatever its length.
fn digest(id: &str) -> [u8; DIGEST_BYTES] {
    let digest = ring::digest::digest(&SHA256, id.as_bytes());
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use tresor_screening::reader::Charset;

    use super::*;

    fn look(csv: &str, share: Share) -> Seen {
        share.look(Format::Csv(Charset::Utf8), csv.as_bytes(), "id")
    }

    #[test]
    fn two_rows_with_the_same_id_are_found_in_one_share_of_the_ids() {
        let csv = "id;name\nA;1\n;2\nB;3\n;4\nA;5\n";
        let share = |number, of| Share { number, of, ids_max: 2 };
        assert_eq!(look(csv, share(0, 1)), Seen::Same(1, 5));
        let seen = [0, 1, 2, 3].map(|number| look(csv, share(number, 4)));
        assert_eq!(seen.iter().filter(|seen| **seen == Seen::Same(1, 5)).count(), 1, "{seen:?}");
        assert_eq!(look("id\nA\nB\nC\n", share(0, 1)), Seen::TooMany);
        assert_eq!(look("id\nA\nB\n", share(0, 1)), Seen::Different);
        assert_eq!(look("name\nA\nA\n", share(0, 1)), Seen::Different);
    }

    #[tokio::test]
    async fn a_file_with_more_ids_than_are_remembered_is_read_in_shares() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.csv");
        let media = Media::of(&file).unwrap();
        let mut csv: String = (0..50).map(|id| format!("{id}\n")).collect();
        csv.insert_str(0, "id\n");
        std::fs::write(&file, &csv).unwrap();
        assert!(check_shares(&file, media, ("id", 4)).await.is_ok());
        std::fs::write(&file, csv + "17\n").unwrap();
        let refusal = check_shares(&file, media, ("id", 4)).await.unwrap_err();
        assert_eq!(refusal.to_string(), "rows 18 and 51 have the same id");
    }
}
