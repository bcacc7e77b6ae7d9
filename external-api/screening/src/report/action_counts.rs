//! How many values each action is taken on.

use serde::{Serialize, Serializer};
use tresor_proto::Action;

/// Values by what is done with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActionCounts([u64; Action::ALL.len()]);

impl ActionCounts {
    /// Counts an action.
    pub(crate) fn add(&mut self, action: Action) {
        for (count, counted) in self.0.iter_mut().zip(Action::ALL) {
            *count += u64::from(counted == action);
        }
    }

    /// On how many values an action is taken.
    #[must_use]
    pub fn of(self, action: Action) -> u64 {
        self.iter().find(|(counted, _)| *counted == action).map_or(0, |(_, count)| count)
    }

    /// The actions that are taken at all, with how often.
    pub fn iter(self) -> impl Iterator<Item = (Action, u64)> {
        Action::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}

impl Serialize for ActionCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(action, count)| (action.as_str(), count)))
    }
}
