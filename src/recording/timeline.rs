//! A run in slices of equal length.

use super::counts::Counts;
use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// What happened in one slice of a run, by the time at which it was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Where the slice begins, from the start of the run.
    pub start_ns: Nanos,
    /// Whether anything in it counts, and is not of the warm-up or the cool-down alone.
    #[serde(default = "yes")]
    pub measured: bool,
    pub completed: u64,
    pub errors: u64,
    pub p50_ns: Option<Nanos>,
    pub p99_ns: Option<Nanos>,
    pub max_ns: Option<Nanos>,
    /// Of how late requests were sent. None in a closed loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slip_p99_ns: Option<Nanos>,
    /// The longest turn of a load thread's loop. None without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loop_lag_max_ns: Option<Nanos>,
}

fn yes() -> bool {
    true
}

/// The slices of a run, in order, those without a reply included. The last one may be shorter than `interval_ns`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    pub interval_ns: Nanos,
    pub intervals: Vec<Interval>,
}

impl Timeline {
    pub fn new(interval: Nanos) -> Timeline {
        Timeline { interval_ns: interval, intervals: Vec::new() }
    }

    /// Adds slice number `index`, and empty ones for those that were passed over: a silence is a finding.
    pub fn push(&mut self, index: u64, counts: &Counts, measured: bool) {
        while (self.intervals.len() as u64) < index {
            self.append(&Counts::default(), measured);
        }
        self.append(counts, measured);
    }

    /// The longest turn of a load thread's loop in the slices that have their middle in a stretch of the run, or that the
    /// middle of it is in.
    pub fn loop_lag_max(&self, start: Nanos, end: Nanos) -> Option<Nanos> {
        let middle = Nanos(start.0.midpoint(end.0));
        let length = self.interval_ns;
        let is_in = |interval: &&Interval| {
            let interval_middle = interval.start_ns + Nanos(length.0 / 2);
            (start..end).contains(&interval_middle) || (interval.start_ns..interval.start_ns + length).contains(&middle)
        };
        self.intervals.iter().filter(is_in).filter_map(|interval| interval.loop_lag_max_ns).max()
    }

    fn append(&mut self, counts: &Counts, measured: bool) {
        self.intervals.push(Interval {
            start_ns: Nanos(self.interval_ns.0 * self.intervals.len() as u64),
            measured,
            completed: counts.completed,
            errors: counts.errors.total(),
            p50_ns: counts.service.at(50.0),
            p99_ns: counts.service.at(99.0),
            max_ns: counts.service.max(),
            slip_p99_ns: counts.slip.as_ref().and_then(|slip| slip.at(99.0)),
            loop_lag_max_ns: Some(counts.loop_lag_max).filter(|lag| *lag > Nanos::ZERO),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_a_row_of_its_own() {
        let mut timeline = Timeline::new(Nanos::from_secs(1));
        timeline.push(0, &Counts { completed: 5, ..Counts::default() }, true);
        timeline.push(2, &Counts { completed: 7, ..Counts::default() }, true);
        let completed: Vec<u64> = timeline.intervals.iter().map(|interval| interval.completed).collect();
        assert_eq!(completed, [5, 0, 7]);
        assert_eq!(timeline.intervals[2].start_ns, Nanos::from_secs(2));
        assert_eq!(timeline.intervals[1].p99_ns, None);
    }
}
