//! The records of an installation planner, German and Dutch: every column of every record gets the
//! verdict a person would give it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::HashMap, fs::File, ops::ControlFlow};

use tresor_proto::{Action, FieldPolicy, InfoType, Policy};
use tresor_screening::{
    Report, Screener, Value, policy_document,
    reader::{self, Charset, Format},
};

/// Columns and their info types; `-` is not personal.
const GERMAN: &str = "vorname FIRST_NAME, nachname LAST_NAME, straße STREET, hausnummer HOUSE_NUMBER, \
     PLZ POSTCODE, ort CITY, telefon PHONE_NUMBER, email EMAIL_ADDRESS, geburtsdatum DATE_OF_BIRTH, \
     iban IBAN_CODE, kunde PERSON_NAME, kennzeichen LICENSE_PLATE_NUMBER, \
     fin VEHICLE_IDENTIFICATION_NUMBER, melo_id METER_ID, zaehlernummer METER_ID, \
     gateway_ip IP_ADDRESS, gateway_mac MAC_ADDRESS, geo LOCATION_COORDINATES, auftrag -, status -, \
     geraetetyp -, fw_version -, verbrauch_kwh -, zaehlerstand -, terminfenster -, erstellt_am -, \
     tarif -, uuid -, rssi -, bemerkung FREE_TEXT";

const DUTCH: &str = "voornaam FIRST_NAME, achternaam LAST_NAME, straat STREET, huisnummer HOUSE_NUMBER, \
     postcode POSTCODE, plaats CITY, telefoon PHONE_NUMBER, email EMAIL_ADDRESS, \
     geboortedatum DATE_OF_BIRTH, iban IBAN_CODE, klant PERSON_NAME, kenteken LICENSE_PLATE_NUMBER, \
     chassisnummer VEHICLE_IDENTIFICATION_NUMBER, ean_code METER_ID, meternummer METER_ID, \
     gateway_ip IP_ADDRESS, gateway_mac MAC_ADDRESS, geo LOCATION_COORDINATES, auftrag -, status -, \
     geraetetyp -, fw_version -, verbrauch_kwh -, zaehlerstand -, terminfenster -, erstellt_am -, \
     tarif -, uuid -, rssi -, opmerking FREE_TEXT";

fn expectations(columns: &str) -> HashMap<&str, Option<InfoType>> {
    let columns = columns.split(',').map(|column| column.trim().split_once(' ').unwrap());
    columns.map(|(name, info_type)| (name, InfoType::from_text(info_type))).collect()
}

/// Screens a file; gives the report after checking each verdict.
fn screen(path: &str, columns: &str) -> Report {
    let path = format!("{}/../../examples/{path}", env!("CARGO_MANIFEST_DIR"));
    let expected = expectations(columns);
    let policy = Policy::default();
    let (mut report, mut screener) = (Report::new(), Screener::new(&policy));
    let mut sink = |row: reader::Row| {
        let record = row.result.unwrap();
        let values: Vec<Value<'_>> = record.values.iter().map(Value::from).collect();
        let screened = screener.screen(&record.names, &values);
        for (name, verdict) in record.names.iter().zip(screened.verdicts) {
            let info_type = expected[name.as_str()];
            let action = info_type.map_or(Action::Clear, |_| Action::Seal);
            let place = format!("{name} in line {}: {}", row.line, verdict.evidence);
            assert_eq!((verdict.info_type, verdict.action), (info_type, action), "{place}");
            assert_eq!(verdict.class, info_type.map(InfoType::class), "{place}");
        }
        report.observe(&record.names, screened);
        ControlFlow::Continue(())
    };
    reader::read(Format::Csv(Charset::Utf8), File::open(path).unwrap(), &mut sink).unwrap();
    report
}

fn assert_report(report: &Report, columns: &str, records: u64) {
    let expected = expectations(columns);
    assert_eq!(report.records(), records);
    assert_eq!(report.columns().len(), expected.len());
    for column in report.columns() {
        let info_type = expected[column.name.as_str()];
        assert_eq!(column.info_type, info_type, "{}", column.name);
        assert_eq!(column.values, records, "{}", column.name);
        let mut findings = column.findings;
        if let Some(info_type) = info_type {
            assert_eq!(findings.remove(&info_type), Some(records), "{}", column.name);
        }
        // Notes count what is inside of them, too.
        let is_note = info_type == Some(InfoType::FreeText);
        let inside: u64 = findings.values().sum();
        assert_eq!(inside > records / 2, is_note, "{}: {findings:?}", column.name);
        assert!(is_note || findings.is_empty(), "{}: {findings:?}", column.name);
        assert!(column.confidence > 0.7 && column.confidence <= 1.0, "{}", column.name);
    }
}

fn assert_proposal(report: &Report) {
    let proposed = report.proposed_policy();
    // The other eleven are clear, value by value.
    assert_eq!(proposed.fields().len(), 19);
    assert_eq!(policy_document::parse(&policy_document::write(&proposed)).unwrap(), proposed);
    assert!(proposed.fields().iter().all(FieldPolicy::protects));
}

#[test]
fn every_field_of_german_records_gets_its_verdict() {
    let report = screen("planning_de.csv", GERMAN);
    assert_report(&report, GERMAN, 5_000);
    assert_proposal(&report);
}

#[test]
fn every_field_of_dutch_records_gets_its_verdict() {
    let report = screen("planning_nl.csv", DUTCH);
    assert_report(&report, DUTCH, 500);
    assert_proposal(&report);
}
