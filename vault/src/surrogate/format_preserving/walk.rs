//! Cycle walking (Black and Rogaway, 2002): a permutation of a large set, made one of a subset.

use super::FormatError;

/// Steps at most. A subset of ours holds nine tenths of its set, so that a walk as long as this
/// comes once in 10^64.
const STEPS_MAX: usize = 64;

/// Steps from a member of the subset to the next member: every member is the next of exactly one,
/// and walking with the inverse step leads back.
pub(super) fn walk<T>(
    start: T,
    step: impl Fn(&T) -> Result<T, FormatError>,
    belongs: impl Fn(&T) -> bool,
) -> Result<T, FormatError> {
    let mut at = start;
    for _ in 0..STEPS_MAX {
        at = step(&at)?;
        if belongs(&at) {
            return Ok(at);
        }
    }
    Err(FormatError::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 10_000;

    /// A permutation of `0..SIZE` in no order, and its inverse.
    fn permutation() -> (Vec<usize>, Vec<usize>) {
        let mut forward: Vec<usize> = (0..SIZE).collect();
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        for at in (1..SIZE).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let other = usize::try_from(state >> 33).unwrap() % (at + 1);
            forward.swap(at, other);
        }
        let mut backward = vec![0; SIZE];
        forward.iter().enumerate().for_each(|(at, &next)| backward[next] = at);
        (forward, backward)
    }

    /// Members as card numbers have them: nine of ten.
    fn is_member(number: &usize) -> bool {
        (number / 1_000 * 3 + number % 10) % 10 != 5
    }

    #[test]
    fn a_walk_is_a_bijection_of_a_small_domain() {
        let (forward, backward) = permutation();
        let members: Vec<usize> = (0..SIZE).filter(is_member).collect();
        let mut reached: Vec<usize> = Vec::new();
        let mut walked_on = 0;
        for member in &members {
            let next = walk(*member, |at| Ok(forward[*at]), is_member).unwrap();
            walked_on += usize::from(next != forward[*member]);
            let back = walk(next, |at| Ok(backward[*at]), is_member).unwrap();
            assert_eq!(back, *member);
            reached.push(next);
        }
        reached.sort_unstable();
        assert_eq!(reached, members);
        assert!(walked_on > 100, "{walked_on}");
    }

    #[test]
    fn a_walk_that_leads_nowhere_ends() {
        assert_eq!(walk(0, |at| Ok(at + 1), |_| false), Err(FormatError::Internal));
    }
}
