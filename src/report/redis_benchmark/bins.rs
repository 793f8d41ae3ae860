//! The coarse histogram of redis-benchmark 6.2 and later: its bin edges are what its reports print.
//!
//! Source: HdrHistogram_c as redis-benchmark opens it, from 10 µs to 3 s at `--precision` significant digits.

use super::MicrosecondCounts;

/// log2 of the narrowest bin in microseconds. HdrHistogram rounds the lowest value to tell apart, 10 µs, down to a
/// power of two: 8 µs.
const UNIT_MAGNITUDE: u32 = 3;

/// Longer samples are counted as this many microseconds, 3 s.
const HIGHEST_TRACKABLE_US: u64 = 3_000_000;

/// Where the bins of one precision begin and end, in microseconds. The bins of a precision double their width each
/// time the value doubles, from 8 µs wide at the bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// log2 of the number of bins per doubling.
    half_magnitude: u32,
}

impl Layout {
    /// The layout for 1 to 4 significant digits; others are brought into that range, as redis-benchmark does with
    /// those above it. (At 0 it crashes.)
    pub fn new(digits: u32) -> Layout {
        let distinct_values = 2 * 10_u64.pow(digits.clamp(1, 4));
        Layout { half_magnitude: distinct_values.next_power_of_two().ilog2() - 1 }
    }

    /// How often the width of the bin of `value` has doubled.
    fn doublings(self, value: u64) -> u32 {
        value.max(1).ilog2().saturating_sub(UNIT_MAGNITUDE + self.half_magnitude)
    }

    /// log2 of the width of the bin of `value`, in microseconds.
    fn magnitude(self, value: u64) -> u32 {
        UNIT_MAGNITUDE + self.doublings(value)
    }

    /// The number of the bin that counts `value`; bins are numbered from 0 without gaps.
    pub fn index(self, value: u64) -> usize {
        let doublings = self.doublings(value);
        let within = value >> (UNIT_MAGNITUDE + doublings);
        ((u64::from(doublings) << self.half_magnitude) + within) as usize
    }

    /// The lowest value of bin `index`.
    pub fn value(self, index: usize) -> u64 {
        let half = 1_u64 << self.half_magnitude;
        let index = index as u64;
        let doublings = (index >> self.half_magnitude).saturating_sub(1);
        (index - doublings * half) << (u64::from(UNIT_MAGNITUDE) + doublings)
    }

    /// The lowest value counted together with `value`.
    pub fn lowest(self, value: u64) -> u64 {
        value >> self.magnitude(value) << self.magnitude(value)
    }

    /// The highest value counted together with `value`; what redis-benchmark prints for the bin.
    pub fn highest(self, value: u64) -> u64 {
        self.lowest(value) + (1 << self.magnitude(value)) - 1
    }

    /// The middle of the values counted together with `value`.
    pub fn median(self, value: u64) -> u64 {
        self.lowest(value) + (1 << self.magnitude(value) >> 1)
    }
}

/// Counts per bin of one [`Layout`].
#[derive(Debug, Clone)]
pub struct Bins {
    layout: Layout,
    /// One count per bin; the last one can hold a sample, and those above 3 s are counted at 3 s.
    counts: Vec<u64>,
    total: u64,
    lowest_nonzero: u64,
    highest: u64,
}

impl Bins {
    /// Counts `samples` into the bins of redis-benchmark at `digits` significant digits, its `--precision`, 1 to 4.
    pub fn new(samples: &MicrosecondCounts, digits: u32) -> Bins {
        let layout = Layout::new(digits);
        // HdrHistogram_c opens whole doublings, so it has bins beyond 3 s. They stay empty, but the cumulative table
        // walks over them.
        let doublings = layout.doublings(HIGHEST_TRACKABLE_US) as usize;
        let bin_count = (doublings + 2) << layout.half_magnitude;
        let mut bins = Bins { layout, counts: vec![0; bin_count], total: 0, lowest_nonzero: u64::MAX, highest: 0 };
        for (microseconds, count) in samples.iter() {
            let value = microseconds.min(HIGHEST_TRACKABLE_US);
            bins.counts[layout.index(value)] += count;
            bins.total += count;
            bins.highest = bins.highest.max(value);
            if value > 0 {
                bins.lowest_nonzero = bins.lowest_nonzero.min(value);
            }
        }
        bins
    }

    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The count of every bin, empty ones included, in the order of [`Layout::index`].
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The number of samples.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The lowest value of the lowest bin in use, in microseconds. 0 when nothing was recorded.
    pub fn min(&self) -> u64 {
        if self.counts[0] > 0 || self.total == 0 { 0 } else { self.layout.lowest(self.lowest_nonzero) }
    }

    /// The highest value of the highest bin in use, in microseconds. 0 when nothing but zeros was recorded, though the
    /// bin reaches to 7.
    pub fn max(&self) -> u64 {
        if self.highest == 0 { 0 } else { self.layout.highest(self.highest) }
    }

    /// The mean of the middles of the bins, in microseconds. 0 when nothing was recorded.
    pub fn mean(&self) -> f64 {
        let weigh = |(index, &count): (usize, &u64)| {
            u128::from(count) * u128::from(self.layout.median(self.layout.value(index)))
        };
        let sum: u128 = self.counts.iter().enumerate().map(weigh).sum();
        sum as f64 / self.total.max(1) as f64
    }

    /// The highest value of the bin in which the sample at `percentile` (0 to 100) lies, in microseconds. 0 when nothing
    /// was recorded.
    pub fn at_percentile(&self, percentile: f64) -> u64 {
        let rank = ((percentile / 100.0 * self.total as f64 + 0.5) as u64).max(1);
        let mut seen = 0;
        for (index, &count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return self.layout.highest(self.layout.value(index));
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every value is in the bin that says so, and the bins follow each other without gaps.
    #[test]
    fn bins_tile_the_microseconds() {
        for digits in 1..=4 {
            let layout = Layout::new(digits);
            let last = layout.index(HIGHEST_TRACKABLE_US);
            for index in 0..=last {
                let (lowest, next) = (layout.value(index), layout.value(index + 1));
                assert_eq!(layout.highest(lowest), next - 1, "{digits} digits, bin {index}");
                for value in [lowest, next - 1] {
                    assert_eq!((layout.index(value), layout.lowest(value)), (index, lowest), "{digits} digits");
                }
                assert_eq!(layout.median(lowest) * 2, lowest + next, "{digits} digits, bin {index}");
            }
        }
    }

    /// Widths read off reports of redis-benchmark 7.0.15.
    #[test]
    fn bins_are_8_microseconds_wide_up_to_a_precision() {
        for (digits, first_wider) in [(1, 256), (2, 2_048), (3, 16_384), (4, 262_144)] {
            let layout = Layout::new(digits);
            assert_eq!(layout.highest(first_wider - 1), first_wider - 1);
            assert_eq!(layout.lowest(first_wider - 1), first_wider - 8);
            assert_eq!(layout.highest(first_wider), first_wider + 15);
        }
        assert_eq!(Layout::new(0), Layout::new(1));
        assert_eq!(Layout::new(9), Layout::new(4));
    }

    #[test]
    fn no_samples_have_no_latency() {
        let bins = Bins::new(&MicrosecondCounts::default(), 3);
        assert_eq!((bins.total(), bins.min(), bins.max(), bins.at_percentile(99.0)), (0, 0, 0, 0));
        assert_eq!(bins.mean(), 0.0);
    }
}
