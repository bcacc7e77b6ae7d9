use tresor_proto::{Action, FieldName, Policy};

use super::*;

/// The types of a record's values, whose fields have names that say nothing.
fn types(values: &[&str]) -> Vec<Option<InfoType>> {
    let names = (0..values.len()).map(|index| FieldName::parse(&format!("f{index}")).unwrap());
    let plan = Plan::compile(&Policy::default(), &names.collect::<Vec<_>>());
    let values: Vec<_> = values.iter().map(|text| Value::Text(text)).collect();
    plan.screen(&values).iter().map(|verdict| verdict.info_type).collect()
}

#[test]
fn parts_of_an_address_tell_each_other() {
    use InfoType::{City, HouseNumber, Postcode, Street};
    let address = [Some(Street), Some(HouseNumber), Some(Postcode), Some(City)];
    for values in [
        ["Regine-Hauffer-Weg", "9-8", "30911", "Burg"],
        ["Phileinehof", "98", "8987 PA", "Xyzdorp"],
        ["Lindenhof", "12a", "01234", "Xyzheim am Main"],
        ["Baker Street", "221B", "NW1 6XE", "London"],
    ] {
        assert_eq!(types(&values), address, "{values:?}");
    }
    assert_eq!(types(&["30911", "Utrecht"]), [Some(Postcode), Some(City)]);
    assert_eq!(types(&["Xyzdorp", "8987 PA"]), [Some(City), Some(Postcode)]);
}

#[test]
fn numbers_without_a_place_beside_them_stay_numbers() {
    assert_eq!(types(&["30911", "548632", "12"]), [None; 3]);
    assert_eq!(types(&["Erledigt", "12", "30911", "Offen"]), [None; 4]);
    assert_eq!(types(&["1250", "Grundversorgung"]), [None; 2]);
}

#[test]
fn names_tell_each_other() {
    use InfoType::{FirstName, LastName, PersonName};
    assert_eq!(types(&["Anna", "Koch"]), [Some(FirstName), Some(LastName)]);
    assert_eq!(
        types(&["Xaxa", "12", "Yvyv", "Yvyv, Xaxa"]),
        [Some(FirstName), None, Some(LastName), Some(PersonName)]
    );
    assert_eq!(types(&["Yvyvic", "x.yvyvic@example.org"])[0], Some(LastName));
    assert_eq!(types(&["Offen", "x.yvyvic@example.org"])[0], None);
    assert_eq!(types(&["Anna", "Erledigt"])[1], None);
}

#[test]
fn weak_numbers_need_the_record_of_a_person() {
    let numbers =
        ["0753 645568", "871687110000000005", "352099001761481", "BRA KE 4768", "DEUTDEFF"];
    assert_eq!(types(&numbers), [None; 5]);
    let person = [&["Anna", "anna@example.org", "DE89370400440532013000"], &numbers[..]].concat();
    let expected = [
        InfoType::PhoneNumber,
        InfoType::MeterId,
        InfoType::DeviceId,
        InfoType::LicensePlateNumber,
        InfoType::SwiftCode,
    ];
    assert_eq!(types(&person)[3..], expected.map(Some));
}

#[test]
fn a_field_with_a_telling_name_is_left_as_it_is() {
    let names = ["strasse", "zaehlerstand", "status"].map(|name| FieldName::parse(name).unwrap());
    let plan = Plan::compile(&Policy::default(), &names);
    let verdicts = plan.screen(&["Hauptstraße", "12", "Koch"].map(Value::Text));
    assert_eq!(verdicts[1].info_type, None);
    assert_eq!(verdicts[2].info_type, None);
}

#[test]
fn user_names_are_made_of_names() {
    let name = Some(InfoType::Username);
    assert_eq!(types(&["Anna", "Schmidt", "aschmidt4"])[2], name);
    assert_eq!(types(&["petra.schmidt"])[0], name);
    assert_eq!(types(&["x.yv@example.org", "x.yv"])[1], name);
    for other in ["release-4.2", "offen", "config.json", "a1b2c3d4"] {
        assert_eq!(types(&["Anna", "Schmidt", other])[2], None, "{other}");
    }
}

#[test]
fn towns_that_are_names_or_words_need_a_street_or_the_name_elsewhere() {
    let city = Some(InfoType::City);
    assert_eq!(types(&["Hauptstraße 5", "Essen"])[1], city);
    assert_eq!(types(&["Anna Schmidt", "12", "Paris"])[2], city);
    assert_eq!(types(&["Essen"])[0], None);
    let between = types(&["Anna", "Rust", "Hauptstraße"]);
    assert_eq!(between[1], Some(InfoType::LastName));
    assert_eq!(
        types(&["Xyze Voorhout", "142", "2514 EH", "Utrecht"]),
        [InfoType::Street, InfoType::HouseNumber, InfoType::Postcode, InfoType::City].map(Some)
    );
}

#[test]
fn a_technical_field_that_holds_a_part_of_the_users_name_is_sealed() {
    let action = |status: &str, email: &str| {
        let names = ["status", "email"].map(|name| FieldName::parse(name).unwrap());
        let plan = Plan::compile(&Policy::default(), &names);
        plan.screen(&[Value::Text(status), Value::Text(email)])[0].action
    };
    for (status, email) in [
        ("Struckberger", "struckberger67@example.org"),
        ("Krüger", "a.krueger@example.org"),
        ("Krüger", "a.kruger@example.org"),
        ("Josonse Rochelier", "jrochelier@example.org"),
        ("wellernmeier", "wellernmeier@example.org"),
    ] {
        assert_eq!(action(status, email), Action::Seal, "{status}");
    }
    for (status, email) in [
        ("In Arbeit", "in.arbeiter@example.org"),
        ("Offen", "a.offenbach@example.org"),
        ("OK", "ok@example.org"),
        ("Stern Plus", "anna@example.org"),
    ] {
        assert_eq!(action(status, email), Action::Clear, "{status}");
    }
}
