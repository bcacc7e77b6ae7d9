//! How long a search by one value takes, among few records and among many.
//!
//! The records are put through the real process; every value is one record's. Asked is one search
//! after the other, each with a call of the echo behind it, so that what the machine does besides
//! shows in both.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use tresor_proto::vault::{
    Destination, Field, PutRequest, RecordInput, RequestContext, Reveal, SearchRequest, SearchTerm,
    Value, get_result, put_result, value,
};

use crate::{
    Engine,
    bare_trades::scattered,
    machine,
    premises::{Client, Premises},
};

const COLLECTION: &str = "people";
const POLICY: &str = "fields:\n  email: { info_type: EMAIL_ADDRESS, searchable: exact }\n  \
    last_name: { info_type: LAST_NAME }\n  iban: { info_type: IBAN_CODE }\n";
/// Records of one put.
const BATCH: u64 = 1_000;
/// Callers that put.
const LOADERS: usize = 4;
/// Searches before anything is measured: connections are made, keys unlocked.
const WARM_UP: usize = 20;

/// Puts records until there are as many as are wanted, and searches; for each number of records.
pub(crate) async fn run(engine: Engine, records: &[u64], searches: usize) {
    let mut premises = Premises::open(engine.name());
    fs::write(premises.site.path("people.yaml"), POLICY).expect("a policy");
    let put = ["collection", "put", COLLECTION, "-f", "people.yaml", "--tenant", "bench"];
    premises.site.operator(&put).ok();
    println!(
        "\n| {}: among | asked | searches | p50, ms | p99 | p99.9 | longest | CPU a call |",
        engine.name()
    );
    println!("|--:|---|--:|--:|--:|--:|--:|--:|");
    let mut loaded = 0;
    for &records in records {
        let begun = Instant::now();
        load(&premises, loaded..records).await;
        eprintln!("{}: {records} records after {:?}", engine.name(), begun.elapsed());
        loaded = records;
        let vault = premises.vault_process();
        measure(&premises, vault, records, searches).await;
    }
    let resident = machine::resident_mebibytes(premises.vault_process());
    println!("\n{}: {resident} MiB resident at the end.", engine.name());
}

async fn load(premises: &Premises, numbers: core::ops::Range<u64>) {
    let next = Arc::new(AtomicU64::new(numbers.start));
    let mut loading = JoinSet::new();
    for mut client in premises.vault_clients(LOADERS).await {
        let (next, end, context) = (Arc::clone(&next), numbers.end, premises.context());
        loading.spawn(async move {
            loop {
                let first = next.fetch_add(BATCH, Ordering::Relaxed);
                if first >= end {
                    break;
                }
                put(&mut client, context.clone(), first..end.min(first + BATCH)).await;
            }
        });
    }
    loading.join_all().await;
}

async fn put(client: &mut Client, context: RequestContext, numbers: core::ops::Range<u64>) {
    let collection = COLLECTION.to_owned();
    let request = PutRequest {
        context: Some(context),
        destination: Some(Destination { collection, ..Destination::default() }),
        records: numbers.map(record).collect(),
        ..PutRequest::default()
    };
    let answer = client.put(request).await.expect("an answer").into_inner();
    for result in answer.results {
        assert!(matches!(result.outcome, Some(put_result::Outcome::Stored(_))), "{result:?}");
    }
}

fn record(number: u64) -> RecordInput {
    let iban = format!("DE{:02}{number:018}", number % 97);
    let fields = [("email", email(number)), ("last_name", "Beispiel".to_owned()), ("iban", iban)];
    let field = |(name, text): (&str, String)| Field {
        name: name.to_owned(),
        value: Some(text_value(text)),
        ..Field::default()
    };
    RecordInput { fields: fields.into_iter().map(field).collect(), ..RecordInput::default() }
}

fn email(number: u64) -> String {
    format!("person-{number:08}@mail.example")
}

fn text_value(text: String) -> Value {
    Value { content: Some(value::Content::Text(text)) }
}

/// Searches, and asks the echo beside.
async fn measure(premises: &Premises, vault: u32, records: u64, searches: usize) {
    let mut client = premises.vault_clients(1).await.remove(0);
    let mut echo = premises.echo_clients(1).await.remove(0);
    let (mut times, mut echo_times) = (Vec::new(), Vec::new());
    let (mut cpu, mut echo_cpu) = (0.0, 0.0);
    for turn in 0..WARM_UP + searches {
        if turn == WARM_UP {
            times.clear();
            echo_times.clear();
            cpu = -machine::cpu_seconds(vault);
            echo_cpu = -machine::cpu_seconds(premises.echo_process());
        }
        let number = scattered(turn as u64) % records;
        times.push(search(&mut client, premises.context(), number).await);
        echo_times.push(search(&mut echo, premises.context(), number).await);
    }
    cpu += machine::cpu_seconds(vault);
    echo_cpu += machine::cpu_seconds(premises.echo_process());
    report(&format!("{records} | vault"), &mut times, cpu);
    report(&format!("{records} | echo"), &mut echo_times, echo_cpu);
}

/// How long it takes to find the one record with a value.
async fn search(client: &mut Client, context: RequestContext, number: u64) -> Duration {
    let value = Some(text_value(email(number)));
    let request = SearchRequest {
        context: Some(context),
        collection: COLLECTION.to_owned(),
        terms: vec![SearchTerm { field: "email".to_owned(), value }],
        reveal: Reveal::Plain as i32,
        ..SearchRequest::default()
    };
    let begun = Instant::now();
    let answer = client.search(request).await.expect("an answer").into_inner();
    let elapsed = begun.elapsed();
    assert!(answer.index_complete && answer.next_page_token.is_empty(), "all is found at once");
    let [result] = answer.results.as_slice() else { panic!("one record") };
    assert!(matches!(result.outcome, Some(get_result::Outcome::Record(_))), "{result:?}");
    elapsed
}

/// One line: percentiles in milliseconds.
fn report(name: &str, times: &mut [Duration], cpu: f64) {
    times.sort_unstable();
    let at =
        |per_mille: usize| times[(times.len() - 1) * per_mille / 1_000].as_secs_f64() * 1_000.0;
    println!(
        "| {name} | {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
        times.len(),
        at(500),
        at(990),
        at(999),
        at(1_000),
        cpu * 1_000.0 / times.len() as f64
    );
}
