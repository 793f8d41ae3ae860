//! The only room that prints: what a document says, as text.
//!
//! A report sees nothing but the document, so that `rbench report` prints of a file what the run itself had printed.

pub mod calibration;
pub mod capacity;
pub mod compare;
pub mod csv;
pub mod doctor;
pub mod errors;
pub mod finding;
pub mod header;
pub mod json;
#[cfg(target_os = "linux")]
pub mod lab;
pub mod open_loop;
pub mod progress;
pub mod proxies;
pub mod quiet;
pub mod reads;
pub mod redis_5;
pub mod redis_6;
pub mod redis_7;
pub mod redis_benchmark;
pub mod spread;
pub mod table;
pub mod verdict;

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
    /// Whether it tells who was the limit.
    pub tells_verdict: bool,
}

/// Every format, the default first.
pub static FORMATS: &[Format] = &[
    Format {
        name: "redis-7",
        about: "as redis-benchmark 6.2 to 8.x and valkey-benchmark print",
        make: || Box::new(redis_7::Redis7),
        quiet: || Box::new(quiet::Quiet { with_median: true }),
        csv: || Box::new(csv::Csv { with_latency: true }),
        tells_verdict: false,
    },
    Format {
        name: "redis-6",
        about: "as redis-benchmark 6.0 printed",
        make: || Box::new(redis_6::Redis6::default()),
        quiet: || Box::new(quiet::Quiet { with_median: false }),
        csv: || Box::new(csv::Csv { with_latency: false }),
        tells_verdict: false,
    },
    Format {
        name: "redis-5",
        about: "as redis-benchmark up to 5.0 printed",
        make: || Box::new(redis_5::Redis5),
        quiet: || Box::new(quiet::Quiet { with_median: false }),
        csv: || Box::new(csv::Csv { with_latency: false }),
        tells_verdict: false,
    },
    Format {
        tells_verdict: true,
        ..always("table", "a row for each test, in columns for people", || Box::new(table::Table))
    },
    always("quiet", "one line for each test", || Box::new(quiet::Quiet { with_median: true })),
    always("csv", "comma-separated values, every field quoted", || Box::new(csv::Csv { with_latency: true })),
    Format { tells_verdict: true, ..always("json", "the whole document", || Box::new(json::Json)) },
];

/// A format that `-q` and `--csv` do not change.
const fn always(name: &'static str, about: &'static str, make: fn() -> Box<dyn Report>) -> Format {
    Format { name, about, make, quiet: make, csv: make, tells_verdict: false }
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

/// Tells one result, and the commands of a mix before it.
pub fn write_result(
    document: &Document,
    result: &TestResult,
    report: &mut dyn Report,
    out: &mut dyn Write,
) -> io::Result<()> {
    result.parts().try_for_each(|part| report.test(document, &part, out))
}

/// Tells a whole document.
pub fn write(document: &Document, report: &mut dyn Report, out: &mut dyn Write) -> io::Result<()> {
    report.begin(document, out)?;
    for round in document.rounds() {
        for result in round {
            write_result(document, result, report, out)?;
        }
        if document.is_whole(round) {
            report.round(document, out)?;
        }
    }
    report.end(document, out)?;
    out.flush()
}
