//! What a schedule adds to a report: latency from when requests were due, and how late they were sent.

use crate::recording::Latencies;
use crate::result::TestResult;
use std::io::{self, Write};

/// Both summaries, and what was left over; nothing for a closed loop, whose reports are those of redis-benchmark.
pub fn write(result: &TestResult, out: &mut dyn Write) -> io::Result<()> {
    if let Some(response) = &result.response_time {
        summary("response time summary (msec), from when a request was due", response, out)?;
    }
    if let Some(slip) = &result.slip {
        summary("slip summary (msec), from when a request was due to when it was sent", slip, out)?;
    }
    write_unsent(result, out)
}

/// What no latency and no rate shows.
pub fn write_unsent(result: &TestResult, out: &mut dyn Write) -> io::Result<()> {
    match result.unsent {
        0 => Ok(()),
        unsent => writeln!(out, "  {unsent} requests were due and not sent by the end"),
    }
}

fn summary(title: &str, latencies: &Latencies, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  {title}:")?;
    let (mut names, mut values) = (String::new(), String::new());
    let at = |percentile| latencies.at(percentile).map(|nanos| nanos.0 as f64);
    for (name, nanos) in [
        ("avg", latencies.mean()),
        ("min", latencies.min().map(|nanos| nanos.0 as f64)),
        ("p50", at(50.0)),
        ("p95", at(95.0)),
        ("p99", at(99.0)),
        ("max", latencies.max().map(|nanos| nanos.0 as f64)),
    ] {
        names += &format!(" {name:>9}");
        values += &format!(" {:>9.3}", nanos.unwrap_or_default() / 1e6);
    }
    writeln!(out, "   {names}\n   {values}")
}
