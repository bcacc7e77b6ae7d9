use crate::DataClass;

/// Defines the taxonomy as one table: variant, name, class.
macro_rules! taxonomy {
    ($($variant:ident, $name:literal, $class:ident;)*) => {
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
    PersonName, "PERSON_NAME", Identity;
    FirstName, "FIRST_NAME", Identity;
    LastName, "LAST_NAME", Identity;
    Title, "TITLE", Identity;
    Gender, "GENDER", Identity;
    DateOfBirth, "DATE_OF_BIRTH", Identity;
    Age, "AGE", Identity;
    Nationality, "NATIONALITY", Identity;
    EmailAddress, "EMAIL_ADDRESS", Contact;
    PhoneNumber, "PHONE_NUMBER", Contact;
    Url, "URL", Contact;
    StreetAddress, "STREET_ADDRESS", Location;
    Street, "STREET", Location;
    HouseNumber, "HOUSE_NUMBER", Location;
    Postcode, "POSTCODE", Location;
    City, "CITY", Location;
    LocationCoordinates, "LOCATION_COORDINATES", Location;
    IbanCode, "IBAN_CODE", Financial;
    SwiftCode, "SWIFT_CODE", Financial;
    CreditCardNumber, "CREDIT_CARD_NUMBER", Financial;
    BankAccount, "BANK_ACCOUNT", Financial;
    GermanyTaxpayerIdentificationNumber, "GERMANY_TAXPAYER_IDENTIFICATION_NUMBER", GovernmentId;
    GermanySocialSecurity, "GERMANY_SOCIAL_SECURITY", GovernmentId;
    GermanyIdentityCardNumber, "GERMANY_IDENTITY_CARD_NUMBER", GovernmentId;
    GermanyPassport, "GERMANY_PASSPORT", GovernmentId;
    GermanyDriversLicenseNumber, "GERMANY_DRIVERS_LICENSE_NUMBER", GovernmentId;
    NetherlandsBsnNumber, "NETHERLANDS_BSN_NUMBER", GovernmentId;
    FranceNir, "FRANCE_NIR", GovernmentId;
    UkNationalInsuranceNumber, "UK_NATIONAL_INSURANCE_NUMBER", GovernmentId;
    Passport, "PASSPORT", GovernmentId;
    GermanyHealthInsurance, "GERMANY_HEALTH_INSURANCE", Health;
    UkNationalHealthServiceNumber, "UK_NATIONAL_HEALTH_SERVICE_NUMBER", Health;
    MedicalTerm, "MEDICAL_TERM", Health;
    IpAddress, "IP_ADDRESS", OnlineId;
    MacAddress, "MAC_ADDRESS", OnlineId;
    Username, "USERNAME", OnlineId;
    DeviceId, "DEVICE_ID", OnlineId;
    CookieId, "COOKIE_ID", OnlineId;
    MeterId, "METER_ID", Device;
    LicensePlateNumber, "LICENSE_PLATE_NUMBER", Device;
    VehicleIdentificationNumber, "VEHICLE_IDENTIFICATION_NUMBER", Device;
    FreeText, "FREE_TEXT", FreeText;
}

impl core::fmt::Display for InfoType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}
