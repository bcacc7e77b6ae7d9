use std::sync::Arc;

use tresor_proto::{FieldName, Policy};
use tresor_screening::{Report, Screener, Value};

use super::*;

/// The page of some records, all of one text in each field.
fn page(fields: &[(&str, &str)]) -> String {
    let names: Arc<[FieldName]> =
        fields.iter().map(|(name, _)| FieldName::parse(name).unwrap()).collect();
    let values: Vec<_> = fields.iter().map(|(_, value)| Value::Text(value)).collect();
    let policy = Policy::default();
    let (mut report, mut screener) = (Report::new(), Screener::new(&policy));
    for _ in 0..1_200 {
        report.observe(&names, screener.screen(&names, &values));
    }
    let subject = Subject {
        file: Path::new("/data/<b>customers.csv"),
        policy: Some(Path::new("\"policy\".yaml")),
        screened: OffsetDateTime::UNIX_EPOCH,
    };
    write(&subject, &report.document())
}

const NOTE: &str = "Frau Erika Muster bittet um Rückruf unter 0171 2345678.";

#[test]
fn the_page_tells_what_each_field_is_and_what_becomes_of_it() {
    let page = page(&[("iban", "DE65884472940557616987"), ("zaehlerstand", "17"), ("notiz", NOTE)]);
    for told in [
        "<h1>Personal data in <span>&lt;b&gt;customers.csv</span></h1>",
        "1970-01-01, 00:00 UTC · under the policy &quot;policy&quot;.yaml",
        "<b>1\u{202f}200</b> records",
        "<code>IBAN_CODE</code><br><small>financial</small>",
        "<span class=\"mask\">DE•••6987</span>",
        "<span class=\"chip seal\">seal</span>",
        "<span class=\"chip clear\">clear</span>",
        "<p class=\"seal\"><b>2</b> sealed</p>",
        "<td class=\"sure\" data-heading=\"sure\">",
        "<b>1\u{202f}200</b> <code>PHONE_NUMBER</code>",
        "field name: iban; iban: mod-97 ok, length DE 22",
    ] {
        assert!(page.contains(told), "{told} is not in {page}");
    }
}

#[test]
fn no_value_is_in_the_page() {
    let values = [
        ("name", "Erika Muster"),
        ("iban", "DE65884472940557616987"),
        ("geboren", "04.10.1959"),
        ("zaehlerstand", "4711081588"),
        ("notiz", NOTE),
        ("f1", "Unbekanntes Wort"),
    ];
    let page = page(&values);
    for (_, value) in values {
        assert!(!page.contains(value), "{value}");
    }
    for part in ["Erika", "Muster", "0171", "2345678", "Unbekanntes", "04.10"] {
        assert!(!page.contains(part), "{part}");
    }
}

#[test]
fn names_of_fields_are_never_markup_and_the_page_asks_for_nothing() {
    let hostile = [
        "<script>alert(1)</script>",
        "</td></tr></table><img src=x onerror=alert(1)>",
        "\" onmouseover=\"alert(1)",
        "<!-- ",
        "</style><style>@import url(//evil.example)",
        "&lt;already&gt;",
        "'; DROP TABLE x; --",
    ];
    let fields: Vec<_> = hostile.iter().map(|name| (*name, "<i>17</i> @ b.de")).collect();
    let page = page(&fields);
    for name in hostile {
        assert!(!page.contains(name), "{name}");
    }
    let plain = self::page(&[("a", "17")]);
    for tag in ["<script", "<img", "<link", "<iframe", "<object", "<style", "</style", "<!--"] {
        assert_eq!(page.matches(tag).count(), plain.matches(tag).count(), "{tag}");
    }
    for fetched in ["<script", "<link", "<img", "@import", "url(", "http://", "https://", "src="] {
        assert!(!plain.contains(fetched), "{fetched}");
    }
}

#[test]
fn characters_that_turn_or_hide_text_are_shown_in_names() {
    // A name with control characters cannot be a field's; these can come in from a file.
    let page = page(&[("na\u{202e}em", "17")]);
    assert!(!page.contains('\u{202e}') && page.contains(r"na\u{202e}em"));
}
