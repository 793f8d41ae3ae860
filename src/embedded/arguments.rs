//! The arguments of one request, where they were received, and their readings as numbers.

use super::failure::Failure;
use crate::resp::request;
use std::ops::Range;

/// The arguments of a request; number 0 is the command's name.
#[derive(Debug, Clone, Copy)]
pub struct Arguments<'a> {
    bytes: &'a [u8],
    ranges: &'a [Range<usize>],
}

impl<'a> Arguments<'a> {
    #[inline]
    pub fn new(bytes: &'a [u8], ranges: &'a [Range<usize>]) -> Arguments<'a> {
        Arguments { bytes, ranges }
    }

    pub fn is_empty(self) -> bool {
        self.ranges.is_empty()
    }

    #[inline]
    pub fn len(self) -> usize {
        self.ranges.len()
    }

    /// Argument `index`, which the command's arity or a look at [`Arguments::len`] vouches for.
    #[inline]
    pub fn at(self, index: usize) -> &'a [u8] {
        &self.bytes[self.ranges[index].clone()]
    }

    pub fn get(self, index: usize) -> Option<&'a [u8]> {
        self.ranges.get(index).map(|range| &self.bytes[range.clone()])
    }

    /// The arguments from number `index` on.
    pub fn from(self, index: usize) -> impl Iterator<Item = &'a [u8]> {
        self.ranges.iter().skip(index).map(move |range| &self.bytes[range.clone()])
    }

    /// The arguments from number `index` on, two by two.
    pub fn pairs_from(self, index: usize) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        (index..self.len() - 1).step_by(2).map(move |first| (self.at(first), self.at(first + 1)))
    }

    /// Whether argument `index` is `word`, in whatever case.
    pub fn is(self, index: usize, word: &str) -> bool {
        self.get(index).is_some_and(|argument| argument.eq_ignore_ascii_case(word.as_bytes()))
    }

    pub fn integer(self, index: usize) -> Result<i64, Failure> {
        request::integer(self.at(index)).ok_or(Failure::NOT_AN_INTEGER)
    }

    /// How many elements are asked for by argument `index`; `None` when the argument is left out.
    pub fn count(self, index: usize) -> Result<Option<usize>, Failure> {
        let Some(text) = self.get(index) else { return Ok(None) };
        let count = request::integer(text).and_then(|count| usize::try_from(count).ok());
        count.map(Some).ok_or(Failure::NOT_POSITIVE)
    }

    pub fn float(self, index: usize) -> Result<f64, Failure> {
        float(self.at(index)).ok_or(Failure::NOT_A_FLOAT)
    }

    /// Arguments `index` and the next as the first and the last of `len` elements, where -1 is the last element.
    pub fn range(self, index: usize, len: usize) -> Result<Range<usize>, Failure> {
        Ok(clamp(self.integer(index)?, self.integer(index + 1)?, len))
    }
}

/// A number, or an infinity. It may carry no blanks and is never NaN.
pub fn float(text: &[u8]) -> Option<f64> {
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    // Zero has one sign, so that equal scores have equal order.
    (!number.is_nan()).then_some(number + 0.0)
}

fn clamp(first: i64, last: i64, len: usize) -> Range<usize> {
    let count = len as i64;
    let from_front = |index: i64| if index < 0 { index.saturating_add(count).max(0) } else { index.min(count) };
    let end = if last < -count { 0 } else { from_front(last).saturating_add(1).min(count) };
    let start = from_front(first);
    start as usize..end.max(start) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_count_from_either_end_and_stay_inside() {
        for (first, last, expected) in [
            (0, -1, 0..5),
            (0, 0, 0..1),
            (1, 3, 1..4),
            (-2, -1, 3..5),
            (-100, 100, 0..5),
            (3, 1, 3..3),
            (5, 9, 5..5),
            (0, -6, 0..0),
            (0, -5, 0..1),
            (i64::MIN, i64::MAX, 0..5),
        ] {
            assert_eq!(clamp(first, last, 5), expected, "{first} {last}");
        }
    }

    #[test]
    fn a_float_is_a_number_or_an_infinity() {
        assert_eq!(float(b"1.5"), Some(1.5));
        assert_eq!(float(b"-inf"), Some(f64::NEG_INFINITY));
        assert_eq!(float(b"nan"), None);
        assert_eq!(float(b" 1"), None);
        assert_eq!(float(b"-0").map(f64::is_sign_positive), Some(true));
    }
}
