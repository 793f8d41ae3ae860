//! What reads found.

use crate::recording::{End, Reads};
use crate::result::{Document, TestResult};
use crate::stats::warning::low_hit_rate;
use std::io::{self, Write};

/// The line of a report that otherwise prints what redis-benchmark prints. There is none of a test that redis-benchmark
/// could have run.
pub fn write(document: &Document, result: &TestResult, out: &mut dyn Write) -> io::Result<()> {
    let is_new = document.prefill.is_some() || document.config.tests.iter().any(|test| test.is_mix());
    match result.reads.filter(|_| is_new).and_then(|reads| Some((reads, reads.hit_rate()?))) {
        Some((Reads { hits, misses }, rate)) => {
            writeln!(out, "  hits: {hits}, misses: {misses} ({:.2}% found)", rate * 100.0)
        }
        None => Ok(()),
    }
}

/// A warning for each test that read, and found next to nothing. Of one that failed there is worse to say.
pub fn warnings(document: &Document) -> Vec<String> {
    let warning = |title: &str, reads: &Reads| low_hit_rate(title, reads).map(|warning| warning.text);
    let of_result = |result: &TestResult| -> Vec<String> {
        let of_commands = result.commands.iter().filter_map(|command| warning(&command.title, command.reads.as_ref()?));
        match result.commands.is_empty() {
            true => result.reads.and_then(|reads| warning(&document.label(result), &reads)).into_iter().collect(),
            false => of_commands.collect(),
        }
    };
    document.results.iter().filter(|result| !matches!(result.end, End::Failed(_))).flat_map(of_result).collect()
}
