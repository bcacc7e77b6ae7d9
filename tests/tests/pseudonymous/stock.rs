//! What the operator is told of a stock of records: frequencies, and what is held.

use serde_json::{Value, json};

use super::{POLICY, Setting};

#[test]
fn the_analysis_tells_what_frequencies_tell() {
    let setting = Setting::new(POLICY);
    // One comes three times, one twice, ten once.
    let names = ["Muster", "Muster", "Muster", "Maier", "Maier"].map(str::to_owned);
    let names = names.into_iter().chain((0..10).map(|number| format!("Selten{number}")));
    let rows: String = names.enumerate().map(|(nr, name)| format!("{nr};{name}\n")).collect();
    let file = setting.file("names.csv", &format!("nr;name\n{rows}"));
    setting.upload(&file, "names.out");
    let analyze = ["collection", "analyze", "people", "--tenant", "burg", "--output", "json"];
    let told = setting.site.operator(&analyze).ok().json()["indexes"][0].clone();
    let counts = ["entries", "distinct", "most_frequent", "told", "told_records"];
    assert_eq!(counts.map(|name| told[name].as_u64().unwrap()), [15, 12, 3, 2, 5], "{told}");
    assert_eq!((&told["field"], &told["bits"]), (&json!("name"), &json!(128)));
    assert_eq!(told["advised_bits"], Value::Null, "twelve names hide in no 256 entries");
    let entropy = told["entropy_bits"].as_f64().unwrap();
    assert!((entropy - 3.457).abs() < 0.01, "{entropy}");
    let table = setting.site.operator(&analyze[..5]).ok().stdout;
    assert!(table.contains("2 in 5 records") && table.contains("no index"), "{table}");
}

#[test]
fn the_inventory_tells_what_is_held_and_no_value() {
    let setting = Setting::new(POLICY);
    let values = ["Muster", "Maier", "DE89370400440532013000", "+493411234567", "m@example.org"];
    let [muster, maier, iban, telefon, email] = values;
    let rows = format!("1;{muster};{iban};{telefon};{email};x\n2;{maier};;;{email};x\n3;;;;;x\n");
    let file = setting.file("p.csv", &format!("nr;name;iban;telefon;email;intern\n{rows}"));
    setting.upload(&file, "p.out");
    let inventory = ["collection", "inventory", "--output", "json"];
    let ran = setting.site.operator(&inventory).ok();
    let told = ran.json()["tenants"][0].clone();
    assert_eq!(told["tenant"], "burg");
    let people = told["collections"][1].clone();
    let counts = ["records", "damaged", "policy_version"].map(|name| people[name].as_u64());
    assert_eq!((&people["collection"], counts), (&json!("people"), [Some(3), Some(0), Some(1)]));
    let held = |fields: &Value| -> Vec<_> {
        let names = ["field", "info_type", "class", "records", "tokenized", "searchable"];
        let fields = fields.as_array().unwrap().iter();
        fields.map(|field| Value::from_iter(names.map(|name| field[name].clone()))).collect()
    };
    // Sealed is what is empty, too: nobody tells it from the others.
    let expected = [
        json!(["email", "EMAIL_ADDRESS", "contact", 3, 0, 0]),
        json!(["iban", "IBAN_CODE", "financial", 3, 1, 0]),
        json!(["name", "LAST_NAME", "identity", 3, 2, 2]),
        json!(["telefon", "PHONE_NUMBER", "contact", 3, 1, 0]),
    ];
    assert_eq!(held(&people["fields"]), expected);
    let mut surrogates = held(&told["surrogates"]["fields"]);
    surrogates.sort_by_key(Value::to_string);
    let expected = [
        json!([null, "IBAN_CODE", "financial", 1, 1, 0]),
        json!([null, "LAST_NAME", "identity", 2, 2, 0]),
    ];
    assert_eq!(surrogates, expected);
    assert!(people["fields"][0]["earliest"].is_string(), "{people}");
    let one = [&inventory[..2], &["--tenant", "burg", "--collection", "people"]].concat();
    let table = setting.site.operator(&one).ok().stdout;
    assert!(table.contains("IBAN_CODE") && !table.contains("(surrogates)"), "{table}");
    for value in values {
        assert!(!ran.stdout.contains(value) && !table.contains(value), "{value}");
    }
}
