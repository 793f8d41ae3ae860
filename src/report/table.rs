//! A row for each test, for people: what redis-benchmark prints over a page, and what it does not know.

use super::{Report, header, open_loop, proxies, spread, verdict};
use crate::recording::{Latencies, Reads};
use crate::result::{Document, TestResult};
use std::io::{self, Write};

pub struct Table;

/// The narrowest column of titles.
const TITLE_WIDTH: usize = 20;

impl Report for Table {
    fn begin(&mut self, document: &Document, out: &mut dyn Write) -> io::Result<()> {
        let is_open = document.config.arrivals.is_some();
        let latency = if is_open { "response (msec), from when a request was due" } else { "latency (msec)" };
        writeln!(out, "{:width$}  {:>11}  {latency}", "", "", width = width(document))?;
        write!(out, "{:width$}  {:>11}", "test", "requests/s", width = width(document))?;
        for name in ["p50", "p90", "p99", "p99.9", "max"] {
            write!(out, "  {name:>9}")?;
        }
        writeln!(out, "  {:>8}  {:>7}", "errors", "hits")
    }

    fn test(&mut self, document: &Document, result: &TestResult, out: &mut dyn Write) -> io::Result<()> {
        if !header::is_told(result) {
            return Ok(());
        }
        let rate = result.summary.requests_per_second.0;
        write!(out, "{:width$}  {rate:>11.0}", document.label(result), width = width(document))?;
        let latencies = result.felt();
        for percentile in [50.0, 90.0, 99.0, 99.9] {
            write!(out, "  {:>9}", in_msec(latencies, percentile))?;
        }
        let hits = result.reads.and_then(Reads::hit_rate);
        let hits = hits.map_or_else(|| "-".to_owned(), |rate| format!("{:.2}%", rate * 100.0));
        writeln!(out, "  {:>9}  {:>8}  {hits:>7}", in_msec(latencies, 100.0), result.errors.total())?;
        open_loop::write_unsent(result, out)?;
        proxies::write(&result.proxies, out)?;
        verdict::write(result, out)
    }

    fn end(&mut self, document: &Document, out: &mut dyn Write) -> io::Result<()> {
        if !document.repeats.is_empty() {
            writeln!(out)?;
        }
        spread::write(document, out)
    }
}

/// Samples beyond a percentile without which it says nothing.
const SAMPLES_BEYOND_MIN: f64 = 10.0;

/// A percentile in milliseconds, or a dash when too few requests are beyond it.
fn in_msec(latencies: &Latencies, percentile: f64) -> String {
    let beyond = latencies.count() as f64 * (1.0 - percentile / 100.0);
    match latencies.at(percentile) {
        Some(nanos) if percentile == 100.0 || beyond >= SAMPLES_BEYOND_MIN => format!("{:.3}", nanos.0 as f64 / 1e6),
        _ => "-".to_owned(),
    }
}

/// Wide enough for the titles of all tests.
fn width(document: &Document) -> usize {
    let titles = document.config.tests.iter().flat_map(|test| {
        let commands = test.commands.iter().map(|command| command.title.chars().count());
        commands.chain([test.title.chars().count()])
    });
    titles.max().unwrap_or(0).max(TITLE_WIDTH)
}
