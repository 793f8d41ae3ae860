//! rbench looks before it fires: what it would do, what it sees at the server, and whether the two go together.
//!
//! [`look`] gathers the evidence with commands that only read, and [`rules`] judge it; nothing but `look` knows a
//! connection. What the caller makes of the findings, in which mode and with which exit code, is the caller's affair.

pub mod clients;
pub mod commandstats;
pub mod evidence;
pub mod info;
mod look;
pub mod rules;

pub use evidence::{Commands, Evidence, KeySample};
pub use look::look;

use serde::{Deserialize, Serialize};
use std::fmt;

/// What becomes of findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They are told, and the run goes on.
    #[default]
    Warn,
    /// A finding of [`Level::Refuse`] ends the run before its first request.
    Refuse,
    /// Nobody looks.
    Off,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good to know when reading the result.
    Note,
    /// Somebody may be disturbed, or it could not be found out whether anybody would be.
    Warn,
    /// Somebody would be disturbed, or the run would measure something else than it means to.
    Refuse,
}

/// One thing that was seen, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which rule it comes from, in snake case. Stays the same while the words change.
    pub code: String,
    pub level: Level,
    /// One line. It holds numbers and names of commands, and never the name of a key.
    pub text: String,
}

impl Finding {
    pub fn new(code: &str, level: Level, text: impl Into<String>) -> Finding {
        Finding { code: code.to_owned(), level, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The guard's part of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardReport {
    pub mode: Mode,
    /// The gravest first.
    pub findings: Vec<Finding>,
}

impl GuardReport {
    /// Whether the run must not begin.
    pub fn refuses(&self) -> bool {
        self.mode == Mode::Refuse && self.findings.iter().any(|finding| finding.level == Level::Refuse)
    }
}

/// What a run would do to a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intent {
    pub writes: bool,
    /// Connections that the run opens to this server.
    pub clients: u32,
    /// Keys that the run may create at most. Elements of lists, sets, hashes and streams count as keys: they take
    /// memory just the same.
    pub keys: u64,
    /// Bytes of the value of one key.
    pub value_bytes: u64,
    /// A key is our own when it begins with one of these. An empty one matches nothing: it would match every key.
    pub own_key_patterns: Vec<String>,
    /// A run that only reads may go to a replica without a word.
    pub replica_expected: bool,
    /// The server in the user's words. It may say that this is production.
    pub server_name: String,
    /// The user as whom we log in, when it is not the default one.
    pub user: Option<String>,
}

#[cfg(test)]
mod tests;
