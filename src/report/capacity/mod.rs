//! A search for capacity as text: for a terminal, for a pull request, for a spreadsheet.

mod answer;
mod csv;
mod curve;
mod markdown;
mod sweep;
mod text;

use super::finding::Style;
use crate::result::{Document, store};
use std::io::{self, Write};

/// Tells what came of it.
pub fn write(document: &Document, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match style {
        Style::Text => text::write(document, out),
        Style::Markdown => markdown::write(document, out),
        Style::Csv => csv::write(document, out),
        Style::Json => out.write_all(store::to_text(document).as_bytes()),
    }
}
