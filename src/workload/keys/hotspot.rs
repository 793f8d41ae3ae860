//! A share of the requests goes to a share of the keys, and all others to the rest, evenly on either side.

use super::scramble::Scramble;
use super::{Kind, Parameter, Sample, Sampler};
use crate::units::{Draws, Seed};

pub(super) const KIND: Kind = Kind {
    name: "hotspot",
    about: "a share of the requests to a share of the keys, which are scattered, and all others to the rest",
    parameters: &[share("SHARE_OF_REQUESTS"), share("SHARE_OF_KEYS")],
    prepare: |values, key_count, seed| Sampler::other(Hotspot::new(key_count, values[0], values[1], seed)),
};

const fn share(name: &'static str) -> Parameter {
    Parameter { name, default: None, above: 0.0, most: 1.0 }
}

#[derive(Debug)]
struct Hotspot {
    share_of_requests: f64,
    /// The first so many before they are scattered. One at least; with no cold ones, all requests go to them.
    hot: u64,
    cold: u64,
    /// Scattered, lest the hot keys be those that were written first and lie next to each other.
    places: Scramble,
}

impl Hotspot {
    fn new(key_count: u64, share_of_requests: f64, share_of_keys: f64, seed: Seed) -> Hotspot {
        let hot = ((key_count as f64 * share_of_keys).round() as u64).clamp(1, key_count);
        let cold = key_count - hot;
        let share_of_requests = if cold == 0 { 1.0 } else { share_of_requests };
        Hotspot { share_of_requests, hot, cold, places: Scramble::new(key_count, seed) }
    }
}

impl Sample for Hotspot {
    fn index(&self, draws: &mut Draws, _: u64) -> u64 {
        let is_hot = draws.unit() < self.share_of_requests;
        // Without a branch: whether a request is hot cannot be foreseen.
        let (first, count) = if is_hot { (0, self.hot) } else { (self.hot, self.cold) };
        self.places.apply(first + draws.below(count))
    }
}

#[cfg(test)]
mod tests {
    use super::super::counted;
    use super::*;
    use crate::workload::goodness::assert_chi_square;

    #[test]
    fn the_hot_keys_get_their_share_and_the_others_the_rest() {
        for (requests, keys, hot) in [(0.9, 0.1, 100), (0.5, 0.5, 500), (0.2, 0.9, 900), (0.99, 1e-9, 1)] {
            let seen = counted(&format!("hotspot:{requests}:{keys}"), 1000, 500_000);
            let places = Scramble::new(1000, Seed(42));
            let by_rank: Vec<u64> = (0..1000).map(|rank| seen[places.apply(rank) as usize]).collect();
            let weight = |rank| if rank < hot { requests / hot as f64 } else { (1.0 - requests) / (1000 - hot) as f64 };
            assert_chi_square(&by_rank, &(0..1000).map(weight).collect::<Vec<_>>());
        }
    }

    #[test]
    fn when_all_keys_are_hot_they_are_alike() {
        assert_chi_square(&counted("hotspot:0.9:1", 100, 100_000), &[1.0; 100]);
    }

    #[test]
    fn when_all_requests_are_hot_the_other_keys_get_none() {
        let seen = counted("hotspot:1:0.25", 100, 100_000);
        assert_eq!(seen.iter().filter(|&&count| count > 0).count(), 25);
    }
}
