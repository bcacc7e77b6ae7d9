//! What a power cut does to that which was not synced.

use super::random::Random;

/// What becomes of that which was not synced.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// All of it is lost.
    Dropped,
    /// All of it was written all the same.
    Kept,
    /// Each call is kept or lost, which is any order of writing them.
    Reordered,
    /// Each sector of each call is kept or lost.
    Torn,
}

impl Fate {
    pub(super) fn choose(random: &mut Random) -> Self {
        match random.below(10) {
            0..3 => Self::Dropped,
            3 => Self::Kept,
            4..7 => Self::Reordered,
            _ => Self::Torn,
        }
    }

    /// Whether a call as a whole is kept; what is torn is asked for each sector.
    pub(super) fn keeps(self, random: &mut Random) -> bool {
        match self {
            Self::Dropped => false,
            Self::Kept => true,
            Self::Reordered | Self::Torn => random.flip(),
        }
    }
}
