//! What a recording means. Pure.

pub mod bottleneck;
pub mod comparison;
pub mod crossing;
pub mod demand;
pub mod disturbance;
pub mod metric;
pub mod paired;
pub mod promise;
pub mod rule;
pub mod shift;
pub mod spread;
pub mod usl;
pub mod warning;

pub use bottleneck::{Bottleneck, Facts, Figure, Limit, bottleneck};
pub use comparison::{Comparison, Verdict};
pub use demand::{Demand, Fit};
pub use disturbance::{Bounds, Disturbance, Looks, disturbance};
pub use metric::Metric;
pub use paired::Estimate;
pub use promise::{Broken, Promise};
pub use rule::Rule;
pub use shift::{ShiftPoint, shift};
pub use spread::Spread;
pub use usl::Usl;
pub use warning::{Conditions, Warning, warnings};

use crate::recording::{LoadThread, Recording};
use crate::units::Rate;
use serde::{Deserialize, Serialize};

/// The few numbers that a reader wants first. Each can be had from the histogram and the counts again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Requests that were answered per second. Finite whatever happened.
    pub requests_per_second: Rate,
    /// Processor time that the load threads needed per request that was answered. None when none was.
    pub client_cpu_ns_per_request: Option<f64>,
    /// The share of one core that the busiest load thread needed, 0 to 1. None when no time passed.
    pub client_busy: Option<f64>,
}

pub fn summarize(recording: &Recording) -> Summary {
    let completed = recording.counts.completed;
    let cpu: u64 = recording.load_threads.iter().map(|thread| thread.needed().0).sum();
    let busiest = recording.load_threads.iter().filter_map(LoadThread::busy).reduce(f64::max);
    Summary {
        requests_per_second: Rate::of(completed, recording.elapsed),
        client_cpu_ns_per_request: (completed > 0).then(|| cpu as f64 / completed as f64),
        client_busy: busiest,
    }
}
