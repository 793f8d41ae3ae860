//! The shape of a document. `docs/result.schema.json` says the same for other programs.

use super::capacity::Capacity;
use super::compare::Compare;
use super::repeats::Repeats;
use super::test::TestResult;
use crate::observe::Machine;
use crate::plan::{Plan, Rounds};
use crate::recording::Recording;
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
pub const SCHEMA_VERSION: &str = "1.3.0";

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
    /// The keys that were written before the first test. None when none were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefill: Option<Filled>,
    /// In the order in which the tests ran.
    pub results: Vec<TestResult>,
    /// Of tests that are run several times, how far their results fall apart. One for each test and server of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeats: Vec<Repeats>,
    /// What a comparison found. None of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<Compare>,
    /// What a search for capacity found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Run,
    /// Of several ways, in turns or from documents of runs.
    Compare,
    /// Of rates, or of numbers of connections.
    Capacity,
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

/// How keys were filled before the first test.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    /// Requests that were answered, and not with an error.
    pub requests: u64,
    pub elapsed_ns: Nanos,
    /// From the last key until the servers had saved and handed on what was written.
    pub settled_ns: Nanos,
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
            prefill: None,
            results: Vec::new(),
            repeats: Vec::new(),
            compare: None,
            capacity: None,
        }
    }

    /// Adds what test number `index` of the plan brought home in `round`.
    /// `target` is the place of the one server that it is of, if it is of one alone.
    pub fn record(&mut self, round: u64, index: usize, target: Option<usize>, recording: Recording, summary: Summary) {
        self.results.push(TestResult::of(&self.config, round, index, target, recording, summary));
        if matches!(self.config.rounds, Rounds::Times(_)) {
            self.repeats = Repeats::of_each(&self.results);
        }
    }

    /// What a result is called where several are told: by its title, and by its server when each has one of its own.
    pub fn label<'a>(&self, result: &'a TestResult) -> Cow<'a, str> {
        self.label_of(&result.title, result.target)
    }

    /// The same of a test called `title`, measured at `target` or at all of them.
    pub fn label_of<'a>(&self, title: &'a str, target: Option<usize>) -> Cow<'a, str> {
        match target.and_then(|target| self.targets.get(target)) {
            Some(target) => format!("{title} ({})", target.endpoint).into(),
            None => title.into(),
        }
    }

    /// The results of each round, in order.
    pub fn rounds(&self) -> impl Iterator<Item = &[TestResult]> {
        self.results.chunk_by(|one, next| one.round == next.round)
    }

    /// Whether a round ran every test of the plan to its end.
    pub fn is_whole(&self, round: &[TestResult]) -> bool {
        let servers = if self.config.server.addresses == Addresses::Each { self.targets.len() } else { 1 };
        round.len() == self.config.tests.len() * servers && round.iter().all(TestResult::is_whole)
    }
}
