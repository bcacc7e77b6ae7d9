//! Which rule belongs to which info type.
//!
//! It promises to be complete: a new info type does not compile without a decision here. It relies on
//! the rules beside it.

use tresor_proto::InfoType;

use crate::Rule;

/// What a rule says about a value of its type.
pub(crate) enum Check {
    Holds(Rule),
    Fails,
    /// The type has no rule.
    Silent,
}

/// Whether the rule of a type says something about a value that its field declares clear.
pub(crate) fn is_telling(info_type: InfoType) -> bool {
    use InfoType as T;
    matches!(
        info_type,
        T::CreditCardNumber
            | T::GermanyTaxpayerIdentificationNumber
            | T::GermanySocialSecurity
            | T::GermanyHealthInsurance
            | T::NetherlandsBsnNumber
            | T::FranceNir
            | T::UkNationalInsuranceNumber
            | T::UkNationalHealthServiceNumber
            | T::DateOfBirth
            | T::PhoneNumber
            | T::VehicleIdentificationNumber
            | T::LicensePlateNumber
            | T::LocationCoordinates
    )
}

/// Asks the rule of a type.
pub(crate) fn check(info_type: InfoType, text: &str) -> Check {
    use super as v;
    use InfoType as T;
    let rule = match info_type {
        T::EmailAddress => v::email(text),
        T::PhoneNumber => v::phone(text),
        T::Url => v::url(text),
        T::DateOfBirth => v::birth(text),
        T::Age => v::age(text),
        T::Postcode => v::postcode(text),
        T::HouseNumber => v::house_number(text),
        T::LocationCoordinates => v::coordinate(text),
        T::IbanCode => v::iban(text),
        T::SwiftCode => v::bic(text),
        T::CreditCardNumber => v::card(text),
        T::BankAccount => v::iban(text).is_none().then(|| v::bank_account(text)).flatten(),
        T::GermanyTaxpayerIdentificationNumber => v::tax_id(text),
        T::GermanySocialSecurity => v::social_security(text),
        T::GermanyHealthInsurance => v::health_insurance(text),
        T::GermanyIdentityCardNumber | T::GermanyPassport => v::identity_document(text),
        T::GermanyDriversLicenseNumber => v::driver_licence(text),
        T::NetherlandsBsnNumber => v::bsn(text),
        T::FranceNir => v::nir(text),
        T::UkNationalInsuranceNumber => v::nino(text),
        T::UkNationalHealthServiceNumber => v::nhs(text),
        T::Passport => v::passport(text),
        T::IpAddress => v::ip(text),
        T::MacAddress => v::mac(text),
        T::MeterId => v::meter_id(text),
        T::LicensePlateNumber => v::plate(text),
        T::VehicleIdentificationNumber => v::vin(text),
        T::PersonName
        | T::FirstName
        | T::LastName
        | T::Title
        | T::Gender
        | T::Nationality
        | T::StreetAddress
        | T::Street
        | T::City
        | T::MedicalTerm
        | T::Username
        | T::DeviceId
        | T::CookieId
        | T::FreeText
        // Its definition has the rule.
        | T::Custom(_) => return Check::Silent,
    };
    rule.map_or(Check::Fails, Check::Holds)
}
