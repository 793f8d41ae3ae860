//! What a service promises to its users: `p99<2ms,errors<0.1%`.
//!
//! Latencies are those that users feel: response times, from due to reply, of an open loop.
//!
//! Each condition is judged by its *excess*, a sum over requests that is above zero where the condition is broken: of a
//! percentile, the requests beyond the limit without the share that may be beyond it. Sums of parts are those of the
//! whole, so a stretch of time can be judged with any part of it left out, without a histogram of every choice.

mod grammar;

use crate::recording::Latencies;
use crate::units::Nanos;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;

/// One or more conditions, all of which are to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Promise {
    conditions: Vec<Condition>,
}

/// A figure and its limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Condition {
    pub figure: Figure,
    /// In nanoseconds; of errors, a share from 0 to 1.
    pub limit: f64,
    /// Whether the limit itself still keeps the promise.
    pub or_equal: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    /// Of response times, 50 to 99.99.
    Percentile(f64),
    Mean,
    Max,
    /// Requests that failed, as a share of those that ended in any way.
    Errors,
}

/// A condition that was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Broken {
    pub condition: Condition,
    /// What was found instead, in the unit of the limit.
    pub found: f64,
}

/// Samples beyond a percentile without which it says little.
const SAMPLES_BEYOND: f64 = 100.0;

/// One more than latencies are exact to: what is broken by little is to be seen as broken.
const FOUND_DIGITS: usize = 4;

impl Promise {
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The conditions that `latencies` and `errors` of `ended` requests do not keep. Nothing is broken by nothing.
    pub fn broken(&self, latencies: &Latencies, errors: u64, ended: u64) -> Vec<Broken> {
        let is_broken = |condition: &&Condition| {
            let counted = if condition.figure == Figure::Errors { ended } else { latencies.count() };
            counted > 0 && condition.is_broken_by(condition.excess(latencies, errors, ended))
        };
        let found = |condition: &Condition| match condition.figure {
            Figure::Errors => Some(errors as f64 / ended as f64),
            _ => condition.figure.of(latencies),
        };
        let of = |condition: &Condition| found(condition).map(|found| Broken { condition: *condition, found });
        self.conditions.iter().filter(is_broken).filter_map(of).collect()
    }

    /// The requests that the sharpest percentile needs: 100 beyond it. None when no percentile is promised.
    pub fn samples_needed(&self) -> Option<u64> {
        let sharpest = self.conditions.iter().filter_map(|condition| condition.figure.percentile()).reduce(f64::max)?;
        Some((SAMPLES_BEYOND / (1.0 - sharpest / 100.0)).round() as u64)
    }

    /// How near `latencies` are to what is promised of them: the greatest of figure / limit, 1 at the limit. None when
    /// nothing was recorded, or nothing is promised of latencies.
    pub fn strain(&self, latencies: &Latencies) -> Option<f64> {
        let of = |condition: &Condition| Some(condition.figure.of(latencies)? / condition.limit);
        self.conditions.iter().filter_map(of).reduce(f64::max)
    }

    /// The longest latency that is promised of any figure. None when nothing is promised of latencies.
    pub fn longest(&self) -> Option<Nanos> {
        let of_latency = self.conditions.iter().filter(|condition| condition.figure != Figure::Errors);
        of_latency.map(|condition| condition.limit).reduce(f64::max).map(|limit| Nanos(limit as u64))
    }
}

impl Condition {
    /// How far beyond the condition these requests are, as a sum over them: see the head of this file.
    pub fn excess(&self, latencies: &Latencies, errors: u64, ended: u64) -> f64 {
        let count = latencies.count() as f64;
        match self.figure {
            Figure::Errors => errors as f64 - self.allowance() * ended as f64,
            Figure::Mean => latencies.mean().unwrap_or(0.0) * count - self.allowance() * count,
            Figure::Percentile(_) | Figure::Max => self.beyond(latencies) as f64 - self.allowance() * count,
        }
    }

    /// By how much one more request of the best kind makes the excess smaller.
    pub fn allowance(&self) -> f64 {
        match self.figure {
            Figure::Percentile(percentile) => 1.0 - percentile / 100.0,
            Figure::Max => 0.0,
            Figure::Mean | Figure::Errors => self.limit,
        }
    }

    /// Whether a stretch of time that breaks it may be an accident among others that keep it. A maximum is promised of all
    /// requests, and errors are no noise.
    pub fn is_forgiving(&self) -> bool {
        matches!(self.figure, Figure::Percentile(_) | Figure::Mean)
    }

    pub fn is_broken_by(&self, excess: f64) -> bool {
        // Sums of shares such as 0.01 are a little off.
        let order = if excess.abs() < 1e-6 { Ordering::Equal } else { excess.total_cmp(&0.0) };
        let counts_requests = matches!(self.figure, Figure::Percentile(_) | Figure::Max);
        order == Ordering::Greater || (order == Ordering::Equal && !self.or_equal && !counts_requests)
    }

    /// The same condition with a limit `times` as far.
    #[must_use]
    pub fn times(self, times: f64) -> Condition {
        Condition { limit: self.limit * times, ..self }
    }

    /// Latencies that are not below the limit; or not at it, where it is still kept.
    fn beyond(&self, latencies: &Latencies) -> u64 {
        let Some(max) = latencies.max() else { return 0 };
        let first = (if self.or_equal { self.limit.floor() + 1.0 } else { self.limit.ceil() }) as u64;
        // A latency stands for all that the histogram cannot tell from it, of which the last is the one that is shown.
        let first = latencies.histogram().lowest_equivalent(first);
        if max.0 < first { 0 } else { latencies.histogram().count_between(first, max.0) }
    }
}

impl Figure {
    /// Of latencies. None where nothing was recorded, and of errors.
    fn of(self, latencies: &Latencies) -> Option<f64> {
        match self {
            Figure::Percentile(percentile) => Some(latencies.at(percentile)?.0 as f64),
            Figure::Mean => latencies.mean(),
            Figure::Max => Some(latencies.max()?.0 as f64),
            Figure::Errors => None,
        }
    }

    pub const fn percentile(self) -> Option<f64> {
        match self {
            Figure::Percentile(percentile) => Some(percentile),
            Figure::Mean | Figure::Max | Figure::Errors => None,
        }
    }
}

impl Broken {
    /// Whether it is a latency, and beyond its limit by no more than `span`.
    pub fn is_within(&self, span: Nanos) -> bool {
        self.condition.figure != Figure::Errors && self.found - self.condition.limit <= span.0 as f64
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self.condition.figure.text_of(self.found, FOUND_DIGITS);
        write!(f, "{} is {found}, and {} is promised", self.condition.figure, self.condition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` latencies of each of `micros`.
    fn latencies(micros: &[u64], count: u64) -> Latencies {
        let mut latencies = Latencies::default();
        for value in micros {
            latencies.record(Nanos(value * 1000), count);
        }
        latencies
    }

    fn broken(promise: &str, latencies: &Latencies, errors: u64) -> Vec<String> {
        let promise: Promise = promise.parse().unwrap();
        promise.broken(latencies, errors, latencies.count() + errors).iter().map(Broken::to_string).collect()
    }

    #[test]
    fn a_condition_is_broken_as_soon_as_the_figure_that_is_shown_says_so() {
        for slow in [0, 99, 100, 101, 5000] {
            let mut found = latencies(&[500], 10_000 - slow);
            found.record(Nanos::from_millis(3), slow);
            for promise in ["p99<2ms", "p99<=2ms", "p99<3ms", "p50<2ms", "p99.9<2ms"] {
                let promise: Promise = promise.parse().unwrap();
                let condition = promise.conditions()[0];
                let shown = found.at(condition.figure.percentile().unwrap()).unwrap().0 as f64;
                let is_broken = !promise.broken(&found, 0, 10_000).is_empty();
                assert_eq!(is_broken, shown >= condition.limit, "{promise} with {slow} slow ones");
            }
        }
        assert_eq!(broken("p99<2ms", &latencies(&[1000, 3000], 5), 0), ["p99 is 3ms, and p99<2ms is promised"]);
    }

    #[test]
    fn mean_maximum_and_errors_are_conditions_too() {
        let found = latencies(&[1000, 2000], 500);
        assert!(broken("mean<1501us,max<2.1ms,errors<=0", &found, 0).is_empty());
        assert_eq!(broken("mean<1.4ms", &found, 0).len(), 1);
        assert_eq!(broken("max<2ms", &found, 0).len(), 1);
        assert_eq!(broken("max<1.9ms,errors<0.1%", &found, 2).len(), 2);
        assert_eq!(broken("errors<0.2%", &found, 2), [] as [&str; 0]);
        assert_eq!(broken("errors<=0", &found, 1)[0], "errors is 0.0999%, and errors<=0% is promised");
    }

    /// One error of a thousand is not below a thousandth.
    #[test]
    fn the_limit_itself_is_kept_only_where_the_promise_says_so() {
        let found = latencies(&[100], 999);
        assert_eq!(broken("errors<0.1%", &found, 1).len(), 1);
        assert!(broken("errors<=0.1%", &found, 1).is_empty());
    }

    #[test]
    fn nothing_is_broken_by_nothing() {
        assert!(broken("p99<2ms,mean<1us,max<1us,errors<0.1%", &Latencies::default(), 0).is_empty());
        assert_eq!(broken("p99<2ms,errors<0.1%", &Latencies::default(), 1).len(), 1);
    }

    #[test]
    fn excess_of_parts_is_that_of_the_whole() {
        let (one, other) = (latencies(&[100, 900], 700), latencies(&[50, 4000], 30));
        let mut both = one.clone();
        both.add(&other);
        let promise: Promise = "p99<2ms,mean<1ms,max<3ms,errors<1%".parse().unwrap();
        for condition in promise.conditions() {
            let parts = condition.excess(&one, 3, 1403) + condition.excess(&other, 0, 60);
            let whole = condition.excess(&both, 3, 1463);
            assert!((parts - whole).abs() < whole.abs() * 1e-3 + 1e-6, "{condition}: {parts} and {whole}");
        }
    }

    #[test]
    fn the_sharpest_percentile_says_how_many_samples_it_needs() {
        let needed = |text: &str| text.parse::<Promise>().unwrap().samples_needed();
        assert_eq!(needed("p50<1ms,p99.9<5ms"), Some(100_000));
        assert_eq!((needed("p99<1ms"), needed("max<5ms,errors<1%")), (Some(10_000), None));
    }

    #[test]
    fn strain_is_one_at_the_limit_of_the_nearest_condition() {
        let promise: Promise = "p50<4ms,max<20ms,errors<1%".parse().unwrap();
        assert!((promise.strain(&latencies(&[3000], 10)).unwrap() - 0.75).abs() < 1e-3);
        assert_eq!(promise.strain(&Latencies::default()), None);
        assert_eq!(promise.longest(), Some(Nanos::from_millis(20)));
    }
}
