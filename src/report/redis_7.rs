//! The report of redis-benchmark 6.2 to 8.x.

use super::redis_benchmark::{Bins, LatencySummary, MicrosecondCounts, latency_7};
use super::{Report, header, open_loop, reads, spread};
use crate::result::{Document, TestResult};
use std::io::{self, Write};

pub struct Redis7;

/// Significant digits of the bins when `--precision` does not say, and the most that there are.
const DIGITS: u32 = 3;
const DIGITS_MAX: u32 = 4;

/// The latencies of a result in the bins of redis-benchmark. The original crashes at `--precision 0`; here that is the
/// default.
pub fn bins(document: &Document, result: &TestResult) -> Bins {
    let digits = match document.config.precision {
        None | Some(0) => DIGITS,
        Some(digits) => u32::from(digits).min(DIGITS_MAX),
    };
    Bins::new(&MicrosecondCounts::from(result.service_time.histogram()), digits)
}

impl Report for Redis7 {
    fn test(&mut self, document: &Document, result: &TestResult, out: &mut dyn Write) -> io::Result<()> {
        if !header::is_told(result) {
            return Ok(());
        }
        let bins = bins(document, result);
        header::write(document, result, out)?;
        header::write_configuration(document, out)?;
        writeln!(out, "\nLatency by percentile distribution:")?;
        for line in latency_7::percentile_lines(&bins) {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "\nCumulative distribution of latencies:")?;
        for line in latency_7::cumulative_lines(&bins) {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "\nSummary:")?;
        writeln!(out, "  throughput summary: {:.2} requests per second", result.summary.requests_per_second.0)?;
        writeln!(out, "  latency summary (msec):")?;
        writeln!(out, "    {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}", "avg", "min", "p50", "p95", "p99", "max")?;
        writeln!(out, "{}", LatencySummary::new(&bins))?;
        open_loop::write(result, out)?;
        reads::write(document, result, out)
    }

    fn round(&mut self, document: &Document, out: &mut dyn Write) -> io::Result<()> {
        header::write_end_of_suite(document, out)
    }

    fn end(&mut self, document: &Document, out: &mut dyn Write) -> io::Result<()> {
        spread::write(document, out)
    }
}
