//! For a terminal.

use super::answer::{how, lines, name};
use super::curve::{COLUMNS, bar, by_rate, cells, rate};
use super::sweep;
use crate::result::Document;
use crate::result::capacity::{Capacity, Searched};
use std::fmt::Display;
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
    let promise = capacity.promise.as_ref().map_or_else(String::new, |promise| format!("{:24}| {promise}", ""));
    write_row(&COLUMNS, &promise, out)?;
    for step in by_rate(&searched.steps) {
        write_row(&cells(step), bar(step.strain).trim_end(), out)?;
    }
    Ok(())
}

/// Columns of the curve, and what stands behind them.
fn write_row<T: Display>(cells: &[T; COLUMNS.len()], rest: &str, out: &mut dyn Write) -> io::Result<()> {
    let [offered, answered, p50, p99, p99_9, errors, server, proxy, client, verdict] = cells;
    write!(out, "  {offered:>10} {answered:>10}  {p50:>9} {p99:>9} {p99_9:>9}  ")?;
    writeln!(out, "{errors:>7} {server:>6} {proxy:>6} {client:>6}  {verdict:<8} {rest}")
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
