use crate::{CustomInfoType, DataClass};

/// Defines the taxonomy as one table: variant, name, code, class.
macro_rules! taxonomy {
    ($($variant:ident, $name:literal, $code:literal, $class:ident;)*) => {
        /// What a value is. Names follow Google Sensitive Data Protection where it has one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the names say it; the taxonomy is documented as a whole")]
        pub enum InfoType {
            $($variant,)*
            /// One that a tenant's policy defines.
            Custom(CustomInfoType),
        }

        impl InfoType {
            /// All info types of the taxonomy, in its order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name, `SCREAMING_SNAKE_CASE`.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Custom(custom) => custom.as_str(),
                }
            }

            /// The info type of the taxonomy that has a name; `None` for any other name.
            #[must_use]
            pub fn from_text(text: &str) -> Option<Self> {
                match text {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Its code in surrogates, 2 to 12 of `[a-z0-9]`; frozen, since surrogates outlive us.
            /// Custom ones of a class share one: a surrogate tells of them no more than that.
            #[must_use]
            pub fn code(self) -> SurrogateCode {
                match self {
                    $(Self::$variant => SurrogateCode { text: $code, class: DataClass::$class },)*
                    Self::Custom(custom) => SurrogateCode::custom(custom.class()),
                }
            }

            /// The class it belongs to unless a policy says otherwise.
            #[must_use]
            pub fn class(self) -> DataClass {
                match self {
                    $(Self::$variant => DataClass::$class,)*
                    Self::Custom(custom) => custom.class(),
                }
            }
        }
    };
}

taxonomy! {
    PersonName, "PERSON_NAME", "name", Identity;
    FirstName, "FIRST_NAME", "first", Identity;
    LastName, "LAST_NAME", "last", Identity;
    Title, "TITLE", "title", Identity;
    Gender, "GENDER", "gender", Identity;
    DateOfBirth, "DATE_OF_BIRTH", "birth", Identity;
    Age, "AGE", "age", Identity;
    Nationality, "NATIONALITY", "nation", Identity;
    EmailAddress, "EMAIL_ADDRESS", "email", Contact;
    PhoneNumber, "PHONE_NUMBER", "phone", Contact;
    Url, "URL", "url", Contact;
    StreetAddress, "STREET_ADDRESS", "address", Location;
    Street, "STREET", "street", Location;
    HouseNumber, "HOUSE_NUMBER", "house", Location;
    Postcode, "POSTCODE", "postcode", Location;
    City, "CITY", "city", Location;
    LocationCoordinates, "LOCATION_COORDINATES", "geo", Location;
    IbanCode, "IBAN_CODE", "iban", Financial;
    SwiftCode, "SWIFT_CODE", "bic", Financial;
    CreditCardNumber, "CREDIT_CARD_NUMBER", "card", Financial;
    BankAccount, "BANK_ACCOUNT", "account", Financial;
    GermanyTaxpayerIdentificationNumber, "GERMANY_TAXPAYER_IDENTIFICATION_NUMBER", "detax", GovernmentId;
    GermanySocialSecurity, "GERMANY_SOCIAL_SECURITY", "desocial", GovernmentId;
    GermanyIdentityCardNumber, "GERMANY_IDENTITY_CARD_NUMBER", "deid", GovernmentId;
    GermanyPassport, "GERMANY_PASSPORT", "depass", GovernmentId;
    GermanyDriversLicenseNumber, "GERMANY_DRIVERS_LICENSE_NUMBER", "dedrive", GovernmentId;
    NetherlandsBsnNumber, "NETHERLANDS_BSN_NUMBER", "nlbsn", GovernmentId;
    FranceNir, "FRANCE_NIR", "frnir", GovernmentId;
    UkNationalInsuranceNumber, "UK_NATIONAL_INSURANCE_NUMBER", "uknino", GovernmentId;
    Passport, "PASSPORT", "passport", GovernmentId;
    GermanyHealthInsurance, "GERMANY_HEALTH_INSURANCE", "dehealth", Health;
    UkNationalHealthServiceNumber, "UK_NATIONAL_HEALTH_SERVICE_NUMBER", "uknhs", Health;
    MedicalTerm, "MEDICAL_TERM", "medical", Health;
    IpAddress, "IP_ADDRESS", "ip", OnlineId;
    MacAddress, "MAC_ADDRESS", "mac", OnlineId;
    Username, "USERNAME", "user", OnlineId;
    DeviceId, "DEVICE_ID", "device", OnlineId;
    CookieId, "COOKIE_ID", "cookie", OnlineId;
    MeterId, "METER_ID", "meter", Device;
    LicensePlateNumber, "LICENSE_PLATE_NUMBER", "plate", Device;
    VehicleIdentificationNumber, "VEHICLE_IDENTIFICATION_NUMBER", "vin", Device;
    FreeText, "FREE_TEXT", "text", FreeText;
}

/// What a surrogate tells of the info type of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SurrogateCode {
    text: &'static str,
    class: DataClass,
}

impl SurrogateCode {
    /// That of the custom info types of a class: an x, and the number of the class.
    fn custom(class: DataClass) -> Self {
        let text = match class {
            DataClass::Identity => "x1",
            DataClass::Contact => "x2",
            DataClass::Location => "x3",
            DataClass::Financial => "x4",
            DataClass::GovernmentId => "x5",
            DataClass::Health => "x6",
            DataClass::OnlineId => "x7",
            DataClass::Device => "x8",
            DataClass::FreeText => "x9",
            DataClass::Other => "x10",
        };
        Self { text, class }
    }

    /// All codes.
    pub fn all() -> impl Iterator<Item = Self> {
        let customs = DataClass::ALL.into_iter().map(Self::custom);
        InfoType::ALL.iter().map(|info_type| info_type.code()).chain(customs)
    }

    /// The code of a text; `None` for an unknown one.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::all().find(|code| code.text == text)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.text
    }

    /// The class of the info types that have it.
    #[must_use]
    pub fn class(self) -> DataClass {
        self.class
    }
}

impl InfoType {
    /// The info type of a name: of the taxonomy, or else a custom one of this class. That the
    /// tenant has such a type is for the vault to say; what is stored was said then.
    #[must_use]
    pub fn named(name: &str, class: DataClass) -> Option<Self> {
        let custom = || CustomInfoType::new(name, class).ok().map(Self::Custom);
        Self::from_text(name).or_else(custom)
    }

    /// The custom info type, when it is one.
    #[must_use]
    pub fn custom(self) -> Option<CustomInfoType> {
        #[allow(clippy::wildcard_enum_match_arm, reason = "all others are of the taxonomy")]
        match self {
            Self::Custom(custom) => Some(custom),
            _ => None,
        }
    }

    /// Whether its values are so few that their frequencies tell them: one of a few hundred at most.
    #[must_use]
    pub fn has_few_values(self) -> bool {
        matches!(
            self,
            Self::Title | Self::Gender | Self::Age | Self::Nationality | Self::HouseNumber
        )
    }
}

impl core::fmt::Display for InfoType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_info_type_has_a_code_of_its_own() {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let mut seen = HashSet::new();
        for code in SurrogateCode::all() {
            let text = code.as_str();
            assert!((2..=12).contains(&text.len()) && text.bytes().all(fits), "{text}");
            assert!(seen.insert(text), "{text} is given twice");
            assert_eq!(SurrogateCode::from_text(text), Some(code));
        }
        assert_eq!(SurrogateCode::from_text("CARD"), None);
        assert!(InfoType::ALL.iter().all(|it| it.code().class() == it.class()));
    }

    #[test]
    fn a_custom_info_type_is_its_name_and_its_class() {
        let made = InfoType::named("CUSTOMER_NUMBER", DataClass::Identity).unwrap();
        assert_eq!((made.as_str(), made.class()), ("CUSTOMER_NUMBER", DataClass::Identity));
        assert_eq!((made.code().as_str(), made.code().class()), ("x1", DataClass::Identity));
        assert!(made.custom().is_some() && InfoType::from_text("CUSTOMER_NUMBER").is_none());
        let iban = InfoType::named("IBAN_CODE", DataClass::Other);
        assert_eq!(iban, Some(InfoType::IbanCode), "a name of the taxonomy is never a custom one");
        assert_eq!(InfoType::named("customer number", DataClass::Other), None);
    }

    /// Golden vector: surrogates are kept by others, so that no code may ever change.
    #[test]
    fn the_codes_are_frozen() {
        let codes: Vec<_> = SurrogateCode::all().map(SurrogateCode::as_str).collect();
        assert_eq!(
            codes.join(" "),
            "name first last title gender birth age nation email phone url address street house \
             postcode city geo iban bic card account detax desocial deid depass dedrive nlbsn \
             frnir uknino passport dehealth uknhs medical ip mac user device cookie meter plate \
             vin text x1 x2 x3 x4 x5 x6 x7 x8 x9 x10"
        );
    }
}
