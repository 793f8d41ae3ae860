//! What a search for capacity adds to a document: what was promised, which rates were tried, and the answer.

use crate::stats::{Bottleneck, Demand, Estimate, Promise, Usl};
use crate::units::{Nanos, Rate};
use serde::{Deserialize, Serialize};

/// A search for capacity, or a sweep over numbers of connections.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// The highest rate that kept the promise for as long as it had to hold, in requests per second: of the first search.
    /// None when none did, or none was asked for.
    pub rate: Option<Rate>,
    pub promise: Option<Promise>,
    /// Rates that are this near to each other, as a share, are not told apart.
    pub resolution: Option<f64>,
    /// What is measured of a rate before it is judged, what is left out before that, and how long the answer had to hold.
    pub step_ns: Nanos,
    pub settle_ns: Nanos,
    pub hold_ns: Option<Nanos>,
    /// No rate above this was tried.
    pub max_rate: Option<Rate>,
    /// The share of the capacity that is to stay free.
    pub headroom: Option<f64>,
    /// In the order of the command line. Empty when the server was not named as a path.
    pub paths: Vec<SearchedPath>,
    /// One for each test and path.
    pub searches: Vec<Searched>,
    /// Of --sweep-clients, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sweeps: Vec<Sweep>,
}

/// A way to a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchedPath {
    pub name: String,
    /// The places of its servers in the `targets` of the document.
    pub targets: Vec<usize>,
}

/// What came of looking for the rate of one test on one path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Searched {
    pub test: String,
    /// The place of the path. None when there is but one.
    pub path: Option<usize>,
    pub outcome: Outcome,
    /// The answer. Above `outcome` says how it is meant.
    pub rate: Option<Rate>,
    /// Where the promise is crossed, by all that was measured, with its 95 % interval. None when too few rates were tried
    /// on either side of it.
    pub crossing: Option<Estimate>,
    /// The rate without the headroom.
    pub recommended: Option<Rate>,
    /// What a closed loop reached.
    pub closed_loop: Option<Rate>,
    /// What stood in the way of a higher rate.
    pub limit: Option<Bottleneck>,
    pub demand: Option<Demand>,
    /// Every rate that was tried, in the order of time.
    pub steps: Vec<Step>,
    /// The place in `results` of what the answer was held for.
    pub held: Option<usize>,
    /// Steps that failed while a hypervisor or a quota took processors away, and were tried again.
    pub repeated: u64,
    /// The share of the time that they took in those that were counted as failures nevertheless.
    pub stolen: Vec<f64>,
    /// For how long load was made.
    pub elapsed_ns: Nanos,
}

/// How the answer of a search is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The rate kept the promise, and one above it did not.
    Found,
    /// The rate kept the promise, and nothing is known of higher ones, for this reason.
    AtLeast(String),
    /// No rate kept it.
    Broken(String),
    /// The search was ended, for this reason, before the answer was held.
    Stopped(String),
}

/// One rate that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What it was tried for: `floor`, `climb`, `bisect`, `confirm` or `hold`.
    pub stage: String,
    /// `pass`, `fail` or `unclear`.
    pub verdict: String,
    /// Why it failed, or was ended early.
    pub reason: Option<String>,
    pub offered: Rate,
    pub achieved: Rate,
    /// Measured, which may be less than was planned when it could not recover, and more when it was unclear.
    pub elapsed_ns: Nanos,
    pub completed: u64,
    pub errors: u64,
    pub p50_ns: Option<Nanos>,
    pub p99_ns: Option<Nanos>,
    pub p999_ns: Option<Nanos>,
    pub max_ns: Option<Nanos>,
    /// How near the latencies came to what is promised of them: 1 at the limit, 2 when one was twice as long as promised.
    pub strain: Option<f64>,
    /// From when a request was due to when it was sent.
    pub slip_p99_ns: Option<Nanos>,
    /// Shares of a core: what a load thread needs for the rate by what a request cost it in a closed loop, the busiest
    /// server's main thread, and the busiest proxy's threads together. None where nobody tells.
    pub client_busy: Option<f64>,
    pub server_busy: Option<f64>,
    pub proxy_busy: Option<f64>,
}

/// What numbers of connections bring in a closed loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    pub test: String,
    /// The place of the path. None when there is but one.
    pub path: Option<usize>,
    /// In the order of the numbers.
    pub points: Vec<SweepPoint>,
    /// None when there are too few numbers of connections to fit it.
    pub usl: Option<Usl>,
}

/// A number of connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepPoint {
    pub clients: u32,
    /// Requests per second of each time it was tried.
    pub requests_per_second: Vec<Rate>,
    /// Of all times together.
    pub p50_ns: Option<Nanos>,
    pub p99_ns: Option<Nanos>,
    pub client_busy: Option<f64>,
    pub server_busy: Option<f64>,
}
