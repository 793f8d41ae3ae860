//! The lines that all reports of redis-benchmark share: what was run, and how.

use crate::result::{Document, TestResult};
use std::io::{self, Write};

/// The title and the lines about the run that every version has.
pub fn write(document: &Document, result: &TestResult, out: &mut dyn Write) -> io::Result<()> {
    let plan = &document.config;
    writeln!(out, "====== {} ======", document.label(result))?;
    writeln!(out, "  {} requests completed in {:.2} seconds", result.completed, result.elapsed_ns.as_secs())?;
    writeln!(out, "  {} parallel clients", plan.clients)?;
    writeln!(out, "  {} bytes payload", result.payload_bytes)?;
    writeln!(out, "  keep alive: {}", u8::from(plan.keep_alive))
}

/// The lines about server and threads that came with 6.0.
pub fn write_configuration(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    // Left out as a pair when the server would not tell.
    if let Some(target) = document.targets.first()
        && let (Some(save), Some(appendonly)) = (&target.server.config_save, &target.server.config_appendonly)
    {
        writeln!(out, "  host configuration \"save\": {save}")?;
        writeln!(out, "  host configuration \"appendonly\": {appendonly}")?;
    }
    match document.config.threads {
        Some(threads) => writeln!(out, "  multi-thread: yes\n  threads: {threads}"),
        None => writeln!(out, "  multi-thread: no"),
    }
}

/// The empty line that ends the suite, and only the suite: a command of one's own has none.
pub fn write_end_of_suite(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    if document.config.is_suite { writeln!(out) } else { Ok(()) }
}

/// Whether there is anything to tell of a test: one that ended before the first reply has no latency.
pub fn is_told(result: &TestResult) -> bool {
    result.completed > 0
}
