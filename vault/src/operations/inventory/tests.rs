use tresor_proto::{
    Action, Content, ErrorCode, FieldPolicy, Policy, RecordId, SearchIndex, SurrogateForm,
    UndeclaredPolicy,
};

use super::*;
use crate::{
    NewField, NewRecord, Treatment, Write,
    house::{House, clear, customers, sealed},
    operations::Destination,
    store::StoreEngine,
};

async fn take(house: &House, name: Option<&CollectionName>) -> Inventory {
    let tenant = TenantRef::Id(house.tenant);
    house.vault().inventory(&house.operator_permit(), &tenant, name).await.unwrap()
}

async fn of_customers(house: &House) -> Inventory {
    take(house, Some(&customers())).await
}

/// What is held of the only kind of a field.
fn of(inventory: &Inventory, field: &str) -> Held {
    let is_it = |held: &&HeldField| held.field.as_ref().map(FieldName::as_str) == Some(field);
    let found: Vec<_> = inventory.fields.iter().filter(is_it).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].held
}

fn name() -> NewField {
    sealed("name", InfoType::PersonName, "Anna")
}

fn mail() -> NewField {
    sealed("mail", InfoType::EmailAddress, "anna@example.org")
}

/// Gives the collection its next policy, with one declared field.
async fn declare(house: &House, field: FieldPolicy) -> u64 {
    let policy = Policy::new(vec![field], UndeclaredPolicy::default(), Action::Seal).unwrap();
    let (permit, tenant) = (house.operator_permit(), TenantRef::Id(house.tenant));
    let put = house.vault().put_collection(&permit, &tenant, customers(), policy).await.unwrap();
    put.policy_version
}

async fn put_under(house: &House, policy_version: u64, record: NewRecord) {
    let permit = house.permit::<Write>().await;
    let policy_version = Some(policy_version);
    let to = Destination { collection: customers(), policy_version, has_masks: false };
    let stored = house.vault().put(&permit, &to, vec![Ok(record)]).await.unwrap();
    stored.into_iter().for_each(|stored| drop(stored.unwrap()));
}

fn record(id: &str, fields: Vec<NewField>) -> NewRecord {
    NewRecord::new(Some(RecordId::parse(id).unwrap()), fields).unwrap()
}

/// The name as a policy declares it that has it tokenized, and searchable if asked.
fn tokenized_name(is_searchable: bool) -> FieldPolicy {
    FieldPolicy {
        info_type: Some(InfoType::PersonName),
        surrogate: Some(SurrogateForm::default()),
        search: is_searchable.then(|| SearchIndex::new(128, false).unwrap()),
        ..FieldPolicy::new(FieldName::parse("name").unwrap(), Action::Tokenize)
    }
}

#[tokio::test]
async fn every_field_type_and_class_is_counted_over_all_pages_and_nothing_harmless() {
    let house = House::build(StoreEngine::Memory).await;
    let begun = house.clock.now();
    for number in 0..2 * PAGE_ROWS + 3 {
        let other = Treatment::Seal { info_type: None, class: DataClass::Other };
        let (note, content) = (FieldName::parse("note").unwrap(), Content::text("x").unwrap());
        let note = NewField { name: note, content, treatment: other };
        let mut fields = vec![name(), clear("city", "Burg"), note];
        fields.extend((number % 2 == 0).then(mail));
        fields.extend((number == 1).then(|| sealed("mail", InfoType::PersonName, "Anna")));
        house.put(Some(&format!("r{number:03}")), fields).await.unwrap();
        house.clock.advance(1);
    }
    let taken = of_customers(&house).await;
    assert_eq!((taken.records, taken.damaged, taken.expired_records), (131, 0, 0));
    let kinds = taken.fields.iter().map(|field| {
        let name = field.field.as_ref().unwrap().as_str();
        (name, field.info_type, field.class, field.held.records)
    });
    let expected = [
        ("mail", Some(InfoType::PersonName), Some(DataClass::Identity), 1),
        ("mail", Some(InfoType::EmailAddress), Some(DataClass::Contact), 66),
        ("name", Some(InfoType::PersonName), Some(DataClass::Identity), 131),
        ("note", None, Some(DataClass::Other), 131),
    ];
    assert_eq!(kinds.collect::<Vec<_>>(), expected);
    let held = of(&taken, "name");
    assert_eq!((held.earliest_ms, held.latest_ms), (begun, begun + 130));
    assert_eq!((held.tokenized, held.searchable), (0, 0));
    assert_eq!((held.policy_version_first, held.policy_version_last), (1, 1));
}

#[tokio::test]
async fn what_the_policy_has_readable_though_it_is_personal_is_counted_as_readable() {
    let house = House::build(StoreEngine::Memory).await;
    let field = |name| FieldName::parse(name).unwrap();
    let city = FieldPolicy {
        info_type: Some(InfoType::City),
        ..FieldPolicy::new(field("city"), Action::Clear)
    };
    let note = FieldPolicy {
        info_type: Some(InfoType::FreeText),
        redacted_copy: Some(field("short")),
        ..FieldPolicy::new(field("note"), Action::Seal)
    };
    let status = FieldPolicy::new(field("status"), Action::Clear);
    let fields = vec![city, note, status];
    let policy = Policy::new(fields, UndeclaredPolicy::default(), Action::Clear).unwrap();
    let (permit, tenant) = (house.operator_permit(), TenantRef::Id(house.tenant));
    let put = house.vault().put_collection(&permit, &tenant, customers(), policy).await.unwrap();
    let note = sealed("note", InfoType::FreeText, "Anna called");
    let fields = vec![clear("city", "Burg"), note, clear("short", "x"), clear("status", "ok")];
    put_under(&house, put.policy_version, record("r1", fields)).await;
    let taken = of_customers(&house).await;
    let kinds = taken.fields.iter().map(|field| {
        (field.field.as_ref().unwrap().as_str(), field.info_type, field.class, field.held.records)
    });
    let expected = [
        ("city", Some(InfoType::City), None, 1),
        ("note", Some(InfoType::FreeText), Some(DataClass::FreeText), 1),
        ("short", Some(InfoType::FreeText), None, 1),
    ];
    assert_eq!(kinds.collect::<Vec<_>>(), expected);
    assert!(taken.collection.unwrap().policy.is_flagging());
}

#[tokio::test]
async fn what_is_replaced_or_deleted_counts_as_it_is_now_and_since_when_is_right_after_it() {
    let house = House::build(StoreEngine::Memory).await;
    let begun = house.clock.now();
    let mut times = Vec::new();
    for id in ["r1", "r2"] {
        house.put(Some(id), vec![name(), mail()]).await.unwrap();
        times.push(house.clock.now());
        house.clock.advance(10);
    }
    house.put(Some("r1"), vec![name()]).await.unwrap();
    let taken = of_customers(&house).await;
    let (names, mails) = (of(&taken, "name"), of(&taken, "mail"));
    assert_eq!((names.records, names.earliest_ms, names.latest_ms), (2, begun, begun + 20));
    assert_eq!((mails.records, mails.earliest_ms, mails.latest_ms), (1, times[1], times[1]));
    house.delete("r1").await.unwrap();
    let names = of(&of_customers(&house).await, "name");
    assert_eq!((names.records, names.earliest_ms, names.latest_ms), (1, times[1], times[1]));
}

#[tokio::test]
async fn a_damaged_row_is_counted_apart_and_an_expired_one_too() {
    let mut house = House::build(StoreEngine::Redb).await;
    for id in ["r1", "r2"] {
        house.put(Some(id), vec![name(), mail()]).await.unwrap();
    }
    let until = house.clock.now() + 5;
    let ends = record("r3", vec![name()]).with_expiry(Some(until));
    put_under(&house, 1, ends).await;
    // Whole, but another record's.
    let row = house.row("r2").await;
    house.overwrite("r1", row).await;
    house.clock.advance(4);
    let taken = of_customers(&house).await;
    assert_eq!((taken.records, taken.damaged, taken.expired_records), (2, 1, 0));
    assert_eq!((of(&taken, "name").records, of(&taken, "mail").records), (2, 1));
    house.clock.advance(1);
    let taken = of_customers(&house).await;
    assert_eq!((taken.records, taken.expired_records, of(&taken, "name").records), (2, 1, 2));
}

#[tokio::test]
async fn it_tells_what_is_tokenized_and_found_by_and_under_which_policies() {
    let house = House::build(StoreEngine::Memory).await;
    put_under(&house, 1, record("r1", vec![name()])).await;
    let second = declare(&house, tokenized_name(true)).await;
    for id in ["r2", "r3"] {
        put_under(&house, second, record(id, vec![name(), mail()])).await;
    }
    let taken = of_customers(&house).await;
    let (names, mails) = (of(&taken, "name"), of(&taken, "mail"));
    assert_eq!((names.records, names.tokenized, names.searchable), (3, 2, 2));
    assert_eq!((names.policy_version_first, names.policy_version_last), (1, second));
    assert_eq!((mails.tokenized, mails.searchable, mails.policy_version_first), (0, 0, second));
    let third = declare(&house, tokenized_name(false)).await;
    let taken = of_customers(&house).await;
    let names = of(&taken, "name");
    assert_eq!((names.tokenized, names.searchable, names.policy_version_last), (2, 0, second));
    assert_eq!(taken.collection.map(|collection| collection.policy_version), Some(third));
}

#[tokio::test]
async fn the_values_that_surrogates_stand_in_for_are_a_list_of_their_own() {
    let house = House::build(StoreEngine::Memory).await;
    assert_eq!(take(&house, None).await, Inventory::default());
    let second = declare(&house, tokenized_name(false)).await;
    let made = house.clock.now();
    for id in ["r1", "r2"] {
        put_under(&house, second, record(id, vec![name(), mail()])).await;
        house.clock.advance(1);
    }
    let taken = take(&house, None).await;
    let [HeldField { field: None, info_type, class, held }] = &taken.fields[..] else {
        panic!("{taken:?}")
    };
    assert_eq!((*info_type, *class), (Some(InfoType::PersonName), Some(DataClass::Identity)));
    assert_eq!((taken.records, held.records, held.tokenized), (2, 2, 2));
    assert_eq!((held.earliest_ms, held.latest_ms), (made, made + 1));
}

#[tokio::test]
async fn of_too_many_fields_the_values_are_counted_and_those_listed_go_on() {
    let house = House::build(StoreEngine::Memory).await;
    let field = |number: usize| sealed(&format!("f{number:05}"), InfoType::City, "Burg");
    for number in 0..INVENTORY_FIELDS_MAX / 256 {
        let fields = (0..256).map(|at| field(number * 256 + at)).collect();
        house.put(Some(&format!("r{number:02}")), fields).await.unwrap();
    }
    let full = of_customers(&house).await;
    assert_eq!((full.fields.len(), full.unlisted_values), (INVENTORY_FIELDS_MAX, 0));
    let beyond = vec![field(0), field(INVENTORY_FIELDS_MAX), field(INVENTORY_FIELDS_MAX + 1)];
    house.put(Some("s"), beyond).await.unwrap();
    let more = of_customers(&house).await;
    assert_eq!((more.fields.len(), more.unlisted_values), (INVENTORY_FIELDS_MAX, 2));
    assert_eq!(of(&more, "f00000").records, 2);
}

#[tokio::test]
async fn nothing_is_told_of_what_is_not_there() {
    let house = House::build(StoreEngine::Memory).await;
    let (permit, nowhere) = (house.operator_permit(), CollectionName::parse("nowhere").unwrap());
    let tenant = TenantRef::Id(house.tenant);
    let refused = house.vault().inventory(&permit, &tenant, Some(&nowhere)).await;
    assert_eq!(refused, Err(VaultError::NotFound));
    let (strange, _) = house.create_tenant("strange").await;
    let refused = house.vault().inventory(&permit, &TenantRef::Id(strange), None).await;
    let not_enrolled = |error: &VaultError| matches!(error, VaultError::Refused(failure) if failure.code() == ErrorCode::NotFound);
    assert!(refused.as_ref().is_err_and(not_enrolled), "{refused:?}");
}
