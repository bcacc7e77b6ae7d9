//! Values inside of texts that are of info types that the policy defines.
//!
//! It promises to look once for each definition at each place where a value may begin, and at no more
//! than the longest value from there. It relies on definitions telling which values are short and
//! distinct enough for that.

use super::{Candidate, Rank, prose::Prose};
use crate::{
    defined::{Defined, InText},
    shape::Certainty,
};

/// Finds values that stand apart from letters and digits.
pub(super) fn find(prose: &Prose<'_>, defined: &Defined, candidates: &mut Vec<Candidate>) {
    for (definition, certainty) in defined.in_text() {
        let rank = match certainty {
            Certainty::Sure => Rank::Sure,
            Certainty::Likely => Rank::Likely,
        };
        let (info_type, rule) = (definition.info_type(), definition.rule());
        let mut done = 0;
        for start in starts(prose.text()) {
            if start >= done
                && let Some(end) = end_of(prose, &definition, start)
            {
                done = end;
                candidates.push(Candidate::new((start, end), info_type, rank, rule));
            }
        }
    }
}

/// Where values may begin, which are ASCII: with a sign, or with a letter or digit behind none.
fn starts(text: &str) -> impl Iterator<Item = usize> {
    let mut is_inside = false;
    let start = move |(at, c): (usize, char)| {
        let was_inside = core::mem::replace(&mut is_inside, c.is_alphanumeric());
        (c.is_ascii_graphic() && !(was_inside && is_inside)).then_some(at)
    };
    text.char_indices().filter_map(start)
}

/// Where the value ends that begins at a place, if one does.
fn end_of(prose: &Prose<'_>, definition: &InText<'_>, start: usize) -> Option<usize> {
    let rest = prose.text().get(start..).unwrap_or_default();
    let may_end = |end: usize| prose.is_apart(start, start + end);
    let length = definition.longest(rest, may_end, |bytes| prose.look(bytes))?;
    Some(start + length)
}
