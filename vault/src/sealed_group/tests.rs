use proptest::prelude::*;

use super::*;

struct Names {
    collection: CollectionName,
    record: RecordId,
}

impl Names {
    fn new(collection: &str, record: &str) -> Self {
        Self {
            collection: CollectionName::parse(collection).unwrap(),
            record: RecordId::parse(record).unwrap(),
        }
    }

    fn place(&self, tenant: u8, class: DataClass, epoch: u32) -> GroupPlace<'_> {
        let record = RecordPlace {
            tenant: TenantId::from_bytes([tenant; 16]),
            collection: &self.collection,
            record: &self.record,
        };
        GroupPlace { record, class, epoch, erasure_bucket: 0 }
    }
}

fn data_key(byte: u8) -> DataKey {
    DataKey::from_slice(&[byte; 32]).unwrap()
}

fn seal_values(place: &GroupPlace<'_>, values: &[&str]) -> storage::SealedGroup {
    let names: Vec<_> =
        (0..values.len()).map(|i| FieldName::parse(&format!("f{i}")).unwrap()).collect();
    let contents: Vec<_> = values.iter().map(|value| Content::text(value).unwrap()).collect();
    let fields: Vec<_> = (0u32..)
        .zip(names.iter().zip(&contents))
        .map(|(position, (name, content))| FieldToSeal { position, name, info_type: None, content })
        .collect();
    seal(&data_key(1), place, [5; SALT_BYTES], &fields).unwrap()
}

fn open_first(
    key: &DataKey,
    place: GroupPlace<'_>,
    group: &storage::SealedGroup,
) -> Result<Content, CryptoError> {
    open(key, place, group)?.content(0, &group.fields[0])
}

proptest! {
    #[test]
    fn what_is_sealed_opens_under_the_same_key_and_place(value in "\\PC{0,200}") {
        let names = Names::new("customers", "r1");
        let place = names.place(1, DataClass::Identity, 1);
        let group = seal_values(&place, &[&value]);
        let opened = open_first(&data_key(1), place, &group).unwrap();
        prop_assert_eq!(opened.as_text(), Some(value.as_str()));
    }

    #[test]
    fn a_flipped_bit_is_refused(bit in 0usize..(16 + 16) * 8) {
        let names = Names::new("customers", "r1");
        let place = names.place(1, DataClass::Identity, 1);
        let mut group = seal_values(&place, &["value"]);
        group.fields[0].ciphertext[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(open_first(&data_key(1), place, &group).is_err());
    }
}

#[test]
fn opening_elsewhere_or_under_another_key_fails() {
    let names = Names::new("customers", "r1");
    let place = names.place(1, DataClass::Identity, 1);
    let group = seal_values(&place, &["value"]);
    let others = [Names::new("visits", "r1"), Names::new("customers", "r2")];
    let identity = DataClass::Identity;
    for elsewhere in [
        others[0].place(1, identity, 1),
        others[1].place(1, identity, 1),
        names.place(2, identity, 1),
        names.place(1, DataClass::Contact, 1),
        names.place(1, identity, 2),
        GroupPlace { erasure_bucket: 1, ..place },
    ] {
        assert!(open_first(&data_key(1), elsewhere, &group).is_err());
    }
    assert!(open_first(&data_key(2), place, &group).is_err());
    assert!(open_first(&data_key(1), place, &group).is_ok());
}

#[test]
fn fields_of_a_group_cannot_change_places_names_or_types() {
    let names = Names::new("customers", "r1");
    let place = names.place(1, DataClass::Identity, 1);
    let group = seal_values(&place, &["one", "two"]);
    let opened = open(&data_key(1), place, &group).unwrap();
    assert!(opened.content(1, &group.fields[0]).is_err(), "another ordinal");
    let renamed = storage::SealedField { name: "f1".to_owned(), ..group.fields[0].clone() };
    assert!(opened.content(0, &renamed).is_err(), "another name");
    let retyped = storage::SealedField { content_type: 3, ..group.fields[0].clone() };
    assert!(opened.content(0, &retyped).is_err(), "another content type");
}

#[test]
fn equal_values_have_nothing_in_common_under_another_salt() {
    let names = Names::new("customers", "r1");
    let place = names.place(1, DataClass::Identity, 1);
    let group = seal_values(&place, &["value", "value"]);
    assert_ne!(group.fields[0].ciphertext, group.fields[1].ciphertext);
}
