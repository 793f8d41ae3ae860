//! From slices to comparisons.

use super::arguments::Settings;
use crate::result::compare::{Compare, Compared, ComparedMetric};
use crate::result::{Document, TestResult};
use crate::stats::{self, Comparison, Metric, Spread};

/// Adds what `rounds` of the test called `title` brought: in each a slice for each path.
pub fn add(document: &mut Document, title: &str, rounds: Vec<Vec<TestResult>>) {
    let Some(compare) = &mut document.compare else { return };
    for path in (0..compare.paths.len()).filter(|path| *path != compare.reference) {
        compare.comparisons.extend(compared(compare, title, path, &rounds));
    }
    document.results.extend(rounds.into_iter().flatten());
}

/// The path at `path` against the reference. None without a round.
fn compared(compare: &Compare, title: &str, path: usize, rounds: &[Vec<TestResult>]) -> Option<Compared> {
    let pairs: Vec<(&TestResult, &TestResult)> =
        rounds.iter().filter_map(|round| Some((round.get(compare.reference)?, round.get(path)?))).collect();
    if pairs.is_empty() {
        return None;
    }
    let metrics =
        Metric::ALL.into_iter().filter_map(|metric| compared_metric(metric, compare.margin, &pairs)).collect();
    let latencies: Vec<_> = pairs.iter().map(|(reference, other)| (reference.felt(), other.felt())).collect();
    Some(Compared {
        test: title.to_owned(),
        path,
        rounds: pairs.len() as u64,
        metrics,
        shift: stats::shift(&latencies),
    })
}

/// None when not every round has enough samples to tell the metric of both.
fn compared_metric(metric: Metric, margin: f64, pairs: &[(&TestResult, &TestResult)]) -> Option<ComparedMetric> {
    let values: Option<Vec<(f64, f64)>> =
        pairs.iter().map(|(reference, other)| Some((reference.figure(metric)?, other.figure(metric)?))).collect();
    let values = values?;
    Some(ComparedMetric {
        metric,
        reference: Spread::of(values.iter().map(|(reference, _)| *reference))?.median,
        other: Spread::of(values.iter().map(|(_, other)| *other))?.median,
        comparison: Comparison::of(&values, metric.more_is_better(), margin)?,
    })
}

impl Settings {
    /// Whether `rounds` are as precise as they are wanted: always, unless the flags ask for a precision.
    pub fn is_precise(&self, rounds: &[Vec<TestResult>]) -> bool {
        let Some(target) = self.precision_target() else { return true };
        let paths = rounds.first().map_or(0, Vec::len);
        (0..paths).filter(|path| *path != self.reference).all(|path| {
            let pairs: Vec<_> = rounds.iter().map(|round| (&round[self.reference], &round[path])).collect();
            compared_metric(self.primary, self.margin, &pairs)
                .and_then(|compared| compared.comparison.half_width())
                .is_some_and(|half| half <= target)
        })
    }
}
