//! What a thief of all databases can tell of sealed values by looking: nothing of which are equal, and
//! of their length the bucket only.

use std::collections::HashSet;

use prost::Message as _;
use tresor_proto::{InfoType, storage};

use crate::{
    house::{House, sealed},
    random::{Random, cases},
    record::NewField,
    store::{Keyspace, ScanRange, StoreEngine},
};

const TAG_BYTES: usize = 16;
const LENGTH_BYTES: usize = 4;
const SMALL_BUCKETS: [usize; 10] = [16, 32, 48, 64, 96, 128, 192, 256, 384, 512];

/// The groups of all rows of a house's tenant.
async fn groups(house: &House) -> Vec<storage::SealedGroup> {
    let store = house.vault().store(house.tenant).await.unwrap();
    let range = ScanRange { keyspace: Keyspace::Records, prefix: Vec::new(), after: None };
    let rows = store.scan(range, 10_000).await.unwrap();
    let message = |row: &[u8]| storage::Record::decode(&row[8..row.len() - 32]).unwrap();
    rows.iter().flat_map(|row| message(&row.value).groups).collect()
}

/// The same value under different names, types and classes.
fn equal_fields() -> Vec<NewField> {
    let value = "Anna-Lena Maier, Hauptstraße 1, 12345 Burg";
    vec![
        sealed("name", InfoType::PersonName, value),
        sealed("name_2", InfoType::PersonName, value),
        sealed("mail", InfoType::EmailAddress, value),
        sealed("note", InfoType::FreeText, value),
    ]
}

#[tokio::test]
async fn equal_values_share_no_eight_bytes_anywhere() {
    let mut house = House::build(StoreEngine::Memory).await;
    let mut seen = HashSet::new();
    let mut windows = 0;
    for tenant in 0..3 {
        let enrolled = house.enrol_another(&format!("tenant-{tenant}")).await;
        house.move_to(enrolled).await;
        for record in 0..cases(100, 1_000) {
            house.put(Some(&format!("r{record}")), equal_fields()).await.unwrap();
        }
        let before = groups(&house).await;
        // Written over with the same values: nothing of the older row comes back either.
        house.put(Some("r0"), equal_fields()).await.unwrap();
        let after: Vec<_> =
            groups(&house).await.into_iter().filter(|group| !before.contains(group)).collect();
        assert_eq!(after.len(), 3, "one row was written anew");
        for group in before.iter().chain(&after) {
            let ciphertexts = group.fields.iter().map(|field| &field.ciphertext);
            for bytes in ciphertexts.chain([&group.salt, &group.commitment]) {
                windows += bytes.windows(8).len();
                seen.extend(bytes.windows(8).map(<[u8]>::to_vec));
            }
        }
    }
    assert_eq!(seen.len(), windows, "8 bytes occur twice");
    assert!(windows > 50_000);
}

/// Whether a frame of `value` bytes may have `size` bytes: a bucket, then Padmé (PETS 2019, §4).
fn is_bucket(value: usize, size: usize) -> bool {
    let needed = LENGTH_BYTES + value;
    if needed <= 512 {
        return SMALL_BUCKETS.into_iter().find(|bucket| *bucket >= needed) == Some(size);
    }
    let exponent = usize::BITS - 1 - needed.leading_zeros();
    let mantissa = u32::BITS - exponent.leading_zeros();
    let unit = 1 << (exponent - mantissa);
    size == needed.div_ceil(unit) * unit && (size - needed) * 8 < needed
}

#[tokio::test]
async fn sizes_on_disk_tell_the_bucket_only() {
    let house = House::build(StoreEngine::Memory).await;
    let mut random = Random::of_this_run();
    let mut lengths: Vec<usize> = (1..700).step_by(cases(7, 1)).chain([12, 13, 508, 509]).collect();
    lengths.extend((0..cases(20, 400)).map(|_| 1 + random.below(65_536)));
    let mut sizes = HashSet::new();
    for length in lengths {
        let field = sealed("name", InfoType::PersonName, &"x".repeat(length));
        house.put(Some("r1"), vec![field]).await.unwrap();
        let group = groups(&house).await.remove(0);
        let size = group.fields[0].ciphertext.len() - TAG_BYTES;
        assert!(is_bucket(length, size), "{length} bytes lie in {size}");
        sizes.insert(size);
    }
    assert!(SMALL_BUCKETS.iter().all(|bucket| sizes.contains(bucket)));
}
