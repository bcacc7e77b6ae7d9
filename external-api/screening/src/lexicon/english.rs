//! English words of field names.
//!
//! It promises whole words and phrases written together, grouped by meaning; words English shares
//! with German or Dutch stand there. It relies on the lexicon for the spellings.

use tresor_proto::{DataClass, InfoType};

use super::{Group, Sense};

pub(super) const WORDS: &[Group] = &[
    (
        Sense::Type(InfoType::FirstName),
        "firstname forename givenname givennames middlename christianname fname",
    ),
    (Sense::Type(InfoType::LastName), "lastname surname familyname maidenname lname"),
    (
        Sense::Type(InfoType::PersonName),
        "fullname displayname accountholder cardholder nickname realname",
    ),
    (Sense::Type(InfoType::Title), "title salutation honorific"),
    (Sense::Type(InfoType::Gender), "gender sex"),
    (
        Sense::Type(InfoType::DateOfBirth),
        "dateofbirth birthdate birthday birth dob birthyear yearofbirth yob born",
    ),
    (Sense::Type(InfoType::Age), "age"),
    (Sense::Type(InfoType::Nationality), "nationality citizenship ethnicity race"),
    (Sense::Type(InfoType::EmailAddress), "emailaddress mailaddress emailaddr"),
    (
        Sense::Type(InfoType::PhoneNumber),
        "phone phones phonenumber phoneno telephone telephonenumber mobile mobilenumber \
         mobilephone cell cellphone landline msisdn whatsapp",
    ),
    (Sense::Type(InfoType::Url), "webpage weburl urls"),
    (
        Sense::Type(InfoType::StreetAddress),
        "addressline streetaddress mailingaddress shippingaddress billingaddress",
    ),
    (Sense::Type(InfoType::Street), "street streetname road"),
    (
        Sense::Type(InfoType::HouseNumber),
        "housenumber houseno streetnumber buildingnumber apartment",
    ),
    (Sense::Type(InfoType::Postcode), "zip zipcode postalcode postal"),
    (Sense::Type(InfoType::City), "city town locality birthplace placeofbirth hometown village"),
    (
        Sense::Type(InfoType::LocationCoordinates),
        "lat latitude lng lon long longitude latlng latlon latlong coordinates coordinate \
         coords geolocation geopoint",
    ),
    (Sense::Type(InfoType::SwiftCode), "swiftcode bankidentifiercode"),
    (
        Sense::Type(InfoType::BankAccount),
        "accountnumber accountno bankaccount bankaccountnumber sortcode routingnumber",
    ),
    (
        Sense::Type(InfoType::CreditCardNumber),
        "creditcard creditcardnumber cardnumber cardno ccnumber ccnum pan debitcard \
         paymentcard card",
    ),
    (
        Sense::Type(InfoType::UkNationalInsuranceNumber),
        "nino ninumber nationalinsurance nationalinsurancenumber nationalinsuranceno",
    ),
    (Sense::Type(InfoType::UkNationalHealthServiceNumber), "nhs nhsnumber nhsno"),
    (Sense::Type(InfoType::Passport), "passport passportnumber passportno"),
    (
        Sense::Personal(DataClass::GovernmentId),
        "ssn socialsecurity socialsecuritynumber driverslicense driverslicence \
         driverlicense drivinglicence driverslicensenumber nationalid taxid tin idcard \
         identitycard",
    ),
    (
        Sense::Type(InfoType::MedicalTerm),
        "diagnosis diagnoses medication medications allergy allergies bloodtype \
         bloodgroup bloodpressure bloodsugar heartrate restingheartrate disease illness disability prescription icd",
    ),
    (Sense::Type(InfoType::IpAddress), "ipaddress ipaddr"),
    (Sense::Type(InfoType::MacAddress), "macaddress macaddr"),
    (Sense::Type(InfoType::Username), "username userhandle screenname handle loginname userlogin"),
    (
        Sense::Type(InfoType::DeviceId),
        "deviceid serial serialnumber serialno advertisingid idfa deviceserial",
    ),
    (Sense::Type(InfoType::CookieId), "cookie cookies cookieid sessionid session sessiontoken"),
    (Sense::Type(InfoType::MeterId), "meternumber meterno mpan mprn meterserial meteringpoint"),
    (
        Sense::Type(InfoType::LicensePlateNumber),
        "licenseplate licenceplate numberplate plate platenumber vehicleregistration \
         registrationplate vehiclereg regno registrationnumber registrationmark vrm vrn",
    ),
    (
        Sense::Type(InfoType::VehicleIdentificationNumber),
        "vehicleidentificationnumber chassis chassisnumber vinnumber",
    ),
    (
        Sense::Note,
        "note notes comment comments remark remarks description message messages freetext \
         subject body feedback annotation",
    ),
    (
        Sense::Person,
        "customer customers client clients person people user users tenant owner employee \
         employees worker patients resident occupant contacts recipient sender subscriber \
         member driver holder applicant doctor teacher student beneficiary spouse author \
         createdby updatedby modifiedby assignedto assignee technician landlord insured \
         guardian staff cust",
    ),
    (
        Sense::Personal(DataClass::Identity),
        "contract contracts account accounts acct mrn empno empid employeeno payroll \
         payrollno payrollid policyno policynumber signature maritalstatus customerid personid jobtitle \
         occupation profession photo avatar picture",
    ),
    (
        Sense::Personal(DataClass::Financial),
        "salary income wage cvv cvc accountbalance creditscore creditlimit creditrating debt debts",
    ),
    (
        Sense::Personal(DataClass::OnlineId),
        "password passwd secret apikey token userid accountid useragent",
    ),
    (Sense::Address, "address addresses addr"),
    (Sense::Name, "name names"),
    (Sense::Number, "number no num id ids code key ref reference value values"),
    (Sense::Date, "date day"),
    (
        Sense::Filler,
        "the of a an and or at on in to for by from line old new last previous current \
         primary secondary",
    ),
    (Sense::Question, "is has was can should"),
];
