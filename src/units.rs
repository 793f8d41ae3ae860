//! The quantities that every room speaks in: instants and spans, rates, and seeds.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A span of time, or an instant counted from the start of a clock, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    pub const ZERO: Nanos = Nanos(0);

    pub const fn from_millis(millis: u64) -> Nanos {
        Nanos(millis * 1_000_000)
    }

    pub const fn from_secs(secs: u64) -> Nanos {
        Nanos(secs * 1_000_000_000)
    }

    pub fn as_secs(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Zero when `earlier` is the later of the two.
    pub fn since(self, earlier: Nanos) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Nanos {
    type Output = Nanos;
    fn add(self, other: Nanos) -> Nanos {
        Nanos(self.0.saturating_add(other.0))
    }
}

impl Sub for Nanos {
    type Output = Nanos;
    fn sub(self, other: Nanos) -> Nanos {
        self.since(other)
    }
}

impl From<Duration> for Nanos {
    fn from(duration: Duration) -> Nanos {
        Nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Nanos> for Duration {
    fn from(nanos: Nanos) -> Duration {
        Duration::from_nanos(nanos.0)
    }
}

/// Events per second. Always finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(pub f64);

impl Rate {
    /// `count` events in `span`. A span of zero counts as one nanosecond, so that a rate is always finite.
    pub fn of(count: u64, span: Nanos) -> Rate {
        Rate(count as f64 / Nanos(span.0.max(1)).as_secs())
    }
}

/// Where the random draws of a run come from: the same seed replays the same requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// A seed of its own for part `index` of what this seed governs.
    pub fn child(self, index: u64) -> Seed {
        Seed(mix(self.0 ^ mix(index.wrapping_add(GOLDEN))))
    }

    /// The draws that belong to item `index`, whoever makes them and whenever: a counter takes the place of a state, so
    /// requests can be dealt out to threads in any order and still be the same requests.
    #[inline]
    pub fn draws(self, index: u64) -> Draws {
        Draws(mix(self.0.wrapping_add(index.wrapping_mul(GOLDEN))))
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A short stream of random numbers: SplitMix64.
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#[derive(Debug, Clone)]
pub struct Draws(u64);

impl Draws {
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A whole number in `0..limit`, by multiplication and shift. The bias is at most `limit / 2^64`.
    #[inline]
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(limit)) >> 64) as u64
    }

    /// A number between 0 and 1, never either of them: the middle of one of 2^52 equal parts. One bit more would round
    /// the last of them up to 1.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        ((self.next_u64() >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
    }
}

// 2^64 divided by the golden ratio, made odd: SplitMix64's increment.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline]
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Keeps types in documents as they are spelled: by their `Display`, and read again by their `FromStr`.
macro_rules! kept_as_spelled {
    ($($spelled:ty),+) => { $(
        impl serde::Serialize for $spelled {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $spelled {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$spelled, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+ };
}

pub(crate) use kept_as_spelled;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_finite_even_over_no_time_at_all() {
        assert!(Rate::of(1, Nanos::ZERO).0.is_finite());
        assert_eq!(Rate::of(1000, Nanos::from_secs(2)).0, 500.0);
    }

    #[test]
    fn a_span_never_runs_backwards() {
        assert_eq!(Nanos(3) - Nanos(5), Nanos::ZERO);
    }

    /// The reference output of SplitMix64 for state 0, from the authors' published C code.
    #[test]
    fn draws_are_splitmix64() {
        assert_eq!(Draws(0).next_u64(), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn draws_stay_below_their_limit_and_reach_all_of_it() {
        let mut seen = [0u32; 10];
        for index in 0..10_000 {
            seen[Seed(42).draws(index).below(10) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| (850..1150).contains(&count)), "{seen:?}");
    }

    /// 0 and 1 would be infinite in a logarithm. SplitMix64 draws 0 in state 0.
    #[test]
    fn a_unit_draw_is_between_zero_and_one() {
        let mut draws = Seed(1).draws(0);
        let drawn: Vec<f64> = (0..10_000).map(|_| draws.unit()).collect();
        assert!(drawn.iter().all(|unit| 0.0 < *unit && *unit < 1.0));
        // The standard deviation of the mean is 0.0029.
        assert!((drawn.iter().sum::<f64>() / 10_000.0 - 0.5).abs() < 0.009);
        let least = Draws(0u64.wrapping_sub(GOLDEN)).unit();
        assert_eq!(least, 0.5 / (1u64 << 52) as f64);
    }

    #[test]
    fn children_of_a_seed_differ() {
        let seeds: std::collections::HashSet<u64> = (0..1000).map(|i| Seed(7).child(i).0).collect();
        assert_eq!(seeds.len(), 1000);
    }
}
