//! One line for each test, as redis-benchmark prints with `-q`.

use super::redis_benchmark::LatencySummary;
use super::{Report, header, redis_7, spread};
use crate::result::{Document, TestResult};
use std::io::{self, Write};

pub struct Quiet {
    /// Whether the line ends in the median: since 6.2 it does.
    pub with_median: bool,
}

impl Report for Quiet {
    fn test(&mut self, document: &Document, result: &TestResult, out: &mut dyn Write) -> io::Result<()> {
        if !header::is_told(result) {
            return Ok(());
        }
        write!(out, "{}: {:.2} requests per second", document.label(result), result.summary.requests_per_second.0)?;
        if self.with_median {
            let summary = LatencySummary::new(&redis_7::bins(document, result));
            write!(out, ", p50={:.3} msec", summary.latency_ms_p50)?;
        }
        // From when requests were due, which is what users feel.
        if let Some(at) = result.response_time.as_ref().and_then(|response| response.at(99.0)) {
            write!(out, ", response p99={:.3} msec", at.0 as f64 / 1e6)?;
        }
        // Neither has those that were never sent.
        if result.unsent > 0 {
            write!(out, ", {} not sent", result.unsent)?;
        }
        writeln!(out)
    }

    fn round(&mut self, document: &Document, out: &mut dyn Write) -> io::Result<()> {
        header::write_end_of_suite(document, out)
    }

    fn end(&mut self, document: &Document, out: &mut dyn Write) -> io::Result<()> {
        spread::write_lines(document, out)
    }
}
