//! The versions of the keys that made the format-preserving surrogates of one file.
//!
//! It promises that a file has surrogates of one key for each thing they stand for, however long it is
//! written: when identifier keys are replaced meanwhile, what comes then is refused and not mixed in. It
//! relies on the server to tell the version with each surrogate.

use std::collections::{BTreeMap, btree_map::Entry};

use serde::{Deserialize, Serialize};
use tresor_proto::{ErrorCode, Violation};

use crate::{
    error::CliError,
    output::{Output, printable},
};

/// The field that an error of another version names.
const KEY_VERSION: &str = "key_version";

/// A version for each field or info type that has such surrogates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct KeyVersions(BTreeMap<String, u32>);

impl KeyVersions {
    /// Whether no surrogate hangs on a key.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a surrogate of `name`: the first one says of which version all are.
    pub(crate) fn take(&mut self, name: &str, version: u32) -> Result<(), CliError> {
        match self.0.entry(name.to_owned()) {
            Entry::Vacant(vacant) => {
                vacant.insert(version);
                Ok(())
            }
            Entry::Occupied(taken) if *taken.get() == version => Ok(()),
            Entry::Occupied(taken) => Err(replaced(name, *taken.get(), version)),
        }
    }

    /// Takes those of a row.
    pub(crate) fn take_all(&mut self, others: &Self) -> Result<(), CliError> {
        others.0.iter().try_for_each(|(name, version)| self.take(name, *version))
    }

    /// Shows what has to be named when the surrogates are traded back or renewed.
    pub(crate) fn show(&self, output: &Output) -> Result<(), CliError> {
        self.0.iter().try_for_each(|it| output.line(format!("  {}", told(it))))
    }

    /// The same beside what is written to standard output.
    pub(crate) fn note(&self, output: &Output) {
        self.0.iter().for_each(|it| output.note(told(it)));
    }
}

fn told((name, version): (&String, &u32)) -> String {
    format!("format-preserving surrogates of {} are of key version {version}", printable(name))
}

fn replaced(name: &str, taken: u32, version: u32) -> CliError {
    let description = format!("{name}: {version} now, and what is written is of version {taken}");
    let violation = Violation { field: KEY_VERSION.to_owned(), description };
    CliError::failed("identifier keys have been replaced meanwhile")
        .advise("run the command again from the beginning; nothing of the new version was written")
        .with_code(ErrorCode::Conflict)
        .with_violations(vec![violation])
}

/// Whether what comes is of another key than what is written.
pub(crate) fn is_of_another_key(error: &CliError) -> bool {
    let names = |violation: &Violation| violation.field == KEY_VERSION;
    error.code() == Some(ErrorCode::Conflict) && error.violations().iter().any(names)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn versions(json: serde_json::Value) -> KeyVersions {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn the_first_surrogate_of_a_name_says_of_which_version_all_are() {
        let mut taken = KeyVersions::default();
        taken.take("card", 1).unwrap();
        taken.take("phone", 7).unwrap();
        taken.take_all(&versions(json!({ "card": 1, "meter": 2 }))).unwrap();
        assert_eq!(json!(taken), json!({ "card": 1, "phone": 7, "meter": 2 }));
        for other in [json!({ "card": 2 }), json!({ "meter": 1 }), json!({ "a": 9, "phone": 8 })] {
            let refused = taken.clone().take_all(&versions(other)).unwrap_err();
            assert!(is_of_another_key(&refused) && !refused.may_pass(), "{refused}");
        }
    }

    #[test]
    fn another_conflict_is_none_of_keys() {
        let conflict = || CliError::failed("x").with_code(ErrorCode::Conflict);
        assert!(!is_of_another_key(&conflict()));
        let field = |field: &str| Violation { field: field.to_owned(), description: String::new() };
        assert!(!is_of_another_key(&conflict().with_violations(vec![field("policy_version")])));
        let missing = CliError::failed("x").with_code(ErrorCode::InvalidRequest);
        assert!(!is_of_another_key(&missing.with_violations(vec![field(KEY_VERSION)])));
    }
}
