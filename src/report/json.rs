//! The document itself.

use super::Report;
use crate::result::{Document, store};
use std::io::{self, Write};

pub struct Json;

impl Report for Json {
    fn end(&mut self, document: &Document, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(store::to_text(document).as_bytes())
    }
}
