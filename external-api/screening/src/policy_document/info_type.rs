//! What a document says of the info types it defines.
//!
//! It promises that a definition is one that the vault takes, its pattern checked, and tells what is
//! wrong at the key that is at fault. It relies on `tresor_proto` for what may be defined.

use tresor_proto::{
    Checksum, CustomInfoType, DataClass, Failure, InfoTypeDefinition, InfoTypes, Pattern,
};

use super::{
    field::{read_mask, setting},
    mistakes::Mistakes,
    read_word,
    tree::{Entry, Node},
};

/// The key of the definitions.
pub(super) const INFO_TYPES: &str = "info_types";

/// Reads the definitions of a document, wherever they stand in it.
pub(super) fn read_all(root: &[Entry], mistakes: &mut Mistakes) -> InfoTypes {
    let Some(entry) = setting(root, INFO_TYPES) else { return InfoTypes::default() };
    let definitions = mistakes.mapping(entry, INFO_TYPES);
    let read = definitions.iter().filter_map(|entry| read(entry, mistakes)).collect();
    InfoTypes::new(read).unwrap_or_else(|failure| {
        mistakes.add_failure(entry.key_place(), INFO_TYPES, &failure);
        InfoTypes::default()
    })
}

/// Reads a definition; one that cannot have this name is left out.
fn read(entry: &Entry, mistakes: &mut Mistakes) -> Option<InfoTypeDefinition> {
    let path = format!("{INFO_TYPES}.{}", entry.key());
    let settings = mistakes.mapping(entry, &path);
    let class = setting(settings, "class").and_then(|class| {
        let expected = "a data class, like identity, financial or other";
        read_word(class, &format!("{path}.class"), expected, mistakes, DataClass::from_text)
    });
    let info_type = CustomInfoType::new(entry.key(), class.unwrap_or(DataClass::Other));
    let info_type = info_type.map_err(|failure| {
        mistakes.add_failure(entry.key_place(), &path, &failure);
    });
    let mut definition = InfoTypeDefinition::new(info_type.ok()?);
    let earlier = mistakes.count();
    for setting in settings {
        read_setting(&mut definition, setting, &path, mistakes);
    }
    if mistakes.count() == earlier
        && let Err(failure) = definition.check().and_then(|()| definition.check_pattern())
    {
        refuse((entry, settings), &path, &failure, mistakes);
    }
    // What uses the name is not wrong as well.
    let is_right = mistakes.count() == earlier;
    Some(if is_right { definition } else { known_by_its_name(definition.info_type) })
}

/// Tells what is wrong where it stands.
fn refuse(
    (entry, settings): (&Entry, &[Entry]),
    path: &str,
    failure: &Failure,
    mistakes: &mut Mistakes,
) {
    for violation in failure.violations() {
        let at = setting(settings, &violation.field);
        let place = at.map_or(entry.key_place(), Entry::value_place);
        mistakes.add(place, &format!("{path}.{}", violation.field), &violation.description);
    }
}

/// A definition that stands for one that was refused.
fn known_by_its_name(info_type: CustomInfoType) -> InfoTypeDefinition {
    let pattern = Pattern::new(info_type.as_str()).ok();
    InfoTypeDefinition { pattern, ..InfoTypeDefinition::new(info_type) }
}

fn read_setting(
    definition: &mut InfoTypeDefinition,
    entry: &Entry,
    path: &str,
    mistakes: &mut Mistakes,
) {
    let path = format!("{path}.{}", entry.key());
    match entry.key() {
        "words" => definition.words = read_words(entry, &path, mistakes),
        "pattern" => {
            let expected = "a regular expression in quotes, 256 bytes of printable ASCII at most";
            let parse = |text: &str| Pattern::new(text).ok();
            definition.pattern = read_word(entry, &path, expected, mistakes, parse);
        }
        "checksum" => {
            let expected = format!("one of {}", Checksum::NAMES);
            definition.checksum = read_word(entry, &path, &expected, mistakes, Checksum::from_text);
        }
        "mask" => definition.mask = read_mask(entry, &path, mistakes),
        "class" => {}
        _ => mistakes.unknown_key(entry, &path, "words, pattern, checksum, class, mask"),
    }
}

/// `[kundennummer, customer no]`, or a word alone.
fn read_words(entry: &Entry, path: &str, mistakes: &mut Mistakes) -> Vec<String> {
    let word = |node: &Node| if let Node::Text(word) = node { Some(word.clone()) } else { None };
    let words = if let Node::List(words) = entry.node() {
        words.iter().map(word).collect()
    } else {
        word(entry.node()).map(|word| vec![word])
    };
    words.unwrap_or_else(|| {
        mistakes.add(entry.value_place(), path, "must be a list of words");
        Vec::new()
    })
}
