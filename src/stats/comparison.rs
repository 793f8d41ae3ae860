//! Whether one thing is worse than another, from values that were measured in pairs.

use super::paired::{Estimate, p_value};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a comparison of a metric comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Pairs.
    pub rounds: u64,
    /// How many times the reference's value the other's is.
    pub ratio: Estimate,
    /// The other's value without the reference's, in the unit of the metric.
    pub difference: Estimate,
    /// The ratio again by Student's interval of the logarithms, as a check.
    pub student: Estimate,
    /// Of Wilcoxon's signed-rank test of the logarithms of the ratios, two-sided.
    pub p_value: f64,
    pub verdict: Verdict,
    /// About how many rounds it would take to say more. None when it is said, or would take too many.
    pub rounds_to_settle: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The other is worse: the interval is on the worse side of 1, and not within the margin.
    Slower,
    /// The other is better, likewise.
    Faster,
    /// The whole interval is within the margin. A difference that is sure, but as small as that, is none.
    NoDifference,
    Unclear,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(match self {
            Verdict::Slower => "slower",
            Verdict::Faster => "faster",
            Verdict::NoDifference => "no_difference",
            Verdict::Unclear => "unclear",
        })
    }
}

/// More rounds than this are no advice.
const ROUNDS_MAX: f64 = 1000.0;

impl Comparison {
    /// Of `pairs`, each the reference's value and the other's of one round. `margin` is the share within which a
    /// difference is none: from `1 / (1 + margin)` to `1 + margin` times. None when there is no pair, or a value is not
    /// above zero.
    pub fn of(pairs: &[(f64, f64)], more_is_better: bool, margin: f64) -> Option<Comparison> {
        let is_sound = |value: f64| value.is_finite() && value > 0.0;
        if !pairs.iter().all(|(reference, other)| is_sound(*reference) && is_sound(*other)) {
            return None;
        }
        let logarithms: Vec<f64> = pairs.iter().map(|(reference, other)| (other / reference).ln()).collect();
        let differences: Vec<f64> = pairs.iter().map(|(reference, other)| other - reference).collect();
        let log_ratio = Estimate::of(&logarithms)?;
        let verdict = verdict(&log_ratio, more_is_better, margin);
        Some(Comparison {
            rounds: pairs.len() as u64,
            ratio: log_ratio.map(f64::exp),
            difference: Estimate::of(&differences)?,
            student: Estimate::student(&logarithms)?.map(f64::exp),
            p_value: p_value(&logarithms),
            verdict,
            rounds_to_settle: (verdict == Verdict::Unclear)
                .then(|| to_settle(&log_ratio, pairs.len(), margin))
                .flatten(),
        })
    }

    /// How far the interval of the ratio reaches to either side, as a share. None without an interval.
    pub fn half_width(&self) -> Option<f64> {
        Some((self.ratio.high? / self.ratio.low?).sqrt() - 1.0)
    }
}

/// What the interval of the logarithm of a ratio says.
fn verdict(log_ratio: &Estimate, more_is_better: bool, margin: f64) -> Verdict {
    let (Some(low), Some(high)) = (log_ratio.low, log_ratio.high) else { return Verdict::Unclear };
    let bound = margin.ln_1p();
    if low >= -bound && high <= bound {
        Verdict::NoDifference
    } else if low > 0.0 || high < 0.0 {
        if (low > 0.0) == more_is_better { Verdict::Faster } else { Verdict::Slower }
    } else {
        Verdict::Unclear
    }
}

/// An interval narrows with the root of the number of rounds, about: it is narrow enough when it leaves out 1, or is
/// within the margin, whichever comes first.
fn to_settle(log_ratio: &Estimate, rounds: usize, margin: f64) -> Option<u64> {
    let half = (log_ratio.high? - log_ratio.low?) / 2.0;
    let (off, bound) = (log_ratio.value.abs(), margin.ln_1p());
    let wanted = off.max(bound - off);
    let needed = (rounds as f64 * (half / wanted).powi(2)).ceil().max(rounds as f64 + 1.0);
    (needed <= ROUNDS_MAX).then_some(needed as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Draws, Seed};

    const MARGIN: f64 = 0.05;

    /// Pairs of which the other is `ratio` times the reference, give or take `noise` of it, evenly.
    fn pairs(rounds: usize, ratio: f64, noise: f64) -> Vec<(f64, f64)> {
        let off = |round: usize| 1.0 + noise * (round as f64 / (rounds - 1) as f64 * 2.0 - 1.0);
        (0..rounds).map(|round| (100.0, 100.0 * ratio * off(round))).collect()
    }

    fn verdict_of(ratio: f64, noise: f64, more_is_better: bool) -> Verdict {
        Comparison::of(&pairs(10, ratio, noise), more_is_better, MARGIN).unwrap().verdict
    }

    #[test]
    fn a_verdict_is_what_the_interval_leaves() {
        assert_eq!(verdict_of(1.4, 0.02, false), Verdict::Slower);
        assert_eq!(verdict_of(0.7, 0.02, false), Verdict::Faster);
        assert_eq!(verdict_of(0.7, 0.02, true), Verdict::Slower, "less throughput is worse");
        assert_eq!(verdict_of(1.4, 0.02, true), Verdict::Faster);
        assert_eq!(verdict_of(1.0, 0.01, false), Verdict::NoDifference);
        assert_eq!(verdict_of(1.02, 0.01, false), Verdict::NoDifference, "sure, and too small to matter");
        assert_eq!(verdict_of(1.0, 0.3, false), Verdict::Unclear);
    }

    #[test]
    fn ratios_and_differences_are_told_with_their_doubt() {
        let comparison = Comparison::of(&pairs(10, 1.5, 0.1), false, MARGIN).unwrap();
        assert!((comparison.ratio.value - 1.5).abs() < 0.01, "{comparison:?}");
        assert!((comparison.difference.value - 50.0).abs() < 1.0, "{comparison:?}");
        let (low, high) = (comparison.ratio.low.unwrap(), comparison.ratio.high.unwrap());
        assert!(low < 1.45 && low > 1.35 && high > 1.55 && high < 1.65, "{comparison:?}");
        let half = comparison.half_width().unwrap();
        assert!(((1.0 + half).powi(2) - high / low).abs() < 1e-9);
        assert!(comparison.p_value < 0.01);
    }

    #[test]
    fn what_cannot_be_compared_is_not() {
        assert!(Comparison::of(&[], false, MARGIN).is_none());
        assert!(Comparison::of(&[(1.0, 0.0)], false, MARGIN).is_none());
        assert!(Comparison::of(&[(f64::NAN, 1.0)], false, MARGIN).is_none());
        let few = Comparison::of(&pairs(5, 2.0, 0.01), false, MARGIN).unwrap();
        assert_eq!((few.verdict, few.ratio.low, few.half_width()), (Verdict::Unclear, None, None));
    }

    /// As many rounds as advised do settle it.
    #[test]
    fn advice_is_good() {
        for (ratio, noise) in [(1.03, 0.2), (1.0, 0.2), (1.1, 0.5)] {
            let before = Comparison::of(&pairs(10, ratio, noise), false, MARGIN).unwrap();
            let rounds = before.rounds_to_settle.expect("it is unclear");
            assert!(rounds > 10);
            // An interval of evenly spread values narrows a little slower than the root of their number.
            let after = Comparison::of(&pairs(rounds as usize * 2, ratio, noise), false, MARGIN).unwrap();
            assert_ne!(after.verdict, Verdict::Unclear, "{ratio} {noise} {rounds}: {after:?}");
        }
        let hopeless = Estimate { value: 0.0, low: Some(-1.0), high: Some(1.0) };
        assert_eq!(to_settle(&hopeless, 10, 0.001), None);
    }

    /// A standard normal draw. Source: Box and Muller, Annals of Mathematical Statistics 29, 1958.
    fn normal(draws: &mut Draws) -> f64 {
        (-2.0 * draws.unit().ln()).sqrt() * (std::f64::consts::TAU * draws.unit()).cos()
    }

    /// Slices of a noisy machine: each round has a level of its own, which drifts; slices scatter by 3 % around it, and
    /// one in ten is spoiled by up to half.
    fn noisy(draws: &mut Draws, rounds: usize, ratio: f64) -> Vec<(f64, f64)> {
        let drift = (draws.unit() - 0.5) * 0.4;
        (0..rounds)
            .map(|round| {
                let level = 500.0 * (1.0 + drift * round as f64 / rounds as f64) * (0.05 * normal(draws)).exp();
                let mut slice = |times: f64| {
                    let spoiled = if draws.unit() < 0.1 { 1.0 + 0.5 * draws.unit() } else { 1.0 };
                    level * times * spoiled * (0.03 * normal(draws)).exp()
                };
                (slice(1.0), slice(ratio))
            })
            .collect()
    }

    #[test]
    fn equals_are_seldom_told_apart() {
        let mut draws = Seed(1).draws(0);
        let alarms = (0..1000)
            .filter(|_| {
                let comparison = Comparison::of(&noisy(&mut draws, 10, 1.0), false, MARGIN).unwrap();
                matches!(comparison.verdict, Verdict::Slower | Verdict::Faster)
            })
            .count();
        assert!(alarms <= 70, "{alarms} of 1000 were told apart");
    }

    #[test]
    fn the_truth_is_in_the_interval_and_found() {
        let mut draws = Seed(2).draws(0);
        for (truth, rounds) in [(1.0, 10), (1.03, 10), (1.1, 10), (1.1, 6)] {
            let (mut covered, mut found) = (0, 0);
            for _ in 0..200 {
                let comparison = Comparison::of(&noisy(&mut draws, rounds, truth), false, 0.01).unwrap();
                let (low, high) = (comparison.ratio.low.unwrap(), comparison.ratio.high.unwrap());
                covered += u32::from((low..=high).contains(&truth));
                found += u32::from(comparison.verdict == Verdict::Slower);
            }
            assert!(covered >= 180, "{truth} is in {covered} of 200 intervals of {rounds} rounds");
            if (truth, rounds) == (1.1, 10) {
                assert!(found >= 120, "{truth} is found in {found} of 200");
            }
        }
    }
}
