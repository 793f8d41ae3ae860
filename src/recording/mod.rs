//! What happened, as counts. Plain values: each load thread owns its own, and they are merged afterwards.

pub mod commands;
pub mod counts;
pub mod errors;
pub mod latencies;
pub mod observed;
pub mod timeline;

pub use commands::{CommandCounts, Reads};
pub use counts::Counts;
pub use errors::{ErrorKind, Errors, Failure, Side};
pub use latencies::Latencies;
pub use observed::Observed;
pub use timeline::{Interval, Timeline};

use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// Everything that one run of a test brought home.
#[derive(Debug, Clone)]
pub struct Recording {
    pub counts: Counts,
    /// The requests that were dealt out have numbers below this; not each of them was sent.
    pub dealt: u64,
    /// From the start to the last reply. It belongs to the run, not to a thread: threads overlap.
    pub elapsed: Nanos,
    pub timeline: Timeline,
    pub load_threads: Vec<LoadThread>,
    pub end: End,
}

/// What a load thread says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadThread {
    pub clients: u32,
    /// Processor time from the start to the end of the run.
    pub cpu_ns: Nanos,
    /// The part of it that was spent waiting for a request that is due in a moment, without going to sleep.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub spun_ns: Nanos,
    /// Time from the start to the end of the run, as this thread saw it.
    pub elapsed_ns: Nanos,
    /// The longest turn of its loop, from when it was told what is ready until all of that was served, and what 99 % of
    /// turns did not exceed. None when it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loop_lag_max_ns: Option<Nanos>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loop_lag_p99_ns: Option<Nanos>,
}

impl LoadThread {
    /// The processor time that it needed: without what it spun away.
    pub fn needed(&self) -> Nanos {
        self.cpu_ns.since(self.spun_ns)
    }

    /// The share of a core that it needed, 0 to 1. None when no time passed.
    pub fn busy(&self) -> Option<f64> {
        (self.elapsed_ns > Nanos::ZERO).then(|| self.needed().0 as f64 / self.elapsed_ns.0 as f64)
    }
}

fn is_zero(span: &Nanos) -> bool {
    *span == Nanos::ZERO
}

/// How a run came to its end. What it had measured until then is kept in every case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    Completed,
    /// By the user.
    Interrupted,
    Failed(Failure),
}
