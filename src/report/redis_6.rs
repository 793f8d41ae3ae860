//! The report of redis-benchmark 6.0.

use super::redis_benchmark::{MicrosecondCounts, latency_6};
use super::{Report, header, open_loop, reads, spread};
use crate::result::{Document, TestResult};
use std::io::{self, Write};

/// Remembers the precision: from the first latency of 2 ms on, the original goes on in whole milliseconds.
#[derive(Default)]
pub struct Redis6 {
    precision: Option<usize>,
}

/// Decimals when `--precision` does not say, and the most that there are.
const DECIMALS: usize = 1;
const DECIMALS_MAX: usize = 3;

impl Report for Redis6 {
    fn test(&mut self, document: &Document, result: &TestResult, out: &mut dyn Write) -> io::Result<()> {
        if !header::is_told(result) {
            return Ok(());
        }
        let asked = || document.config.precision.map_or(DECIMALS, |decimals| usize::from(decimals).min(DECIMALS_MAX));
        let precision = self.precision.unwrap_or_else(asked);
        let counts = MicrosecondCounts::from(result.service_time.histogram());
        let (lines, precision) = latency_6::lines(&counts, precision);
        self.precision = Some(precision);
        header::write(document, result, out)?;
        header::write_configuration(document, out)?;
        writeln!(out)?;
        for line in lines {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "{:.2} requests per second\n", result.summary.requests_per_second.0)?;
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
