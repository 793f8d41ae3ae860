//! What can be compared of two runs, by the names that flags, rules and documents use.

use crate::units::kept_as_spelled;
use std::fmt;
use std::str::FromStr;

/// A figure of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    P50,
    P90,
    P99,
    P999,
    Mean,
    Throughput,
    /// Processor time of the client for each request.
    Cpu,
}

impl Metric {
    pub const ALL: [Metric; 7] =
        [Metric::P50, Metric::P90, Metric::P99, Metric::P999, Metric::Mean, Metric::Throughput, Metric::Cpu];

    pub const fn name(self) -> &'static str {
        match self {
            Metric::P50 => "p50",
            Metric::P90 => "p90",
            Metric::P99 => "p99",
            Metric::P999 => "p99.9",
            Metric::Mean => "mean",
            Metric::Throughput => "throughput",
            Metric::Cpu => "cpu",
        }
    }

    /// The percentile of latency that it is, if it is one.
    pub const fn percentile(self) -> Option<f64> {
        match self {
            Metric::P50 => Some(50.0),
            Metric::P90 => Some(90.0),
            Metric::P99 => Some(99.0),
            Metric::P999 => Some(99.9),
            Metric::Mean | Metric::Throughput | Metric::Cpu => None,
        }
    }

    /// Whether more of it is better.
    pub const fn more_is_better(self) -> bool {
        matches!(self, Metric::Throughput)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(text: &str) -> Result<Metric, String> {
        let known = || Metric::ALL.map(Metric::name).join(", ");
        Metric::ALL.into_iter().find(|it| it.name() == text).ok_or_else(|| format!("known: {}", known()))
    }
}

kept_as_spelled!(Metric);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_read_as_it_is_written() {
        for metric in Metric::ALL {
            assert_eq!(metric.to_string().parse(), Ok(metric));
        }
        assert!("p98".parse::<Metric>().unwrap_err().contains("p99.9"));
    }
}
