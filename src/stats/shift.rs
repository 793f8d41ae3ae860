//! How much later the replies of one way are than those of another, from the quickest to the slowest: the shift function.
//!
//! Source: Doksum, "Empirical probability plots and statistical inference for nonlinear models in the two-sample case",
//! Annals of Statistics 2, 1974; Wilcox and Rousselet, "A guide to robust statistical methods in neuroscience", 2018. The
//! band is not theirs: each quantile's difference is estimated over rounds as every other metric of a comparison is, and
//! the band is pointwise.

use super::paired::Estimate;
use super::spread::Spread;
use crate::recording::Latencies;
use serde::{Deserialize, Serialize};

/// One quantile of two ways.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShiftPoint {
    /// Above 0 and below 1.
    pub quantile: f64,
    /// Medians over the rounds.
    pub reference_ns: f64,
    pub other_ns: f64,
    /// The other's without the reference's, with the 95 % interval of this quantile alone.
    pub difference_ns: Estimate,
}

/// Samples beyond a quantile, in each round, without which it says nothing.
const SAMPLES_BEYOND_MIN: f64 = 100.0;

/// From the quickest hundredth to the slowest thousandth.
fn quantiles() -> impl Iterator<Item = f64> {
    (1..100).map(|hundredth| f64::from(hundredth) / 100.0).chain([0.995, 0.999])
}

/// The shift of the second of each pair against the first, each pair of one round.
pub fn shift(rounds: &[(&Latencies, &Latencies)]) -> Vec<ShiftPoint> {
    quantiles().filter_map(|quantile| shift_at(quantile, rounds)).collect()
}

fn shift_at(quantile: f64, rounds: &[(&Latencies, &Latencies)]) -> Option<ShiftPoint> {
    let at = |latencies: &Latencies| {
        let beyond = latencies.count() as f64 * quantile.min(1.0 - quantile);
        Some(latencies.at(quantile * 100.0)?.0 as f64).filter(|_| beyond >= SAMPLES_BEYOND_MIN)
    };
    let pairs: Vec<(f64, f64)> =
        rounds.iter().map(|(reference, other)| Some((at(reference)?, at(other)?))).collect::<Option<_>>()?;
    let differences: Vec<f64> = pairs.iter().map(|(reference, other)| other - reference).collect();
    Some(ShiftPoint {
        quantile,
        reference_ns: Spread::of(pairs.iter().map(|(reference, _)| *reference))?.median,
        other_ns: Spread::of(pairs.iter().map(|(_, other)| *other))?.median,
        difference_ns: Estimate::of(&differences)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Nanos;

    /// Latencies from 1 to 1000 µs, each `later`, some of them `tail` more.
    fn latencies(later: u64, tail: u64) -> Latencies {
        let mut latencies = Latencies::default();
        for us in 1..=1000 {
            let more = if us > 900 { tail } else { 0 };
            latencies.record(Nanos((us + later + more) * 1000), 20);
        }
        latencies
    }

    #[test]
    fn a_tail_that_is_later_shows_where_it_is() {
        let rounds: Vec<(Latencies, Latencies)> =
            (0..8).map(|round| (latencies(round, 0), latencies(round + 10, 500))).collect();
        let pairs: Vec<_> = rounds.iter().map(|(reference, other)| (reference, other)).collect();
        let points = shift(&pairs);
        let at = |quantile: f64| points.iter().find(|point| point.quantile == quantile).expect("it is there");
        let is_about = |value: f64, expected: f64| (value - expected).abs() < expected * 0.02 + 200.0;
        assert!(is_about(at(0.5).difference_ns.value, 10_000.0), "{:?}", at(0.5));
        assert!(is_about(at(0.95).difference_ns.value, 510_000.0), "{:?}", at(0.95));
        assert!(is_about(at(0.5).reference_ns, 503_500.0), "{:?}", at(0.5));
        assert!(at(0.5).difference_ns.low.unwrap() > 9_000.0);
        // 20,000 replies have 20 beyond the last thousandth.
        assert!(points.iter().all(|point| point.quantile <= 0.995), "{:?}", points.last());
        assert_eq!(points.len(), 100);
    }

    #[test]
    fn too_few_samples_have_no_shift() {
        let few = Latencies::default();
        assert_eq!(shift(&[(&few, &few)]), []);
        assert_eq!(shift(&[]), []);
    }
}
