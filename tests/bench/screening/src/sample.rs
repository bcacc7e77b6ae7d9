//! A record with its answers.
//!
//! It promises as many answers as values. It relies on kinds: a first name found as a name is found,
//! and so is a town found as part of an address.

use tresor_proto::InfoType;

/// A record, and what each of its values is.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) fields: Vec<Field>,
}

/// A value, and what it is.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) answer: Option<InfoType>,
    /// What stands where in a note.
    pub(crate) spans: Vec<Span>,
    /// Whether it was put where another belongs.
    pub(crate) is_misplaced: bool,
}

/// Personal data inside of a note, by bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) info_type: InfoType,
}

impl Field {
    pub(crate) fn new(name: &str, value: String, answer: Option<InfoType>) -> Self {
        Self { name: name.to_owned(), value, answer, spans: Vec::new(), is_misplaced: false }
    }
}

/// The kind of an info type: what counts as the same when it is scored.
pub(crate) fn kind(info_type: InfoType) -> InfoType {
    use InfoType as T;
    let parts = [
        (T::PersonName, &[T::FirstName, T::LastName][..]),
        (T::StreetAddress, &[T::Street, T::HouseNumber, T::Postcode, T::City]),
        (T::Passport, &[T::GermanyPassport, T::GermanyIdentityCardNumber]),
    ];
    let whole = parts.iter().find(|(_, parts)| parts.contains(&info_type));
    whole.map_or(info_type, |(whole, _)| *whole)
}
