//! A shuffle of key indexes that needs no table: it moves each index elsewhere, no two to the same place.

use crate::units::Seed;

/// A bijection of `0..count` onto itself, chosen by a seed, so that neighbours in rank are not neighbours in the key
/// space.
///
/// Rounds of "multiply by an odd number, xor with the upper half", each of which can be undone, permute the numbers of as
/// many bits as `count` needs; whatever leaves `0..count` goes round until it is back in it (cycle walking: Black and
/// Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002). Less than every second one has to, on average.
#[derive(Debug)]
pub(super) struct Scramble {
    count: u64,
    mask: u64,
    shift: u32,
    offset: u64,
    factors: [u64; ROUNDS],
}

/// Two leave patterns among neighbours that one can see; three do not.
const ROUNDS: usize = 3;

impl Scramble {
    /// For `count` indexes, at least one.
    pub(super) fn new(count: u64, seed: Seed) -> Scramble {
        let bits = (u64::BITS - (count - 1).leading_zeros()).max(1);
        let mut draws = seed.child(PURPOSE).draws(0);
        Scramble {
            count,
            mask: u64::MAX >> (u64::BITS - bits),
            shift: bits.div_ceil(2),
            offset: draws.next_u64(),
            factors: std::array::from_fn(|_| draws.next_u64() | 1),
        }
    }

    /// Where `index`, in `0..count`, is moved to.
    #[inline]
    pub(super) fn apply(&self, index: u64) -> u64 {
        let mut moved = index;
        loop {
            moved = self.round_trip(moved);
            if moved < self.count {
                return moved;
            }
        }
    }

    #[inline]
    fn round_trip(&self, index: u64) -> u64 {
        let mut moved = index.wrapping_add(self.offset) & self.mask;
        for factor in self.factors {
            moved = moved.wrapping_mul(factor) & self.mask;
            moved ^= moved >> self.shift;
        }
        moved
    }
}

/// Keeps the shuffle apart from what else a seed is used for.
const PURPOSE: u64 = 0x5c4a_3b1e;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::goodness::assert_chi_square;
    use proptest::prelude::*;
    use std::collections::HashSet;

    /// Everywhere from 0 to `count`, each once.
    fn is_bijective(count: u64, seed: u64) -> bool {
        let scramble = Scramble::new(count, Seed(seed));
        let mut seen = vec![false; count as usize];
        (0..count).all(|index| !std::mem::replace(&mut seen[scramble.apply(index) as usize], true))
    }

    #[test]
    fn every_index_is_reached_once_for_every_small_count() {
        for count in 1..=1024 {
            assert!(is_bijective(count, count * 31), "{count}");
        }
    }

    #[test]
    fn every_index_is_reached_once_around_powers() {
        for count in [4095, 4096, 4097, 65_535, 65_536, 65_537, 99_999, 100_000, 131_073] {
            assert!(is_bijective(count, 5), "{count}");
        }
    }

    proptest! {
        #[test]
        fn no_two_of_many_are_moved_to_one_place(count in 1000u64..=1_000_000_000_000, seed: u64, at in 0.0..1.0f64) {
            let scramble = Scramble::new(count, Seed(seed));
            let first = (at * (count - 1000) as f64) as u64;
            let moved: HashSet<u64> = (first..first + 1000).map(|index| scramble.apply(index)).collect();
            prop_assert_eq!(moved.len(), 1000);
            prop_assert!(moved.into_iter().all(|index| index < count));
        }
    }

    /// The first ranks are the hot ones: they should be anywhere, and so should the way from one to the next.
    #[test]
    fn neighbours_are_moved_apart() {
        for count in [10_000u64, 1 << 20, 1_000_000, 1_000_000_000_000] {
            let (mut places, mut ways) = (vec![0; 50], vec![0; 50]);
            for seed in 0..200 {
                let scramble = Scramble::new(count, Seed(seed));
                for rank in 0..50 {
                    let (place, next) = (scramble.apply(rank), scramble.apply(rank + 1));
                    let way = (next + count - place) % count;
                    places[(u128::from(place) * 50 / u128::from(count)) as usize] += 1;
                    ways[(u128::from(way) * 50 / u128::from(count)) as usize] += 1;
                }
            }
            assert_chi_square(&places, &[1.0; 50]);
            assert_chi_square(&ways, &[1.0; 50]);
        }
    }

    #[test]
    fn another_seed_is_another_shuffle() {
        let moved = |seed| (0..100).map(|rank| Scramble::new(1_000_000, Seed(seed)).apply(rank)).collect::<Vec<_>>();
        assert_eq!(moved(1), moved(1));
        assert!(moved(1).iter().zip(moved(2)).all(|(one, other)| *one != other));
    }
}
