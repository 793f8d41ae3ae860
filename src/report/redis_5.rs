//! The report of redis-benchmark up to 5.0: `85.37% <= 1 milliseconds`.

use super::redis_benchmark::{MicrosecondCounts, latency_5};
use super::{Report, header, open_loop, reads, spread};
use crate::result::{Document, TestResult};
use std::io::{self, Write};

pub struct Redis5;

impl Report for Redis5 {
    fn test(&mut self, document: &Document, result: &TestResult, out: &mut dyn Write) -> io::Result<()> {
        if !header::is_told(result) {
            return Ok(());
        }
        header::write(document, result, out)?;
        writeln!(out)?;
        for line in latency_5::lines(&MicrosecondCounts::from(result.service_time.histogram())) {
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
