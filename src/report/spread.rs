//! What became of a test that was run several times: how much of a difference is chance.

use crate::result::{Document, Repeats};
use crate::stats::Spread;
use std::io::{self, Write};

const NANOS_PER_MSEC: f64 = 1e6;

/// A block for each test. Nothing when tests were run once.
pub fn write(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    document.repeats.iter().try_for_each(|repeats| write_block(document, repeats, out))
}

/// A line for each test.
pub fn write_lines(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    for repeats in &document.repeats {
        let Spread { min, median, max, .. } = repeats.requests_per_second;
        write!(out, "{}: {} repeats: ", document.label_of(&repeats.title, repeats.target), repeats.count)?;
        write!(
            out,
            "{median:.2} requests per second ({min:.2} to {max:.2}{})",
            variation(&repeats.requests_per_second)
        )?;
        let [p50, p99] = latencies(repeats);
        writeln!(out, ", p50={} msec, p99={} msec", range(&p50), range(&p99))?;
    }
    Ok(())
}

fn write_block(document: &Document, repeats: &Repeats, out: &mut dyn Write) -> io::Result<()> {
    let label = document.label_of(&repeats.title, repeats.target);
    writeln!(out, "====== {label}: {} repeats ======", repeats.count)?;
    writeln!(out, "  {:<20} {:>12} {:>12} {:>12} {:>12}", "", "median", "min", "max", "stdev")?;
    let [p50, p99] = latencies(repeats);
    let kind = if repeats.is_response_time { "response " } else { "" };
    for (name, spread, decimals) in [
        ("requests per second".to_owned(), repeats.requests_per_second, 2),
        (format!("{kind}p50 (msec)"), p50, 3),
        (format!("{kind}p99 (msec)"), p99, 3),
    ] {
        let Spread { min, median, max, .. } = spread;
        let share = spread.coefficient_of_variation().map_or_else(|| "-".to_owned(), percent);
        writeln!(out, "  {name:<20} {median:>12.decimals$} {min:>12.decimals$} {max:>12.decimals$} {share:>12}")?;
    }
    writeln!(out)
}

/// The two percentiles in milliseconds.
fn latencies(repeats: &Repeats) -> [Spread; 2] {
    [repeats.p50_ns, repeats.p99_ns].map(|spread| spread.scaled(1.0 / NANOS_PER_MSEC))
}

fn range(spread: &Spread) -> String {
    format!("{:.3} ({:.3} to {:.3})", spread.median, spread.min, spread.max)
}

fn variation(spread: &Spread) -> String {
    spread.coefficient_of_variation().map_or_else(String::new, |share| format!(", stdev {}", percent(share)))
}

fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}
