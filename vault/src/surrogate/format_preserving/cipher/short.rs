//! Numerals whose halves are numbers of 96 bits at most, as those of card and telephone numbers
//! are: FF1's arithmetic without big integers, which cost several times the cipher.
//!
//! They promise to be computed with as `fpe`'s own strings of numerals are. They rely on FF1 asking
//! for no number above the one that [`ShortNumerals::new`] has checked.

use fpe::ff1::{NumeralString, Operations};

/// Above it, a half's pseudorandom bytes would be no `u128`.
const HALF_MAX: u128 = 1 << 96;

/// A string of few numerals.
pub(super) struct ShortNumerals {
    numerals: Vec<u16>,
    radix: u32,
}

/// A half of it, as a number.
pub(super) struct Half {
    number: u128,
    numerals: usize,
    radix: u32,
}

/// The last bytes of a number.
pub(super) struct Tail {
    bytes: [u8; 16],
    from: usize,
}

impl ShortNumerals {
    /// The string; `None` when there are too many numerals.
    pub(super) fn new(numerals: &[u16], radix: u32) -> Option<Self> {
        let half = u32::try_from(numerals.len().div_ceil(2)).ok()?;
        let values = u128::from(radix).checked_pow(half)?;
        (values <= HALF_MAX).then(|| Self { numerals: numerals.to_vec(), radix })
    }
}

impl From<ShortNumerals> for Vec<u16> {
    fn from(short: ShortNumerals) -> Self {
        short.numerals
    }
}

impl NumeralString for ShortNumerals {
    type Ops = Half;

    fn is_valid(&self, radix: u32) -> bool {
        self.radix == radix && self.numerals.iter().all(|numeral| u32::from(*numeral) < radix)
    }

    fn numeral_count(&self) -> usize {
        self.numerals.len()
    }

    fn split(&self) -> (Half, Half) {
        let (first, last) = self.numerals.split_at(self.numerals.len() / 2);
        (Half::new(first, self.radix), Half::new(last, self.radix))
    }

    fn concat(first: Half, last: Half) -> Self {
        let radix = first.radix;
        let mut numerals = vec![0; first.numerals + last.numerals];
        let (start, end) = numerals.split_at_mut(first.numerals);
        first.write(start);
        last.write(end);
        Self { numerals, radix }
    }
}

impl Half {
    fn new(numerals: &[u16], radix: u32) -> Self {
        let append = |number, numeral: &u16| number * u128::from(radix) + u128::from(*numeral);
        Self { number: numerals.iter().fold(0, append), numerals: numerals.len(), radix }
    }

    fn write(self, numerals: &mut [u16]) {
        let (mut number, radix) = (self.number, u128::from(self.radix));
        for numeral in numerals.iter_mut().rev() {
            // Below a radix, which is 65,536 at most.
            *numeral = u16::try_from(number % radix).unwrap_or_default();
            number /= radix;
        }
    }

    /// Adds a number, or what is left of it to the modulus.
    fn plus(self, other: impl Iterator<Item = u8>, numerals: usize, is_taken_off: bool) -> Self {
        let modulus = (0..numerals).fold(1, |power, _| power * u128::from(self.radix));
        let other = other.fold(0, |number, byte| number << 8 | u128::from(byte)) % modulus;
        let other = if is_taken_off { modulus - other } else { other };
        Self { number: (self.number + other) % modulus, numerals, ..self }
    }
}

impl Operations for Half {
    type Bytes = Tail;

    fn numeral_count(&self) -> usize {
        self.numerals
    }

    fn to_be_bytes(&self, _: u32, count: usize) -> Tail {
        let bytes = self.number.to_be_bytes();
        Tail { bytes, from: bytes.len().saturating_sub(count) }
    }

    fn add_mod_exp(self, other: impl Iterator<Item = u8>, _: u32, numerals: usize) -> Self {
        self.plus(other, numerals, false)
    }

    fn sub_mod_exp(self, other: impl Iterator<Item = u8>, _: u32, numerals: usize) -> Self {
        self.plus(other, numerals, true)
    }
}

impl AsRef<[u8]> for Tail {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(self.from..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use aes::Aes256;
    use fpe::ff1::{FF1, FlexibleNumeralString};
    use proptest::prelude::*;

    use super::*;

    /// A radix, and numerals of it that are short.
    fn numerals() -> impl Strategy<Value = (u32, Vec<u16>)> {
        let radix = proptest::sample::select(vec![(10, 56), (36, 36), (62, 32)]);
        let of = |(radix, longest): (u16, usize)| {
            (Just(u32::from(radix)), proptest::collection::vec(0..radix, 6..=longest))
        };
        radix.prop_flat_map(of)
    }

    proptest! {
        #[test]
        fn short_numerals_are_computed_with_as_long_ones_are(
            (radix, numerals) in numerals(),
            key: [u8; 32],
            tweak in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let ff1 = FF1::<Aes256>::new(&key, radix).unwrap();
            let long = FlexibleNumeralString::from(numerals.clone());
            let long: Vec<u16> = ff1.encrypt(&tweak, &long).unwrap().into();
            let short = ShortNumerals::new(&numerals, radix).unwrap();
            let sealed = ff1.encrypt(&tweak, &short).unwrap();
            prop_assert_eq!(&sealed.numerals, &long);
            let opened: Vec<u16> = ff1.decrypt(&tweak, &sealed).unwrap().into();
            prop_assert_eq!(opened, numerals);
        }
    }

    #[test]
    fn more_numerals_are_long_ones() {
        for (radix, longest) in [(10, 56), (36, 36), (62, 32)] {
            assert!(ShortNumerals::new(&vec![0; longest], radix).is_some());
            assert!(ShortNumerals::new(&vec![0; longest + 1], radix).is_none());
        }
    }
}
