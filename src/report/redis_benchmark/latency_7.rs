//! Latency tables and summary of redis-benchmark 6.2, 7.x and 8.x, and of valkey-benchmark.
//!
//! The two tables walk the bins as the iterators of HdrHistogram_c do, with redis-benchmark's habit of printing a step
//! only when the count moved.

use super::Bins;
use std::fmt;

/// The lines below `Latency by percentile distribution:`. The last one always says 100 % and repeats the count of the
/// one before. No lines when nothing was recorded.
pub fn percentile_lines(bins: &Bins) -> Vec<String> {
    let mut lines = Vec::new();
    let mut target = 0.0;
    let mut printed = 0;
    let mut seen = 0;
    for (index, &count) in bins.counts().iter().enumerate().filter(|&(_, &count)| count > 0) {
        seen += count;
        // One bin may satisfy several targets: the walk stays on it until it does not.
        while target <= 100.0 * seen as f64 / bins.total() as f64 {
            if seen != printed {
                lines.push(line(bins, target, index, seen));
            }
            if seen == bins.total() {
                lines.push(line(bins, 100.0, index, seen));
                return lines;
            }
            printed = seen;
            target = next_target(target);
        }
    }
    lines
}

/// The next percentile to report: half of what remains to 100, each time the remainder has halved.
fn next_target(target: f64) -> f64 {
    let halvings = ((100.0 / (100.0 - target)).ln() / 2_f64.ln()) as i32;
    target + 100.0 / 2_f64.powi(halvings.saturating_add(1))
}

/// The lines below `Cumulative distribution of latencies:`. No lines when nothing was recorded.
///
/// A line stands at the bin of each level, 100 µs apart and 1 ms apart beyond 2 ms. A level whose bin holds it along with
/// others gives a line for each of them once the count is complete, which is why a wide last bin repeats its line.
pub fn cumulative_lines(bins: &Bins) -> Vec<String> {
    let (layout, counts) = (bins.layout(), bins.counts());
    let mut lines = Vec::new();
    let mut step = 100;
    let mut level = 100;
    let mut printed = None;
    let mut seen = 0;
    // Bins below `walked` are in `seen`.
    let mut walked = 0;
    while seen < bins.total() || layout.value(walked) > layout.lowest(level) {
        while walked < counts.len() && (walked == 0 || layout.value(walked - 1) < layout.lowest(level)) {
            seen += counts[walked];
            walked += 1;
        }
        let last = walked - 1;
        let reached = layout.value(last) >= layout.lowest(level);
        if printed != Some(seen) || seen == bins.total() {
            lines.push(line(bins, seen as f64 / bins.total() as f64 * 100.0, last, seen));
        }
        if !reached {
            break;
        }
        printed = Some(seen);
        level += step;
        // After the level has moved on, as in the original: its levels go 1900, 2000, 2100, 3100.
        if layout.highest(layout.value(last)) > 2000 {
            step = 1000;
        }
    }
    lines
}

fn line(bins: &Bins, percent: f64, index: usize, cumulative: u64) -> String {
    let layout = bins.layout();
    let milliseconds = layout.highest(layout.value(index)) as f64 / 1000.0;
    format!("{percent:.3}% <= {milliseconds:.3} milliseconds (cumulative count {cumulative})")
}

/// The numbers below `latency summary (msec):` and in the CSV columns, in milliseconds. All zero when nothing was
/// recorded. Displayed as the row of the report: six columns of nine, each after a space and the first after four.
///
/// In single precision, as redis-benchmark keeps them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatencySummary {
    pub latency_ms_avg: f32,
    pub latency_ms_min: f32,
    pub latency_ms_p50: f32,
    pub latency_ms_p95: f32,
    pub latency_ms_p99: f32,
    pub latency_ms_max: f32,
}

impl LatencySummary {
    pub fn new(bins: &Bins) -> LatencySummary {
        let milliseconds = |microseconds: f64| (microseconds / 1000.0) as f32;
        let at = |percentile| milliseconds(bins.at_percentile(percentile) as f64);
        LatencySummary {
            latency_ms_avg: milliseconds(bins.mean()),
            latency_ms_min: milliseconds(bins.min() as f64),
            latency_ms_p50: at(50.0),
            latency_ms_p95: at(95.0),
            latency_ms_p99: at(99.0),
            latency_ms_max: milliseconds(bins.max() as f64),
        }
    }

    /// The six numbers in the order of the report and of the CSV: avg, min, p50, p95, p99, max.
    pub fn columns(&self) -> [f32; 6] {
        [
            self.latency_ms_avg,
            self.latency_ms_min,
            self.latency_ms_p50,
            self.latency_ms_p95,
            self.latency_ms_p99,
            self.latency_ms_max,
        ]
    }
}

impl fmt::Display for LatencySummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [avg, min, p50, p95, p99, max] = self.columns();
        write!(f, "    {avg:9.3} {min:9.3} {p50:9.3} {p95:9.3} {p99:9.3} {max:9.3}")
    }
}
