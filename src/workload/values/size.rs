//! How long values are.

use super::BYTES_MAX;
use crate::units::{Draws, kept_as_spelled};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Lengths of values, in bytes. Spelled, shown and kept as `30`, `64-4096`, `lognormal:200:0.8` or `32:9,1024:1`.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueSize(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Fixed(usize),
    /// Alike often, both ends included.
    Range(usize, usize),
    /// The logarithm of the length is normally distributed, with standard deviation `sigma`.
    LogNormal {
        median: f64,
        sigma: f64,
    },
    /// Lengths, each with its weight.
    Weighted(Vec<(usize, u32)>),
}

/// How values of other lengths than one are spelled.
pub const GRAMMAR: &str = "30, 64-4096, lognormal:MEDIAN:SIGMA, or lengths by weight such as 32:9,1024:1";

/// Beyond so many standard deviations a length is cut off: one in thirty thousand is.
const SIGMAS_MAX: f64 = 4.0;
const SIGMA_MAX: f64 = 5.0;

/// What can be wrong with the spelling of lengths.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ValueSizeError {
    #[error("expected {GRAMMAR}")]
    Unknown,
    #[error("a value has 1 to {BYTES_MAX} bytes")]
    Bytes,
    #[error("'{0}': the smaller length comes first")]
    Order(String),
    #[error("SIGMA must be a number above 0 and at most {SIGMA_MAX}")]
    Sigma,
    #[error("'{0}': a weight is a whole number from 1 to 1000000")]
    Weight(String),
}

impl ValueSize {
    /// All of `bytes` bytes.
    pub fn of(bytes: usize) -> ValueSize {
        ValueSize(Kind::Fixed(bytes))
    }

    /// The one length that there is, if there is but one.
    pub fn fixed(&self) -> Option<usize> {
        if let Kind::Fixed(bytes) = self.0 { Some(bytes) } else { None }
    }

    /// No value is longer.
    pub fn largest(&self) -> usize {
        match &self.0 {
            Kind::Fixed(bytes) | Kind::Range(_, bytes) => *bytes,
            Kind::LogNormal { median, sigma } => {
                ((median * (sigma * SIGMAS_MAX).exp()).round() as usize).clamp(1, BYTES_MAX)
            }
            Kind::Weighted(sizes) => sizes.iter().map(|(bytes, _)| *bytes).max().unwrap_or(1),
        }
    }

    /// The mean length, without what is cut off.
    pub fn mean_about(&self) -> f64 {
        match &self.0 {
            Kind::Fixed(bytes) => *bytes as f64,
            Kind::Range(least, most) => (*least as f64 + *most as f64) / 2.0,
            Kind::LogNormal { median, sigma } => median * (sigma * sigma / 2.0).exp(),
            Kind::Weighted(sizes) => {
                let (sum, weights) = sizes.iter().fold((0.0, 0.0), |(sum, weights), (bytes, weight)| {
                    (sum + *bytes as f64 * f64::from(*weight), weights + f64::from(*weight))
                });
                sum / weights
            }
        }
    }

    /// The next length.
    #[inline]
    pub fn sample(&self, draws: &mut Draws) -> usize {
        match &self.0 {
            Kind::Fixed(bytes) => *bytes,
            Kind::Range(least, most) => least + draws.below((most - least + 1) as u64) as usize,
            Kind::LogNormal { median, sigma } => {
                let bytes = median * (sigma * normal(draws).clamp(-SIGMAS_MAX, SIGMAS_MAX)).exp();
                (bytes.round() as usize).clamp(1, BYTES_MAX)
            }
            Kind::Weighted(sizes) => {
                let total = sizes.iter().map(|(_, weight)| u64::from(*weight)).sum();
                let mut drawn = draws.below(total);
                for (bytes, weight) in sizes {
                    if drawn < u64::from(*weight) {
                        return *bytes;
                    }
                    drawn -= u64::from(*weight);
                }
                1
            }
        }
    }
}

/// Draws from the normal distribution with mean 0 and variance 1.
/// Source: Box and Muller, "A note on the generation of random normal deviates", Annals of Mathematical Statistics 29,
/// 1958.
fn normal(draws: &mut Draws) -> f64 {
    (-2.0 * draws.unit().ln()).sqrt() * (std::f64::consts::TAU * draws.unit()).cos()
}

fn bytes(text: &str) -> Result<usize, ValueSizeError> {
    let bytes: usize = text.parse().map_err(|_| ValueSizeError::Unknown)?;
    if (1..=BYTES_MAX).contains(&bytes) { Ok(bytes) } else { Err(ValueSizeError::Bytes) }
}

impl FromStr for ValueSize {
    type Err = ValueSizeError;

    fn from_str(text: &str) -> Result<ValueSize, ValueSizeError> {
        let kind = if let Some(parameters) = text.strip_prefix("lognormal:") {
            let (median, sigma) = parameters.split_once(':').ok_or(ValueSizeError::Unknown)?;
            let sigma = sigma.parse().ok().filter(|&sigma| 0.0 < sigma && sigma <= SIGMA_MAX);
            Kind::LogNormal { median: bytes(median)? as f64, sigma: sigma.ok_or(ValueSizeError::Sigma)? }
        } else if text.contains(':') {
            Kind::Weighted(text.split(',').map(weighted).collect::<Result<_, _>>()?)
        } else if let Some((least, most)) = text.split_once('-') {
            let (least, most) = (bytes(least)?, bytes(most)?);
            if least > most {
                return Err(ValueSizeError::Order(text.to_owned()));
            }
            if least == most { Kind::Fixed(least) } else { Kind::Range(least, most) }
        } else {
            Kind::Fixed(bytes(text)?)
        };
        Ok(ValueSize(kind))
    }
}

/// `1024:1`, a length and its weight.
fn weighted(part: &str) -> Result<(usize, u32), ValueSizeError> {
    let (length, weight) = part.split_once(':').ok_or(ValueSizeError::Unknown)?;
    let weight = weight.parse().ok().filter(|weight| (1..=1_000_000).contains(weight));
    Ok((bytes(length)?, weight.ok_or_else(|| ValueSizeError::Weight(part.to_owned()))?))
}

impl fmt::Display for ValueSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Fixed(bytes) => write!(f, "{bytes}"),
            Kind::Range(least, most) => write!(f, "{least}-{most}"),
            Kind::LogNormal { median, sigma } => write!(f, "lognormal:{median}:{sigma}"),
            Kind::Weighted(sizes) => {
                let parts: Vec<String> = sizes.iter().map(|(bytes, weight)| format!("{bytes}:{weight}")).collect();
                f.write_str(&parts.join(","))
            }
        }
    }
}

impl Default for ValueSize {
    /// That of redis-benchmark.
    fn default() -> ValueSize {
        ValueSize::of(3)
    }
}

kept_as_spelled!(ValueSize);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Seed;
    use crate::workload::goodness::assert_chi_square;
    use proptest::prelude::*;

    fn size(text: &str) -> ValueSize {
        text.parse().unwrap()
    }

    fn drawn(text: &str, count: u64) -> Vec<usize> {
        (0..count).map(|number| size(text).sample(&mut Seed(7).draws(number))).collect()
    }

    #[test]
    fn lengths_are_shown_as_they_are_spelled() {
        for text in ["30", "64-4096", "lognormal:200:0.8", "32:9,1024:1", "5:1"] {
            assert_eq!(size(text).to_string(), text);
        }
        assert_eq!(size("7-7"), ValueSize::of(7));
    }

    #[test]
    fn what_is_no_length_is_refused_with_what_would_be_one() {
        for (text, error) in [
            ("", ValueSizeError::Unknown),
            ("-3", ValueSizeError::Unknown),
            ("3 KB", ValueSizeError::Unknown),
            ("0", ValueSizeError::Bytes),
            ("1073741825", ValueSizeError::Bytes),
            ("10-0", ValueSizeError::Bytes),
            ("10-5", ValueSizeError::Order("10-5".into())),
            ("lognormal:200", ValueSizeError::Unknown),
            ("lognormal:0:1", ValueSizeError::Bytes),
            ("lognormal:200:0", ValueSizeError::Sigma),
            ("lognormal:200:nan", ValueSizeError::Sigma),
            ("lognormal:200:inf", ValueSizeError::Sigma),
            ("32:9,64", ValueSizeError::Unknown),
            ("32:0", ValueSizeError::Weight("32:0".into())),
        ] {
            assert_eq!(text.parse::<ValueSize>(), Err(error), "{text}");
        }
    }

    #[test]
    fn lengths_of_a_range_are_alike_often() {
        let mut counts = [0; 4];
        drawn("10-13", 40_000).iter().for_each(|bytes| counts[bytes - 10] += 1);
        assert_chi_square(&counts, &[1.0; 4]);
    }

    #[test]
    fn weighted_lengths_come_by_weight() {
        let mut counts = [0; 3];
        for bytes in drawn("32:9,64:3,1024:1", 40_000) {
            counts[[32, 64, 1024].iter().position(|known| *known == bytes).unwrap()] += 1;
        }
        assert_chi_square(&counts, &[9.0, 3.0, 1.0]);
        assert_eq!((size("32:9,1024:1").mean_about(), size("32:9,1024:1").largest()), (131.2, 1024));
    }

    /// Shares of the normal distribution between whole standard deviations, from the printed tables.
    #[test]
    fn the_logarithm_of_a_lognormal_length_is_normal() {
        let mut counts = [0; 6];
        for bytes in drawn("lognormal:100000:0.5", 40_000) {
            let sigmas = (bytes as f64 / 100_000.0).ln() / 0.5;
            counts[(sigmas + 3.0).floor().clamp(0.0, 5.0) as usize] += 1;
        }
        assert_chi_square(&counts, &[0.02275, 0.13591, 0.34134, 0.34134, 0.13591, 0.02275]);
    }

    proptest! {
        #[test]
        fn no_length_is_beyond_the_largest(
            text in prop_oneof![
                (1usize..5000).prop_map(|bytes| bytes.to_string()),
                (1usize..500, 0usize..5000).prop_map(|(least, more)| format!("{least}-{}", least + more)),
                (1usize..5000, 0.01..5.0f64).prop_map(|(median, sigma)| format!("lognormal:{median}:{sigma}")),
                prop::collection::vec((1usize..5000, 1u32..9), 1..5).prop_map(|sizes| sizes
                    .iter().map(|(bytes, weight)| format!("{bytes}:{weight}")).collect::<Vec<_>>().join(",")),
            ],
            seed: u64,
        ) {
            let size: ValueSize = text.parse().unwrap();
            prop_assert_eq!(&size.to_string().parse::<ValueSize>().unwrap(), &size);
            for number in 0..50 {
                let bytes = size.sample(&mut Seed(seed).draws(number));
                prop_assert!((1..=size.largest()).contains(&bytes), "{bytes} of {text}");
            }
        }
    }
}
