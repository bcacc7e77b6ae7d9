//! What is done to a record before it is screened: its names taken away, its values misplaced.
//!
//! It promises the same names for all records of a form. It relies on the scorer for counting only
//! misplaced values where some are.

use crate::{random::Random, sample::Sample};

/// What is done to the names of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twist {
    /// Nothing.
    Given,
    /// Each is some letters that say nothing.
    Scrambled,
    /// Each is a number, as of a file without a header.
    Missing,
    /// Two fields have traded their values; only these are counted.
    Swapped,
}

impl Twist {
    pub(crate) const ALL: [Self; 4] = [Self::Given, Self::Scrambled, Self::Missing, Self::Swapped];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Scrambled => "scrambled",
            Self::Missing => "missing",
            Self::Swapped => "swapped values",
        }
    }

    pub(crate) fn apply(self, mut sample: Sample, random: &mut Random) -> Sample {
        for (at, field) in sample.fields.iter_mut().enumerate() {
            match self {
                Self::Given | Self::Swapped => {}
                Self::Scrambled => field.name = scrambled(at),
                Self::Missing => field.name = format!("Column{}", at + 1),
            }
        }
        if self == Self::Swapped {
            swap(&mut sample, random);
        }
        sample
    }
}

/// Letters that say nothing, always the same for a place.
fn scrambled(at: usize) -> String {
    let mut random = Random::seeded(at as u64);
    let letters = (0..3).map(|_| (*random.pick(b"qxzvwjk"), *random.pick(b"aeiouy")));
    letters.flat_map(|(first, second)| [char::from(first), char::from(second)]).collect()
}

/// Two fields trade what they hold.
fn swap(sample: &mut Sample, random: &mut Random) {
    let count = sample.fields.len();
    let first = random.below(count);
    let second = (first + 1 + random.below(count - 1)) % count;
    sample.fields.swap(first, second);
    let name = sample.fields[first].name.clone();
    sample.fields[first].name = std::mem::replace(&mut sample.fields[second].name, name);
    for at in [first, second] {
        sample.fields[at].is_misplaced = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Field;

    #[test]
    fn names_stay_where_they_are_when_values_are_swapped() {
        let fields = ["a", "b", "c"].map(|name| Field::new(name, name.to_uppercase(), None));
        let sample = Sample { fields: fields.to_vec() };
        let swapped = Twist::Swapped.apply(sample, &mut Random::seeded(3)).fields;
        assert_eq!(swapped.iter().map(|f| f.name.as_str()).collect::<String>(), "abc");
        assert_eq!(swapped.iter().filter(|f| f.name != f.value.to_lowercase()).count(), 2);
        assert_eq!(swapped.iter().filter(|f| f.is_misplaced).count(), 2);
    }
}
