//! Who was the limit of a run: the client, a server, a proxy, the path, or the rate that was asked for.
//!
//! Facts go in, a verdict comes out, with the figures that say so. [`cause`] holds the rules, `tell` the words.

mod cause;
mod facts;
mod tell;
#[cfg(test)]
mod tests;

pub use facts::{Facts, ProxyFacts, ServerFacts, Slip, ThreadFacts};

use cause::Cause;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who held the rate down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// rbench itself, or the machine that it runs on.
    Client,
    Server,
    Proxy,
    /// The way there, or too few requests on it: nobody was busy.
    Path,
    /// Nobody: all that was asked for was given.
    Rate,
    /// The facts do not tell.
    Unknown,
}

/// A verdict, and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bottleneck {
    pub limit: Limit,
    /// Every figure that was known, whether or not it decided.
    pub evidence: Vec<Figure>,
    /// The figures that say so, on one line.
    pub text: String,
    /// What to do next, on one line.
    pub advice: String,
}

/// A figure with its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Processor time per time: 1 is one core.
    Cores,
    /// 0 to 1.
    Share,
    Ns,
    PerSecond,
    BytesPerSecond,
    Count,
}

impl Figure {
    pub fn new(name: impl Into<String>, value: f64, unit: Unit) -> Figure {
        Figure { name: name.into(), value, unit }
    }
}

/// Who was the limit, by all that is known.
pub fn bottleneck(facts: &Facts) -> Bottleneck {
    let cause = Cause::of(facts);
    Bottleneck {
        limit: cause.limit(),
        evidence: tell::evidence(facts),
        text: tell::text(&cause, facts),
        advice: tell::advice(&cause, facts),
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Limit::Client => "client",
            Limit::Server => "server",
            Limit::Proxy => "proxy",
            Limit::Path => "path",
            Limit::Rate => "rate",
            Limit::Unknown => "unknown",
        })
    }
}
