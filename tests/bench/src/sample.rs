//! One measurement: records, wall seconds, CPU seconds of the server.

use std::{
    future::Future,
    ops::AddAssign,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::machine::cpu_seconds;

/// What was done, in which time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) records: u64,
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
}

impl Sample {
    pub(crate) fn per_wall(&self) -> f64 {
        self.records as f64 / self.wall
    }

    pub(crate) fn per_cpu(&self) -> f64 {
        self.records as f64 / self.cpu
    }
}

impl AddAssign for Sample {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.wall += other.wall;
        self.cpu += other.cpu;
    }
}

/// A stopwatch over the CPU time of processes.
pub(crate) struct Stopwatch<'a> {
    processes: &'a [u32],
    begun: Instant,
    cpu: f64,
}

impl<'a> Stopwatch<'a> {
    pub(crate) fn start(processes: &'a [u32]) -> Self {
        let cpu = processes.iter().copied().map(cpu_seconds).sum();
        Self { processes, begun: Instant::now(), cpu }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(crate) fn stop(self, records: u64) -> Sample {
        let wall = self.begun.elapsed().as_secs_f64();
        let cpu: f64 = self.processes.iter().copied().map(cpu_seconds).sum();
        Sample { records, wall, cpu: cpu - self.cpu }
    }
}

/// Every caller calls again as soon as it is answered, until the time is over. A call gives the
/// number of records it was about.
pub(crate) async fn closed_loop<C, F>(
    processes: &[u32],
    duration: Duration,
    callers: &[C],
    call: impl Fn(C, usize) -> F + Clone + Send + 'static,
) -> Sample
where
    C: Clone + Send + 'static,
    F: Future<Output = u64> + Send,
{
    // Once unmeasured: connections are made, keys unlocked.
    for caller in callers {
        call(caller.clone(), 0).await;
    }
    let watch = Stopwatch::start(processes);
    let end = Instant::now() + duration;
    let mut running = JoinSet::new();
    for (number, caller) in callers.iter().cloned().enumerate() {
        let call = call.clone();
        running.spawn(async move {
            let (mut records, mut turn) = (0, number * 7_919);
            while Instant::now() < end {
                turn += 1;
                records += call(caller.clone(), turn).await;
            }
            records
        });
    }
    let records = running.join_all().await.into_iter().sum();
    watch.stop(records)
}
