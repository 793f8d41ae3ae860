//! The only room that prints: what a document says, as text.
//!
//! A report sees nothing but the document, so that `rbench report` prints of a file what the run itself had printed.

pub mod csv;
pub mod errors;
pub mod header;
pub mod json;
pub mod open_loop;
pub mod progress;
pub mod quiet;
pub mod redis_5;
pub mod redis_6;
pub mod redis_7;
pub mod redis_benchmark;

use crate::result::{Document, TestResult};
use std::io::{self, Write};

/// One way to tell a document, part by part as it grows.
pub trait Report {
    /// Before the first test.
    fn begin(&mut self, _document: &Document, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    /// After each test.
    fn test(&mut self, _document: &Document, _result: &TestResult, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    /// After the last test of a round that ran to its end.
    fn round(&mut self, _document: &Document, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    /// When nothing more will come.
    fn end(&mut self, _document: &Document, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// A report by name.
pub struct Format {
    pub name: &'static str,
    pub about: &'static str,
    make: fn() -> Box<dyn Report>,
    /// The same in one line for each test, for `-q`.
    quiet: fn() -> Box<dyn Report>,
    /// The same as comma-separated values, for `--csv`.
    csv: fn() -> Box<dyn Report>,
}

/// Every format, the default first.
pub static FORMATS: &[Format] = &[
    Format {
        name: "redis-7",
        about: "as redis-benchmark 6.2 to 8.x and valkey-benchmark print",
        make: || Box::new(redis_7::Redis7),
        quiet: || Box::new(quiet::Quiet { with_median: true }),
        csv: || Box::new(csv::Csv { with_latency: true }),
    },
    Format {
        name: "redis-6",
        about: "as redis-benchmark 6.0 printed",
        make: || Box::new(redis_6::Redis6::default()),
        quiet: || Box::new(quiet::Quiet { with_median: false }),
        csv: || Box::new(csv::Csv { with_latency: false }),
    },
    Format {
        name: "redis-5",
        about: "as redis-benchmark up to 5.0 printed",
        make: || Box::new(redis_5::Redis5),
        quiet: || Box::new(quiet::Quiet { with_median: false }),
        csv: || Box::new(csv::Csv { with_latency: false }),
    },
    always("quiet", "one line for each test", || Box::new(quiet::Quiet { with_median: true })),
    always("csv", "comma-separated values, every field quoted", || Box::new(csv::Csv { with_latency: true })),
    always("json", "the whole document", || Box::new(json::Json)),
];

/// A format that `-q` and `--csv` do not change.
const fn always(name: &'static str, about: &'static str, make: fn() -> Box<dyn Report>) -> Format {
    Format { name, about, make, quiet: make, csv: make }
}

/// How much a report is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Full,
    Quiet,
    Csv,
}

impl Style {
    /// `--csv` counts more than `-q`.
    pub fn of(quiet: bool, csv: bool) -> Style {
        match (csv, quiet) {
            (true, _) => Style::Csv,
            (false, true) => Style::Quiet,
            (false, false) => Style::Full,
        }
    }
}

impl Format {
    /// The format with this name.
    pub fn named(name: &str) -> Option<&'static Format> {
        FORMATS.iter().find(|format| format.name == name)
    }

    pub fn report(&self, style: Style) -> Box<dyn Report> {
        match style {
            Style::Full => (self.make)(),
            Style::Quiet => (self.quiet)(),
            Style::Csv => (self.csv)(),
        }
    }
}

/// Tells a whole document.
pub fn write(document: &Document, report: &mut dyn Report, out: &mut dyn Write) -> io::Result<()> {
    report.begin(document, out)?;
    for round in document.rounds() {
        for result in round {
            report.test(document, result, out)?;
        }
        if document.is_whole(round) {
            report.round(document, out)?;
        }
    }
    report.end(document, out)?;
    out.flush()
}
