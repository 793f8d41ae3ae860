//! What of this machine bends results, and the remedy for each.
//!
//! [`Facts::look`] reads what the system tells, and the rules judge it: [`connections`], [`processor`], [`system`]. No
//! rule reads a file, so that each can be held against facts that were recorded elsewhere.

mod connections;
mod facts;
mod look;
mod processor;
mod system;
#[cfg(test)]
mod tests;

pub use facts::{Facts, Installed};

use serde::Serialize;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing to do.
    Ok,
    /// The system does not tell.
    Unknown,
    /// Results are what they are on this machine; another setting would give others.
    Note,
    /// A run would fail, or measure something else than it means to.
    Problem,
}

impl Level {
    /// As a report and its JSON spell it.
    pub fn name(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Unknown => "unknown",
            Level::Note => "note",
            Level::Problem => "problem",
        }
    }
}

/// What one rule found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which rule it comes from, in snake case. Stays the same while the words change.
    pub code: &'static str,
    pub level: Level,
    /// One line, with the figures that say so.
    pub finding: String,
    /// A command for a shell. There is one of each note and of each problem.
    pub remedy: Option<String>,
}

impl Finding {
    fn ok(code: &'static str, finding: impl Into<String>) -> Finding {
        Finding { code, level: Level::Ok, finding: finding.into(), remedy: None }
    }

    fn unknown(code: &'static str, what: &str) -> Finding {
        Finding { code, level: Level::Unknown, finding: format!("{what}: this system does not tell"), remedy: None }
    }

    fn note(code: &'static str, finding: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { code, level: Level::Note, finding: finding.into(), remedy: Some(remedy.into()) }
    }

    fn problem(code: &'static str, finding: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { level: Level::Problem, ..Finding::note(code, finding, remedy) }
    }
}

/// Every rule, in the order in which findings are told. Each has one finding.
const RULES: [fn(&Facts) -> Finding; 19] = [
    connections::open_files,
    connections::accept_queue,
    connections::syn_backlog,
    connections::port_range,
    connections::time_wait,
    processor::cores,
    processor::quota,
    processor::governor,
    processor::clock,
    processor::load,
    processor::steal,
    processor::machine_kind,
    system::slow_start,
    system::socket_buffers,
    system::congestion_control,
    system::huge_pages,
    system::swap,
    system::io_uring,
    system::programs,
];

/// What every rule finds in `facts`.
pub fn examine(facts: &Facts) -> Vec<Finding> {
    RULES.iter().map(|rule| rule(facts)).collect()
}
