//! What a document says of one field.
//!
//! It promises that what does not go together is told at the key that is at fault, as
//! [`FieldPolicy::check`] finds it. It relies on the words of `tresor_proto`.

use tresor_proto::{
    Action, DataClass, FieldName, FieldPolicy, InfoType, InfoTypes, Mask, Reveal, SearchIndex,
    SurrogateForm, SurrogateFormat, SurrogateKind,
};

use super::{
    mistakes::Mistakes,
    read_number, read_word,
    tree::{Entry, Node},
};

/// The word for an index that finds whole values.
pub(super) const EXACT: &str = "exact";

/// Reads a field; one that cannot have this name is left out.
pub(super) fn read(
    entry: &Entry,
    info_types: &InfoTypes,
    mistakes: &mut Mistakes,
) -> Option<FieldPolicy> {
    let path = format!("fields.{}", entry.key());
    let Ok(name) = FieldName::parse(entry.key()) else {
        mistakes.add(entry.key_place(), &path, "a field's name is 1 to 128 printable bytes");
        return None;
    };
    let mut field = FieldPolicy::new(name, Action::Seal);
    let settings = mistakes.mapping(entry, &path);
    let earlier = mistakes.count();
    if let Some(setting) = setting(settings, "info_type") {
        field.info_type = read_info_type(setting, info_types, &path, mistakes);
    }
    for setting in settings {
        read_setting(&mut field, setting, &path, mistakes);
    }
    // The form may depend on the info type, wherever that stands.
    if let Some(setting) = setting(settings, "tokenize") {
        field.surrogate = read_form(setting, field.info_type, &path, mistakes);
        if !settings.iter().any(|setting| setting.key() == "action") {
            field.action = Action::Tokenize;
        }
    }
    if mistakes.count() == earlier {
        check(&field, (entry, settings), &path, mistakes);
    }
    Some(field)
}

/// Tells what does not go together, where it stands.
fn check(
    field: &FieldPolicy,
    (entry, settings): (&Entry, &[Entry]),
    path: &str,
    mistakes: &mut Mistakes,
) {
    let Err(failure) = field.check() else { return };
    for violation in failure.violations() {
        let place = setting(settings, &violation.field).map_or(entry.key_place(), Entry::key_place);
        mistakes.add(place, &format!("{path}.{}", violation.field), &violation.description);
    }
}

pub(super) fn setting<'a>(settings: &'a [Entry], key: &str) -> Option<&'a Entry> {
    settings.iter().find(|setting| setting.key() == key)
}

fn read_info_type(
    entry: &Entry,
    info_types: &InfoTypes,
    path: &str,
    mistakes: &mut Mistakes,
) -> Option<InfoType> {
    let expected = "an info type of the taxonomy, like PERSON_NAME or IBAN_CODE, or one that the \
                    document defines under info_types";
    let path = format!("{path}.info_type");
    read_word(entry, &path, expected, mistakes, |name| info_types.named(name))
}

fn read_setting(field: &mut FieldPolicy, entry: &Entry, path: &str, mistakes: &mut Mistakes) {
    let path = format!("{path}.{}", entry.key());
    match entry.key() {
        "class" => {
            let expected = "a data class, like identity, contact or financial";
            field.data_class = read_word(entry, &path, expected, mistakes, DataClass::from_text);
        }
        "action" => {
            let expected = "one of seal, tokenize, clear, drop, reject";
            let action = read_word(entry, &path, expected, mistakes, Action::from_text);
            field.action = action.unwrap_or(Action::Seal);
        }
        "searchable" => field.search = read_search(entry, &path, mistakes),
        "mask" => field.mask = read_mask(entry, &path, mistakes),
        "redacted_copy" => {
            let expected = "the name of a field";
            let parse = |word: &str| FieldName::parse(word).ok();
            field.redacted_copy = read_word(entry, &path, expected, mistakes, parse);
        }
        "info_type" | "tokenize" => {}
        _ => {
            let known = "info_type, class, action, searchable, tokenize, mask, redacted_copy";
            mistakes.unknown_key(entry, &path, known);
        }
    }
}

/// `exact`, or `{ bits: 64, forced: true }`.
fn read_search(entry: &Entry, path: &str, mistakes: &mut Mistakes) -> Option<SearchIndex> {
    let Node::Map(settings) = entry.node() else {
        let expected = "exact, or a mapping of bits and forced";
        return read_word(entry, path, expected, mistakes, |word| {
            (word == EXACT).then(SearchIndex::default)
        });
    };
    let (mut bits, mut is_forced) = (SearchIndex::default().bits(), false);
    for setting in settings {
        let path = format!("{path}.{}", setting.key());
        match setting.key() {
            "bits" => {
                let read = read_number(setting, &path, 256, mistakes)?;
                bits = u16::try_from(read).unwrap_or(u16::MAX);
                if let Err(failure) = SearchIndex::new(bits, false) {
                    mistakes.add_failure(setting.value_place(), &path, &failure);
                    return None;
                }
            }
            "forced" => is_forced = read_truth(setting, &path, mistakes),
            _ => mistakes.unknown_key(setting, &path, "bits, forced"),
        }
    }
    SearchIndex::new(bits, is_forced).ok()
}

fn read_truth(entry: &Entry, path: &str, mistakes: &mut Mistakes) -> bool {
    if let Node::Truth(truth) = entry.node() {
        return *truth;
    }
    mistakes.add(entry.value_place(), path, "must be true or false");
    false
}

/// `{ keep_first: 2, keep_last: 4 }`.
pub(super) fn read_mask(entry: &Entry, path: &str, mistakes: &mut Mistakes) -> Option<Mask> {
    let (mut keep_first, mut keep_last) = (0, 0);
    for setting in mistakes.mapping(entry, path) {
        let path = format!("{path}.{}", setting.key());
        let kept = match setting.key() {
            "keep_first" => &mut keep_first,
            "keep_last" => &mut keep_last,
            _ => {
                mistakes.unknown_key(setting, &path, "keep_first, keep_last");
                continue;
            }
        };
        *kept = read_number(setting, &path, 8, mistakes)?;
    }
    let kept = |count| u8::try_from(count).unwrap_or(u8::MAX);
    Mask::new(kept(keep_first), kept(keep_last)).ok()
}

/// A kind of surrogates as a document names it; its format comes apart.
#[derive(Clone, Copy)]
enum Kind {
    Random,
    Deterministic,
    FormatPreserving,
}

impl Kind {
    const EXPECTED: &str = "one of random, deterministic, format-preserving";

    fn from_text(word: &str) -> Option<Self> {
        match word {
            "random" => Some(Self::Random),
            "deterministic" => Some(Self::Deterministic),
            "format-preserving" => Some(Self::FormatPreserving),
            _ => None,
        }
    }
}

/// `random`, or `{ kind: format-preserving, format: digits, reveal: masked, forced: true }`.
fn read_form(
    entry: &Entry,
    info_type: Option<InfoType>,
    path: &str,
    mistakes: &mut Mistakes,
) -> Option<SurrogateForm> {
    let path = format!("{path}.tokenize");
    let mut read = SurrogateForm::default();
    let (mut kind, mut format) = (Some(Kind::Random), None);
    let Node::Map(settings) = entry.node() else {
        kind = read_word(entry, &path, Kind::EXPECTED, mistakes, Kind::from_text);
        read.kind = surrogate_kind(entry, &path, (kind?, None, info_type), mistakes)?;
        return Some(read);
    };
    for setting in settings {
        let path = format!("{path}.{}", setting.key());
        match setting.key() {
            "kind" => kind = read_word(setting, &path, Kind::EXPECTED, mistakes, Kind::from_text),
            "format" => {
                let expected = "one of card, phone, digits, alphanumeric, upper-alphanumeric";
                let known = SurrogateFormat::from_text;
                format = Some(read_word(setting, &path, expected, mistakes, known)?);
            }
            "reveal" => {
                let expected = "one of redacted, masked, plain";
                let known = Reveal::from_text;
                let reveal = read_word(setting, &path, expected, mistakes, known);
                read.reveal = reveal.unwrap_or(read.reveal);
            }
            "forced" => read.is_forced = read_truth(setting, &path, mistakes),
            _ => mistakes.unknown_key(setting, &path, "kind, format, reveal, forced"),
        }
    }
    read.kind = surrogate_kind(entry, &path, (kind?, format, info_type), mistakes)?;
    Some(read)
}

/// A kind with its format: the one that is named, or that of the info type.
fn surrogate_kind(
    entry: &Entry,
    path: &str,
    (kind, format, info_type): (Kind, Option<SurrogateFormat>, Option<InfoType>),
    mistakes: &mut Mistakes,
) -> Option<SurrogateKind> {
    Some(match (kind, format) {
        (Kind::Random, None) => SurrogateKind::Random,
        (Kind::Deterministic, None) => SurrogateKind::Deterministic,
        (Kind::Random | Kind::Deterministic, Some(_)) => {
            let description = "only format-preserving surrogates have a format";
            mistakes.add(entry.value_place(), path, description);
            return None;
        }
        (Kind::FormatPreserving, Some(format)) => SurrogateKind::FormatPreserving(format),
        // Without an info type the field is refused anyway.
        (Kind::FormatPreserving, None) => match info_type.map(SurrogateFormat::of) {
            Some(Ok(format)) => SurrogateKind::FormatPreserving(format),
            Some(Err(failure)) => {
                mistakes.add_failure(entry.value_place(), path, &failure);
                return None;
            }
            None => SurrogateKind::Random,
        },
    })
}
