//! For a pull request.

use super::answer::{how, lines, name};
use super::curve::{COLUMNS, by_rate, cells};
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
        writeln!(out, "| {} |", COLUMNS.join(" | "))?;
        writeln!(out, "|{}---|", "--:|".repeat(COLUMNS.len() - 1))?;
        for step in by_rate(&searched.steps) {
            writeln!(out, "| {} |", cells(step).join(" | "))?;
        }
        writeln!(out)?;
    }
    sweep::write_markdown(document, capacity, out)
}
