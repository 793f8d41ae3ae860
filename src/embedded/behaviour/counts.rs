//! What was done on purpose, and how exactly.

use crate::units::Nanos;

#[derive(Debug, Clone, Default)]
pub struct Counts {
    pub requests: u64,
    pub failed: u64,
    pub dropped: u64,
    pub late: Lateness,
}

/// By how much replies that were held back left after they were due, in microseconds.
#[derive(Debug, Clone, Default)]
pub struct Lateness {
    /// How many were late by less than 1 µs, 2 µs and so on; the last counts all that were later.
    counts: Vec<u64>,
    pub replies: u64,
    pub max: Nanos,
}

// Who is later than a millisecond was not late by rbench's doing.
const MICROS_MAX: usize = 1000;

impl Lateness {
    pub fn record(&mut self, late: Nanos) {
        let micros = usize::try_from(late.0 / 1000).unwrap_or(usize::MAX).min(MICROS_MAX);
        if self.counts.is_empty() {
            self.counts.resize(MICROS_MAX + 1, 0);
        }
        self.counts[micros] += 1;
        self.replies += 1;
        self.max = self.max.max(late);
    }

    /// Microseconds within which this share of the replies left, rounded up; at most 1001. Zero when there were none.
    pub fn micros_at(&self, share: f64) -> usize {
        let wanted = (share * self.replies as f64).ceil() as u64;
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        found.map_or(0, |micros| micros + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_told_in_whole_microseconds() {
        let mut late = Lateness::default();
        assert_eq!(late.micros_at(0.5), 0);
        for nanos in [0, 999, 1000, 5_999_999] {
            late.record(Nanos(nanos));
        }
        assert_eq!([0.25, 0.5, 0.75, 1.0].map(|share| late.micros_at(share)), [1, 1, 2, 1001]);
        assert_eq!((late.replies, late.max), (4, Nanos(5_999_999)));
    }
}
