use crate::{Failure, InfoType, Mask, Reveal, vault};

/// Why a surrogate has no end.
const SHARED: &str =
    "a surrogate of this kind does not end: it is the same for all who ask; choose random";
/// Why what a surrogate shows is not bound.
const NOT_KEPT: &str = "nothing is kept of a format-preserving surrogate that could bound what it \
                        shows; choose another kind";

/// Why values of an info type that a policy defines have surrogates that are kept.
pub(crate) const NOT_CUSTOM: &str = "nothing is kept of a format-preserving surrogate, so that it would end with the definition of \
     its info type; values of one that a policy defines have random or deterministic surrogates";

/// Why equal values of an info type are not to have equal surrogates.
pub(crate) const FEW_VALUES: &str = "values of this info type are so few that whoever may tokenize tells them by trying, and equal \
     surrogates show how often each occurs; choose random, or forced: true makes them anyway";

/// How a surrogate is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SurrogateKind {
    /// Another one each time.
    #[default]
    Random,
    /// The same one for the same value, within tenant, info type and reveal.
    Deterministic,
    /// One that looks like the value: a function of value, info type and format.
    FormatPreserving(SurrogateFormat),
}

/// What a format-preserving surrogate looks like; the numbers are those of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SurrogateFormat {
    /// A card number that never passes Luhn.
    Card = 1,
    /// A telephone number of the same country.
    Phone = 2,
    /// Digits.
    Digits = 3,
    /// Digits and letters, `0-9A-Za-z`.
    Alphanumeric = 4,
    /// Digits and capital letters, `0-9A-Z`.
    UpperAlphanumeric = 5,
}

/// Which surrogates are made, and how much they ever show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SurrogateForm {
    /// How they are made.
    pub kind: SurrogateKind,
    /// How much they ever show.
    pub reveal: Reveal,
    /// Whether they are made where values are so few that equal surrogates tell them.
    pub is_forced: bool,
}

/// What a surrogate is for, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SurrogateOptions {
    info_type: InfoType,
    form: SurrogateForm,
    expires_ms: Option<u64>,
    uses_max: Option<u32>,
    mask: Option<Mask>,
}

impl SurrogateKind {
    /// Its name in policies and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Deterministic => "deterministic",
            Self::FormatPreserving(_) => "format-preserving",
        }
    }

    /// Its format, when it has one.
    #[must_use]
    pub fn format(self) -> Option<SurrogateFormat> {
        match self {
            Self::Random | Self::Deterministic => None,
            Self::FormatPreserving(format) => Some(format),
        }
    }
}

impl SurrogateFormat {
    /// All formats, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::Card, Self::Phone, Self::Digits, Self::Alphanumeric, Self::UpperAlphanumeric];

    /// Its name in policies and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Phone => "phone",
            Self::Digits => "digits",
            Self::Alphanumeric => "alphanumeric",
            Self::UpperAlphanumeric => "upper-alphanumeric",
        }
    }

    /// The format of a name; `None` for an unknown one.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == text)
    }

    /// Its number.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The format of a number; `None` for an unknown one.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|format| u32::from(format.code()) == code)
    }

    /// The format of values of an info type when none is named.
    ///
    /// # Errors
    /// `invalid_request` for an info type whose values have no format of their own.
    #[allow(clippy::wildcard_enum_match_arm, reason = "a type without a format needs one named")]
    pub fn of(info_type: InfoType) -> Result<Self, Failure> {
        match info_type {
            InfoType::Custom(_) => Err(Failure::invalid("kind", NOT_CUSTOM)),
            InfoType::CreditCardNumber => Ok(Self::Card),
            InfoType::PhoneNumber => Ok(Self::Phone),
            _ => {
                let description = "choose digits, alphanumeric or upper-alphanumeric: values of \
                                   this info type have no format of their own";
                Err(Failure::invalid("format", description))
            }
        }
    }

    /// Reads the wire's number, where "not given" is the format of the info type.
    ///
    /// # Errors
    /// `invalid_request` for an unknown number, or when none is given and the type has none.
    pub fn from_wire(code: i32, info_type: InfoType) -> Result<Self, Failure> {
        if info_type.custom().is_some() {
            return Err(Failure::invalid("kind", NOT_CUSTOM));
        }
        if code == 0 {
            return Self::of(info_type);
        }
        let known = u32::try_from(code).ok().and_then(Self::from_code);
        known.ok_or_else(|| Failure::invalid("format", "unknown format"))
    }
}

impl SurrogateForm {
    /// Reads the wire's form of surrogates for values of an info type.
    ///
    /// # Errors
    /// `invalid_request` for unknown numbers, a format that is missing, and one where none belongs.
    pub fn from_wire(wire: &vault::SurrogateForm, info_type: InfoType) -> Result<Self, Failure> {
        let kind = vault::SurrogateKind::try_from(wire.kind);
        let kind = match kind.map_err(|_| Failure::invalid("kind", "unknown kind"))? {
            vault::SurrogateKind::Unspecified | vault::SurrogateKind::Random => {
                SurrogateKind::Random
            }
            vault::SurrogateKind::Deterministic => SurrogateKind::Deterministic,
            vault::SurrogateKind::FormatPreserving => {
                SurrogateKind::FormatPreserving(SurrogateFormat::from_wire(wire.format, info_type)?)
            }
        };
        if wire.format != 0 && kind.format().is_none() {
            return Err(Failure::invalid("format", "only format-preserving surrogates have one"));
        }
        let reveal = vault::Reveal::try_from(wire.reveal);
        let reveal = reveal.map_err(|_| Failure::invalid("reveal", "unknown reveal"))?;
        let is_given = reveal != vault::Reveal::Unspecified;
        let reveal = if is_given { Reveal::from_wire(reveal) } else { Reveal::Plain };
        Ok(Self { kind, reveal, is_forced: wire.forced })
    }

    /// Whether surrogates of an info type would tell its values, and nobody said that they may.
    pub(crate) fn tells(self, info_type: InfoType) -> bool {
        self.kind != SurrogateKind::Random && info_type.has_few_values() && !self.is_forced
    }
}

impl Default for SurrogateForm {
    fn default() -> Self {
        Self { kind: SurrogateKind::Random, reveal: Reveal::Plain, is_forced: false }
    }
}

impl SurrogateOptions {
    /// Puts options together.
    ///
    /// # Errors
    /// `invalid_request` for a surrogate that is the same for all who ask and yet has an end, or, when
    /// nothing is kept of it, a bound to what it shows: these would be another's. Also for one that
    /// would tell its value, unless forced.
    pub fn new(
        info_type: InfoType,
        form: SurrogateForm,
        expires_ms: Option<u64>,
        uses_max: Option<u32>,
    ) -> Result<Self, Failure> {
        let uses_max = uses_max.filter(|uses| *uses > 0);
        let (is_shared, is_kept) =
            (form.kind != SurrogateKind::Random, form.kind.format().is_none());
        let wrong = [
            ("kind", NOT_CUSTOM, !is_kept && info_type.custom().is_some()),
            ("kind", FEW_VALUES, form.tells(info_type)),
            ("expires", SHARED, is_shared && expires_ms.is_some()),
            ("uses_max", SHARED, is_shared && uses_max.is_some()),
            ("reveal", NOT_KEPT, !is_kept && form.reveal != Reveal::Plain),
        ];
        match wrong.into_iter().find(|(.., is_wrong)| *is_wrong) {
            Some((field, reason, _)) => Err(Failure::invalid(field, reason)),
            None => Ok(Self { info_type, form, expires_ms, uses_max, mask: None }),
        }
    }

    /// The same with a mask in place of that of the info type.
    #[must_use]
    pub fn with_mask(self, mask: Option<Mask>) -> Self {
        Self { mask, ..self }
    }

    /// The same with the info type as a policy defines it, and the mask of its definition unless there
    /// is one already.
    #[must_use]
    pub fn defined(self, info_type: InfoType, mask: Option<Mask>) -> Self {
        Self { info_type, mask: self.mask.or(mask), ..self }
    }

    /// The info type of the value.
    #[must_use]
    pub fn info_type(&self) -> InfoType {
        self.info_type
    }

    /// How it is made, and how much it ever shows.
    #[must_use]
    pub fn form(&self) -> SurrogateForm {
        self.form
    }

    /// When it expires, milliseconds since the epoch.
    #[must_use]
    pub fn expires_ms(&self) -> Option<u64> {
        self.expires_ms
    }

    /// How often it may be traded for its value or mask.
    #[must_use]
    pub fn uses_max(&self) -> Option<u32> {
        self.uses_max
    }

    /// What is shown in place of the mask of its info type.
    #[must_use]
    pub fn mask(&self) -> Option<Mask> {
        self.mask
    }
}

impl From<SurrogateKind> for vault::SurrogateKind {
    fn from(kind: SurrogateKind) -> Self {
        match kind {
            SurrogateKind::Random => Self::Random,
            SurrogateKind::Deterministic => Self::Deterministic,
            SurrogateKind::FormatPreserving(_) => Self::FormatPreserving,
        }
    }
}

impl From<SurrogateFormat> for vault::SurrogateFormat {
    fn from(format: SurrogateFormat) -> Self {
        Self::try_from(i32::from(format.code())).unwrap_or_default()
    }
}

impl From<SurrogateForm> for vault::SurrogateForm {
    fn from(form: SurrogateForm) -> Self {
        let format = form.kind.format().map_or(vault::SurrogateFormat::Unspecified, Into::into);
        Self {
            kind: vault::SurrogateKind::from(form.kind) as i32,
            format: format as i32,
            reveal: vault::Reveal::from(form.reveal) as i32,
            forced: form.is_forced,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_of_formats_agree_with_the_wire() {
        for format in SurrogateFormat::ALL {
            let wire = vault::SurrogateFormat::from(format);
            let name = format.as_str().to_uppercase().replace('-', "_");
            assert_eq!(wire.as_str_name(), format!("SURROGATE_FORMAT_{name}"));
            assert_eq!(wire as i32, i32::from(format.code()));
            assert_eq!(SurrogateFormat::from_text(format.as_str()), Some(format));
        }
    }

    #[test]
    fn a_form_survives_the_wire() {
        let preserving = SurrogateKind::FormatPreserving(SurrogateFormat::Digits);
        for kind in [SurrogateKind::Random, SurrogateKind::Deterministic, preserving] {
            for (reveal, is_forced) in
                [(Reveal::Redacted, false), (Reveal::Masked, true), (Reveal::Plain, false)]
            {
                let form = SurrogateForm { kind, reveal, is_forced };
                let wire = vault::SurrogateForm::from(form);
                assert_eq!(SurrogateForm::from_wire(&wire, InfoType::MeterId).unwrap(), form);
            }
        }
        let nothing = vault::SurrogateForm::default();
        let form = SurrogateForm::from_wire(&nothing, InfoType::MeterId).unwrap();
        assert_eq!(form, SurrogateForm::default());
    }

    #[test]
    fn a_format_is_that_of_the_info_type_or_has_to_be_named() {
        let wire = vault::SurrogateForm { kind: 3, ..vault::SurrogateForm::default() };
        let of = |info_type| SurrogateForm::from_wire(&wire, info_type);
        let card = SurrogateKind::FormatPreserving(SurrogateFormat::Card);
        assert_eq!(of(InfoType::CreditCardNumber).unwrap().kind, card);
        assert!(of(InfoType::MeterId).is_err());
        let misplaced = vault::SurrogateForm { kind: 1, format: 3, ..wire };
        assert!(SurrogateForm::from_wire(&misplaced, InfoType::MeterId).is_err());
    }

    #[test]
    fn what_is_the_same_for_all_who_ask_has_no_end() {
        let options = |kind, reveal, expires, uses| {
            let form = SurrogateForm { kind, reveal, ..SurrogateForm::default() };
            SurrogateOptions::new(InfoType::MeterId, form, expires, uses)
        };
        let preserving = SurrogateKind::FormatPreserving(SurrogateFormat::Digits);
        for kind in [SurrogateKind::Deterministic, preserving] {
            assert!(options(kind, Reveal::Plain, None, Some(0)).is_ok());
            assert!(options(kind, Reveal::Plain, Some(1), None).is_err());
            assert!(options(kind, Reveal::Plain, None, Some(1)).is_err());
        }
        assert!(options(SurrogateKind::Deterministic, Reveal::Masked, None, None).is_ok());
        assert!(options(preserving, Reveal::Masked, None, None).is_err(), "nothing is kept of it");
        let random = options(SurrogateKind::Random, Reveal::Masked, Some(1), Some(2));
        assert_eq!(random.unwrap().uses_max(), Some(2));
    }

    #[test]
    fn few_values_have_equal_surrogates_only_when_that_is_forced() {
        let preserving = SurrogateKind::FormatPreserving(SurrogateFormat::Alphanumeric);
        let refused = |info_type, kind, is_forced| {
            let form = SurrogateForm { kind, is_forced, ..SurrogateForm::default() };
            SurrogateOptions::new(info_type, form, None, None).err().map(|failure| {
                failure.violations().iter().map(|it| it.field.clone()).collect::<Vec<_>>()
            })
        };
        for &info_type in InfoType::ALL {
            for kind in [SurrogateKind::Deterministic, preserving] {
                let expected = info_type.has_few_values().then(|| vec!["kind".to_owned()]);
                assert_eq!(refused(info_type, kind, false), expected, "{info_type} {kind:?}");
                assert_eq!(refused(info_type, kind, true), None, "{info_type} {kind:?}");
            }
            assert_eq!(refused(info_type, SurrogateKind::Random, false), None, "{info_type}");
        }
    }
}
