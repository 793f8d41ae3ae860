//! What is in values.

use super::payload;
use crate::units::{Draws, Seed, kept_as_spelled};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// What values are made of. Spelled, shown and kept as `constant`, `random` or `compressible:4`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum ValueData {
    /// redis-benchmark's payload, or the beginning of it: all values of a length are alike.
    #[default]
    Constant,
    /// Any bytes, others in each value.
    Random,
    /// Of which a compressor makes one part in so many.
    Compressible(f64),
}

/// What can be wrong with the spelling.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ValueDataError {
    #[error("known: constant, random, compressible:RATIO")]
    Unknown,
    #[error(
        "RATIO must be a number from 0.01 to {RATIO_MAX}: 4, or 0.25, is what becomes a quarter when it is compressed"
    )]
    Ratio,
}

const RATIO_MAX: f64 = 100.0;

/// Random bytes and filling take turns in pieces of so many bytes: a compressor looks further than that.
const PIECE_BYTES: usize = 256;

impl ValueData {
    /// `bytes` bytes of it, which every value is a part of.
    pub(super) fn pool(self, bytes: usize, seed: Seed) -> Vec<u8> {
        let mut draws = seed.draws(0);
        match self {
            ValueData::Constant => payload(bytes),
            ValueData::Random => random(bytes, &mut draws),
            ValueData::Compressible(ratio) => {
                let mut pool = random(bytes, &mut draws);
                let kept = (PIECE_BYTES as f64 / ratio).round() as usize;
                pool.chunks_mut(PIECE_BYTES)
                    .filter(|piece| piece.len() > kept)
                    .for_each(|piece| piece[kept..].fill(b'x'));
                pool
            }
        }
    }
}

fn random(bytes: usize, draws: &mut Draws) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes + 8);
    while out.len() < bytes {
        out.extend_from_slice(&draws.next_u64().to_le_bytes());
    }
    out.truncate(bytes);
    out
}

impl FromStr for ValueData {
    type Err = ValueDataError;

    fn from_str(text: &str) -> Result<ValueData, ValueDataError> {
        match (text, text.strip_prefix("compressible:")) {
            ("constant", _) => Ok(ValueData::Constant),
            ("random", _) => Ok(ValueData::Random),
            (_, Some(ratio)) => {
                // Some tools tell how often the result goes into the value, others which share of it the result is.
                let ratio = ratio.parse().map(|ratio: f64| if ratio < 1.0 { 1.0 / ratio } else { ratio });
                let ratio = ratio.ok().filter(|ratio| (1.0..=RATIO_MAX).contains(ratio));
                ratio.map(ValueData::Compressible).ok_or(ValueDataError::Ratio)
            }
            _ => Err(ValueDataError::Unknown),
        }
    }
}

impl fmt::Display for ValueData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueData::Constant => f.write_str("constant"),
            ValueData::Random => f.write_str("random"),
            ValueData::Compressible(ratio) => write!(f, "compressible:{ratio}"),
        }
    }
}

kept_as_spelled!(ValueData);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_shown_as_it_is_spelled() {
        for text in ["constant", "random", "compressible:4", "compressible:1.5"] {
            assert_eq!(text.parse::<ValueData>().unwrap().to_string(), text);
        }
        assert_eq!("rnd".parse::<ValueData>(), Err(ValueDataError::Unknown));
        assert_eq!("compressible:0.25".parse(), Ok(ValueData::Compressible(4.0)));
        for text in [
            "compressible:0",
            "compressible:0.009",
            "compressible:-2",
            "compressible:",
            "compressible:nan",
            "compressible:101",
        ] {
            assert_eq!(text.parse::<ValueData>(), Err(ValueDataError::Ratio), "{text}");
        }
    }

    /// What a compressor cannot do without are the bytes that do not repeat.
    #[test]
    fn one_byte_in_so_many_is_random() {
        let pool = ValueData::Compressible(4.0).pool(1 << 16, Seed(1));
        let filling = pool.iter().filter(|byte| **byte == b'x').count() as f64 / pool.len() as f64;
        assert!((filling - 0.75).abs() < 0.01, "{filling}");
    }
}
