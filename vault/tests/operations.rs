//! The operations of a vault, with everything real but the clock: put, get, list, delete, enrol,
//! and what a writer of the database cannot do.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "operations/house.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod house;

use house::{House, clear, customers, id, sealed, text_of};
use tresor_proto::{
    Action, Content, DataClass, ErrorCode, FieldName, FieldPolicy, InfoType, Mask, Policy,
    RefusalReason, Reveal, TenantRef, UndeclaredPolicy,
};
use tresor_vault::{NewRecord, OpenError, Shown, VaultError, store::StoreEngine};

const ENGINES: [StoreEngine; 2] = [StoreEngine::Sled, StoreEngine::Redb];

fn person() -> Vec<tresor_vault::NewField> {
    vec![
        sealed("name", InfoType::PersonName, "Anna-Lena Maier"),
        clear("status", "geplant"),
        sealed("mail", InfoType::EmailAddress, "anna@example.org"),
        sealed("note", InfoType::FreeText, "Schlüssel beim Nachbarn"),
    ]
}

#[tokio::test]
async fn what_is_put_is_read_back_plain_masked_and_redacted() {
    for engine in ENGINES {
        let house = House::build(engine).await;
        let stored = house.put(Some("r1"), person()).await.unwrap();
        assert_eq!((stored.id.as_str(), stored.revision), ("r1", 1));
        let plain = house.get("r1", Reveal::Plain).await.unwrap();
        let texts: Vec<_> = plain.fields.iter().map(text_of).collect();
        let expected =
            ["Anna-Lena Maier", "geplant", "anna@example.org", "Schlüssel beim Nachbarn"];
        assert_eq!(texts, expected.map(|text| Some(text.to_owned())));
        let masked = house.get("r1", Reveal::Masked).await.unwrap();
        assert_eq!(text_of(&masked.fields[0]).as_deref(), Some("A. M."));
        let redacted = house.get("r1", Reveal::Redacted).await.unwrap();
        assert!(matches!(redacted.fields[0].shown, Shown::Redacted));
        assert!(matches!(redacted.fields[1].shown, Shown::Clear(_)));
        let lengths: Vec<_> = redacted.fields.iter().map(|field| field.length_bytes_max).collect();
        assert_eq!(lengths, [Some(28), None, Some(28), Some(28)], "a class of lengths, not one");
        assert_eq!(plain.fields[0].length_bytes_max, None);
    }
}

#[tokio::test]
async fn a_field_shows_the_mask_of_the_newest_policy() {
    let house = House::build(StoreEngine::Sled).await;
    house.put(Some("r1"), person()).await.unwrap();
    let name = FieldName::parse("mail").unwrap();
    let mask = Some(Mask::new(2, 3).unwrap());
    let mail = FieldPolicy { mask, ..FieldPolicy::new(name, Action::Seal) };
    let policy = Policy::new(vec![mail], UndeclaredPolicy::default(), Action::Seal).unwrap();
    let permit = house.vault().permit_operator(&House::operator()).unwrap();
    let tenant = TenantRef::Id(house.tenant);
    let put = house.vault().put_collection(&permit, &tenant, customers(), policy);
    put.await.unwrap();
    let got = house.get("r1", Reveal::Masked).await.unwrap();
    let listed = house.list(None, 10).await.unwrap().items.remove(0).1.unwrap();
    for record in [got, listed] {
        let texts: Vec<_> = record.fields.iter().filter_map(text_of).collect();
        assert_eq!(texts, ["A. M.", "geplant", "an•••org", "•••"]);
    }
}

#[tokio::test]
async fn records_survive_a_restart_and_open_with_the_same_two_keys() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        house.put(Some("r1"), person()).await.unwrap();
        house.reopen().await;
        let plain = house.get("r1", Reveal::Plain).await.unwrap();
        assert_eq!(text_of(&plain.fields[0]).as_deref(), Some("Anna-Lena Maier"));
    }
}

#[tokio::test]
async fn replacing_counts_the_revision_and_keeps_the_creation() {
    let house = House::build(StoreEngine::Sled).await;
    house.put(Some("r1"), person()).await.unwrap();
    house.clock.advance(1_000);
    assert_eq!(house.put(Some("r1"), person()).await.unwrap().revision, 2);
    let record = house.get("r1", Reveal::Masked).await.unwrap();
    assert_eq!(record.updated_ms - record.created_ms, 1_000);
}

#[tokio::test]
async fn one_bad_item_does_not_stop_its_batch() {
    let house = House::build(StoreEngine::Sled).await;
    let records = vec![
        NewRecord::new(Some(id("a")), person()),
        NewRecord::new(Some(id("b")), Vec::new()),
        NewRecord::new(Some(id("a")), person()),
        NewRecord::new(None, person()),
    ];
    let results = house.put_all(records).await.unwrap();
    assert_eq!(results[0].as_ref().unwrap().revision, 1);
    assert_eq!(results[1].as_ref().unwrap_err().code(), ErrorCode::InvalidRequest);
    assert_eq!(results[2].as_ref().unwrap().revision, 2, "the same id twice in one batch");
    assert_eq!(results[3].as_ref().unwrap().id.as_str().len(), 36, "a UUIDv7");
}

#[tokio::test]
async fn listing_gives_every_record_once_in_order() {
    let house = House::build(StoreEngine::Sled).await;
    for name in ["a", "b", "c", "d", "e"] {
        house.put(Some(name), person()).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = house.list(after.as_ref(), 2).await.unwrap();
        seen.extend(page.items.iter().map(|(id, _)| id.as_str().to_owned()));
        match page.next {
            Some(next) => after = Some(id(&next)),
            None => break,
        }
    }
    assert_eq!(seen, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn a_deleted_record_is_gone_and_can_be_made_anew() {
    let house = House::build(StoreEngine::Sled).await;
    house.put(Some("r1"), person()).await.unwrap();
    assert_eq!(house.delete("r1").await, Ok(()));
    assert_eq!(house.delete("r1").await, Err(VaultError::NotFound));
    assert_eq!(house.get("r1", Reveal::Plain).await.unwrap_err(), VaultError::NotFound);
    assert_eq!(house.put(Some("r1"), person()).await.unwrap().revision, 1);
}

#[tokio::test]
async fn an_expired_record_is_gone() {
    let house = House::build(StoreEngine::Sled).await;
    let expires = house.clock.now() + 1_000;
    let record = NewRecord::new(Some(id("r1")), person()).unwrap().with_expiry(Some(expires));
    house.put_all(vec![Ok(record)]).await.unwrap()[0].as_ref().unwrap();
    assert!(house.get("r1", Reveal::Plain).await.is_ok());
    house.clock.advance(1_000);
    assert_eq!(house.get("r1", Reveal::Plain).await.unwrap_err(), VaultError::Gone);
}

#[tokio::test]
async fn json_literals_and_bytes_come_back_as_they_were() {
    use tresor_proto::ContentType;
    let house = House::build(StoreEngine::Redb).await;
    let mut fields = person();
    let literal = Content::new(ContentType::Json, b"1.10".to_vec()).unwrap();
    fields[0].content = literal;
    fields[2].content = Content::new(ContentType::Binary, vec![0, 255, 1]).unwrap();
    house.put(Some("r1"), fields).await.unwrap();
    let record = house.get("r1", Reveal::Plain).await.unwrap();
    let Shown::Plain(number) = &record.fields[0].shown else { panic!("not plain") };
    assert_eq!((number.content_type(), number.as_bytes()), (ContentType::Json, &b"1.10"[..]));
    let Shown::Plain(bytes) = &record.fields[2].shown else { panic!("not plain") };
    assert_eq!(bytes.as_bytes(), [0, 255, 1]);
}

#[tokio::test]
async fn another_tenants_customer_token_is_refused_like_any_wrong_one() {
    let house = House::build(StoreEngine::Sled).await;
    let other = house.enrol_another("other-tenant").await;
    assert_eq!(
        house.permit_with(&other.customer_token).await,
        Err(VaultError::Denied(RefusalReason::CustomerTokenUnknown))
    );
    let mut text = house.customer_token.expose_text().to_string();
    text.replace_range(..5, "trsw_");
    assert!(tresor_proto::CustomerToken::parse(&text).is_none(), "the checksum covers the kind");
}

#[tokio::test]
async fn callers_outside_their_tenant_or_addresses_are_refused() {
    let house = House::build(StoreEngine::Sled).await;
    let other = house.enrol_another("other-tenant").await;
    for (caller, reason) in [
        (House::client(other.tenant, "127.0.0.1"), RefusalReason::TenantMismatch),
        (House::client(house.tenant, "192.0.2.1"), RefusalReason::AddressNotAllowed),
        (House::service(vec![other.tenant]), RefusalReason::TenantNotGranted),
        (House::operator(), RefusalReason::NotForOperators),
    ] {
        let refused = house.permit_as(&caller).await;
        assert_eq!(refused, Err(VaultError::Denied(reason)));
    }
    assert_eq!(house.permit_as(&House::service(vec![house.tenant])).await, Ok(()));
}

#[tokio::test]
async fn an_enrolment_code_works_once_for_its_tenant_until_it_expires() {
    let house = House::build(StoreEngine::Sled).await;
    let (first, first_code) = house.create_tenant("first").await;
    let (second, second_code) = house.create_tenant("second").await;
    assert_eq!(
        house.enrol(first, &second_code).await.unwrap_err(),
        VaultError::Denied(RefusalReason::EnrolmentCodeWrong)
    );
    assert!(house.enrol(first, &first_code).await.is_ok());
    assert_eq!(house.enrol(first, &first_code).await.unwrap_err(), VaultError::AlreadyExists);
    house.clock.advance(tresor_proto::limits::ENROLMENT_CODE_LIFETIME_MS);
    let late = house.enrol(second, &second_code).await.unwrap_err();
    assert_eq!(late, VaultError::Denied(RefusalReason::EnrolmentCodeExpired));
}

#[tokio::test]
async fn a_database_writer_cannot_move_change_or_cut_a_row() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        house.put(Some("r1"), person()).await.unwrap();
        house.put(Some("r2"), person()).await.unwrap();
        let row = house.row("r1").await;
        let tampered = [
            ("another row in its place", house.row("r2").await),
            ("cut off", row[..row.len() - 1].to_vec()),
            ("empty", Vec::new()),
            ("a flipped bit", flip(&row, row.len() / 2)),
            ("a changed metadata key version", flip(&row, 7)),
        ];
        for (what, bytes) in tampered {
            house.overwrite("r1", bytes).await;
            let refused = house.get("r1", Reveal::Plain).await.unwrap_err();
            assert_eq!(refused, VaultError::Integrity, "{what}");
            assert_eq!(house.list(None, 10).await.unwrap().items.len(), 2, "{what}");
        }
        house.overwrite("r1", row).await;
        assert!(house.get("r1", Reveal::Plain).await.is_ok());
    }
}

fn flip(row: &[u8], at: usize) -> Vec<u8> {
    let mut row = row.to_vec();
    row[at] ^= 1;
    row
}

#[tokio::test]
async fn a_damaged_keyring_quarantines_its_tenant_only() {
    let mut house = House::build(StoreEngine::Sled).await;
    let other = house.enrol_another("other-tenant").await;
    let path = house.keyring_path(other.tenant);
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    house.reopen().await;
    let refused = house.permit_tenant(other.tenant, &other.customer_token).await;
    assert_eq!(refused, Err(VaultError::StorageUnavailable));
    assert!(house.put(Some("r1"), person()).await.is_ok());
}

#[tokio::test]
async fn a_registry_that_is_gone_is_never_made_anew() {
    let mut house = House::build(StoreEngine::Sled).await;
    house.put(Some("r1"), person()).await.unwrap();
    house.close().await;
    std::fs::remove_dir_all(house.path("system/db")).unwrap();
    assert_eq!(house.try_open().await.err(), Some(OpenError::DamagedRegistry));
}

#[tokio::test]
async fn a_system_keyring_that_is_gone_or_damaged_stops_the_start() {
    let mut house = House::build(StoreEngine::Redb).await;
    house.close().await;
    let path = house.path("system/keyring.trk");
    let good = std::fs::read(&path).unwrap();
    std::fs::write(&path, flip(&good, good.len() - 1)).unwrap();
    assert_eq!(house.try_open().await.err(), Some(OpenError::DamagedKeyring));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(house.try_open().await.err(), Some(OpenError::Incomplete));
    std::fs::write(&path, good).unwrap();
    assert!(house.try_open().await.is_ok());
}

#[tokio::test]
async fn a_keyring_that_is_gone_quarantines_its_tenant() {
    let mut house = House::build(StoreEngine::Sled).await;
    let path = house.keyring_path(house.tenant);
    std::fs::remove_file(&path).unwrap();
    house.reopen().await;
    let refused = house.permit_tenant(house.tenant, &house.customer_token).await;
    assert_eq!(refused, Err(VaultError::StorageUnavailable), "a keyring that is gone");
}

#[tokio::test]
async fn a_class_keeps_to_the_class_of_its_policy() {
    let house = House::build(StoreEngine::Sled).await;
    house.put(Some("r1"), person()).await.unwrap();
    let record = house.get("r1", Reveal::Redacted).await.unwrap();
    let tresor_vault::Treatment::Seal { info_type, class } = record.fields[0].treatment else {
        panic!("not sealed");
    };
    assert_eq!((info_type, class), (Some(InfoType::PersonName), DataClass::Identity));
}

#[tokio::test]
async fn nobody_enrols_over_records_when_a_registry_row_is_put_back() {
    let mut house = House::build(StoreEngine::Redb).await;
    let (tenant, code) = house.create_tenant("burg").await;
    let before = house.registry_row(tenant).await;
    let enrolled = house.enrol(tenant, &code).await.unwrap();
    house.move_to(enrolled).await;
    house.put(Some("r1"), person()).await.unwrap();
    house.overwrite_registry_row(tenant, before).await;
    assert_eq!(house.enrol(tenant, &code).await.unwrap_err(), VaultError::Integrity);
}

#[tokio::test]
async fn of_enrolments_at_once_one_wins_and_its_customer_token_works() {
    for _ in 0..5 {
        let house = House::build(StoreEngine::Redb).await;
        let (tenant, code) = house.create_tenant("burg").await;
        let enrol = || house.enrol(tenant, &code);
        let (a, b, c, d) = tokio::join!(enrol(), enrol(), enrol(), enrol());
        let (won, lost): (Vec<_>, Vec<_>) = [a, b, c, d].into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        assert!(
            lost.iter().all(|lost| lost.as_ref().is_err_and(|e| *e == VaultError::AlreadyExists))
        );
        let customer_token = &won[0].as_ref().unwrap().customer_token;
        assert_eq!(house.permit_tenant(tenant, customer_token).await, Ok(()));
    }
}

#[tokio::test]
async fn the_last_of_many_records_with_one_id_stays_and_none_is_refused() {
    for engine in ENGINES {
        let house = House::build(engine).await;
        house.put(Some("same"), person()).await.unwrap();
        let record = |at: usize| {
            let count = clear("status", &at.to_string());
            NewRecord::new(Some(id("same")), vec![count])
        };
        let results = house.put_all((0..200).map(record).collect()).await.unwrap();
        let revisions: Vec<_> = results.iter().map(|r| r.as_ref().unwrap().revision).collect();
        assert_eq!(revisions, (2..202).collect::<Vec<_>>());
        let last = house.get("same", Reveal::Plain).await.unwrap();
        assert_eq!((text_of(&last.fields[0]).as_deref(), last.revision), (Some("199"), 201));
    }
}

#[tokio::test]
async fn writers_that_meet_at_the_same_records_all_get_through() {
    let house = House::build(StoreEngine::Sled).await;
    let records = || {
        (0..40).map(|at| NewRecord::new(Some(id(&format!("r{at}"))), person())).collect::<Vec<_>>()
    };
    let put = || house.put_all(records());
    let (a, b, c, d) = tokio::join!(put(), put(), put(), put());
    for results in [a, b, c, d] {
        assert!(results.unwrap().iter().all(Result::is_ok));
    }
    assert_eq!(house.get("r7", Reveal::Plain).await.unwrap().revision, 4);
}

#[tokio::test]
async fn an_id_that_comes_twice_is_deleted_once() {
    let house = House::build(StoreEngine::Sled).await;
    house.put(Some("r1"), person()).await.unwrap();
    let ids = [id("r1"), id("r1"), id("r2")];
    let deleted = house.delete_all(&ids).await;
    assert_eq!(deleted, [Ok(()), Err(VaultError::NotFound), Err(VaultError::NotFound)]);
}

#[tokio::test]
async fn large_rows_are_replaced_part_by_part() {
    let house = House::build(StoreEngine::Redb).await;
    let large = |at: usize| {
        let value = "x".repeat(60_000);
        let fields = ["a", "b", "c", "d"].map(|name| sealed(name, InfoType::FreeText, &value));
        NewRecord::new(Some(id(&format!("r{at}"))), fields.into())
    };
    for _ in 0..5 {
        let stored = house.put_all((0..16).map(large).collect()).await.unwrap();
        assert!(stored.iter().all(Result::is_ok));
    }
    let small = |at: usize| NewRecord::new(Some(id(&format!("r{}", at % 16))), person());
    let replaced = house.put_all((0..160).map(small).collect()).await.unwrap();
    assert!(replaced.iter().all(Result::is_ok));
    assert_eq!(house.get("r3", Reveal::Plain).await.unwrap().revision, 15);
}
