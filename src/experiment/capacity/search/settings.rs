//! What is asked of a search, and how long that makes its steps.

use super::super::batch::Guards;
use super::super::step::Stage;
use crate::stats::Promise;
use crate::units::{Nanos, Rate};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub promise: Promise,
    /// Where the climb begins, above zero. None asks a closed loop for a first guess.
    pub from: Option<Rate>,
    /// How far apart the highest rate that passes and the lowest that fails may be, as a share: from 0.001 to 0.5.
    pub resolution: f64,
    pub step_ns: Nanos,
    pub hold_ns: Nanos,
    /// No more than this is ever offered.
    pub max_rate: Option<Rate>,
    /// Of the answer, the share that is recommended: above 0, and no more than 1.
    pub headroom: f64,
    pub guards: Guards,
}

/// A step is made so many times its length where its percentile needs the samples.
const SAMPLED: u64 = 4;

/// An unclear step is extended to so many times its length.
const EXTENDED: u64 = 2;

/// A climb looks for the first failure only, which the steps after it are sharp about.
const CLIMB_SHARE: u64 = 4;

impl Settings {
    /// The defaults of `rbench capacity`.
    pub fn new(promise: Promise) -> Settings {
        Settings {
            promise,
            from: None,
            resolution: 0.03,
            step_ns: Nanos::from_secs(10),
            hold_ns: Nanos::from_secs(60),
            max_rate: None,
            headroom: 0.7,
            guards: Guards::default(),
        }
    }

    /// How long a step lasts, and how long it may be made, in whole seconds: the length of its stage, and no less than
    /// the sharpest percentile needs for its samples. At rates so low that this takes more than four steps, a percentile
    /// is judged by fewer samples.
    pub(super) fn span(&self, stage: Stage, rate: f64) -> (Nanos, Nanos) {
        let (span, most) = match stage {
            Stage::Floor | Stage::Climb => (Nanos(self.step_ns.0 / CLIMB_SHARE), self.step_ns),
            Stage::Bisect => (self.step_ns, Nanos(self.step_ns.0.saturating_mul(EXTENDED))),
            Stage::Hold => (self.hold_ns, Nanos(self.hold_ns.0.saturating_mul(EXTENDED))),
        };
        let needed = self.promise.samples_needed().map_or(0.0, |samples| samples as f64 / rate * 1e9);
        // A float too large for the integer becomes its greatest value.
        let span = whole_seconds(span.max(Nanos(needed as u64).min(Nanos(self.step_ns.0.saturating_mul(SAMPLED)))));
        (span, whole_seconds(most).max(span))
    }
}

fn whole_seconds(span: Nanos) -> Nanos {
    Nanos::from_secs(span.0.div_ceil(Nanos::from_secs(1).0).max(1))
}
