use crate::vault;

/// A group of fields that is locked together: a customer token opens whole classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum DataClass {
    /// Names, titles, dates of birth.
    Identity = 1,
    /// E-mail addresses, telephone numbers.
    Contact = 2,
    /// Addresses and coordinates.
    Location = 3,
    /// Bank accounts and cards.
    Financial = 4,
    /// Numbers given by states.
    GovernmentId = 5,
    /// Health data.
    Health = 6,
    /// Network addresses, user names, cookies.
    OnlineId = 7,
    /// Meters, vehicles.
    Device = 8,
    /// Notes.
    FreeText = 9,
    /// Anything else.
    Other = 10,
}

impl DataClass {
    /// All classes, in the order of their codes.
    pub const ALL: [Self; 10] = [
        Self::Identity,
        Self::Contact,
        Self::Location,
        Self::Financial,
        Self::GovernmentId,
        Self::Health,
        Self::OnlineId,
        Self::Device,
        Self::FreeText,
        Self::Other,
    ];

    /// Its number, on the wire and at rest: 1 to 15.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The class of a number; `None` for an unknown one.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|class| u32::from(class.code()) == code)
    }

    /// Its name, `snake_case`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Contact => "contact",
            Self::Location => "location",
            Self::Financial => "financial",
            Self::GovernmentId => "government_id",
            Self::Health => "health",
            Self::OnlineId => "online_id",
            Self::Device => "device",
            Self::FreeText => "free_text",
            Self::Other => "other",
        }
    }

    /// The class of a name; `None` for an unknown one.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }

    /// Reads the wire's enumeration, where 0 means "not given".
    ///
    /// # Errors
    /// `Err(())` for an unknown number.
    #[allow(clippy::result_unit_err, reason = "there is nothing to say but that it is unknown")]
    pub fn from_wire(code: i32) -> Result<Option<Self>, ()> {
        match u32::try_from(code) {
            Ok(0) => Ok(None),
            Ok(code) => Self::from_code(code).map(Some).ok_or(()),
            Err(_) => Err(()),
        }
    }
}

impl From<DataClass> for vault::DataClass {
    fn from(class: DataClass) -> Self {
        Self::try_from(i32::from(class.code())).unwrap_or_default()
    }
}

impl core::fmt::Display for DataClass {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree_with_the_wire() {
        for class in DataClass::ALL {
            let wire = vault::DataClass::from(class);
            assert_eq!(wire as i32, i32::from(class.code()));
            assert_eq!(wire.as_str_name(), format!("DATA_CLASS_{}", class.as_str().to_uppercase()));
            assert_eq!(DataClass::from_text(class.as_str()), Some(class));
            assert_eq!(DataClass::from_wire(wire as i32), Ok(Some(class)));
        }
        assert_eq!(DataClass::from_wire(11), Err(()));
    }
}
