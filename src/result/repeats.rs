//! How far the results of a test that was run several times fall apart.

use super::test::TestResult;
use crate::stats::Spread;
use serde::{Deserialize, Serialize};

/// The results of a test that was run several times, as far as it ran to its end each time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repeats {
    pub title: String,
    /// As in [`TestResult`].
    pub target: Option<usize>,
    /// How many there are.
    pub count: u64,
    pub requests_per_second: Spread,
    /// Whether the latencies are response times, which they are in an open loop, or service times.
    pub is_response_time: bool,
    pub p50_ns: Spread,
    pub p99_ns: Spread,
}

impl Repeats {
    /// How far `results` of the same test and server fall apart.
    pub fn of_each(results: &[TestResult]) -> Vec<Repeats> {
        let mut tests: Vec<Vec<&TestResult>> = Vec::new();
        for result in results.iter().filter(|result| result.is_whole()) {
            let is_alike =
                |test: &&mut Vec<&TestResult>| (&test[0].title, test[0].target) == (&result.title, result.target);
            match tests.iter_mut().find(is_alike) {
                Some(test) => test.push(result),
                None => tests.push(vec![result]),
            }
        }
        tests.iter().filter_map(|results| Repeats::of(results)).collect()
    }

    /// None when `results`, all of one test, are none.
    fn of(results: &[&TestResult]) -> Option<Repeats> {
        let first = results.first()?;
        let latency = |percentile: f64| {
            let at = |result: &&TestResult| Some(result.felt().at(percentile)?.0 as f64);
            Spread::of(results.iter().filter_map(at))
        };
        Some(Repeats {
            title: first.title.clone(),
            target: first.target,
            count: results.len() as u64,
            requests_per_second: Spread::of(results.iter().map(|result| result.summary.requests_per_second.0))?,
            is_response_time: first.response_time.is_some(),
            p50_ns: latency(50.0)?,
            p99_ns: latency(99.0)?,
        })
    }
}
