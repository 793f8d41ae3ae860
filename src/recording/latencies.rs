//! A histogram of latencies in nanoseconds.

use crate::units::Nanos;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Significant digits of all latencies but those below.
pub const DIGITS: u8 = 3;

/// Significant digits of service times in a closed loop. The reports of redis-benchmark are made from them, whose steps of
/// 8 µs cannot be told apart at 2 ms with three. A tenth of the memory would do for three, and a tenth of the time in which
/// it is cleared, added and kept in the cache: where no such report is like the original's, they do.
pub const FINE_DIGITS: u8 = 4;

/// What fine latencies have memory for from the start. Others need so little that it comes as they grow.
const ROOM: Nanos = Nanos::from_millis(4);

/// Latencies in nanoseconds, exact to [`DIGITS`] significant digits or [`FINE_DIGITS`], without a largest: the histogram
/// grows.
#[derive(Debug, Clone, PartialEq)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies::of_digits(DIGITS)
    }
}

impl Latencies {
    pub fn fine() -> Latencies {
        Latencies::of_digits(FINE_DIGITS)
    }

    fn of_digits(digits: u8) -> Latencies {
        Latencies(Histogram::new(digits).expect("a precision of one to five digits is valid"))
    }

    /// Takes the memory for latencies up to a few milliseconds: to grow by it takes as long as some of them.
    pub fn make_room(&mut self) {
        self.0.record(ROOM.0).expect("the histogram grows with its values");
        self.0.reset();
    }

    /// Records `count` latencies of `nanos`.
    #[inline]
    pub fn record(&mut self, nanos: Nanos, count: u64) {
        self.0.record_n(nanos.0, count).expect("the histogram grows with its values");
    }

    /// Adds those of `other`. What was empty is as exact as they are.
    pub fn add(&mut self, other: &Latencies) {
        if self.count() == 0 && self.0.sigfig() != other.0.sigfig() {
            // Without the room that was made for others: a document is to be the same when it was read and is written.
            *self = Latencies::of_digits(other.0.sigfig());
        }
        if other.count() > 0 {
            self.0.add(&other.0).expect("the histogram grows with its values");
        }
    }

    /// Forgets all that was recorded, and keeps the memory for it.
    pub fn clear(&mut self) {
        if self.count() > 0 {
            self.0.reset();
        }
    }

    /// How many latencies can be told apart in the memory that there is: it grows with the longest.
    #[cfg(test)]
    pub fn room(&self) -> usize {
        self.0.distinct_values()
    }

    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency that `percentile` (0 to 100) of the replies do not exceed. None when nothing was recorded.
    pub fn at(&self, percentile: f64) -> Option<Nanos> {
        (self.count() > 0).then(|| Nanos(self.0.value_at_percentile(percentile)))
    }

    pub fn min(&self) -> Option<Nanos> {
        (self.count() > 0).then(|| Nanos(self.0.min()))
    }

    pub fn max(&self) -> Option<Nanos> {
        (self.count() > 0).then(|| Nanos(self.0.max()))
    }

    /// In nanoseconds.
    pub fn mean(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.0.mean())
    }

    pub fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }
}

/// The percentiles that a document repeats for readers without a histogram library.
const PERCENTILES: [(&str, f64); 8] = [
    ("50", 50.0),
    ("75", 75.0),
    ("90", 90.0),
    ("95", 95.0),
    ("99", 99.0),
    ("99.9", 99.9),
    ("99.99", 99.99),
    ("100", 100.0),
];

/// A histogram as a document keeps it. Whatever is missing was not recorded; there is no zero in its place.
#[derive(Serialize, Deserialize)]
struct Kept {
    unit: String,
    count: u64,
    min: Option<u64>,
    max: Option<u64>,
    mean: Option<f64>,
    stdev: Option<f64>,
    percentiles: BTreeMap<String, u64>,
    /// HdrHistogram's V2 encoding, deflated, in base64. It is the truth; the numbers beside it are read from it.
    hdr_v2_deflate_base64: String,
}

impl Serialize for Latencies {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&self.0, &mut bytes).map_err(serde::ser::Error::custom)?;
        Kept {
            unit: "ns".to_owned(),
            count: self.count(),
            min: self.min().map(|nanos| nanos.0),
            max: self.max().map(|nanos| nanos.0),
            mean: self.mean(),
            stdev: (self.count() > 0).then(|| self.0.stdev()),
            percentiles: PERCENTILES
                .iter()
                .filter_map(|&(name, percentile)| Some((name.to_owned(), self.at(percentile)?.0)))
                .collect(),
            hdr_v2_deflate_base64: BASE64.encode(bytes),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Latencies {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Latencies, D::Error> {
        use serde::de::Error;
        let kept = Kept::deserialize(deserializer)?;
        let bytes = BASE64.decode(&kept.hdr_v2_deflate_base64).map_err(D::Error::custom)?;
        let histogram: Histogram<u64> =
            Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(D::Error::custom)?;
        if histogram.len() != kept.count {
            return Err(D::Error::custom(format!(
                "a histogram holds {} values but its document says {}",
                histogram.len(),
                kept.count
            )));
        }
        // Decoded afresh into one that grows, like the one it came from.
        let mut latencies = Latencies::of_digits(histogram.sigfig());
        latencies.0.add(&histogram).map_err(D::Error::custom)?;
        Ok(latencies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(nanos: &[u64]) -> Latencies {
        let mut latencies = Latencies::default();
        for &value in nanos {
            latencies.record(Nanos(value), 1);
        }
        latencies
    }

    #[test]
    fn nothing_recorded_has_no_percentile() {
        let none = Latencies::default();
        assert_eq!((none.at(50.0), none.min(), none.max(), none.mean()), (None, None, None, None));
        let json = serde_json::to_value(&none).unwrap();
        assert!(json["min"].is_null() && json["mean"].is_null());
    }

    /// redis-benchmark calls every latency beyond three seconds three seconds.
    #[test]
    fn a_long_latency_is_kept_as_it_was() {
        let max = of(&[1, 5_000_000_000, 3_600_000_000_000]).max().unwrap().0 as f64;
        assert!((max / 3_600_000_000_000.0 - 1.0).abs() < 1e-3, "{max}");
    }

    #[test]
    fn fine_latencies_stay_fine_in_sums_and_documents() {
        let mut fine = Latencies::fine();
        fine.make_room();
        assert_eq!(fine.count(), 0);
        let room = fine.room();
        fine.record(Nanos(2_000_000), 1);
        fine.record(Nanos(2_000_300), 1);
        assert_eq!((fine.histogram().iter_recorded().count(), fine.room()), (2, room), "with the room that was made");
        assert_eq!(of(&[2_000_000, 2_000_300]).histogram().iter_recorded().count(), 1, "others are not as fine");
        let mut sum = Latencies::default();
        sum.add(&fine);
        sum.add(&of(&[70]));
        let kept: Latencies = serde_json::from_str(&serde_json::to_string(&sum).unwrap()).unwrap();
        assert_eq!(kept.histogram().iter_recorded().count(), 3);
    }

    #[test]
    fn merging_halves_gives_the_whole() {
        let values: Vec<u64> = (0..1000).map(|n| n * n * 37).collect();
        let mut merged = of(&values[..300]);
        merged.add(&of(&values[300..]));
        assert_eq!(merged, of(&values));
    }

    #[test]
    fn a_kept_histogram_comes_back_whole() {
        let latencies = of(&[3, 1_999_000, 77, 123_456_789]);
        let json = serde_json::to_string(&latencies).unwrap();
        assert!(json.contains("HISTF"), "{json}");
        assert_eq!(serde_json::from_str::<Latencies>(&json).unwrap(), latencies);
        let lying = json.replace("\"count\":4", "\"count\":5");
        assert!(serde_json::from_str::<Latencies>(&lying).is_err());
    }
}
