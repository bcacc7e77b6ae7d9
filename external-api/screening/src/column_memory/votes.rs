//! Votes for what a column is, of which old ones fade.
//!
//! It promises four candidates in 136 bytes: what is voted for often stays, whatever else comes along.
//! It relies on votes arriving one by one.

use tresor_proto::InfoType;

const CANDIDATES: usize = 4;

/// Votes at which all of them are halved, so that the last hundred or two of values decide.
const VOTES_MAX: u16 = 64;

/// Votes that settle a column, and the share of them that must agree.
const SETTLING_VOTES: u16 = 32;
const SETTLING_SHARE: (u32, u32) = (3, 4);

/// Votes of one column.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Votes([(Option<InfoType>, u16); CANDIDATES]);

impl Votes {
    /// Votes for a type, or for none.
    pub(super) fn add(&mut self, info_type: Option<InfoType>) {
        if let Some(known) = self.0.iter_mut().find(|(of, votes)| *of == info_type && *votes > 0) {
            known.1 += 1;
            if known.1 >= VOTES_MAX {
                self.fade();
            }
            return;
        }
        // A stranger takes the place of the weakest, once that has no vote left (Misra and Gries).
        if let Some(weakest) = self.0.iter_mut().min_by_key(|(_, votes)| *votes) {
            *weakest = match weakest.1 {
                0 => (info_type, 1),
                votes => (weakest.0, votes - 1),
            };
        }
    }

    /// How many votes there are.
    pub(super) fn total(&self) -> u32 {
        self.0.iter().map(|(_, votes)| u32::from(*votes)).sum()
    }

    /// What enough votes agree on.
    pub(super) fn leader(&self) -> Option<Option<InfoType>> {
        let (info_type, votes) = *self.0.iter().max_by_key(|(_, votes)| *votes)?;
        let (part, whole) = SETTLING_SHARE;
        let is_settled = votes >= SETTLING_VOTES && u32::from(votes) * whole >= self.total() * part;
        is_settled.then_some(info_type)
    }

    fn fade(&mut self) {
        for (_, votes) in &mut self.0 {
            *votes /= 2;
        }
    }
}
