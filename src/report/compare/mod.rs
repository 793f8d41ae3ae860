//! A comparison as text: for a terminal, for a pull request, for a spreadsheet.

mod csv;
mod figures;
mod markdown;
mod text;

pub use figures::moved;

use super::finding::Style;
use crate::result::{Document, store};
use std::io::{self, Write};

/// Tells which ways are compared and where they end, before anything is measured.
pub fn begin(document: &Document, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match style {
        Style::Text => text::write_paths(document, out).and_then(|()| out.flush()),
        Style::Markdown | Style::Csv | Style::Json => Ok(()),
    }
}

/// Tells what came of it.
pub fn end(document: &Document, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match style {
        Style::Text => text::write_comparisons(document, out),
        Style::Markdown => markdown::write(document, out),
        Style::Csv => csv::write(document, out),
        Style::Json => out.write_all(store::to_text(document).as_bytes()),
    }
}
