//! `rbench report`: print again what a run had printed, or the same in another format.

use super::error::{Error, Exit};
use super::values::{format, formats_help};
use crate::report::{self, FORMATS, Format, Style};
use crate::result::store;
use clap::Args;
use std::io;
use std::path::PathBuf;

/// Print kept documents, as the run itself would have done
#[derive(Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// Documents that --json had kept
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[arg(long, value_name = "FORMAT", value_parser = format, help = formats_help())]
    format: Option<&'static Format>,

    /// One line for each test
    #[arg(short = 'q')]
    quiet: bool,

    /// Comma-separated values
    #[arg(long)]
    csv: bool,

    /// Print this help
    #[arg(long, action = clap::ArgAction::HelpShort)]
    help: Option<bool>,
}

pub fn run(arguments: &Arguments) -> Result<Exit, Error> {
    let format = arguments.format.unwrap_or(&FORMATS[0]);
    let style = Style::of(arguments.quiet, arguments.csv);
    let mut out = io::stdout().lock();
    for path in &arguments.files {
        let document = store::read(path).map_err(Error::failed)?;
        report::write(&document, format.report(style).as_mut(), &mut out).map_err(|error| Error::output(&error))?;
    }
    Ok(Exit::Done)
}
