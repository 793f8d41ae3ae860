//! Latency lines of redis-benchmark 6.0.

use super::MicrosecondCounts;

/// Decimals beyond these say less than a microsecond.
const PRECISION_MAX: usize = 3;

/// From this many microseconds on, 6.0 prints no decimals.
const WHOLE_MILLISECONDS_FROM_US: u64 = 2000;

/// The latency lines, such as `51.00% <= 0.9 milliseconds`, and the precision that the next test of the same process
/// starts with. `precision` is the number of decimals, 0 to 3 (`--precision`, 1 unless told otherwise); more than 3
/// count as 3. No lines when nothing was recorded.
///
/// The shape is 6.0's, flaws included. A line opens a step of latency and counts its first sample only, so it
/// understates by up to a step; the last line may repeat a label. The first sample of 2 ms or more sets the precision to
/// 0, not for the rest of the report but for the rest of the process, which is why it is given back.
pub fn lines(counts: &MicrosecondCounts, precision: usize) -> (Vec<String>, usize) {
    let mut precision = precision.min(PRECISION_MAX);
    let mut step = step_us(precision);
    let mut lines = Vec::new();
    let mut current = 0;
    let mut seen = 0;
    for (microseconds, count) in counts.iter() {
        // Of samples alike only the first can open a step, and only the last can be the last of all.
        let first = (microseconds / step != current).then_some(seen + 1);
        seen += count;
        let last = (seen == counts.total() && first != Some(seen)).then_some(seen);
        for rank in first.into_iter().chain(last) {
            if microseconds >= WHOLE_MILLISECONDS_FROM_US {
                precision = 0;
                step = step_us(precision);
            }
            current = microseconds / step;
            let percent = percent(rank, counts.total());
            let milliseconds = current as f64 / 10_f64.powi(precision as i32);
            lines.push(format!("{percent:.2}% <= {milliseconds:.precision$} milliseconds"));
        }
    }
    (lines, precision)
}

/// Microseconds per unit of the last decimal of a millisecond.
fn step_us(precision: usize) -> u64 {
    10_u64.pow((PRECISION_MAX - precision) as u32)
}

/// `rank` of `total` in percent. In single precision, as redis-benchmark reckons: the second decimal can hang on it.
fn percent(rank: u64, total: u64) -> f32 {
    rank as f32 * 100.0 / total as f32
}
