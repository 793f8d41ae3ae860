//! A rate over time.

use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// Arrivals per second, as they change over a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    Fixed(f64),
    /// From one rate to another, in a straight line over a time, and on at the second.
    Ramp {
        from: f64,
        to: f64,
        #[serde(rename = "over_ns")]
        over: Nanos,
    },
    /// One rate after the other, each for the same time, and on at the last.
    Steps {
        rates: Vec<f64>,
        #[serde(rename = "each_ns")]
        each: Nanos,
    },
}

impl Shape {
    pub fn fixed(rate: f64) -> Shape {
        Shape::Fixed(rate)
    }

    /// The same, when `requests` arrive together each time.
    pub fn per(&self, requests: f64) -> Shape {
        match self {
            Shape::Fixed(rate) => Shape::Fixed(rate / requests),
            Shape::Ramp { from, to, over } => Shape::Ramp { from: from / requests, to: to / requests, over: *over },
            Shape::Steps { rates, each } => {
                Shape::Steps { rates: rates.iter().map(|rate| rate / requests).collect(), each: *each }
            }
        }
    }

    /// The highest rate.
    pub fn peak(&self) -> f64 {
        match self {
            Shape::Fixed(rate) => *rate,
            Shape::Ramp { from, to, .. } => from.max(*to),
            Shape::Steps { rates, .. } => rates.iter().copied().fold(0.0, f64::max),
        }
    }

    /// The arrivals that are due before `time`, on average: the integral of the rate.
    pub fn arrivals_before(&self, time: Nanos) -> f64 {
        let time = time.as_secs();
        match self {
            Shape::Fixed(rate) => rate * time,
            Shape::Ramp { from, to, over } => {
                let (over, ramped) = (over.as_secs(), time.min(over.as_secs()));
                from * ramped + (to - from) * ramped * ramped / (2.0 * over) + to * (time - ramped)
            }
            Shape::Steps { rates, each } => {
                let (mut sum, each, last) = (0.0, each.as_secs(), rates.len() - 1);
                for (index, rate) in rates.iter().enumerate() {
                    let from = each * index as f64;
                    let until = if index == last { f64::INFINITY } else { from + each };
                    sum += rate * (time.min(until) - from).max(0.0);
                }
                sum
            }
        }
    }

    /// When so many arrivals are due, in nanoseconds from the start: the inverse of the integral.
    pub fn due(&self, arrivals: f64) -> f64 {
        1e9 * match self {
            Shape::Fixed(rate) => arrivals / rate,
            Shape::Ramp { from, to, over } => {
                let over = over.as_secs();
                let ramped = (from + to) / 2.0 * over;
                if arrivals >= ramped {
                    over + (arrivals - ramped) / to
                } else {
                    // The root of from t + slope t² / 2 = arrivals, in the form that loses nothing when the slope is small.
                    let slope = (to - from) / over;
                    2.0 * arrivals / (from + (from * from + 2.0 * slope * arrivals).max(0.0).sqrt())
                }
            }
            Shape::Steps { rates, each } => {
                let each = each.as_secs();
                let (mut left, mut from) = (arrivals, 0.0);
                for rate in &rates[..rates.len() - 1] {
                    if left < rate * each {
                        return 1e9 * (from + left / rate);
                    }
                    left -= rate * each;
                    from += each;
                }
                from + left / rates[rates.len() - 1]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_times_invert_the_integral_of_the_rate() {
        let second = Nanos::from_secs(1);
        for shape in [
            Shape::Fixed(1234.5),
            Shape::Ramp { from: 100.0, to: 5000.0, over: Nanos::from_secs(7) },
            Shape::Ramp { from: 5000.0, to: 100.0, over: Nanos::from_secs(7) },
            Shape::Ramp { from: 300.0, to: 300.0, over: second },
            Shape::Steps { rates: vec![10.0, 1000.0, 1.0], each: second },
        ] {
            let mut last = -1.0;
            for arrivals in (0..20_000).step_by(7) {
                let due = shape.due(f64::from(arrivals));
                assert!(due > last, "{shape:?}: {arrivals}");
                last = due;
                let back = shape.arrivals_before(Nanos(due.round() as u64));
                assert!((back - f64::from(arrivals)).abs() < 1e-4, "{shape:?}: {arrivals} {back}");
            }
        }
    }

    #[test]
    fn a_ramp_has_the_arrivals_of_its_mean() {
        let ramp = Shape::Ramp { from: 0.0, to: 1000.0, over: Nanos::from_secs(10) };
        assert!((ramp.arrivals_before(Nanos::from_secs(10)) - 5000.0).abs() < 1e-6);
        assert!((ramp.arrivals_before(Nanos::from_secs(5)) - 1250.0).abs() < 1e-6);
        assert!((ramp.due(6000.0) / 1e9 - 11.0).abs() < 1e-9, "it goes on at the second rate");
    }
}
