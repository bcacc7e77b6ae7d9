//! Text from outside: every small edit of a customer token, a code, a certificate's name or an id is
//! refused or is another valid one in its one canonical form; nothing panics.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../tests/fuzz/random.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod random;

use random::{Random, cases};
use tresor_proto::{
    AddressList, CertificateName, CollectionName, Content, ContentType, CustomerToken,
    EnrolmentCode, FieldName, RecordId, Secret, TenantId, TenantName, TrustDomain,
};

const CUSTOMER_TOKEN: &str =
    "trsr_14fhprYCYlTyUewFx_EHaKB2qyjGii2QpQPwpQat5bqPfpaJ2HRtLYCZ2jm4i4ORhGB";

/// Random edits of a sample, as far as they are text.
fn edits(random: &mut Random, sample: &str, count: usize) -> Vec<String> {
    let edits = (0..count).map(|_| random.mutated(sample.as_bytes()));
    let texts: Vec<_> = edits.filter_map(|bytes| String::from_utf8(bytes).ok()).collect();
    assert!(texts.len() > count / 4);
    texts
}

#[test]
fn an_edited_customer_token_is_refused() {
    let mut random = Random::of_this_run();
    assert!(CustomerToken::parse(CUSTOMER_TOKEN).is_some());
    for text in edits(&mut random, CUSTOMER_TOKEN, cases(50_000, 5_000_000)) {
        if let Some(parsed) = CustomerToken::parse(&text) {
            // An edit that hits the checksum too, one in 2^32, is another token: in one form only.
            assert_eq!(*parsed.expose_text(), text);
        }
    }
}

#[test]
fn every_single_edit_of_a_customer_token_is_refused() {
    for at in 0..CUSTOMER_TOKEN.len() {
        for byte in 0..128u8 {
            let mut bytes = CUSTOMER_TOKEN.as_bytes().to_vec();
            bytes[at] = byte;
            let text = String::from_utf8(bytes).unwrap();
            assert_eq!(CustomerToken::parse(&text).is_some(), text == CUSTOMER_TOKEN, "{at}");
        }
    }
}

#[test]
fn an_edited_enrolment_code_is_refused_or_canonical() {
    let mut random = Random::of_this_run();
    let code = EnrolmentCode::new(Secret::from_slice(&[0x5A; 16]).unwrap()).expose_text();
    for text in edits(&mut random, &code, cases(50_000, 5_000_000)) {
        if let Some(parsed) = EnrolmentCode::parse(&text) {
            assert_eq!(*parsed.expose_text(), text);
        }
    }
}

#[test]
fn an_edited_certificate_name_is_refused_or_canonical() {
    let mut random = Random::of_this_run();
    let domain = TrustDomain::parse("tresor.local").unwrap();
    let uri = "spiffe://tresor.local/tenant/0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000/client/planner";
    let mut accepted = 0;
    for sample in [uri, "spiffe://tresor.local/svc/edge"] {
        for text in edits(&mut random, sample, cases(50_000, 5_000_000)) {
            if let Some(name) = CertificateName::parse(&text, &domain) {
                accepted += 1;
                assert_eq!(name.to_uri(&domain), text);
            }
        }
    }
    assert!(accepted > 0, "some edits leave a name");
}

#[test]
fn edited_names_and_ids_are_refused_or_kept_as_they_are() {
    let mut random = Random::of_this_run();
    for text in edits(&mut random, "kunden-2024/äöü_1", cases(50_000, 5_000_000)) {
        assert!(RecordId::parse(&text).map_or(true, |id| id.as_str() == text));
        assert!(CollectionName::parse(&text).map_or(true, |name| name.as_str() == text));
        assert!(TenantName::parse(&text).is_none_or(|name| name.as_str() == text));
        let _ = FieldName::parse(&text);
        let _ = TenantId::parse(&text);
        let _ = AddressList::parse(&[&text]);
    }
}

#[test]
fn an_edited_json_literal_is_refused_or_kept_as_it_is() {
    let mut random = Random::of_this_run();
    for sample in ["-12.50e+7", "\"a \\u00e4\"", "[]", "null"] {
        for text in edits(&mut random, sample, cases(10_000, 1_000_000)) {
            if let Ok(content) = Content::new(ContentType::Json, text.clone().into_bytes()) {
                assert_eq!(content.as_text(), Some(text.as_str()));
                assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
            }
        }
    }
}
