//! Comma-separated values, as redis-benchmark prints with `--csv`: every field quoted, nothing else on the output.

use super::redis_benchmark::LatencySummary;
use super::{Report, header, redis_7};
use crate::result::{Document, TestResult};
use std::io::{self, Write};

pub struct Csv {
    /// Whether there are latencies, and a header that names them: since 6.2 there are.
    pub with_latency: bool,
}

const COLUMNS: [&str; 8] = [
    "test",
    "rps",
    "avg_latency_ms",
    "min_latency_ms",
    "p50_latency_ms",
    "p95_latency_ms",
    "p99_latency_ms",
    "max_latency_ms",
];

impl Report for Csv {
    fn begin(&mut self, _: &Document, out: &mut dyn Write) -> io::Result<()> {
        if self.with_latency { writeln!(out, "\"{}\"", COLUMNS.join("\",\"")) } else { Ok(()) }
    }

    fn test(&mut self, document: &Document, result: &TestResult, out: &mut dyn Write) -> io::Result<()> {
        if !header::is_told(result) {
            return Ok(());
        }
        // A quote in a title is doubled, which the original forgets.
        let title = document.label(result).replace('"', "\"\"");
        write!(out, "\"{title}\",\"{:.2}\"", result.summary.requests_per_second.0)?;
        if self.with_latency {
            for latency_ms in LatencySummary::new(&redis_7::bins(document, result)).columns() {
                write!(out, ",\"{latency_ms:.3}\"")?;
            }
        }
        writeln!(out)
    }
}
