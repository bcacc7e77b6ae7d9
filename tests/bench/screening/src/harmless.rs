//! Values of technical columns: nobody's, though some look like somebody's.
//!
//! Included by a test of the screening crate (`#[path]`), so it relies on `crate::random` and the
//! standard library alone. It promises values of every kind in turn.

use crate::random::Random;

/// A column: its name, and what makes its values.
pub(crate) type Column = (&'static str, fn(&mut Random) -> String);

/// The columns.
pub(crate) const COLUMNS: &[Column] = &[
    ("erstellt_am", timestamp),
    ("hotel", |r| one_of("4 Sterne;Business;Garni;H-0417;ja;nein;Ketten-Nr. 12;3S", r)),
    ("modell", |r| one_of(MODELS, r)),
    ("status", |r| one_of(STATES, r)),
    ("filename", |r| {
        format!(
            "{}_{}.{}",
            one_of("export;report;meter;log;IMG;scan", r),
            r.below(100_000),
            one_of("csv;pdf;json;zip;jpg", r)
        )
    }),
    ("hostname", |r| {
        format!(
            "{}-{:04}.{}",
            one_of("gw;meter;edge;srv;db", r),
            r.below(10_000),
            one_of("lan;internal;local", r)
        )
    }),
    ("ort_typ", |r| {
        one_of("Keller;Dachgeschoss;Erdgeschoss;Außenbereich;Treppenhaus;Stadt;Land", r)
    }),
    ("telegramm", |r| format!("{:02X}{:016X}{:08X}", 0x68, r.number(), r.below(1 << 32))),
    ("zaehlerstand", |r| r.below(1_000_000).to_string()),
    ("verbrauch_kwh", |r| format!("{}.{}", r.below(20_000), r.below(1_000))),
    ("leistung", |r| format!("{},{} {}", r.below(400), r.below(100), one_of("kW;W;kWh;MWh", r))),
    ("temperatur", |r| format!("{}{}.{} °C", one_of("-;;", r), r.below(40), r.below(10))),
    ("rssi", |r| format!("-{} dBm", 30 + r.below(100))),
    ("signal_strength", |r| format!("-{}", 30 + r.below(100))),
    ("snr", |r| format!("{}.{} dB", r.below(30), r.below(10))),
    ("fw_version", |r| format!("{}.{}.{}", r.below(12), r.below(40), r.below(100))),
    ("release", |r| format!("v{}.{}.{}-rc{}", r.below(9), r.below(20), r.below(20), r.below(9))),
    ("auftragsnummer", luhn_number),
    ("order_id", |r| format!("A-{:08}", r.below(100_000_000))),
    ("bestellnummer", |r| format!("{}-{}", 2020 + r.below(8), 10_000 + r.below(90_000))),
    ("uuid", uuid),
    ("trace_id", |r| format!("{:016x}{:016x}", r.number(), r.number())),
    ("sha256", |r| (0..4).map(|_| format!("{:016x}", r.number())).collect()),
    ("etag", |r| format!("W/\"{:x}\"", r.number())),
    ("updated_at", |r| (1_600_000_000 + r.below(300_000_000)).to_string()),
    ("updated_at_ms", |r| (1_600_000_000_000 + r.below(300_000_000_000)).to_string()),
    ("terminfenster", |r| format!("{} {:02}:00-{:02}:00", day(r), 6 + r.below(6), 12 + r.below(8))),
    ("liefertermin", day),
    ("uhrzeit", |r| format!("{:02}:{:02}:{:02}", r.below(24), r.below(60), r.below(60))),
    ("tarif", |r| one_of(TARIFFS, r)),
    ("preis", |r| format!("{},{:02} €", r.below(1_000), r.below(100))),
    ("amount", |r| format!("{}.{:02}", r.below(100_000), r.below(100))),
    ("anteil", |r| format!("{} %", r.below(101))),
    ("anzahl", |r| r.below(500).to_string()),
    ("is_active", |r| one_of("true;false;ja;nein;0;1", r)),
    ("fehlercode", |r| format!("E{:04}", r.below(10_000))),
    ("part_number", |r| {
        format!("{}{}-{:03}/{}", letter(r), letter(r), r.below(1_000), r.below(100))
    }),
    ("topic", |r| format!("site/{}/meter/{}", r.below(10_000), one_of("power;energy;state", r))),
    ("farbe", |r| one_of("rot;Weiß;Schwarz;Braun;Grün;blau;Rose;Gold", r)),
    ("monat", |r| one_of("Januar;Februar;März;April;Mai;Juni;Juli;August;September", r)),
    ("groesse", |r| one_of("Klein;Groß;Lang;Kurz;XL;Breit;mittel", r)),
    ("kategorie", |r| {
        one_of("Stern;Essen;Mark;Frost;Sommer;Winter;Strom;Gas;Wasser;König Plus", r)
    }),
    ("durée", |r| format!("{} min", r.below(600))),
    ("currency", |r| one_of("EUR;USD;GBP;CHF;DKK", r)),
    ("country", |r| one_of("DE;NL;FR;GB;Deutschland;Nederland", r)),
    ("obis", |r| format!("1-0:{}.{}.0*255", r.below(100), r.below(10))),
    ("soort_storing", |r| one_of("geen;Spanning laag;Fase uitval;Storing gemeld;Lekkage", r)),
    ("type_panne", |r| one_of("aucune;Batterie faible;Hors ligne;Court-circuit", r)),
    ("payload", |r| format!("{{\"v\":{},\"q\":{}}}", r.below(10_000), r.below(4))),
];

const MODELS: &str = "Iskra MT176;Landis+Gyr E450;EMH mMe4.0;Kamstrup Omnipower;Itron ACE 661;Theben Conexa 3.0;\
                      Sagemcom T210-D;Easymeter Q3A;DZG DWS76;Golf VIII;Model 3;Zoe R135;Corsa Electric;iX3";

const STATES: &str = "offen;geplant;erledigt;storniert;in Arbeit;open;gereed;closed;done;pending;wachtend;\
                      en cours;terminé;Wartung;Frei;Besetzt;Gesperrt;OK;ERROR;n/a";

const TARIFFS: &str = "Grundversorgung;Basis Tarief;Dynamisch;ÖkoStrom Plus;Nachtstrom;Comfort 24;Flex M;\
                       Heures Creuses;Standard Variable;Wärmepumpe;Business L;Prepaid";

/// One of the parts of a list.
pub(crate) fn one_of(list: &str, random: &mut Random) -> String {
    let parts: Vec<&str> = list.split(';').map(str::trim).collect();
    (*random.pick(&parts)).to_owned()
}

fn letter(random: &mut Random) -> char {
    char::from(*random.pick(b"ABCDEFGHKLMNPQRSTUVWXYZ"))
}

/// A day of a year in which nobody on record was born.
pub(crate) fn day(random: &mut Random) -> String {
    let (year, month, day) = (2021 + random.below(7), 1 + random.below(12), 1 + random.below(28));
    match random.below(3) {
        0 => format!("{year}-{month:02}-{day:02}"),
        1 => format!("{day:02}.{month:02}.{year}"),
        _ => format!("{day:02}/{month:02}/{year}"),
    }
}

pub(crate) fn timestamp(random: &mut Random) -> String {
    let (hour, minute, second) = (random.below(24), random.below(60), random.below(60));
    let (month, date) = (1 + random.below(12), 1 + random.below(28));
    // Before 2016 a full hour may be that of a birth.
    let year = 2016 + random.below(12);
    match random.below(3) {
        0 => format!("{year}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z"),
        1 => format!(
            "{year}-{month:02}-{date:02} {hour:02}:{minute:02}:{second:02}.{:03}",
            random.below(1_000)
        ),
        _ => format!("{} {hour:02}:{minute:02}", day(random)),
    }
}

pub(crate) fn uuid(random: &mut Random) -> String {
    let (a, b) = (random.number(), random.number());
    let (time, clock) = (a >> 32, b >> 48 & 0x3fff | 0x8000);
    format!(
        "{time:08x}-{:04x}-4{:03x}-{clock:04x}-{:012x}",
        a >> 16 & 0xffff,
        a & 0xfff,
        b & 0xffff_ffff_ffff
    )
}

/// A number of 13 to 16 digits whose last is that of Luhn, as some order numbers have it.
fn luhn_number(random: &mut Random) -> String {
    let length = 12 + random.below(4);
    let digits: Vec<u64> = (0..length).map(|at| u64::from(at == 0) + random.number() % 9).collect();
    let doubled =
        |(at, n): (usize, &u64)| if at % 2 == 0 { 2 * n - if *n > 4 { 9 } else { 0 } } else { *n };
    let sum: u64 = digits.iter().rev().enumerate().map(doubled).sum();
    let text: String = digits.iter().map(u64::to_string).collect();
    format!("{text}{}", (10 - sum % 10) % 10)
}
