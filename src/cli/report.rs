//! `rbench report`: print again what a run had printed, or the same in another format.

use super::error::{Error, Exit};
use crate::report::finding::{self, STYLES};
use crate::report::{self, FORMATS, Format, Style, capacity, compare};
use crate::result::{Document, Kind, store};
use clap::Args;
use std::io::{self, Write};
use std::path::PathBuf;

/// Print kept documents, as the run itself would have done
#[derive(Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// Documents that --json had kept
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[arg(long, value_name = "FORMAT", value_parser = told, help = formats_help())]
    format: Option<Told>,

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

/// A format by name: of runs, of what several runs found together, or, by a name that both have, of either.
#[derive(Clone, Copy)]
struct Told {
    run: Option<&'static Format>,
    finding: Option<finding::Style>,
}

fn told(text: &str) -> Result<Told, String> {
    let finding = STYLES.iter().find(|(name, _)| *name == text).map(|(_, style)| *style);
    match (Format::named(text), finding) {
        (None, None) => {
            Err(format!("known: {}; of comparisons and searches {}", names(FORMATS.iter().map(|it| it.name)), styles()))
        }
        (run, finding) => Ok(Told { run, finding }),
    }
}

fn formats_help() -> String {
    let runs = super::values::formats_help();
    format!("{runs}\nOf comparisons and searches: {} [default: text]", styles())
}

fn styles() -> String {
    names(STYLES.into_iter().map(|(name, _)| name))
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

pub fn run(arguments: &Arguments) -> Result<Exit, Error> {
    let mut out = io::stdout().lock();
    for path in &arguments.files {
        let document = store::read(path).map_err(Error::failed)?;
        match document.kind {
            Kind::Run => write_run(arguments, &document, &mut out)?,
            Kind::Compare | Kind::Capacity => write_finding(arguments, &document, &mut out)?,
        }
    }
    Ok(Exit::Done)
}

fn write_run(arguments: &Arguments, document: &Document, out: &mut dyn Write) -> Result<(), Error> {
    let format = match arguments.format {
        None => &FORMATS[0],
        Some(told) => told.run.ok_or_else(|| Error::usage("--format: the document is of a run, and no comparison"))?,
    };
    let style = Style::of(arguments.quiet, arguments.csv);
    report::write(document, format.report(style).as_mut(), out).map_err(|error| Error::output(&error))
}

fn write_finding(arguments: &Arguments, document: &Document, out: &mut dyn Write) -> Result<(), Error> {
    let style = match arguments.format {
        None if arguments.csv => finding::Style::Csv,
        None => finding::Style::Text,
        Some(told) => told.finding.ok_or_else(|| {
            let of = if document.kind == Kind::Compare { "comparison" } else { "search" };
            Error::usage(format!("--format: the document is of a {of}, which is told as {}", styles()))
        })?,
    };
    let told = match document.kind {
        Kind::Capacity => capacity::write(document, style, out),
        _ => compare::begin(document, style, out).and_then(|()| compare::end(document, style, out)),
    };
    told.map_err(|error| Error::output(&error))
}
