//! One step of a search: what is planned, and what came of it.

use super::batch::Guard;
use crate::recording::Latencies;
use crate::stats::Broken;
use crate::units::{Nanos, Rate};
use serde::{Deserialize, Serialize};

/// A rate to be offered in an open loop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    pub rate: Rate,
    pub stage: Stage,
    /// 1, or 2 for the repetition that confirms a failure.
    pub attempt: u32,
    /// To be measured, after load has settled.
    pub span: Nanos,
    /// What `span` may be extended to where the verdict is not clear.
    pub most: Nanos,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Hardly any load: whether the promise can be kept at all.
    Floor,
    Climb,
    Bisect,
    Hold,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    Fail,
    Unclear,
}

/// What a verdict rests on, unless it is a pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Conditions of the promise.
    Broken(Vec<Broken>),
    /// Only this share of what was offered was completed.
    Achieved(f64),
    /// So many requests were due and not sent, and more with each batch.
    Backlog(u64),
    /// A load thread was busy for this share of the time: whatever else is wrong may be the client's doing.
    Client(f64),
    Guard(Guard),
    /// One batch breaks the promise, and all the others together keep it.
    OneBatch,
    /// The later half breaks the promise, and the whole keeps it still.
    GettingWorse,
    NothingAnswered,
    /// The step ended before it was judged.
    CutShort,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub planned: Planned,
    pub verdict: Verdict,
    /// None of a pass.
    pub why: Option<Why>,
    pub figures: Figures,
    /// How near each batch was to what is promised of latencies, 1 at the limit; batches without replies are left out.
    pub strains: Vec<f64>,
    /// Of what the promise allows all requests together to be beyond its limits, the share that was used, 1 at the limit.
    /// None when nothing was answered, or nothing may be beyond.
    pub used: Option<f64>,
    /// Of all batches.
    #[serde(skip)]
    pub response: Latencies,
}

/// Response times are in nanoseconds, and None where nothing was answered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Figures {
    /// That was measured.
    pub span_ns: Nanos,
    pub offered: u64,
    pub completed: u64,
    pub errors: u64,
    /// At the end.
    pub unsent: u64,
    pub achieved: Rate,
    pub response_ns_p50: Option<Nanos>,
    pub response_ns_p90: Option<Nanos>,
    pub response_ns_p99: Option<Nanos>,
    pub response_ns_p999: Option<Nanos>,
    pub response_ns_max: Option<Nanos>,
    pub response_ns_mean: Option<f64>,
    /// The highest of all batches.
    pub slip_ns_p99: Option<Nanos>,
    /// In the batch in the middle.
    pub client_busy: Option<f64>,
}

impl Figures {
    pub(super) fn read(&mut self, response: &Latencies) {
        self.achieved = Rate::of(self.completed, self.span_ns);
        [self.response_ns_p50, self.response_ns_p90, self.response_ns_p99, self.response_ns_p999] =
            [50.0, 90.0, 99.0, 99.9].map(|percentile| response.at(percentile));
        self.response_ns_max = response.max();
        self.response_ns_mean = response.mean();
    }
}
