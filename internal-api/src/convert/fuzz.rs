//! Whatever message comes over gRPC, it is parsed or refused, item by item; nothing panics.

use prost::Message;
use prost_types::Timestamp;
use tresor_proto::{
    Policy,
    vault::{self, value::Content},
};

use super::{input, search, surrogates, time};
use crate::{
    context::Context,
    random::{Random, cases},
};

fn text(text: &str) -> Option<vault::Value> {
    Some(vault::Value { content: Some(Content::Text(text.to_owned())) })
}

fn field(name: &str, value: Option<vault::Value>, info_type: &str) -> vault::Field {
    let info_type = info_type.to_owned();
    let action = vault::Action::Seal as i32;
    vault::Field { name: name.to_owned(), value, info_type, action, ..vault::Field::default() }
}

fn context() -> vault::RequestContext {
    vault::RequestContext {
        tenant: "stadtwerke-burg".to_owned(),
        customer_token: "trsr_14fhprYCYlTyUewFx_EHaKB2qyjGii2QpQPwpQat5bqPfpaJ2HRtLYCZ2jm4i4ORhGB"
            .to_owned(),
        request_id: "request-1".to_owned(),
        purpose: "test".to_owned(),
        evidence: Some(vault::ClientEvidence {
            leaf_der: vec![0x30, 0x03, 0x02, 0x01, 0x05],
            chain_der: vec![vec![0x30, 0x00]],
            source_address: "2001:db8::7".to_owned(),
            session: "AQABAQIAEAEBAQEBAQEBAQEBAQEBAQEDAAV1c2Vycw".to_owned(),
        }),
    }
}

fn put() -> vault::PutRequest {
    let json = vault::Value { content: Some(Content::Json("1.10".to_owned())) };
    let binary = vault::Value { content: Some(Content::Binary(vec![0, 255])) };
    let record = vault::RecordInput {
        ordinal: 7,
        id: "r-1".to_owned(),
        reference: "row 1".to_owned(),
        subject: "Anna".to_owned(),
        fields: vec![
            field("name", text("Anna"), "PERSON_NAME"),
            field("/adresse/ort", Some(json), ""),
            field("bild", Some(binary), "FREE_TEXT"),
        ],
        expires: Some(Timestamp { seconds: 1_900_000_000, nanos: 5_000_000 }),
    };
    let destination =
        vault::Destination { collection: "customers".to_owned(), policy_version: 1, masks: false };
    vault::PutRequest {
        idempotency_key: "key".to_owned(),
        context: Some(context()),
        destination: Some(destination),
        records: vec![record.clone(), record],
    }
}

/// A variant of a message, as far as it is still one.
fn variant<M: Message + Default>(random: &mut Random, sample: &M) -> Option<M> {
    M::decode(&random.mutated(&sample.encode_to_vec())[..]).ok()
}

#[test]
fn any_put_is_parsed_or_refused_item_by_item() {
    let mut random = Random::of_this_run();
    let (sample, mut parsed) = (put(), 0);
    for _ in 0..cases(10_000, 1_000_000) {
        let Some(request) = variant(&mut random, &sample) else { continue };
        let count = request.records.len();
        let context = Context::from_wire(request.context);
        let destination = input::destination(request.destination);
        let batch =
            input::Batch::from_wire(request.records, &mut super::item_keys::ItemKeys::default());
        assert_eq!(batch.is_err(), count == 0);
        if let Ok(batch) = batch {
            assert_eq!((batch.references.len(), batch.records.len()), (count, count));
            let is_whole = batch.records.iter().all(Result::is_ok);
            parsed += usize::from(is_whole && context.is_ok() && destination.is_ok());
        }
    }
    assert!(parsed > 100, "{parsed} edits leave a whole request");
}

#[test]
fn any_get_is_parsed_or_refused_item_by_item() {
    let mut random = Random::of_this_run();
    let sample = vault::GetRequest {
        context: Some(context()),
        collection: "customers".to_owned(),
        ids: vec!["r-1".to_owned(), "r-2".to_owned()],
        reveal: vault::Reveal::Plain as i32,
        fields: vec!["name".to_owned(), "/adresse/ort".to_owned()],
    };
    let mut parsed = 0;
    for _ in 0..cases(10_000, 1_000_000) {
        let Some(request) = variant(&mut random, &sample) else { continue };
        let view = input::view(&request.collection, request.reveal, &request.fields);
        let count = request.ids.len();
        let ids = input::Ids::from_wire(request.ids);
        assert_eq!(ids.is_err(), count == 0);
        if let Ok(ids) = ids {
            assert!(ids.valid().len() <= count);
            assert_eq!(ids.into_texts().count(), count);
        }
        parsed += usize::from(view.is_ok());
    }
    assert!(parsed > 100, "{parsed} edits leave a view");
}

#[test]
fn any_tokenize_is_parsed_or_refused_item_by_item() {
    let mut random = Random::of_this_run();
    let options = vault::SurrogateOptions {
        info_type: "METER_ID".to_owned(),
        kind: 3,
        format: 3,
        ..vault::SurrogateOptions::default()
    };
    let own = vault::SurrogateOptions {
        info_type: "METER_ID".to_owned(),
        kind: 1,
        format: 0,
        reveal: 2,
        expires: Some(Timestamp { seconds: 1_900_000_000, nanos: 0 }),
        uses_max: 7,
        forced: true,
    };
    let item = |options| vault::TokenizeItem {
        value: text("12345678"),
        reference: "row 1".to_owned(),
        ordinal: 3,
        options,
    };
    let sample = vault::TokenizeRequest {
        context: Some(context()),
        options: Some(options),
        items: vec![item(None), item(Some(own))],
        idempotency_key: "key".to_owned(),
    };
    let mut parsed = 0;
    for _ in 0..cases(10_000, 1_000_000) {
        let Some(request) = variant(&mut random, &sample) else { continue };
        let count = request.items.len();
        let common = surrogates::CommonOptions::from_wire(request.options);
        let mut keys = super::item_keys::ItemKeys::default();
        let batch = surrogates::Values::from_wire(request.items, &common, &mut keys);
        assert_eq!(batch.is_err(), count == 0);
        if let Ok(batch) = batch {
            assert_eq!((batch.references.len(), batch.values.len()), (count, count));
            parsed += usize::from(batch.values.iter().all(Result::is_ok));
        }
    }
    assert!(parsed > 100, "{parsed} edits leave a whole request");
}

#[test]
fn any_detokenize_and_search_is_parsed_or_refused() {
    let mut random = Random::of_this_run();
    let item = |surrogate: &str| vault::SurrogateItem {
        surrogate: surrogate.to_owned(),
        reference: "row 1".to_owned(),
        key_version: 1,
        ..vault::SurrogateItem::default()
    };
    let sample = vault::DetokenizeRequest {
        items: vec![item("87654321"), item("srg_meter_x_y")],
        reveal: vault::Reveal::Plain as i32,
        info_type: "METER_ID".to_owned(),
        format: 3,
        ..vault::DetokenizeRequest::default()
    };
    let term = vault::SearchTerm { field: "name".to_owned(), value: text("Anna") };
    let wanted = vault::SearchRequest { terms: vec![term; 2], ..vault::SearchRequest::default() };
    let (mut parsed, mut sought) = (0, 0);
    for _ in 0..cases(10_000, 1_000_000) {
        if let Some(request) = variant(&mut random, &sample) {
            let count = request.items.len();
            let (info_type, format) = (&request.info_type, request.format);
            let common = surrogates::CommonForm::from_wire(info_type, format, request.key_version);
            let common = common.unwrap_or_default();
            if let Ok(mut names) = surrogates::Names::from_wire(request.items, &common) {
                assert_eq!((names.references.len(), names.queries.len()), (count, count));
                parsed += usize::from(names.queries.iter().all(Result::is_ok));
                let first = names.split_first(1);
                assert_eq!(first.queries.len() + names.queries.len(), count);
            }
        }
        let request = variant(&mut random, &wanted);
        sought += usize::from(request.is_some_and(|it| search::terms(it.terms).is_ok()));
    }
    assert!(parsed > 100 && sought > 100, "{parsed} and {sought} edits leave a whole request");
}

#[test]
fn any_policy_and_time_is_parsed_or_refused() {
    let mut random = Random::of_this_run();
    let field = vault::FieldPolicy { name: "name".to_owned(), ..vault::FieldPolicy::default() };
    let sample = vault::Policy { fields: vec![field], ..vault::Policy::default() };
    for _ in 0..cases(10_000, 1_000_000) {
        if let Some(Ok(policy)) = variant(&mut random, &sample).map(Policy::try_from) {
            let again = Policy::try_from(vault::Policy::from(&policy)).unwrap();
            assert_eq!(again, policy, "what was parsed parses again");
        }
        let seconds = random.number().cast_signed() >> random.below(64);
        let nanos = u32::try_from(random.number() >> 32).unwrap();
        let nanos = nanos.cast_signed() >> random.below(32);
        if let Ok(ms) = time::from_timestamp(&Timestamp { seconds, nanos }) {
            assert!(time::to_timestamp(ms).seconds >= 0);
        }
    }
}
