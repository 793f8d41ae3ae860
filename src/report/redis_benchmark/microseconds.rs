//! A nanosecond histogram seen as redis-benchmark sees time: in whole microseconds.

use hdrhistogram::Histogram;

/// How often each whole microsecond was measured: (microseconds, count) pairs, ascending, each microsecond once and
/// no count zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MicrosecondCounts {
    pairs: Vec<(u64, u64)>,
    total: u64,
}

impl MicrosecondCounts {
    /// The (microseconds, count) pairs in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.pairs.iter().copied()
    }

    /// The number of samples, which is the sum of all counts.
    pub fn total(&self) -> u64 {
        self.total
    }
}

impl From<&Histogram<u64>> for MicrosecondCounts {
    /// Reads a histogram of nanoseconds. For reports that are right digit for digit it keeps 4 significant digits: at 3
    /// a bucket holds two microseconds or more from 2 ms on, and no longer says on which side of a bin's edge a sample
    /// was.
    fn from(nanoseconds: &Histogram<u64>) -> MicrosecondCounts {
        let mut counts = MicrosecondCounts::default();
        for bucket in nanoseconds.iter_recorded() {
            let value = bucket.value_iterated_to();
            let lowest = nanoseconds.lowest_equivalent(value);
            let highest = nanoseconds.highest_equivalent(value);
            counts.push(microseconds_of(lowest, highest), bucket.count_at_value());
        }
        counts
    }
}

impl MicrosecondCounts {
    /// Adds `count` samples of `microseconds`, which is no less than any before.
    fn push(&mut self, microseconds: u64, count: u64) {
        self.total += count;
        match self.pairs.last_mut() {
            Some(last) if last.0 == microseconds => last.1 += count,
            _ => self.pairs.push((microseconds, count)),
        }
    }
}

/// The whole microseconds that stand for one bucket, `lowest` to `highest` nanoseconds, both included. Never descends
/// from one bucket to the next.
///
/// redis-benchmark reads a clock of microseconds, and its line breaks hang on which one a sample was. Three cases, by
/// the width of a bucket, told here for 4 digits:
///
/// - Less than 1 µs (up to 16.777 ms). The bucket holds at most one multiple of 1000 ns, and takes it: samples that were
///   whole microseconds come back exactly. A bucket without one is floored, as a clock of microseconds does.
/// - 1 µs to 8 µs (up to 268 ms). The smallest of those inside is taken, less than one bucket off.
/// - More than 10 µs. The smallest multiple of 10, 100, ... µs, whichever is the largest step no wider than the bucket.
///   The bucket of 3 s begins at 2.999976 s. Its smallest microsecond would move a time-out of 3 s to the line of
///   2999 ms, its smallest tenth of a millisecond does not. Taking the roundest number of all would err the other way:
///   10 s stands for 9.999999 s too.
fn microseconds_of(lowest: u64, highest: u64) -> u64 {
    let width = (highest - lowest).saturating_add(1);
    let step = 10_u64.pow(width.ilog10()).max(1000);
    match lowest.checked_next_multiple_of(step) {
        Some(inside) if inside <= highest => inside / 1000,
        _ => lowest / 1000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts_of(samples_ns: impl IntoIterator<Item = u64>) -> MicrosecondCounts {
        let mut histogram = Histogram::<u64>::new(4).unwrap();
        for sample_ns in samples_ns {
            histogram.record(sample_ns).unwrap();
        }
        MicrosecondCounts::from(&histogram)
    }

    /// 16.777 ms is where buckets of a 4-digit histogram become wider than a microsecond.
    #[test]
    fn whole_microseconds_below_16_777_come_back_exactly() {
        let expected: Vec<_> = (0..=16_777).map(|us| (us, 1)).collect();
        let counts = counts_of((0..=16_777).map(|us| us * 1000));
        assert_eq!(counts.iter().collect::<Vec<_>>(), expected);
        assert_eq!(counts.total(), 16_778);
    }

    #[test]
    fn fractions_of_a_microsecond_are_floored_and_counted_together() {
        let counts = counts_of([1, 999, 1000, 1001, 1999, 2000, 7999]);
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(0, 2), (1, 3), (2, 1), (7, 1)]);
    }

    /// From the first wide bucket to 80 s: the pairs must ascend, and stay within a bucket of the truth.
    #[test]
    fn longer_samples_ascend_and_lose_at_most_a_bucket() {
        for exponent in 0..100 {
            let sample_ns = (16_777_216.0 * 1.09_f64.powi(exponent)) as u64;
            let histogram = Histogram::<u64>::new(4).unwrap();
            let width = histogram.equivalent_range(sample_ns);
            let pairs: Vec<_> = counts_of([sample_ns, sample_ns + width, sample_ns + 2 * width]).iter().collect();
            assert_eq!(pairs.len(), 3, "{sample_ns}: {pairs:?}");
            assert!(pairs.is_sorted(), "{sample_ns}: {pairs:?}");
            assert!((pairs[0].0 * 1000).abs_diff(sample_ns) < width, "{sample_ns}: {pairs:?}");
        }
    }

    #[test]
    fn times_near_a_second_stay_on_their_side_of_it() {
        for (sample_ns, microseconds) in [(3_000_000_000, 3_000_000), (9_999_999_000, 9_999_800)] {
            assert_eq!(counts_of([sample_ns]).iter().collect::<Vec<_>>(), [(microseconds, 1)]);
        }
    }

    #[test]
    fn the_longest_sample_of_all_is_counted() {
        assert_eq!(counts_of([0, u64::MAX]).total(), 2);
    }
}
