//! For a terminal.

use super::answer::{how, lines, name};
use super::curve::{bar, by_rate, ms, percent, rate};
use super::sweep;
use crate::result::Document;
use crate::result::capacity::{Capacity, Searched};
use std::io::{self, Write};

pub fn write(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    let Some(capacity) = &document.capacity else { return Ok(()) };
    for searched in &capacity.searches {
        writeln!(out, "====== {} ======", name(capacity, &searched.test, searched.path))?;
        writeln!(out, "  {}\n", how(document))?;
        write_curve(capacity, searched, out)?;
        writeln!(out)?;
        for line in lines(document, capacity, searched) {
            writeln!(out, "  {line}")?;
        }
        writeln!(out)?;
    }
    if let Some(line) = beside(capacity) {
        writeln!(out, "{line}\n")?;
    }
    sweep::write(document, capacity, out)
}

/// Every rate that was tried, with a bar that shows how near it came to what is promised.
fn write_curve(capacity: &Capacity, searched: &Searched, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "  {:>10} {:>10}  {:>9} {:>9} {:>9}  {:>7} {:>6} {:>6} {:>6}  {:<8} {}",
        "offered",
        "answered",
        "p50 (ms)",
        "p99",
        "p99.9",
        "errors",
        "server",
        "proxy",
        "client",
        "",
        capacity.promise.as_ref().map_or_else(String::new, |promise| format!("{:24}| {promise}", "")),
    )?;
    for step in by_rate(&searched.steps) {
        writeln!(
            out,
            "  {:>10} {:>10}  {:>9} {:>9} {:>9}  {:>7} {:>6} {:>6} {:>6}  {:<8} {}",
            rate(step.offered.0),
            rate(step.achieved.0),
            ms(step.p50_ns),
            ms(step.p99_ns),
            ms(step.p999_ns),
            step.errors,
            percent(step.server_busy),
            percent(step.proxy_busy),
            percent(step.client_busy),
            step.verdict,
            bar(step.strain).trim_end(),
        )?;
    }
    Ok(())
}

/// The answers of several paths in one sentence.
fn beside(capacity: &Capacity) -> Option<String> {
    let of = |searched: &Searched| {
        let path = capacity.paths.get(searched.path?)?;
        let found = searched.rate.map_or_else(|| "nothing".to_owned(), |found| format!("{} requests/s", rate(found.0)));
        Some(format!("{} carries {found}", path.name))
    };
    let told: Vec<String> = capacity.searches.iter().filter_map(of).collect();
    (told.len() > 1).then(|| format!("within the promise: {}", told.join(", ")))
}
