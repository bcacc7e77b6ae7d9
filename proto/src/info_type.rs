use crate::DataClass;

/// Defines the taxonomy as one table: variant, name, code, class.
macro_rules! taxonomy {
    ($($variant:ident, $name:literal, $code:literal, $class:ident;)*) => {
        /// What a value is. Names follow Google Sensitive Data Protection where it has one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the names say it; the taxonomy is documented as a whole")]
        pub enum InfoType {
            $($variant,)*
        }

        impl InfoType {
            /// All info types, in the order of the taxonomy.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name, `SCREAMING_SNAKE_CASE`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The info type of a name; `None` for an unknown one.
            #[must_use]
            pub fn from_text(text: &str) -> Option<Self> {
                match text {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Its code in surrogates, 2 to 12 of `[a-z0-9]`; frozen, since surrogates outlive us.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// The info type of a code; `None` for an unknown one.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The class it belongs to unless a policy says otherwise.
            #[must_use]
            pub fn class(self) -> DataClass {
                match self {
                    $(Self::$variant => DataClass::$class,)*
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

impl InfoType {
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
        for &info_type in InfoType::ALL {
            let code = info_type.code();
            assert!((2..=12).contains(&code.len()) && code.bytes().all(fits), "{code}");
            assert!(seen.insert(code), "{code} is given twice");
            assert_eq!(InfoType::from_code(code), Some(info_type));
        }
        assert_eq!(InfoType::from_code("CARD"), None);
    }

    /// Golden vector: surrogates are kept by others, so that no code may ever change.
    #[test]
    fn the_codes_are_frozen() {
        let codes: Vec<_> = InfoType::ALL.iter().map(|info_type| info_type.code()).collect();
        assert_eq!(
            codes.join(" "),
            "name first last title gender birth age nation email phone url address street house \
             postcode city geo iban bic card account detax desocial deid depass dedrive nlbsn \
             frnir uknino passport dehealth uknhs medical ip mac user device cookie meter plate \
             vin text"
        );
    }
}
