//! The policy document: a collection's screening policy as a person writes it, in YAML.
//!
//! It promises that a document is either understood whole or refused with every mistake and its
//! place; no key is ignored and no bad value is replaced by a default. It relies on serde-saphyr for
//! YAML and on `tresor_proto::Policy` for what may be combined.

mod field;
mod info_type;
mod mistakes;
mod tree;
mod writing;

use tresor_proto::{Action, FieldPolicy, InfoTypes, Policy, UndeclaredPolicy};

pub use mistakes::{Mistake, PolicyError};
pub use writing::{write, write_field};

use mistakes::Mistakes;
use tree::{Entry, Node};

/// The word for "store it clear and only say so", of fields declared clear that are personal.
const FLAG: &str = "flag";

/// The key that takes declared fields and no other.
const ONLY_DECLARED: &str = "only_declared";

/// What becomes of undeclared fields where only declared ones are taken, unless the document refuses
/// records that have them.
const NOTHING_UNDECLARED: UndeclaredPolicy = UndeclaredPolicy {
    personal: Action::Drop,
    unknown_text: Action::Drop,
    not_personal: Action::Drop,
};

/// Parses a document.
///
/// # Errors
/// Every mistake of the document, each with its line, its column and its path.
pub fn parse(yaml: &str) -> Result<Policy, PolicyError> {
    let root = tree::read(yaml)?;
    let mut mistakes = Mistakes::default();
    let draft = Draft::read(&root, &mut mistakes);
    mistakes.into_result()?;
    let policy = Policy::defining(draft.info_types, draft.fields, draft.undeclared, draft.flagged);
    policy.map_err(|failure| PolicyError::from_failure(&failure))
}

/// A policy as far as it has been read.
struct Draft {
    info_types: InfoTypes,
    fields: Vec<FieldPolicy>,
    undeclared: UndeclaredPolicy,
    flagged: Action,
}

impl Draft {
    fn read(root: &[Entry], mistakes: &mut Mistakes) -> Self {
        let mut draft = Self {
            info_types: info_type::read_all(root, mistakes),
            fields: Vec::new(),
            undeclared: UndeclaredPolicy::default(),
            flagged: Policy::default().declared_clear_but_personal,
        };
        let is_only_declared = root.iter().any(|entry| read_only_declared(entry, mistakes));
        if is_only_declared {
            draft.undeclared = NOTHING_UNDECLARED;
        }
        for entry in root {
            match entry.key() {
                "fields" => draft.fields = read_fields(entry, &draft.info_types, mistakes),
                info_type::INFO_TYPES => {}
                "undeclared" if is_only_declared => {
                    draft.undeclared = read_refusals(entry, mistakes);
                }
                "undeclared" => draft.undeclared = read_undeclared(entry, mistakes),
                ONLY_DECLARED => {}
                "declared_clear_but_personal" => {
                    draft.flagged = read_flagged(entry, mistakes).unwrap_or(Action::Seal);
                }
                key => {
                    let known = "info_types, fields, undeclared, only_declared, \
                                 declared_clear_but_personal";
                    mistakes.unknown_key(entry, key, known);
                }
            }
        }
        draft
    }
}

fn read_fields(entry: &Entry, info_types: &InfoTypes, mistakes: &mut Mistakes) -> Vec<FieldPolicy> {
    let fields = mistakes.mapping(entry, "fields");
    fields.iter().filter_map(|field| field::read(field, info_types, mistakes)).collect()
}

/// An action for fields nobody declared: a surrogate needs a declared type.
fn undeclared_action(word: &str) -> Option<Action> {
    Action::from_text(word).filter(|action| *action != Action::Tokenize)
}

fn read_undeclared(entry: &Entry, mistakes: &mut Mistakes) -> UndeclaredPolicy {
    let mut undeclared = UndeclaredPolicy::default();
    for setting in mistakes.mapping(entry, "undeclared") {
        let path = format!("undeclared.{}", setting.key());
        let protecting = "one of seal, drop, reject";
        match setting.key() {
            "personal" => {
                let action = read_word(setting, &path, protecting, mistakes, protecting_action);
                undeclared.personal = action.unwrap_or(Action::Seal);
            }
            "unknown_text" => {
                let action = read_word(setting, &path, protecting, mistakes, protecting_action);
                undeclared.unknown_text = action.unwrap_or(Action::Seal);
            }
            "not_personal" => {
                let expected = "one of clear, seal, drop, reject";
                let action = read_word(setting, &path, expected, mistakes, undeclared_action);
                undeclared.not_personal = action.unwrap_or(Action::Clear);
            }
            _ => mistakes.unknown_key(setting, &path, "personal, unknown_text, not_personal"),
        }
    }
    undeclared
}

/// Whether an entry says that only declared fields are taken.
fn read_only_declared(entry: &Entry, mistakes: &mut Mistakes) -> bool {
    if entry.key() != ONLY_DECLARED {
        return false;
    }
    if let Node::Truth(truth) = entry.node() {
        return *truth;
    }
    mistakes.add(entry.value_place(), ONLY_DECLARED, "must be true or false");
    false
}

/// What becomes of undeclared fields where only declared ones are taken: none is stored.
fn read_refusals(entry: &Entry, mistakes: &mut Mistakes) -> UndeclaredPolicy {
    let mut undeclared = NOTHING_UNDECLARED;
    for setting in mistakes.mapping(entry, "undeclared") {
        let path = format!("undeclared.{}", setting.key());
        let action = match setting.key() {
            "personal" => &mut undeclared.personal,
            "unknown_text" => &mut undeclared.unknown_text,
            "not_personal" => &mut undeclared.not_personal,
            _ => {
                mistakes.unknown_key(setting, &path, "personal, unknown_text, not_personal");
                continue;
            }
        };
        let expected = "one of drop, reject, since only declared fields are taken";
        let read = read_word(setting, &path, expected, mistakes, |word| {
            Action::from_text(word).filter(|it| matches!(it, Action::Drop | Action::Reject))
        });
        *action = read.unwrap_or(Action::Drop);
    }
    undeclared
}

fn protecting_action(word: &str) -> Option<Action> {
    undeclared_action(word).filter(|action| *action != Action::Clear)
}

fn read_flagged(entry: &Entry, mistakes: &mut Mistakes) -> Option<Action> {
    let expected = "one of seal, reject, flag";
    let path = "declared_clear_but_personal";
    read_word(entry, path, expected, mistakes, |word| match word {
        FLAG => Some(Action::Clear),
        "seal" => Some(Action::Seal),
        "reject" => Some(Action::Reject),
        _ => None,
    })
}

fn read_word<T>(
    entry: &Entry,
    path: &str,
    expected: &str,
    mistakes: &mut Mistakes,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let parsed = match entry.node() {
        Node::Text(word) => parse(word),
        Node::Nothing
        | Node::Map(_)
        | Node::Number(_)
        | Node::Truth(_)
        | Node::List(_)
        | Node::Other => None,
    };
    if parsed.is_none() {
        mistakes.add(entry.value_place(), path, &format!("must be {expected}"));
    }
    parsed
}

/// Reads a number up to `max`.
fn read_number(entry: &Entry, path: &str, max: u64, mistakes: &mut Mistakes) -> Option<u64> {
    if let Node::Number(number) = entry.node()
        && *number <= max
    {
        return Some(*number);
    }
    mistakes.add(entry.value_place(), path, &format!("must be a number, {max} at most"));
    None
}

#[cfg(test)]
mod tests;
