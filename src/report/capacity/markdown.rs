//! For a pull request.

use super::answer::{how, lines, name};
use super::curve::{by_rate, ms, percent, rate};
use super::sweep;
use crate::result::Document;
use std::io::{self, Write};

pub fn write(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    let Some(capacity) = &document.capacity else { return Ok(()) };
    for searched in &capacity.searches {
        writeln!(out, "### Capacity: {}\n", name(capacity, &searched.test, searched.path))?;
        for line in lines(document, capacity, searched) {
            writeln!(out, "- {line}")?;
        }
        writeln!(out, "\n{}\n", how(document))?;
        writeln!(
            out,
            "| offered | answered | p50 (ms) | p99 (ms) | p99.9 (ms) | errors | server | proxy | client | |"
        )?;
        writeln!(out, "|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|")?;
        for step in by_rate(&searched.steps) {
            writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
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
            )?;
        }
        writeln!(out)?;
    }
    sweep::write_markdown(document, capacity, out)
}
