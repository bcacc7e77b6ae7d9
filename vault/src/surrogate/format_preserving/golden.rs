//! Golden vectors of format-preserving surrogates: `vectors/format_preserving.json`, which
//! `tests/clients/open_surrogates.py` opens with an FF1 of its own. To begin a new version, run the
//! test with `TRESOR_WRITE_VECTORS=1` and review.

use std::path::Path;

use serde_json::{Value, json};
use tresor_proto::{InfoType, SurrogateFormat};

use super::encode;
use crate::key::{IdentifierKey, Key as _};

const KEY: [u8; 32] = *b"a golden identifier key, 32 byte";

fn texts(format: SurrogateFormat) -> (InfoType, &'static [&'static str]) {
    match format {
        // Many, so that some of them walk.
        SurrogateFormat::Card => (
            InfoType::CreditCardNumber,
            &[
                "4111 1111 1111 1111",
                "4111111111111111",
                "5555-5555-5555-4444",
                "3782 822463 10005",
                "3056 930902 5904",
                "6304000000000000",
                "6011000990139424",
                "3530111333300000",
                "4000000000000000006",
                "4012888888881881",
                "5105105105105100",
                "4222222222222",
                "123456789015",
            ],
        ),
        SurrogateFormat::Phone => (
            InfoType::PhoneNumber,
            &[
                "+49 (0) 8360 161055",
                "0049 30 12345678",
                "+1 (202) 555-0123",
                "+352.123.4567",
                "030/123456",
                "6455681",
                "0171 1234567",
                "+49 171 1234567",
                "+49 171 1234568",
                "+31 20 1234567",
                "0171 2345600",
                "0171 2345601",
                "0171 2345602",
                "0171 2345603",
                "0171 2345604",
                "0171 2345605",
                "0171 2345606",
                "0171 2345607",
                "0171 2345608",
                "0171 2345609",
                "0171 2345610",
                "0171 2345611",
                "0171 2345612",
                "0171 2345613",
                "0171 2345614",
                "0171 2345615",
                "0171 2345616",
                "0171 2345617",
                "0171 2345618",
                "0171 2345619",
            ],
        ),
        SurrogateFormat::Digits => {
            (InfoType::MeterId, &["000000", "00-12-34-56", "0123456789012345678901"])
        }
        SurrogateFormat::Alphanumeric => (
            InfoType::DeviceId,
            &["abcd", "Zz-00/99 (x)", "0000000000000000000000000000000000000000"],
        ),
        SurrogateFormat::UpperAlphanumeric => {
            (InfoType::IbanCode, &["DE65 8844 7294 0557 6169 87", "1EMH0012345678"])
        }
    }
}

fn make() -> Value {
    let key = IdentifierKey::from_slice(&KEY).unwrap();
    let vectors = SurrogateFormat::ALL.into_iter().flat_map(|format| {
        let (info_type, texts) = texts(format);
        let key = &key;
        texts.iter().map(move |text| {
            json!({
                "info_type": info_type.code().as_str(),
                "format": format.as_str(),
                "text": text,
                "surrogate": encode(key, info_type, format, text).unwrap(),
            })
        })
    });
    json!({ "identifier_key": hex::encode(KEY), "vectors": vectors.collect::<Vec<_>>() })
}

#[test]
fn format_preserving_surrogates_are_frozen() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/format_preserving.json");
    let made = serde_json::to_string_pretty(&make()).unwrap();
    if std::env::var_os("TRESOR_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let frozen = std::fs::read_to_string(&path).unwrap();
    assert!(made == frozen, "surrogates changed: those that others keep would lead elsewhere");
}
