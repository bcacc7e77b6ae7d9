//! A stream of answers, a step after the other.
//!
//! It promises that a stream ends when its caller goes, when the process shuts down and when the
//! vault is locked, even while its caller takes no answer, and that nothing of it stays in memory
//! then. Nothing is prepared ahead: a step begins once the answer before is taken, and gives the
//! bytes of its message back when it is done.

use core::future::Future;

use futures::{StreamExt as _, stream, stream::BoxStream};
use tokio::sync::{mpsc, watch};
use tonic::Status;
use tresor_door::Shutdown;
use tresor_proto::{ErrorCode, Failure};

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
}

impl Stop {
    /// What ends a stream of a service; why it was refused goes to the log of its call.
    pub(super) fn new(gate: &Gate, shutdown: &Shutdown, origin: &Origin) -> Self {
        let (states, notes) = (gate.lockable().watch(), origin.notes.clone());
        Self { shutdown: shutdown.clone(), states, notes }
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

/// The answers of a stream. It runs in a task of its own: what a caller does not take is not asked
/// for, and would hold its keys for as long as he likes.
pub(super) fn into_answers<S: Steps>(
    mut steps: S,
    mut stop: Stop,
) -> BoxStream<'static, Result<S::Answer, Status>> {
    let (sender, answers) = mpsc::channel(1);
    let notes = stop.notes.clone();
    let gone = sender.clone();
    let task = tokio::spawn(async move {
        let ended = tokio::select! {
            ended = send_all(&mut steps, &mut stop, &sender) => ended,
            () = gone.closed() => Ok(()),
        };
        ended.inspect_err(|status| notes.note_refusal(status))
    });
    stream::unfold((answers, Some(task)), |(mut answers, mut task)| async move {
        if let Some(answer) = answers.recv().await {
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
    sender: &mpsc::Sender<S::Answer>,
) -> Result<(), Status> {
    loop {
        let reserve = async { Ok(sender.reserve().await.ok()) };
        let Some(place) = stop.or(reserve).await? else {
            return Ok(());
        };
        let step = steps.step(stop).await;
        // Its message is done with, however long its answer waits to be taken.
        stop.notes.give_bytes_back();
        match step? {
            Some(answer) => place.send(answer),
            None => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tempfile::TempDir;
    use tresor_proto::ServiceName;
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
            Self { states, shutdown, begun, _directory: directory }
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
            into_answers(steps, Stop { shutdown, states, notes })
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
    async fn a_fault_of_a_step_is_the_last_answer() {
        let served = Served::new().await;
        let answers: Vec<_> = served.stream(2).collect().await;
        let [first, last] = answers.as_slice() else { panic!("{answers:?}") };
        assert_eq!(*first.as_ref().unwrap(), 1);
        assert_eq!(code(last.as_ref().unwrap_err()), ErrorCode::Internal);
        served.until_let_go().await;
    }
}
