//! What redis-benchmark would have printed, digit for digit, of latencies that rbench measured more finely.
//!
//! The lines of each generation (5.0, 6.0, and 6.2 up to 8.x and Valkey) are pure functions of one nanosecond
//! histogram, read through [`MicrosecondCounts`]. Headers, throughput and progress are not made here.

pub mod bins;
pub mod latency_5;
pub mod latency_6;
pub mod latency_7;
pub mod microseconds;

pub use bins::Bins;
pub use latency_7::LatencySummary;
pub use microseconds::MicrosecondCounts;
