//! The policy document: a collection's screening policy as a person writes it, in YAML.
//!
//! It promises that a document is either understood whole or refused with every mistake and its
//! place; no key is ignored and no bad value is replaced by a default. It relies on serde-saphyr for
//! YAML and on `tresor_proto::Policy` for what may be combined.

mod field;
mod mistakes;
mod tree;
mod writing;

use tresor_proto::{Action, FieldPolicy, Policy, UndeclaredPolicy};

pub use mistakes::{Mistake, PolicyError};
pub use writing::{write, write_field};

use mistakes::Mistakes;
use tree::{Entry, Node};

/// The word for "store it clear and only say so", of fields declared clear that are personal.
const FLAG: &str = "flag";

/// Parses a document.
///
/// # Errors
/// Every mistake of the document, each with its line, its column and its path.
pub fn parse(yaml: &str) -> Result<Policy, PolicyError> {
    let root = tree::read(yaml)?;
    let mut mistakes = Mistakes::default();
    let draft = Draft::read(&root, &mut mistakes);
    mistakes.into_result()?;
    let policy = Policy::new(draft.fields, draft.undeclared, draft.flagged);
    policy.map_err(|failure| PolicyError::from_failure(&failure))
}

/// A policy as far as it has been read.
struct Draft {
    fields: Vec<FieldPolicy>,
    undeclared: UndeclaredPolicy,
    flagged: Action,
}

impl Draft {
    fn read(root: &[Entry], mistakes: &mut Mistakes) -> Self {
        let mut draft = Self {
            fields: Vec::new(),
            undeclared: UndeclaredPolicy::default(),
            flagged: Policy::default().declared_clear_but_personal,
        };
        for entry in root {
            match entry.key() {
                "fields" => draft.fields = read_fields(entry, mistakes),
                "undeclared" => draft.undeclared = read_undeclared(entry, mistakes),
                "declared_clear_but_personal" => {
                    draft.flagged = read_flagged(entry, mistakes).unwrap_or(Action::Seal);
                }
                key => {
                    let known = "fields, undeclared, declared_clear_but_personal";
                    mistakes.unknown_key(entry, key, known);
                }
            }
        }
        draft
    }
}

fn read_fields(entry: &Entry, mistakes: &mut Mistakes) -> Vec<FieldPolicy> {
    let fields = mistakes.mapping(entry, "fields");
    fields.iter().filter_map(|field| field::read(field, mistakes)).collect()
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
        Node::Nothing | Node::Map(_) | Node::Number(_) | Node::Truth(_) | Node::Other => None,
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
