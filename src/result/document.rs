//! The shape of a document. `docs/result.schema.json` says the same for other programs.

use crate::observe::Machine;
use crate::plan::Plan;
use crate::recording::{Counts, End, Errors, Latencies, LoadThread, Recording, Timeline};
use crate::stats::Summary;
use crate::target::guard::GuardReport;
use crate::target::{Addresses, Target};
use crate::units::{Nanos, Seed};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the shape of a document is described.
pub const SCHEMA: &str = "https://rbench.dev/schema/result-1.json";

/// The version of the shape. The first number changes when an old reader would misread a new document.
pub const SCHEMA_VERSION: &str = "1.1.0";

/// One run of rbench, from the command line to the last histogram.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub schema: String,
    pub schema_version: String,
    pub kind: Kind,
    /// Different for every run.
    pub id: String,
    pub tool: Tool,
    /// As it was typed, secrets replaced by `***`.
    pub command_line: Vec<String>,
    /// The plan, complete: defaults filled in.
    pub config: Plan,
    pub seed: Seed,
    pub time: Time,
    /// The machine that made the load.
    pub client: Machine,
    /// One for each server of the run.
    pub targets: Vec<Target>,
    /// What was seen before the first request.
    #[serde(default)]
    pub guard: GuardReport,
    /// In the order in which the tests ran.
    pub results: Vec<TestResult>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Run,
}

/// The program that made the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    pub name: String,
    pub version: String,
    /// How connections were driven.
    pub engine: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Time {
    /// When the run began, in nanoseconds since 1970.
    pub start_unix_ns: u64,
}

/// What one test found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestResult {
    /// Which time the list of tests was run, from 0.
    pub round: u64,
    pub title: String,
    /// The place in `targets` of the one server that it is of. None when it is of all of them.
    pub target: Option<usize>,
    pub payload_bytes: usize,
    pub end: End,
    pub elapsed_ns: Nanos,
    /// Requests that the plan asked for. None when it asked for a time.
    pub requested: Option<u64>,
    pub sent: u64,
    /// Requests that were answered, and not with an error.
    pub completed: u64,
    /// Connections that were made.
    #[serde(default)]
    pub connections: u64,
    /// Requests that were sent and never answered, because the connection or the run ended first.
    #[serde(default)]
    pub unknown: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    #[serde(flatten)]
    pub summary: Summary,
    pub errors: Errors,
    /// Requests that were due and had not been sent by the end. Always 0 in a closed loop.
    #[serde(default)]
    pub unsent: u64,
    /// Sent to reply received.
    pub service_time: Latencies,
    /// Due to reply received. None in a closed loop, where nothing is due before it is sent.
    pub response_time: Option<Latencies>,
    /// Due to sent: how late the load itself was. None in a closed loop.
    pub slip: Option<Latencies>,
    /// To make a connection, greeting included.
    pub connect_time: Latencies,
    /// The TLS handshake, which is a part of that. None when connections are plain.
    pub tls_handshake_time: Option<Latencies>,
    pub timeline: Timeline,
    pub load_threads: Vec<LoadThread>,
}

impl Document {
    /// A document without results as yet.
    pub fn new(
        tool: Tool,
        command_line: Vec<String>,
        plan: Plan,
        client: Machine,
        targets: Vec<Target>,
        guard: GuardReport,
    ) -> Document {
        let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let start_unix_ns = u64::try_from(start.as_nanos()).unwrap_or(u64::MAX);
        Document {
            schema: SCHEMA.to_owned(),
            schema_version: SCHEMA_VERSION.to_owned(),
            kind: Kind::Run,
            id: format!("{start_unix_ns:016x}{:016x}", rand::random::<u64>()),
            tool,
            command_line,
            seed: plan.seed,
            config: plan,
            time: Time { start_unix_ns },
            client,
            targets,
            guard,
            results: Vec::new(),
        }
    }

    /// Adds what test number `index` of the plan brought home in `round`.
    /// `target` is the place of the one server that it is of, if it is of one alone.
    pub fn record(&mut self, round: u64, index: usize, target: Option<usize>, recording: Recording, summary: Summary) {
        let test = &self.config.tests[index];
        let Recording { counts, elapsed, timeline, load_threads, end, .. } = recording;
        let Counts {
            sent,
            completed,
            unknown,
            bytes_sent,
            bytes_received,
            errors,
            service,
            connect,
            handshake,
            response,
            slip,
            unsent,
        } = counts;
        self.results.push(TestResult {
            round,
            title: test.title.clone(),
            target,
            payload_bytes: test.payload_bytes,
            end,
            elapsed_ns: elapsed,
            requested: self.config.requests(),
            sent,
            completed,
            connections: connect.count(),
            unknown,
            bytes_sent,
            bytes_received,
            summary,
            errors,
            unsent,
            service_time: service,
            response_time: response,
            slip,
            connect_time: connect,
            tls_handshake_time: handshake,
            timeline,
            load_threads,
        });
    }

    /// What a result is called where several are told: by its title, and by its server when each has one of its own.
    pub fn label<'a>(&self, result: &'a TestResult) -> Cow<'a, str> {
        match result.target.and_then(|target| self.targets.get(target)) {
            Some(target) => format!("{} ({})", result.title, target.endpoint).into(),
            None => result.title.as_str().into(),
        }
    }

    /// The results of each round, in order.
    pub fn rounds(&self) -> impl Iterator<Item = &[TestResult]> {
        self.results.chunk_by(|one, next| one.round == next.round)
    }

    /// Whether a round ran every test of the plan to its end.
    pub fn is_whole(&self, round: &[TestResult]) -> bool {
        let servers = if self.config.server.addresses == Addresses::Each { self.targets.len() } else { 1 };
        round.len() == self.config.tests.len() * servers && round.iter().all(|result| result.end == End::Completed)
    }
}
