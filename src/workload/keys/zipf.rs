//! A few keys are asked for often and most of them hardly ever: the key of rank `k` with a weight of `k^-EXPONENT`.

use super::scramble::Scramble;
use super::{Kind, Parameter, Sample, Sampler};
use crate::units::Draws;

pub(super) const KIND: Kind = Kind {
    name: "zipf",
    about: "few keys are hot, scattered over the key space: the one of rank k has a weight of k^-EXPONENT",
    parameters: &[EXPONENT],
    prepare: |values, key_count, seed| {
        Sampler::other(Zipf { ranks: Ranks::new(key_count, values[0]), places: Scramble::new(key_count, seed) })
    },
};

/// 0.99 is what YCSB takes. From 100 on there is one key.
pub(super) const EXPONENT: Parameter = Parameter { name: "EXPONENT", default: Some(0.99), above: 0.0, most: 100.0 };

#[derive(Debug)]
struct Zipf {
    ranks: Ranks,
    places: Scramble,
}

impl Sample for Zipf {
    fn index(&self, draws: &mut Draws, _: u64) -> u64 {
        self.places.apply(self.ranks.draw(draws))
    }
}

/// Zipf-distributed ranks by rejection-inversion: no table, and the same effort for any number of ranks.
/// Source: Hörmann and Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions",
/// ACM TOMACS 6(3), 1996, with the integral of Apache Commons RNG, which is 0 at 1 and so has no gap at exponent 1.
///
/// `h(x) = x^-EXPONENT` is the weight and `H` its integral from 1 on. A point drawn evenly below `H` is taken back to its
/// `x`, which is rounded to a rank, and kept with the share of the weight in the area that is rounded to it.
#[derive(Debug)]
pub(super) struct Ranks {
    exponent: f64,
    /// 1 - exponent.
    power: f64,
    count: u64,
    /// H(1.5) - h(1): as much is below the first rank as it weighs.
    lower: f64,
    /// H(count + 0.5) - lower.
    width: f64,
    /// An `x` at most so far below its rank is always kept. What is in no rank's rejected part for the second, which has
    /// the largest, is in none.
    safe: f64,
}

impl Ranks {
    /// `count` is at least 1 and `exponent` above 0.
    pub(super) fn new(count: u64, exponent: f64) -> Ranks {
        let power = 1.0 - exponent;
        let lower = integral(power, 1.5) - 1.0;
        let width = integral(power, count as f64 + 0.5) - lower;
        let safe = 2.0 - inverse(power, integral(power, 2.5) - 2f64.powf(-exponent));
        Ranks { exponent, power, count, lower, width, safe }
    }

    /// A rank from 0, the likeliest, to `count - 1`.
    #[inline]
    pub(super) fn draw(&self, draws: &mut Draws) -> u64 {
        loop {
            let area = self.lower + self.width * draws.unit();
            let x = inverse(self.power, area);
            // Beyond 2^53 ranks, or by a rounding error, `x` can leave the range.
            let rank = ((x + 0.5) as u64).clamp(1, self.count);
            let k = rank as f64;
            if k - x <= self.safe || area >= integral(self.power, k + 0.5) - k.powf(-self.exponent) {
                return rank - 1;
            }
        }
    }
}

/// `(x^power - 1) / power`, and its limit `ln x` where `power` is 0.
fn integral(power: f64, x: f64) -> f64 {
    let log = x.ln();
    log * ratio(f64::exp_m1, power * log)
}

/// The `x` of which `area` is the integral: `(1 + power * area)^(1 / power)`.
#[inline]
fn inverse(power: f64, area: f64) -> f64 {
    // Below -1 by a rounding error alone.
    let scaled = (power * area).max(-1.0);
    if power.abs() > 1e-3 {
        // Sixteen digits less three are plenty, and a quarter cheaper than what is exact for any power.
        ((1.0 + scaled).ln() / power).exp()
    } else {
        (area * ratio(f64::ln_1p, scaled)).exp()
    }
}

/// `of(x) / x`, which is 1 at 0 for both functions it is used with.
#[inline]
fn ratio(of: impl Fn(f64) -> f64, x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { of(x) / x }
}

#[cfg(test)]
mod tests {
    use super::super::counted;
    use super::*;
    use crate::units::Seed;
    use crate::workload::goodness::assert_chi_square;

    fn weights(count: usize, exponent: f64) -> Vec<f64> {
        (1..=count).map(|rank| (rank as f64).powf(-exponent)).collect()
    }

    #[test]
    fn ranks_have_their_weights_for_every_exponent() {
        for exponent in [1e-9, 0.2, 0.5, 0.99, 1.0 - 1e-12, 1.0, 1.0 + 1e-9, 1.2, 2.0, 4.0] {
            for count in [2, 3, 10, 1000] {
                let ranks = Ranks::new(count, exponent);
                let mut seen = vec![0; count as usize];
                for number in 0..200_000 {
                    seen[ranks.draw(&mut Seed(count).draws(number)) as usize] += 1;
                }
                assert_chi_square(&seen, &weights(count as usize, exponent));
            }
        }
    }

    /// By decades, whose weights are the differences of the integral to well below what a test could see.
    #[test]
    fn ranks_have_their_weights_among_a_million_million() {
        for exponent in [0.5, 0.99, 1.0, 1.1] {
            let ranks = Ranks::new(1_000_000_000_000, exponent);
            let mut seen = [0; 13];
            for number in 0..200_000 {
                seen[ranks.draw(&mut Seed(3).draws(number)).max(1).ilog10() as usize] += 1;
            }
            let tail: Vec<f64> = (2..12)
                .map(|decade| [decade, decade + 1].map(|digits| integral(1.0 - exponent, 10f64.powi(digits) + 0.5)))
                .map(|[from, to]| to - from)
                .collect();
            assert_chi_square(&seen[2..12], &tail);
        }
    }

    #[test]
    fn beyond_all_measure_there_is_one_key() {
        let ranks = Ranks::new(1_000_000, 100.0);
        assert!((0..10_000).all(|number| ranks.draw(&mut Seed(1).draws(number)) == 0));
    }

    #[test]
    fn hot_keys_are_scattered_and_as_hot_as_their_ranks_say() {
        let places = Scramble::new(1000, Seed(42));
        let seen = counted("zipf:0.99", 1000, 1_000_000);
        let by_rank: Vec<u64> = (0..1000).map(|rank| seen[places.apply(rank) as usize]).collect();
        assert_chi_square(&by_rank, &weights(1000, 0.99));
    }
}
