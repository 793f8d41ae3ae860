//! The latency lines of redis-benchmark, out of a nanosecond histogram as rbench records it.
//!
//! `data/report-vectors.json` maps a name to samples in microseconds (`us`) and to the lines that each version prints of
//! them; the model that made it was checked against reports of redis-benchmark 7.0.15.

use hdrhistogram::Histogram;
use proptest::prelude::*;
use rbench::report::redis_benchmark::{Bins, LatencySummary, MicrosecondCounts, latency_5, latency_6, latency_7};
use serde::Deserialize;
use std::collections::BTreeMap;

fn counts_of(microseconds: &[u64]) -> MicrosecondCounts {
    let mut histogram = Histogram::<u64>::new(4).unwrap();
    for us in microseconds {
        histogram.record(us * 1000).unwrap();
    }
    MicrosecondCounts::from(&histogram)
}

#[derive(Deserialize)]
struct Vector {
    us: Vec<u64>,
    v5_0: Vec<String>,
    #[serde(flatten)]
    by_precision: BTreeMap<String, Expected>,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Expected {
    V6_0 { lines: Vec<String>, sticky_precision: usize },
    V6_2 { percentiles: Vec<String>, cumulative: Vec<String>, summary: String },
}

fn vectors() -> BTreeMap<String, Vector> {
    let vectors: BTreeMap<String, Vector> = serde_json::from_str(include_str!("data/report-vectors.json")).unwrap();
    assert_eq!(vectors.len(), 9);
    vectors
}

#[test]
fn every_vector_gives_the_lines_of_5_0() {
    for (name, vector) in vectors() {
        assert_eq!(latency_5::lines(&counts_of(&vector.us)), vector.v5_0, "{name}");
    }
}

#[test]
fn every_vector_gives_the_lines_of_6_0_and_its_next_precision() {
    for (name, vector) in vectors() {
        let counts = counts_of(&vector.us);
        for precision in 0..=3 {
            let key = format!("v6_0_precision{precision}");
            let Expected::V6_0 { lines, sticky_precision } = &vector.by_precision[&key] else { panic!("{name} {key}") };
            let (found_lines, found_precision) = latency_6::lines(&counts, precision);
            assert_eq!(&found_lines, lines, "{name} {key}");
            assert_eq!(found_precision, *sticky_precision, "{name} {key}");
        }
    }
}

#[test]
fn every_vector_gives_the_tables_and_summary_of_6_2() {
    for (name, vector) in vectors() {
        let counts = counts_of(&vector.us);
        for digits in 1..=4 {
            let key = format!("v6_2_precision{digits}");
            let Expected::V6_2 { percentiles, cumulative, summary } = &vector.by_precision[&key] else {
                panic!("{name} {key}")
            };
            let bins = Bins::new(&counts, digits);
            assert_eq!(&latency_7::percentile_lines(&bins), percentiles, "{name} {key}");
            assert_eq!(&latency_7::cumulative_lines(&bins), cumulative, "{name} {key}");
            assert_eq!(&LatencySummary::new(&bins).to_string(), summary, "{name} {key}");
        }
    }
}

/// A report of 7.0.15, `blpop nokey 3.3 -n 2 -c 2`: both samples are clamped at 3 s.
#[test]
fn a_time_out_beyond_3_s_reads_as_it_was_captured() {
    let bins = Bins::new(&counts_of(&[3_300_412, 3_309_870]), 3);
    let closing = "100.000% <= 3000.319 milliseconds (cumulative count 2)";
    let percentiles = ["0.000% <= 3000.319 milliseconds (cumulative count 2)", closing];
    let cumulative = ["0.000% <= 0.103 milliseconds (cumulative count 0)", closing, closing];
    let summary = "     2999.296  2998.272  3000.319  3000.319  3000.319  3000.319";
    assert_eq!(latency_7::percentile_lines(&bins), percentiles);
    assert_eq!(latency_7::cumulative_lines(&bins), cumulative);
    assert_eq!(LatencySummary::new(&bins).to_string(), summary);
}

/// A report of 7.0.15, `-t set -n 7 -c 3`, with samples that its tables and its mean leave room for.
#[test]
fn seven_requests_read_as_they_were_captured() {
    let bins = Bins::new(&counts_of(&[25, 38, 41, 52, 65, 66, 70]), 3);
    let percentiles = [
        "0.000% <= 0.031 milliseconds (cumulative count 1)",
        "50.000% <= 0.055 milliseconds (cumulative count 4)",
        "75.000% <= 0.071 milliseconds (cumulative count 7)",
        "100.000% <= 0.071 milliseconds (cumulative count 7)",
    ];
    assert_eq!(latency_7::percentile_lines(&bins), percentiles);
    assert_eq!(latency_7::cumulative_lines(&bins), ["100.000% <= 0.103 milliseconds (cumulative count 7)"]);
    let summary = "        0.052     0.024     0.055     0.071     0.071     0.071";
    assert_eq!(LatencySummary::new(&bins).to_string(), summary);
}

#[test]
fn no_samples_give_no_lines_and_a_summary_of_zeros() {
    let counts = counts_of(&[]);
    assert!(latency_5::lines(&counts).is_empty());
    for precision in 0..=4 {
        assert_eq!(latency_6::lines(&counts, precision), (vec![], precision.min(3)));
        let bins = Bins::new(&counts, precision as u32);
        assert!(latency_7::percentile_lines(&bins).is_empty());
        assert!(latency_7::cumulative_lines(&bins).is_empty());
        let summary = "        0.000     0.000     0.000     0.000     0.000     0.000";
        assert_eq!(LatencySummary::new(&bins).to_string(), summary);
    }
}

/// C rounds ties to even: 1 of 32 is 3.125 %, and redis-benchmark says 3.12.
#[test]
fn ties_are_rounded_to_even() {
    let mut samples = vec![2_100; 32];
    samples[0] = 1_100;
    assert_eq!(latency_5::lines(&counts_of(&samples))[0], "3.12% <= 1 milliseconds");
}

/// The work goes with the distinct latencies: ten thousand million samples are as many lines as two.
#[test]
fn counts_are_not_expanded_into_samples() {
    let mut histogram = Histogram::<u64>::new(4).unwrap();
    histogram.record_n(300_000, 9_999_999_999).unwrap();
    histogram.record_n(5_000_000, 1).unwrap();
    let counts = MicrosecondCounts::from(&histogram);
    assert_eq!(latency_5::lines(&counts), ["100.00% <= 5 milliseconds"]);
    let lines = latency_7::percentile_lines(&Bins::new(&counts, 3));
    assert_eq!(lines.last().unwrap(), "100.000% <= 5.007 milliseconds (cumulative count 10000000000)");
}

/// 5.0's loop over sorted samples in microseconds.
fn slow_lines_of_5_0(mut samples: Vec<u64>) -> Vec<String> {
    samples.sort_unstable();
    let (mut lines, mut current) = (Vec::new(), 0);
    for (i, sample) in samples.iter().enumerate() {
        if sample / 1000 != current || i == samples.len() - 1 {
            current = sample / 1000;
            let percent = (i + 1) as f32 * 100.0 / samples.len() as f32;
            lines.push(format!("{percent:.2}% <= {current} milliseconds"));
        }
    }
    lines
}

/// 6.0's loop over sorted samples in microseconds.
fn slow_lines_of_6_0(mut samples: Vec<u64>, mut precision: usize) -> (Vec<String>, usize) {
    samples.sort_unstable();
    let (mut lines, mut current, mut step) = (Vec::new(), 0, [1000, 100, 10, 1][precision]);
    for (i, sample) in samples.iter().enumerate() {
        if sample / step != current || i == samples.len() - 1 {
            if *sample >= 2000 {
                (precision, step) = (0, 1000);
            }
            current = sample / step;
            let percent = (i + 1) as f32 * 100.0 / samples.len() as f32;
            let milliseconds = current as f64 / 10_f64.powi(precision as i32);
            lines.push(format!("{percent:.2}% <= {milliseconds:.precision$} milliseconds"));
        }
    }
    (lines, precision)
}

/// (percent, microseconds, count) of a line of 6.2's tables.
fn read_line(line: &str) -> (f64, u64, u64) {
    let (percent, rest) = line.split_once("% <= ").unwrap();
    let (milliseconds, rest) = rest.split_once(" milliseconds (cumulative count ").unwrap();
    let microseconds = milliseconds.replace('.', "").parse().unwrap();
    (percent.parse().unwrap(), microseconds, rest.strip_suffix(')').unwrap().parse().unwrap())
}

/// Samples as they come: most below 2 ms, where lines break most often, some up to 16 ms; often the same.
fn samples() -> impl Strategy<Value = Vec<u64>> {
    let sample = prop_oneof![0..300_u64, 0..2_100_u64, 1_990..2_010_u64, 0..16_000_u64];
    (prop::collection::vec(sample, 1..200), 1..4_usize).prop_map(|(samples, times)| samples.repeat(times))
}

proptest! {
    #[test]
    fn lines_of_5_0_are_those_of_its_loop_over_samples(samples in samples()) {
        prop_assert_eq!(latency_5::lines(&counts_of(&samples)), slow_lines_of_5_0(samples));
    }

    #[test]
    fn lines_of_6_0_are_those_of_its_loop_over_samples(samples in samples(), precision in 0..=3_usize) {
        prop_assert_eq!(latency_6::lines(&counts_of(&samples), precision), slow_lines_of_6_0(samples, precision));
    }

    /// Each line counts the samples it says it counts, and the table rises to 100 %.
    #[test]
    fn percentile_lines_of_6_2_rise_to_all_samples(samples in samples(), digits in 1..=4_u32) {
        let lines = latency_7::percentile_lines(&Bins::new(&counts_of(&samples), digits));
        let read: Vec<_> = lines.iter().map(|line| read_line(line)).collect();
        for pair in read.windows(2) {
            prop_assert!(pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1 && pair[0].2 <= pair[1].2, "{:?}", pair);
        }
        for &(percent, microseconds, count) in &read {
            prop_assert_eq!(count, samples.iter().filter(|&&us| us <= microseconds).count() as u64);
            prop_assert!(count as f64 / samples.len() as f64 * 100.0 >= percent - 0.0005);
        }
        let (percent, _, count) = read[read.len() - 1];
        prop_assert_eq!((percent, count), (100.0, samples.len() as u64));
        prop_assert!(lines[lines.len() - 1].starts_with("100.000% "));
    }

    #[test]
    fn cumulative_lines_of_6_2_rise_to_all_samples(samples in samples(), digits in 1..=4_u32) {
        let lines = latency_7::cumulative_lines(&Bins::new(&counts_of(&samples), digits));
        let read: Vec<_> = lines.iter().map(|line| read_line(line)).collect();
        prop_assert!(read.is_sorted_by(|a, b| a.0 <= b.0 && a.1 <= b.1 && a.2 <= b.2), "{:?}", read);
        for &(_, microseconds, count) in &read {
            prop_assert_eq!(count, samples.iter().filter(|&&us| us <= microseconds).count() as u64);
        }
        prop_assert_eq!(read[read.len() - 1].2, samples.len() as u64);
    }
}
