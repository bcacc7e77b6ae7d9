//! Words that stand for kinds, formats and reveals.
//!
//! It promises that an unknown word is refused by its place, with the words there are. It relies on
//! the types themselves for their words.

use tresor_proto::{Failure, Reveal, SurrogateFormat, SurrogateKind, vault};

/// The kind of a word; its format stands elsewhere.
pub(super) fn kind(path: &str, word: &str) -> Result<vault::SurrogateKind, Failure> {
    let any_format = SurrogateKind::FormatPreserving(SurrogateFormat::Digits);
    let kinds = [SurrogateKind::Random, SurrogateKind::Deterministic, any_format];
    known(path, word, kinds.map(|kind| (kind.as_str(), kind.into())))
}

/// The format of a word; that of the info type when there is none.
pub(super) fn format(path: &str, word: Option<&str>) -> Result<vault::SurrogateFormat, Failure> {
    let formats = SurrogateFormat::ALL.map(|format| (format.as_str(), format.into()));
    word.map_or(Ok(vault::SurrogateFormat::Unspecified), |word| known(path, word, formats))
}

/// The version of a key, 0 for none given: whoever means the newest leaves it out.
pub(super) fn key_version(path: &str, version: Option<u32>) -> Result<u32, Failure> {
    match version {
        Some(0) => Err(Failure::invalid(path, "versions count from 1")),
        version => Ok(version.unwrap_or_default()),
    }
}

/// The reveal of a word.
pub(super) fn reveal(path: &str, word: &str) -> Result<Reveal, Failure> {
    let reveals = [Reveal::Redacted, Reveal::Masked, Reveal::Plain];
    known(path, word, reveals.map(|reveal| (reveal.as_str(), reveal)))
}

fn known<T, const N: usize>(
    path: &str,
    word: &str,
    all: [(&'static str, T); N],
) -> Result<T, Failure> {
    let words = all.each_ref().map(|(word, _)| *word).join(", ");
    let found = all.into_iter().find_map(|(known, meaning)| (known == word).then_some(meaning));
    found.ok_or_else(|| Failure::invalid(path, format!("an unknown word; there are {words}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_is_refused_by_its_place_with_the_words_there_are() {
        let refused = kind("items[3].kind", "Random").unwrap_err();
        let [violation] = refused.violations() else { panic!("one violation") };
        assert_eq!(violation.field, "items[3].kind");
        let words = "an unknown word; there are random, deterministic, format-preserving";
        assert_eq!(violation.description, words);
        assert_eq!(format("format", None), Ok(vault::SurrogateFormat::Unspecified));
        assert_eq!(format("format", Some("phone")), Ok(vault::SurrogateFormat::Phone));
        assert!(format("format", Some("fax")).is_err());
        assert_eq!(reveal("reveal", "plain"), Ok(Reveal::Plain));
    }

    #[test]
    fn a_version_of_0_is_not_the_newest() {
        assert_eq!((key_version("v", None), key_version("v", Some(2))), (Ok(0), Ok(2)));
        assert_eq!(key_version("v", Some(0)).unwrap_err().violations()[0].field, "v");
    }
}
