//! Values: how long they are, what is in them, and how each is found again.
//!
//! A value is a part of a pool that is made once, which begins where a *token* says, and has the token's mark on its first
//! bytes. So to write one costs no more than a copy, no two are alike, and whoever knows the token knows every byte.

mod data;
mod size;

pub use data::{ValueData, ValueDataError};
pub use size::{GRAMMAR, ValueSize, ValueSizeError};

use crate::units::Seed;
use std::sync::Arc;

/// The largest value: Redis keeps no larger string by default, and redis-benchmark stops here too.
pub const BYTES_MAX: usize = 1 << 30;

/// Places in the pool where a value can begin: more than fit into a core's own cache would cost more than a copy.
const BEGINNINGS: u64 = 1 << 16;

/// The mark of a token, in bytes. Shorter values have as much of it as they hold.
const MARK_BYTES: usize = 8;

/// Makes values. Cheap to clone: clones share the pool.
#[derive(Debug, Clone)]
pub struct Values {
    size: Arc<ValueSize>,
    pool: Arc<Vec<u8>>,
    is_constant: bool,
    seed: Seed,
}

impl Values {
    /// Values of `size` made of `data`.
    pub fn new(size: &ValueSize, data: &ValueData, seed: Seed) -> Values {
        let is_constant = *data == ValueData::Constant;
        let beginnings = if is_constant { 0 } else { BEGINNINGS as usize };
        let pool = data.pool(size.largest() + beginnings, seed);
        Values { size: Arc::new(size.clone()), pool: Arc::new(pool), is_constant, seed }
    }

    /// The length of all values, if there is but one.
    pub fn fixed_len(&self) -> Option<usize> {
        self.size.fixed()
    }

    /// Whether all values are one.
    pub fn is_constant(&self) -> bool {
        self.is_constant && self.fixed_len().is_some()
    }

    /// The token of the value that belongs to key `index`.
    #[inline]
    pub fn token_of_key(&self, index: u64) -> u64 {
        self.seed.draws(index).next_u64()
    }

    /// The length of the value with this `token`.
    #[inline]
    pub fn size(&self, token: u64) -> usize {
        match self.size.fixed() {
            Some(bytes) => bytes,
            None => self.size.sample(&mut Seed(token).draws(1)),
        }
    }

    /// Writes the value with this `token` into `out`, which is as long as its [`size`](Self::size).
    #[inline]
    pub fn write(&self, token: u64, out: &mut [u8]) {
        let begin = self.beginning(token);
        out.copy_from_slice(&self.pool[begin..begin + out.len()]);
        if !self.is_constant {
            let marked = out.len().min(MARK_BYTES);
            out[..marked].copy_from_slice(&mark(token)[..marked]);
        }
    }

    /// The place of the first byte of the value with this `token` in which `bytes`, which stand at `at` in it, are not
    /// those that were written.
    #[inline]
    pub fn first_difference(&self, token: u64, at: usize, bytes: &[u8]) -> Option<usize> {
        let begin = self.beginning(token) + at;
        let marked = if self.is_constant { 0 } else { MARK_BYTES.saturating_sub(at).min(bytes.len()) };
        let expected = &self.pool[begin..begin + bytes.len()];
        // Whole slices compare far faster than bytes, and nearly always are the same.
        if bytes[marked..] == expected[marked..] && bytes[..marked] == mark(token)[at.min(MARK_BYTES)..][..marked] {
            return None;
        }
        let expected = mark(token).into_iter().skip(at).take(marked).chain(expected[marked..].iter().copied());
        bytes.iter().zip(expected).position(|(byte, expected)| *byte != expected).map(|place| at + place)
    }

    #[inline]
    fn beginning(&self, token: u64) -> usize {
        if self.is_constant { 0 } else { (token % BEGINNINGS) as usize }
    }
}

/// What tells the values of two tokens apart.
#[inline]
fn mark(token: u64) -> [u8; MARK_BYTES] {
    token.to_be_bytes()
}

/// `bytes` bytes of redis-benchmark's payload: the same for every key and every run, and hard to compress.
///
/// The recurrence is the one of the original (`genBenchmarkRandomData`), so that a server holds the same bytes whichever
/// of the two filled it.
pub fn payload(bytes: usize) -> Vec<u8> {
    let mut state = 1234u32;
    (0..bytes)
        .map(|_| {
            state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            b'0' + ((state >> 16) & 63) as u8
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn values(size: &str, data: &str) -> Values {
        Values::new(&size.parse().unwrap(), &data.parse().unwrap(), Seed(3))
    }

    fn value(values: &Values, token: u64) -> Vec<u8> {
        let mut out = vec![0; values.size(token)];
        values.write(token, &mut out);
        out
    }

    /// Read back from a server that redis-benchmark 7.0.15 had filled with `-d 60`.
    #[test]
    fn the_payload_is_the_one_of_the_original() {
        assert_eq!(payload(3), b"VXK");
        assert_eq!(payload(60), b"VXKeHogKgJ=[5V9_X^b?48OKF2jGA<f:iR@50o7dS3JV4Q6L68lC[GTA]0Da");
    }

    #[test]
    fn constant_values_are_the_beginning_of_the_payload() {
        let values = values("3-60", "constant");
        for token in 0..100 {
            let value = value(&values, token);
            assert_eq!(value, payload(value.len()));
        }
        assert!(!values.is_constant(), "their lengths differ");
    }

    #[test]
    fn no_two_values_are_alike() {
        for (size, data) in [("30", "random"), ("1-100", "random"), ("64", "compressible:8")] {
            let values = values(size, data);
            let tokens: Vec<u64> = (0..10_000).map(|key| values.token_of_key(key)).collect();
            let long = tokens.iter().map(|token| value(&values, *token)).filter(|value| value.len() >= 8);
            let (count, distinct) = long.fold((0, HashSet::new()), |(count, mut seen), value| {
                seen.insert(value);
                (count + 1, seen)
            });
            assert_eq!(distinct.len(), count, "{size} {data}");
        }
    }

    proptest! {
        /// However a value is cut when it is read back, and wherever it differs.
        #[test]
        fn a_wrong_byte_is_found_where_it_is(
            data in prop::sample::select(vec!["constant", "random", "compressible:4"]),
            size in prop::sample::select(vec!["1", "5", "8", "9", "300", "1-40", "lognormal:20:1"]),
            token: u64,
            cut in any::<prop::sample::Index>(),
            wrong in any::<prop::sample::Index>(),
        ) {
            let values = values(size, data);
            let mut read = value(&values, token);
            let cut = cut.index(read.len() + 1);
            let find = |read: &[u8]| {
                let head = values.first_difference(token, 0, &read[..cut]);
                head.or_else(|| values.first_difference(token, cut, &read[cut..]))
            };
            prop_assert_eq!(find(&read), None);
            let wrong = wrong.index(read.len());
            read[wrong] ^= 1;
            prop_assert_eq!(find(&read), Some(wrong));
        }
    }
}
