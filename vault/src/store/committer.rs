//! The one thread that writes to a database.
//!
//! It gathers the changes that wait, decides them in order, and acknowledges a group only after
//! its one sync, so that concurrent writers share the price of a sync. It never waits for company:
//! a change that comes alone is written at once.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::engine::Engine;
use super::engine_store::Shared;
use super::group::Group;
use super::{Change, Outcome, Precondition, StoreError, Write};

/// Changes of a group: enough to hide a sync, few enough that its first caller does not wait long.
const GROUP_CHANGES_MAX: usize = 1_000;
/// Bytes of a group, which is held in memory twice.
const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Callers that wait in the queue; further ones wait to enter it.
pub(super) const QUEUE_CALLERS_MAX: usize = 256;

/// What a caller hands to the committer.
pub(super) enum Request {
    Apply(Submission),
    Close(oneshot::Sender<Result<(), StoreError>>),
}

/// Changes of one caller and where to answer.
pub(super) struct Submission {
    pub(super) changes: Vec<Change>,
    pub(super) reply: oneshot::Sender<Result<Vec<Outcome>, StoreError>>,
}

/// A group as gathered, and the request that ended it.
struct Gathered {
    submissions: Vec<Submission>,
    close: Option<oneshot::Sender<Result<(), StoreError>>>,
}

/// Serves requests until the database is closed or nobody is left who could ask.
pub(super) fn run(shared: &Arc<Shared>, mut requests: mpsc::Receiver<Request>) {
    while let Some(first) = requests.blocking_recv() {
        let gathered = gather(first, &mut requests);
        serve(shared, gathered.submissions);
        if let Some(reply) = gathered.close {
            // Nobody may be waiting any more; the database is closed all the same.
            let _ = reply.send(shared.close());
            return;
        }
    }
    // Dropped without `close`: the last chance to sync; whoever wants the result calls `close`.
    let _ = shared.close();
}

fn gather(first: Request, requests: &mut mpsc::Receiver<Request>) -> Gathered {
    let mut gathered = Gathered { submissions: Vec::new(), close: None };
    let (mut changes, mut bytes) = (0, 0);
    let mut next = Some(first);
    while let Some(request) = next {
        match request {
            Request::Close(reply) => {
                gathered.close = Some(reply);
                break;
            }
            Request::Apply(submission) => {
                changes += submission.changes.len();
                bytes += submission.changes.iter().map(bytes_of).sum::<usize>();
                gathered.submissions.push(submission);
            }
        }
        let is_full = changes >= GROUP_CHANGES_MAX || bytes >= GROUP_BYTES_MAX;
        next = if is_full { None } else { requests.try_recv().ok() };
    }
    gathered
}

fn bytes_of(change: &Change) -> usize {
    let bytes = |write: &Write| match write {
        Write::Put(key, value) => key.key.len() + value.len(),
        Write::Remove(key) => key.key.len(),
    };
    // Old rows count: an engine may hold them until it has synced.
    let old_bytes = |precondition: &Precondition| match precondition {
        Precondition::Absent(_) | Precondition::Present(_) => 0,
        Precondition::Unchanged(_, digest) => digest.row_bytes(),
    };
    change.writes.iter().map(bytes).sum::<usize>()
        + change.preconditions.iter().map(old_bytes).sum::<usize>()
}

fn serve(shared: &Shared, submissions: Vec<Submission>) {
    let (changes, replies): (Vec<_>, Vec<_>) =
        submissions.into_iter().map(|submission| (submission.changes, submission.reply)).unzip();
    if replies.is_empty() {
        return;
    }
    match shared.with_engine(|engine| commit(engine, changes)) {
        // A caller that has gone away loses its answer, not its change.
        Ok(outcomes) => replies.into_iter().zip(outcomes).for_each(|(reply, outcomes)| {
            let _ = reply.send(Ok(outcomes));
        }),
        Err(error) => replies.into_iter().for_each(|reply| {
            let _ = reply.send(Err(error));
        }),
    }
}

/// Decides all on settled rows, writes once, syncs once; only then are there outcomes.
fn commit(
    engine: &dyn Engine,
    submissions: Vec<Vec<Change>>,
) -> Result<Vec<Vec<Outcome>>, StoreError> {
    engine.settle()?;
    let mut group = Group::load(engine, submissions.iter().flatten())?;
    let outcomes = submissions.into_iter().map(|changes| group.decide(changes)).collect();
    group.commit()?;
    Ok(outcomes)
}
