//! Latency lines of redis-benchmark 5.0 and before.

use super::{MicrosecondCounts, latency_6};

/// The latency lines in whole milliseconds, such as `99.88% <= 1 milliseconds`. No lines when nothing was recorded.
///
/// 6.0 grew its decimals around the loop of 5.0, so without decimals it prints what 5.0 prints; the reference vectors
/// hold both to it.
pub fn lines(counts: &MicrosecondCounts) -> Vec<String> {
    latency_6::lines(counts, 0).0
}
