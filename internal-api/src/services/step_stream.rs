//! A stream of answers, a step after the other.
//!
//! It promises that a stream ends when its caller goes, takes no answer for as long as it may idle,
//! when the process shuts down and when the vault is locked, and that its work and its seats are let
//! go of then, whoever still holds the stream. Nothing is prepared ahead: a step begins once the
//! answer before is taken, and gives the bytes of its message back when it is done.

use core::{future::Future, time::Duration};
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt as _, stream, stream::BoxStream};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};
use tonic::Status;
use tresor_door::Shutdown;
use tresor_proto::{ErrorCode, Failure, limits::IDLE_TIMEOUT_MS};

use crate::{
    caller::{CallNotes, Origin},
    gate::Gate,
    lockable::LockState,
};

/// What a stream does, in steps.
pub(super) trait Steps: Send + 'static {
    type Answer: Send + 'static;

    /// The next answer, or `None` at the end; an error is the last. It is dropped half done when
    /// the caller goes, and is to see for itself when it ends for another reason.
    fn step(
        &mut self,
        stop: &mut Stop,
    ) -> impl Future<Output = Result<Option<Self::Answer>, Status>> + Send;
}

/// What ends every stream.
pub(super) struct Stop {
    shutdown: Shutdown,
    states: watch::Receiver<LockState>,
    notes: CallNotes,
    /// How long an answer may wait to be taken.
    idle: Duration,
}

impl Stop {
    /// What ends a stream of a service; why it was refused goes to the log of its call.
    pub(super) fn new(gate: &Gate, shutdown: &Shutdown, origin: &Origin) -> Self {
        let (states, notes) = (gate.lockable().watch(), origin.notes.clone());
        let idle = Duration::from_millis(IDLE_TIMEOUT_MS);
        Self { shutdown: shutdown.clone(), states, notes, idle }
    }

    /// Ends when the stream has to, and tells why.
    async fn reason(&mut self) -> Failure {
        tokio::select! {
            biased;
            () = self.shutdown.wait() => ErrorCode::Overloaded.into(),
            _ = self.states.wait_for(LockState::is_locked) => ErrorCode::Locked.into(),
        }
    }

    /// What `work` gives, unless the stream has to end before.
    pub(super) async fn or<T>(
        &mut self,
        work: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Status> {
        tokio::select! {
            biased;
            reason = self.reason() => Err(reason.into()),
            done = work => done,
        }
    }
}

/// An answer that waits to be taken, until it is.
struct Waiting<A>(Arc<Mutex<Option<A>>>);

impl<A> Waiting<A> {
    /// It, and what it is let go of with when nobody takes it.
    fn new(answer: A) -> (Self, Self) {
        let answer = Arc::new(Mutex::new(Some(answer)));
        (Self(Arc::clone(&answer)), Self(answer))
    }

    fn take(&self) -> Option<A> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The answers of a stream. It runs in a task of its own: what a caller does not take is not asked
/// for, and would hold its keys for as long as he likes.
pub(super) fn into_answers<S: Steps>(
    mut steps: S,
    mut stop: Stop,
) -> BoxStream<'static, Result<S::Answer, Status>> {
    let (sender, answers) = mpsc::channel::<Waiting<S::Answer>>(1);
    let notes = stop.notes.clone();
    let gone = sender.clone();
    let task = tokio::spawn(async move {
        let ended = tokio::select! {
            ended = send_all(&mut steps, &mut stop, &sender) => ended,
            () = gone.closed() => Ok(()),
        };
        notes.leave_seats();
        ended.inspect_err(|status| notes.note_refusal(status))
    });
    stream::unfold((answers, Some(task)), |(mut answers, mut task)| async move {
        if let Some(answer) = answers.recv().await.and_then(|waiting| waiting.take()) {
            return Some((Ok(answer), (answers, task)));
        }
        let ended = task.take()?.await;
        // A fault of a step ends its own stream only.
        let ended = ended.unwrap_or_else(|_| Err(Failure::from(ErrorCode::Internal).into()));
        ended.err().map(|status| (Err(status), (answers, None)))
    })
    .boxed()
}

async fn send_all<S: Steps>(
    steps: &mut S,
    stop: &mut Stop,
    sender: &mpsc::Sender<Waiting<S::Answer>>,
) -> Result<(), Status> {
    let mut last: Option<Waiting<S::Answer>> = None;
    loop {
        let idle = stop.idle;
        let reserve = async { Ok(timeout(idle, sender.reserve()).await) };
        let Ok(place) = stop.or(reserve).await? else {
            // The transport holds the stream for as long as its caller likes, but not what is in it.
            drop(last.and_then(|last| last.take()));
            return Err(Failure::from(ErrorCode::DeadlineExceeded).into());
        };
        let Ok(place) = place else { return Ok(()) };
        let step = steps.step(stop).await;
        // Its message is done with, however long its answer waits to be taken.
        stop.notes.give_bytes_back();
        let Some(answer) = step? else { return Ok(()) };
        let (waiting, ours) = Waiting::new(answer);
        place.send(waiting);
        last = Some(ours);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tempfile::TempDir;
    use tresor_door::Shares;
    use tresor_proto::{ServiceName, TenantId};
    use tresor_vault::{Passphrase, Settings, Vault, store::StoreEngine};

    use super::*;
    use crate::message_budget::MessageBudget;

    /// Steps without end, each counted; what they hold is seen by how often it is shared.
    struct Counted {
        begun: Arc<AtomicUsize>,
        panics_at: usize,
    }

    impl Steps for Counted {
        type Answer = usize;

        async fn step(&mut self, _: &mut Stop) -> Result<Option<usize>, Status> {
            let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
            assert!(number != self.panics_at, "a fault");
            Ok(Some(number))
        }
    }

    /// A vault that is served, and what becomes of it.
    struct Served {
        states: watch::Sender<LockState>,
        shutdown: Shutdown,
        begun: Arc<AtomicUsize>,
        idle: Duration,
        _directory: TempDir,
    }

    impl Served {
        async fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let mut settings = Settings::new(directory.path().join("data"));
            settings.engine = StoreEngine::Memory;
            let passphrase = Passphrase::new(b"a passphrase of tests".to_vec().into()).unwrap();
            let vault = Arc::new(Vault::open(settings, &passphrase).await.unwrap());
            let states = watch::Sender::new(LockState::Unlocked(vault));
            let (shutdown, begun) = (Shutdown::new(), Arc::default());
            let idle = Duration::from_millis(IDLE_TIMEOUT_MS);
            Self { states, shutdown, begun, idle, _directory: directory }
        }

        fn stream(&self, panics_at: usize) -> BoxStream<'static, Result<usize, Status>> {
            self.noted_stream(panics_at, CallNotes::default())
        }

        fn noted_stream(
            &self,
            panics_at: usize,
            notes: CallNotes,
        ) -> BoxStream<'static, Result<usize, Status>> {
            let steps = Counted { begun: Arc::clone(&self.begun), panics_at };
            let (shutdown, states) = (self.shutdown.clone(), self.states.subscribe());
            into_answers(steps, Stop { shutdown, states, notes, idle: self.idle })
        }

        /// Ends when nobody else holds what a stream held.
        async fn until_let_go(&self) {
            while Arc::strong_count(&self.begun) > 1 {
                tokio::task::yield_now().await;
            }
        }
    }

    fn code(status: &Status) -> ErrorCode {
        Failure::from(status).code()
    }

    #[tokio::test]
    async fn a_stream_that_nobody_reads_lets_go_of_all_when_the_vault_is_locked() {
        let served = Served::new().await;
        let mut stream = served.stream(0);
        assert_eq!(stream.next().await.unwrap().unwrap(), 1);
        served.states.send_replace(LockState::LockedByOperator);
        served.until_let_go().await;
        let left: Vec<_> = stream.collect().await;
        let (last, before) = left.split_last().unwrap();
        assert_eq!(code(last.as_ref().unwrap_err()), ErrorCode::Locked);
        assert!(before.len() <= 1 && before.iter().all(Result::is_ok), "{before:?}");
    }

    #[tokio::test]
    async fn a_stream_that_begins_while_the_vault_is_locked_ends() {
        let served = Served::new().await;
        served.states.send_replace(LockState::LockedByOperator);
        let ended = served.stream(0).next().await.unwrap().unwrap_err();
        assert_eq!(code(&ended), ErrorCode::Locked);
    }

    #[tokio::test]
    async fn a_stream_ends_with_the_process() {
        let served = Served::new().await;
        let stream = served.stream(0);
        served.shutdown.trigger();
        let ended = stream.collect::<Vec<_>>().await.pop().unwrap().unwrap_err();
        assert_eq!(code(&ended), ErrorCode::Overloaded);
    }

    #[tokio::test]
    async fn nothing_is_prepared_before_the_answer_before_is_taken() {
        let served = Served::new().await;
        let mut stream = served.stream(0);
        for taken in 1..=3 {
            assert_eq!(stream.next().await.unwrap().unwrap(), taken);
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert!(served.begun.load(Ordering::SeqCst) <= taken + 1);
        }
        drop(stream);
        served.until_let_go().await;
    }

    #[tokio::test]
    async fn a_stream_that_idles_holds_no_bytes_of_the_message_it_has_done_with() {
        let served = Served::new().await;
        let budget = MessageBudget::new(16);
        let purse = budget.purse(&ServiceName::parse("edge").unwrap(), true);
        purse.take(8).await.unwrap();
        let notes = CallNotes::default();
        notes.keep_purse(purse);
        let mut stream = served.noted_stream(0, notes);
        assert_eq!(stream.next().await.unwrap().unwrap(), 1);
        assert_eq!(budget.left(), 16, "nobody asked for another message");
    }

    #[tokio::test]
    async fn a_stream_whose_answers_nobody_takes_ends_and_lets_go_of_all_with_its_seat() {
        let served = Served { idle: Duration::from_millis(1), ..Served::new().await };
        let (seats, tenant) = (Shares::new(4), TenantId::from_bytes([1; 16]));
        let notes = CallNotes::default();
        notes.keep_seat(seats.take(tenant).unwrap());
        let stream = served.noted_stream(0, notes);
        served.until_let_go().await;
        while seats.taken_by(&tenant) > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(served.begun.load(Ordering::SeqCst), 1, "what nobody takes is not asked for");
        let left: Vec<_> = stream.collect().await;
        let [Err(status)] = left.as_slice() else { panic!("{left:?}") };
        assert_eq!(code(status), ErrorCode::DeadlineExceeded);
    }

    #[tokio::test]
    async fn a_fault_of_a_step_is_the_last_answer() {
        let served = Served::new().await;
        let answers: Vec<_> = served.stream(2).collect().await;
        let [first, last] = answers.as_slice() else { panic!("{answers:?}") };
        assert_eq!(*first.as_ref().unwrap(), 1);
        assert_eq!(code(last.as_ref().unwrap_err()), ErrorCode::Internal);
        served.until_let_go().await;
    }
}
