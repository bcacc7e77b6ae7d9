//! What the values of a column say together, when most of them alone say too little.
//!
//! A list knows some last names and some towns, never all: a column in which it knows many names of
//! people holds names of people. It promises to speak about reports only, never about a value.

use tresor_proto::InfoType;

use super::tally::{Group, Tally};
use crate::{Evidence, Source};

/// Of a hundred values, how many make a column.
const PERCENT_MIN: u64 = 40;

/// Values of the smallest column that votes.
const VALUES_MIN: u64 = 5;

/// What a column is by the votes of its values.
pub(super) struct Voted {
    pub(super) info_type: InfoType,
    votes: u64,
    values: u64,
}

impl Tally {
    /// The kind of names that most of the values are.
    pub(super) fn voted(&self) -> Option<Voted> {
        let named = self.groups.iter().filter(|group| is_name(group));
        let votes = named.clone().map(|group| group.values).sum();
        let info_type = named.max_by_key(|group| group.values)?.info_type?;
        let voted = Voted { info_type, votes, values: self.values };
        (self.values >= VALUES_MIN && voted.percent() >= PERCENT_MIN).then_some(voted)
    }
}

impl Voted {
    /// Whether the votes say more than the group most values are in.
    pub(super) fn outweighs(&self, dominant: &Group) -> bool {
        let is_untyped = matches!(dominant.info_type, None | Some(InfoType::FreeText));
        let is_of_values = matches!(dominant.source, Source::Value | Source::Text);
        let is_itself = dominant.info_type == Some(self.info_type);
        is_of_values && !is_itself && (is_untyped || dominant.values < self.votes)
    }

    pub(super) fn evidence(&self) -> Evidence {
        Evidence::Column { percent: u8::try_from(self.percent()).unwrap_or(100) }
    }

    fn percent(&self) -> u64 {
        self.votes.saturating_mul(100) / self.values.max(1)
    }
}

/// Names of people, found in values: which of them it is, the most frequent says.
fn is_name(group: &Group) -> bool {
    use InfoType::{FirstName, LastName, PersonName};
    group.source == Source::Value
        && matches!(group.info_type, Some(FirstName | LastName | PersonName))
}
