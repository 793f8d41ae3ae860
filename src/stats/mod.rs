//! What a recording means. Pure.

use crate::recording::Recording;
use crate::units::{Nanos, Rate};
use serde::{Deserialize, Serialize};

/// The few numbers that a reader wants first. Each can be had from the histogram and the counts again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Requests that were answered per second. Finite whatever happened.
    pub requests_per_second: Rate,
    /// Processor time of the load threads per request that was answered. None when none was.
    pub client_cpu_ns_per_request: Option<f64>,
    /// The busiest load thread's share of one core, 0 to 1. None when no time passed.
    pub client_busy: Option<f64>,
}

pub fn summarize(recording: &Recording) -> Summary {
    let completed = recording.counts.completed;
    let cpu: u64 = recording.load_threads.iter().map(|thread| thread.cpu_ns.0).sum();
    let busiest = recording
        .load_threads
        .iter()
        .filter(|thread| thread.elapsed_ns > Nanos::ZERO)
        .map(|thread| thread.cpu_ns.0 as f64 / thread.elapsed_ns.0 as f64)
        .reduce(f64::max);
    Summary {
        requests_per_second: Rate::of(completed, recording.elapsed),
        client_cpu_ns_per_request: (completed > 0).then(|| cpu as f64 / completed as f64),
        client_busy: busiest,
    }
}
