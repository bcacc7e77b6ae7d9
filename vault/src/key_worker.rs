//! Threads of their own for work with keys, which wipe their stack after each job.
//!
//! `ring` leaves copies of raw keys on the stack; here they live no longer than the job that made
//! them. The queue is bounded: beyond it callers are told that the vault is overloaded.

use std::{
    hint::black_box,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::sync::oneshot;
use zeroize::Zeroize as _;

use crate::error::VaultError;

/// Jobs waiting at most: a job is a batch of up to 1,000 records.
const QUEUE_JOBS_MAX: usize = 256;
/// Bytes of stack that are wiped after a job; jobs are shallow and keep bulk on the heap.
const WIPED_STACK_BYTES: usize = 64 * 1024;
/// They are wiped a word at a time: each write is one that a compiler may not join with others.
const WIPED_STACK_WORDS: usize = WIPED_STACK_BYTES / size_of::<u64>();

/// How often it is looked whether all jobs are done.
const SETTLE_POLL: Duration = Duration::from_millis(1);

type Job = Box<dyn FnOnce() + Send>;

/// The threads, shared by all requests of a vault; they end when it is dropped.
#[derive(Debug)]
pub(crate) struct KeyWorker {
    jobs: async_channel::Sender<Job>,
    /// Jobs waiting or at work, their stack not yet wiped.
    unfinished: Arc<AtomicUsize>,
}

impl KeyWorker {
    /// Starts one thread a core.
    pub(crate) fn start_one_a_core() -> Result<Self, VaultError> {
        Self::start(thread::available_parallelism().map_or(1, NonZeroUsize::get))
    }

    /// Starts threads.
    pub(crate) fn start(threads: usize) -> Result<Self, VaultError> {
        let (jobs, queue) = async_channel::bounded::<Job>(QUEUE_JOBS_MAX);
        let unfinished = Arc::new(AtomicUsize::new(0));
        for _ in 0..threads {
            let (queue, unfinished) = (queue.clone(), Arc::clone(&unfinished));
            let work = move || {
                while let Ok(job) = queue.recv_blocking() {
                    job();
                    wipe_stack();
                    unfinished.fetch_sub(1, Ordering::Release);
                }
            };
            let started = thread::Builder::new().name("keys".to_owned()).spawn(work);
            started.map_err(|_| VaultError::Internal)?;
        }
        Ok(Self { jobs, unfinished })
    }

    /// Runs a job and gives its result; a job that panics is an internal error.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, VaultError> {
        let (answer, result) = oneshot::channel();
        let job = move || {
            if let Ok(done) = catch_unwind(AssertUnwindSafe(job)) {
                // The caller may have gone; then nobody waits for the answer.
                let _ = answer.send(done);
            }
        };
        self.unfinished.fetch_add(1, Ordering::Relaxed);
        if self.jobs.try_send(Box::new(job)).is_err() {
            self.unfinished.fetch_sub(1, Ordering::Relaxed);
            return Err(VaultError::Overloaded);
        }
        result.await.map_err(|_| VaultError::Internal)
    }
}

impl KeyWorker {
    /// Ends when no job is left, those included whose caller has gone, and all stacks are wiped.
    pub(crate) async fn settle(&self) {
        while self.unfinished.load(Ordering::Acquire) > 0 {
            tokio::time::sleep(SETTLE_POLL).await;
        }
    }
}

/// Overwrites the stack below the caller, where the job had its frames.
#[inline(never)]
fn wipe_stack() {
    let mut below = [0u64; WIPED_STACK_WORDS];
    below.zeroize();
    black_box(&below);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_that_panics_is_an_internal_error_and_the_thread_lives_on() {
        let worker = KeyWorker::start_one_a_core().unwrap();
        for _ in 0..20 {
            let failed = worker.run(|| if true { panic!("a fault") } else { 1 }).await;
            assert_eq!(failed, Err(VaultError::Internal));
        }
        assert_eq!(worker.run(|| 2).await, Ok(2));
    }

    #[tokio::test]
    async fn nothing_is_left_of_a_job_whose_caller_has_gone_once_it_has_settled() {
        let worker = KeyWorker::start(1).unwrap();
        let (held, gate) = (Arc::new(()), Arc::new(std::sync::Barrier::new(2)));
        let (kept, opened) = (Arc::clone(&held), Arc::clone(&gate));
        let mut job = Box::pin(worker.run(move || {
            opened.wait();
            drop(kept);
        }));
        assert!(begin(job.as_mut()).await.is_none());
        drop(job);
        assert_eq!(Arc::strong_count(&held), 2);
        gate.wait();
        worker.settle().await;
        assert_eq!(Arc::strong_count(&held), 1);
    }

    /// Begins a future without waiting for it.
    async fn begin<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match future.as_mut().poll(context) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
