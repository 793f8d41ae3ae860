//! Whether what was measured for a while is the server's doing, or somebody else's.

use crate::recording::Latencies;
use crate::units::Nanos;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How much of what does not belong to a measurement is borne.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// Of the 99th percentile of slip, in an open loop.
    pub slip_ns: Nanos,
    /// The busiest load thread's share of a core.
    pub client_busy: f64,
    /// The share of time that a hypervisor gave to others, or that a control group took away.
    pub taken: f64,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { slip_ns: Nanos::from_millis(1), client_busy: 0.85, taken: 0.02 }
    }
}

/// What disturbed a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disturbance {
    /// Requests went out late.
    Slip(Nanos),
    /// A load thread had hardly time to breathe.
    ClientBusy(f64),
    /// The hypervisor gave this share of the time to others.
    Steal(f64),
    /// The control group was stopped for this share of the time.
    Throttled(f64),
    /// This many requests failed.
    Errors(u64),
}

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Looks<'a> {
    pub slip: Option<&'a Latencies>,
    pub client_busy: Option<f64>,
    pub steal: Option<f64>,
    pub throttled: Option<f64>,
    pub errors: u64,
}

/// The gravest of what disturbed a measurement, if anything did.
pub fn disturbance(looks: &Looks, bounds: &Bounds) -> Option<Disturbance> {
    let beyond = |share: Option<f64>, bound: f64| share.filter(|share| *share > bound);
    let slip = looks.slip.and_then(|slip| slip.at(99.0)).filter(|slip| *slip > bounds.slip_ns);
    (looks.errors > 0)
        .then_some(Disturbance::Errors(looks.errors))
        .or_else(|| beyond(looks.throttled, bounds.taken).map(Disturbance::Throttled))
        .or_else(|| beyond(looks.steal, bounds.taken).map(Disturbance::Steal))
        .or_else(|| slip.map(Disturbance::Slip))
        .or_else(|| beyond(looks.client_busy, bounds.client_busy).map(Disturbance::ClientBusy))
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let percent = |share: f64| share * 100.0;
        match self {
            Disturbance::Slip(slip) => write!(f, "requests were late (slip p99 {:.3} ms)", slip.0 as f64 / 1e6),
            Disturbance::ClientBusy(share) => write!(f, "a load thread was {:.0} % busy", percent(*share)),
            Disturbance::Steal(share) => write!(f, "others had {:.1} % of the processors (steal)", percent(*share)),
            Disturbance::Throttled(share) => write!(f, "the quota took {:.1} % of the time", percent(*share)),
            Disturbance::Errors(count) => write!(f, "{count} errors"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Looks = Looks { slip: None, client_busy: Some(0.5), steal: Some(0.0), throttled: None, errors: 0 };

    fn judged(looks: Looks) -> Option<Disturbance> {
        disturbance(&looks, &Bounds::default())
    }

    #[test]
    fn what_is_within_its_bounds_disturbs_nobody() {
        let mut slip = Latencies::default();
        slip.record(Nanos(900_000), 100);
        assert_eq!(judged(Looks { slip: Some(&slip), ..QUIET }), None);
        assert_eq!(judged(Looks { client_busy: Some(0.85), steal: Some(0.02), throttled: Some(0.02), ..QUIET }), None);
        assert_eq!(judged(Looks { client_busy: None, steal: None, ..QUIET }), None, "what is not known");
    }

    #[test]
    fn the_gravest_is_told() {
        let mut slip = Latencies::default();
        slip.record(Nanos(10), 98);
        slip.record(Nanos::from_millis(5), 2);
        let late = Looks { slip: Some(&slip), ..QUIET };
        assert!(matches!(judged(late), Some(Disturbance::Slip(slip)) if slip >= Nanos::from_millis(5)));
        assert_eq!(judged(Looks { client_busy: Some(0.9), ..QUIET }), Some(Disturbance::ClientBusy(0.9)));
        assert_eq!(judged(Looks { steal: Some(0.03), ..late }), Some(Disturbance::Steal(0.03)));
        assert_eq!(
            judged(Looks { throttled: Some(0.5), steal: Some(0.03), ..late }),
            Some(Disturbance::Throttled(0.5))
        );
        assert_eq!(judged(Looks { errors: 2, throttled: Some(0.5), ..late }), Some(Disturbance::Errors(2)));
    }
}
