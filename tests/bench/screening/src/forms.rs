//! The forms of records: utilities, messaging, mobility and housing, each in four languages.
//!
//! It promises field names as real exports have them, with an answer for each value. It relies on
//! fields that nobody can answer for (a customer number) being left out.

mod held_out;
mod messaging;
mod mobility;
mod utilities;

use tresor_proto::InfoType;

use crate::{
    names::{Language, Origin},
    notes,
    people::Person,
    random::Random,
    sample::{Field, Sample},
};

/// What makes a value.
type Make = fn(&Person, &mut Random) -> String;

/// A field: its name, what it is, and what makes its values.
type Entry = (&'static str, Option<InfoType>, Make);

/// A form of records.
pub(crate) struct Form {
    pub(crate) name: &'static str,
    language: Language,
    fields: &'static [Entry],
}

/// Forms whose field names were never looked at while words were added.
pub(crate) fn held_out() -> impl Iterator<Item = &'static Form> {
    held_out::FORMS.iter()
}

/// All other forms.
pub(crate) fn all() -> impl Iterator<Item = &'static Form> {
    [utilities::FORMS, messaging::FORMS, mobility::FORMS].into_iter().flatten()
}

/// The value of a note, which is made with its spans instead.
fn note(_: &Person, _: &mut Random) -> String {
    String::new()
}

impl Form {
    /// A record about somebody.
    pub(crate) fn sample(&self, origin: Origin, random: &mut Random) -> Sample {
        let person = Person::new(self.language, origin, random);
        let fields = self.fields.iter().map(|(name, answer, make)| {
            let mut field = Field::new(name, make(&person, random), *answer);
            if *answer == Some(InfoType::FreeText) {
                (field.value, field.spans) = notes::note(&person, random);
            }
            field
        });
        Sample { fields: fields.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_hold_just_the_personal_part() {
        for form in all() {
            let mut random = Random::seeded(1);
            for _ in 0..100 {
                let sample = form.sample(Origin::Common, &mut random);
                for field in sample.fields {
                    for span in field.spans {
                        let part = &field.value[span.start..span.end];
                        assert!(!part.is_empty() && part.trim() == part, "{part:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_field_is_without_a_value() {
        for form in all().chain(held_out()) {
            let sample = form.sample(Origin::Invented, &mut Random::seeded(2));
            for field in sample.fields {
                assert!(!field.value.trim().is_empty(), "{} of {}", field.name, form.name);
            }
        }
    }
}
