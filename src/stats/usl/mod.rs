//! How throughput grows with concurrency: the Universal Scalability Law, X(N) = λN / (1 + σ(N - 1) + κN(N - 1)).
//!
//! σ is the share of the work that is done one at a time; κ is the price of agreement between each two that work at once,
//! and the only reason for throughput to fall again.
//!
//! Source: Gunther, "Guerrilla capacity planning", 2007, chapters 4 to 6.

mod fit;

use super::paired::Estimate;
use crate::units::{Draws, Seed};
use fit::Law;
use serde::{Deserialize, Serialize};

/// The law with 95 % intervals, which are those of a bootstrap of the measurements.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Usl {
    /// Throughput of one alone, per second.
    pub lambda: Estimate,
    pub sigma: Estimate,
    pub kappa: Estimate,
    /// How many at once reach the highest throughput. None where the measurements show no such peak: κ may be zero, or
    /// the peak is beyond twice the greatest concurrency that was measured.
    pub peak: Option<Peak>,
    /// Of the variation of throughput, the share that the law accounts for.
    pub r_squared: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Peak {
    pub concurrency: Estimate,
    /// Per second.
    pub throughput: f64,
}

/// How many different concurrencies it takes.
pub const CONCURRENCIES_MIN: usize = 6;

/// Three parameters fit three points without a word about how well.
const RESAMPLED_MIN: usize = 4;

const RESAMPLES: usize = 1000;

/// Beyond so many times what was measured, a peak is a guess.
const EXTRAPOLATION_MAX: f64 = 2.0;

impl Usl {
    /// Of `measured`: concurrencies, of which each may come several times, with their throughputs per second. None when
    /// fewer than [`CONCURRENCIES_MIN`] are different, or a value is not above zero.
    pub fn of(measured: &[(u32, f64)], seed: Seed) -> Option<Usl> {
        let points: Vec<(f64, f64)> = measured.iter().map(|(clients, rate)| (f64::from(*clients), *rate)).collect();
        let is_sound = points.iter().all(|(n, x)| *n > 0.0 && x.is_finite() && *x > 0.0);
        if !is_sound || different(&points) < CONCURRENCIES_MIN {
            return None;
        }
        let law = Law::fitted(&points)?;
        let mut draws = seed.draws(0);
        let laws: Vec<Law> = (0..RESAMPLES).filter_map(|_| law.refitted(&resampled(&points, &mut draws)?)).collect();
        let estimate = |value: f64, of: &dyn Fn(&Law) -> f64| with_interval(value, laws.iter().map(of).collect());
        let kappa = estimate(law.kappa, &|law| law.kappa);
        let greatest = points.iter().map(|(n, _)| *n).fold(0.0, f64::max);
        // Those resamples without a peak have it at infinity.
        let at = |law: &Law| law.peak().unwrap_or(f64::INFINITY);
        let peak = law
            .peak()
            .filter(|peak| kappa.low.is_some_and(|low| low > 0.0) && *peak <= EXTRAPOLATION_MAX * greatest)
            .map(|peak| Peak { concurrency: estimate(peak, &at), throughput: law.at(peak) });
        Some(Usl {
            lambda: estimate(law.lambda, &|law| law.lambda),
            sigma: estimate(law.sigma, &|law| law.sigma),
            kappa,
            peak,
            r_squared: law.r_squared(&points),
        })
    }

    /// Throughput per second of `concurrency` at once.
    pub fn at(&self, concurrency: f64) -> f64 {
        Law { lambda: self.lambda.value, sigma: self.sigma.value, kappa: self.kappa.value }.at(concurrency)
    }
}

fn different(points: &[(f64, f64)]) -> usize {
    let mut concurrencies: Vec<f64> = points.iter().map(|(n, _)| *n).collect();
    concurrencies.sort_by(f64::total_cmp);
    concurrencies.dedup();
    concurrencies.len()
}

/// As many cases, drawn with repetition. None when they are too few different ones to fit.
fn resampled(points: &[(f64, f64)], draws: &mut Draws) -> Option<Vec<(f64, f64)>> {
    let cases: Vec<(f64, f64)> = points.iter().map(|_| points[draws.below(points.len() as u64) as usize]).collect();
    (different(&cases) >= RESAMPLED_MIN).then_some(cases)
}

fn with_interval(value: f64, mut values: Vec<f64>) -> Estimate {
    values.sort_by(f64::total_cmp);
    let tail = values.len() / 40;
    let end = |place: usize| values.get(place).copied().filter(|value| value.is_finite());
    Estimate { value, low: end(tail), high: values.len().checked_sub(tail + 1).and_then(end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENTS: [u32; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 300, 400];

    /// Throughput by the law, three times each, up to `noise` off.
    fn measured(lambda: f64, sigma: f64, kappa: f64, noise: f64, seed: u64) -> Vec<(u32, f64)> {
        let law = Law { lambda, sigma, kappa };
        let mut draws = Seed(seed).draws(0);
        let mut off = || 1.0 + noise * (2.0 * draws.unit() - 1.0);
        CLIENTS.iter().flat_map(|n| [*n; 3]).map(|n| (n, law.at(f64::from(n)) * off())).collect()
    }

    fn holds(estimate: &Estimate, truth: f64) -> bool {
        estimate.low.unwrap() <= truth && truth <= estimate.high.unwrap()
    }

    #[test]
    fn known_parameters_come_out() {
        let (lambda, sigma, kappa) = (9_000.0, 0.04, 0.00002);
        let usl = Usl::of(&measured(lambda, sigma, kappa, 0.0, 1), Seed(1)).unwrap();
        for (found, truth) in [(usl.lambda, lambda), (usl.sigma, sigma), (usl.kappa, kappa)] {
            assert!((found.value / truth - 1.0).abs() < 1e-6, "{found:?} and {truth}");
        }
        let peak = usl.peak.unwrap();
        assert!((peak.concurrency.value - (0.96f64 / kappa).sqrt()).abs() < 1e-3, "{peak:?}");
        assert!((peak.throughput - usl.at(peak.concurrency.value)).abs() < 1e-6);
        assert!(usl.r_squared > 0.999_999);
    }

    /// Of 400 such curves, κ is within 378 of its intervals and σ within 370: more than four of twenty amiss would be a
    /// wrong formula rather than chance.
    #[test]
    fn the_truth_is_within_the_intervals_of_noisy_measurements() {
        let (lambda, sigma, kappa) = (9_000.0, 0.04, 0.000_05);
        let usls: Vec<Usl> =
            (0..20).map(|seed| Usl::of(&measured(lambda, sigma, kappa, 0.05, seed), Seed(seed)).unwrap()).collect();
        let amiss = |of: &dyn Fn(&Usl) -> bool| usls.iter().filter(|usl| !of(usl)).count();
        assert!(amiss(&|usl| holds(&usl.sigma, sigma)) <= 4);
        assert!(amiss(&|usl| holds(&usl.kappa, kappa)) <= 4);
        assert_eq!(amiss(&|usl| usl.peak.is_some()), 0, "a peak at 139 of 400 shows");
    }

    /// A plateau: Amdahl's law, which is what one thread of a server that is busy all the time looks like.
    #[test]
    fn a_peak_that_the_measurements_do_not_show_is_not_claimed() {
        let claims = (0..20)
            .filter(|seed| Usl::of(&measured(9_000.0, 0.04, 0.0, 0.05, *seed), Seed(*seed)).unwrap().peak.is_some())
            .count();
        // Noise alone bends 15 of 400 curves far enough.
        assert!(claims <= 2, "{claims} of 20");
        let exact = Usl::of(&measured(9_000.0, 0.04, 0.0, 0.0, 1), Seed(1)).unwrap();
        assert_eq!((exact.kappa.value, exact.peak), (0.0, None));
        // At 3,098 at once, where 400 were measured.
        let far = Usl::of(&measured(9_000.0, 0.04, 1e-7, 0.0, 1), Seed(1)).unwrap();
        assert!(far.kappa.low.unwrap() > 0.0 && far.peak.is_none(), "{far:?}");
    }

    /// Throughput that grows faster than concurrency would need a σ below zero.
    #[test]
    fn parameters_are_never_below_zero() {
        let measured: Vec<(u32, f64)> = CLIENTS.iter().map(|n| (*n, f64::from(*n).powf(1.1))).collect();
        let usl = Usl::of(&measured, Seed(1)).unwrap();
        assert_eq!((usl.sigma.value, usl.kappa.value, usl.peak), (0.0, 0.0, None));
    }

    #[test]
    fn too_few_concurrencies_are_no_law() {
        let five: Vec<(u32, f64)> = (0..20).map(|index| (1 + index % 5, 100.0)).collect();
        assert_eq!(Usl::of(&five, Seed(1)), None);
        let mut six = five;
        six.push((6, 100.0));
        assert!(Usl::of(&six, Seed(1)).is_some());
        six.push((7, f64::NAN));
        assert_eq!(Usl::of(&six, Seed(1)), None);
    }
}
