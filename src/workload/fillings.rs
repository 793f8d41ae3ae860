//! What is put into the holes of requests, for a whole run.

use super::keys::{KeyDistribution, Keys};
use super::template::Holes;
use super::values::Values;
use crate::units::{Draws, Seed, kept_as_spelled};
use std::fmt;
use std::str::FromStr;

/// Numbers, keys, values and times to live. Cheap to clone: load threads share what is large.
#[derive(Debug, Clone)]
pub struct Fillings {
    /// Numbers are drawn from `0..key_count`. None when no number is drawn.
    pub key_count: Option<u64>,
    pub keys: Keys,
    pub values: Values,
    /// Whether a value is that of the key before it, so that whoever reads the key knows what to find.
    pub by_key: bool,
    /// None leaves the placeholder as it stands.
    pub ttl: Option<Ttl>,
    /// Whether there are nodes to choose from, and tags to lead to them.
    pub in_cluster: bool,
}

impl Fillings {
    /// Numbers from `0..key_count`, all alike, with `values`, for a single server.
    pub fn of(key_count: Option<u64>, values: Values) -> Fillings {
        let keys = Keys::new(&KeyDistribution::default(), key_count.unwrap_or(1), Seed(0));
        Fillings { key_count, keys, values, by_key: false, ttl: None, in_cluster: false }
    }

    pub fn holes(&self) -> Holes {
        Holes { numbers: self.key_count.is_some(), tags: self.in_cluster }
    }
}

/// Times to live, in seconds, both ends included. Spelled `60` or `30-90`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ttl {
    least: u64,
    most: u64,
}

/// The longest time to live: Redis counts in milliseconds since 1970, and refuses what does not fit.
const SECONDS_MAX: u64 = 1_000_000_000;

impl Ttl {
    /// The one that there is, if there is but one.
    pub fn fixed(self) -> Option<u64> {
        (self.least == self.most).then_some(self.least)
    }

    /// In seconds.
    pub fn sample(self, draws: &mut Draws) -> u64 {
        self.least + draws.below(self.most - self.least + 1)
    }
}

impl FromStr for Ttl {
    type Err = String;

    fn from_str(text: &str) -> Result<Ttl, String> {
        let (least, most) = text.split_once('-').unwrap_or((text, text));
        match (least.parse(), most.parse()) {
            (Ok(least), Ok(most)) if 1 <= least && least <= most && most <= SECONDS_MAX => Ok(Ttl { least, most }),
            _ => Err(format!("expected seconds, such as 60 or 30-90, from 1 to {SECONDS_MAX}")),
        }
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fixed() {
            Some(seconds) => write!(f, "{seconds}"),
            None => write!(f, "{}-{}", self.least, self.most),
        }
    }
}

kept_as_spelled!(Ttl);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_time_to_live_is_one_number_or_two() {
        for text in ["60", "30-90", "1-1000000000"] {
            assert_eq!(text.parse::<Ttl>().unwrap().to_string(), text);
        }
        assert_eq!("7-7".parse::<Ttl>().unwrap().to_string(), "7");
        for text in ["", "0", "-1", "90-30", "1-", "x", "1-2-3", "1000000001"] {
            assert!(text.parse::<Ttl>().is_err(), "{text}");
        }
    }

    #[test]
    fn both_ends_are_drawn_and_nothing_beyond_them() {
        let ttl: Ttl = "30-33".parse().unwrap();
        let seen: BTreeSet<u64> = (0..200).map(|number| ttl.sample(&mut Seed(1).draws(number))).collect();
        assert_eq!(seen, BTreeSet::from([30, 31, 32, 33]));
    }
}
