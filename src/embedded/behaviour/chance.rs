//! Random draws for requests by their number: the same seed treats the same requests alike, whatever else is drawn.

use crate::units::{Nanos, Seed};

/// One draw for each request.
#[derive(Debug, Clone, Copy)]
pub struct Chance(Seed);

impl Chance {
    pub fn new(seed: Seed) -> Chance {
        Chance(seed)
    }

    /// Uniform in `[0, 1)`, with all 53 bits that a float has.
    pub fn share(self, request: u64) -> f64 {
        (self.0.draws(request).next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Exponentially distributed, by inversion.
    pub fn exponential(self, request: u64, mean: Nanos) -> Nanos {
        Nanos((-(1.0 - self.share(request)).ln() * mean.0 as f64).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest distance between the distribution of `draws` and the one that they should have.
    fn distance(mut draws: Vec<f64>, expected: impl Fn(f64) -> f64) -> f64 {
        draws.sort_by(f64::total_cmp);
        let count = draws.len() as f64;
        let distances = draws.iter().enumerate().map(|(rank, &draw)| {
            let (below, expected) = (rank as f64 / count, expected(draw));
            (expected - below).abs().max((below + 1.0 / count - expected).abs())
        });
        distances.fold(0.0, f64::max)
    }

    const DRAWS: u64 = 100_000;

    /// The test of Kolmogorov and Smirnov at the level of 1 %, where the limit is 1.63 / sqrt(n).
    fn assert_distributed(draws: Vec<f64>, expected: impl Fn(f64) -> f64) {
        let distance = distance(draws, expected);
        assert!(distance < 1.63 / (DRAWS as f64).sqrt(), "{distance}");
    }

    #[test]
    fn exponential_draws_are_exponential() {
        for seed in [1, 2, 42] {
            let chance = Chance::new(Seed(seed));
            let draws = (0..DRAWS).map(|request| chance.exponential(request, Nanos(200_000)).0 as f64).collect();
            assert_distributed(draws, |nanos| 1.0 - (-nanos / 200_000.0).exp());
        }
    }

    #[test]
    fn shares_are_uniform() {
        for seed in [1, 2, 42] {
            let chance = Chance::new(Seed(seed));
            assert_distributed((0..DRAWS).map(|request| chance.share(request)).collect(), |share| share);
        }
    }

    /// Draws are bounded: the logarithm never sees zero.
    #[test]
    fn the_longest_draw_is_37_means() {
        let share = ((1u64 << 53) - 1) as f64 / (1u64 << 53) as f64;
        assert!(-(1.0 - share).ln() < 37.0);
    }
}
