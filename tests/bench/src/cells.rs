//! Put and Get: one line of the table each, by batch and connections.

use std::sync::Arc;

use tresor_proto::vault::{
    Destination, GetRequest, PutRequest, RequestContext, Reveal, get_result, put_result,
};

use crate::{
    Plan,
    bare::Bare,
    premises::{Client, Premises},
    records,
    sample::{Sample, closed_loop},
};

/// Records that are read.
const LOADED_RECORDS: usize = 20_000;
const COLLECTION: &str = "customers";

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Put,
    Get,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) operation: Operation,
    pub(crate) batch: usize,
    pub(crate) connections: usize,
}

/// The measurements of a line, added up over the rounds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Line {
    pub(crate) vault: Sample,
    pub(crate) echo: Sample,
    /// Bare sealing or opening.
    pub(crate) keys: Sample,
    pub(crate) store: Sample,
}

impl Cell {
    pub(crate) fn all() -> Vec<Self> {
        let mut cells = Vec::new();
        for operation in [Operation::Put, Operation::Get] {
            for batch in [1, 100, 1_000] {
                for connections in [1, 8] {
                    cells.push(Self { operation, batch, connections });
                }
            }
        }
        cells
    }

    pub(crate) fn name(&self) -> String {
        let operation = match self.operation {
            Operation::Put => "put",
            Operation::Get => "get",
        };
        format!("{operation} {} × {}", self.batch, self.connections)
    }

    /// One round: the vault, then each of its ceilings.
    pub(crate) async fn round(&self, with: &mut Bench, plan: &Plan, line: &mut Line) {
        let duration = plan.duration();
        let processes = [with.premises.vault_process()];
        let clients = with.premises.vault_clients(self.connections).await;
        line.vault += self.calls(with, &processes, &clients, plan).await;
        let processes = [with.premises.echo_process()];
        let clients = with.premises.echo_clients(self.connections).await;
        line.echo += self.calls(with, &processes, &clients, plan).await;
        let bare = &with.bare;
        match self.operation {
            Operation::Put => {
                line.keys += bare.seal(duration / 2);
                line.store += bare.apply(duration, self.batch, self.connections).await;
            }
            Operation::Get => {
                line.keys += bare.open(duration / 2);
                line.store += bare.read(duration, self.batch, self.connections).await;
            }
        }
    }

    async fn calls(
        &self,
        with: &Bench,
        processes: &[u32],
        clients: &[Client],
        plan: &Plan,
    ) -> Sample {
        let (context, batch) = (with.context.clone(), self.batch);
        match self.operation {
            Operation::Put => {
                let request = put_request(context, batch);
                let call = move |client: Client, _| put(client, request.clone());
                closed_loop(processes, plan.duration(), clients, call).await
            }
            Operation::Get => {
                let ids = Arc::clone(&with.ids);
                let call = move |client: Client, turn: usize| {
                    let places = (turn * batch..).take(batch).map(|place| place % ids.len());
                    let wanted = places.map(|place| ids[place].clone()).collect();
                    get(client, get_request(context.clone(), wanted))
                };
                closed_loop(processes, plan.duration(), clients, call).await
            }
        }
    }
}

/// What all lines of one engine share.
pub(crate) struct Bench {
    pub(crate) premises: Premises,
    pub(crate) bare: Bare,
    context: RequestContext,
    ids: Arc<Vec<String>>,
}

impl Bench {
    /// Prepares the ceilings, and stores the records that are read.
    pub(crate) async fn prepare(premises: Premises, bare: Bare) -> Self {
        let context = premises.context();
        let mut clients = premises.vault_clients(1).await;
        let client = clients.pop().expect("a client");
        let mut ids = Vec::new();
        while ids.len() < LOADED_RECORDS {
            let request = put_request(context.clone(), 1_000);
            let answer = client.clone().put(request).await.expect("an answer").into_inner();
            ids.extend(answer.results.into_iter().map(|result| match result.outcome {
                Some(put_result::Outcome::Stored(stored)) => stored.id,
                _ => panic!("a record was refused"),
            }));
        }
        Self { premises, bare, context, ids: Arc::new(ids) }
    }
}

fn put_request(context: RequestContext, batch: usize) -> PutRequest {
    let collection = COLLECTION.to_owned();
    PutRequest {
        idempotency_key: String::new(),
        context: Some(context),
        destination: Some(Destination { collection, policy_version: 0, masks: false }),
        records: vec![records::input(); batch],
    }
}

async fn put(mut client: Client, request: PutRequest) -> u64 {
    let answer = client.put(request).await.expect("an answer").into_inner();
    let is_stored = |outcome: &Option<_>| matches!(outcome, Some(put_result::Outcome::Stored(_)));
    assert!(answer.results.iter().all(|result| is_stored(&result.outcome)), "refused");
    answer.results.len() as u64
}

fn get_request(context: RequestContext, ids: Vec<String>) -> GetRequest {
    GetRequest {
        context: Some(context),
        collection: COLLECTION.to_owned(),
        ids,
        reveal: Reveal::Plain as i32,
        fields: Vec::new(),
    }
}

async fn get(mut client: Client, request: GetRequest) -> u64 {
    let answer = client.get(request).await.expect("an answer").into_inner();
    let is_whole = |outcome: &Option<_>| match outcome {
        Some(get_result::Outcome::Record(record)) => record.fields.len() as u64 == records::FIELDS,
        _ => false,
    };
    assert!(answer.results.iter().all(|result| is_whole(&result.outcome)), "not given");
    answer.results.len() as u64
}
