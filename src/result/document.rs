//! The shape of a document. `docs/result.schema.json` says the same for other programs.

use super::calibration::Calibration;
use super::capacity::Capacity;
use super::compare::Compare;
use crate::observe::{Machine, ProxyUse};
use crate::plan::{Plan, Rounds};
use crate::recording::{
    CommandCounts, Counts, End, Errors, Latencies, LoadThread, Observed, Reads, Recording, Timeline,
};
use crate::stats::{Bottleneck, Metric, Spread, Summary, Warning};

use crate::target::guard::GuardReport;
use crate::target::{Addresses, Target};
use crate::units::{Nanos, Rate, Seed};
use crate::workload::{Command, Test};
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

/// The results of a test that was run several times, as far as it ran to its end each time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repeats {
    pub title: String,
    /// As in [`TestResult`].
    pub target: Option<usize>,
    /// How many there are.
    pub count: u64,
    pub requests_per_second: Spread,
    /// Whether the latencies are response times, which they are in an open loop, or service times.
    pub is_response_time: bool,
    pub p50_ns: Spread,
    pub p99_ns: Spread,
}

impl Repeats {
    /// None when `results`, all of one test, are none.
    fn of(results: &[&TestResult]) -> Option<Repeats> {
        let first = results.first()?;
        let latency = |percentile: f64| {
            let at = |result: &&TestResult| Some(result.felt().at(percentile)?.0 as f64);
            Spread::of(results.iter().filter_map(at))
        };
        Some(Repeats {
            title: first.title.clone(),
            target: first.target,
            count: results.len() as u64,
            requests_per_second: Spread::of(results.iter().map(|result| result.summary.requests_per_second.0))?,
            is_response_time: first.response_time.is_some(),
            p50_ns: latency(50.0)?,
            p99_ns: latency(99.0)?,
        })
    }
}

/// What one test found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestResult {
    /// Which time the list of tests was run, from 0.
    pub round: u64,
    pub title: String,
    /// The place in `targets` of the one server that it is of. None when it is of all of them.
    pub target: Option<usize>,
    /// In a comparison the place of the path that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<usize>,
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
    /// What reads found. None when there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<Reads>,
    /// Of a mix what each of its commands found out. Empty when commands are not mixed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<CommandResult>,
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
    /// What proxies on the way said of themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proxies: Vec<ProxyUse>,
    /// What was observed beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Observed>,
    /// Who was the limit. None when nobody judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Bottleneck>,
    /// What to know before the figures are believed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// What rbench itself reaches here with the same shape of load. None when `rbench calibrate` did not measure it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
}

/// What one command of a mix found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandResult {
    pub title: String,
    pub weight: u32,
    /// Requests that were answered, and not with an error.
    pub completed: u64,
    /// Requests that were answered with an error.
    pub refused: u64,
    pub requests_per_second: Rate,
    /// What reads found. None when it reads nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<Reads>,
    /// Sent to reply received.
    pub service_time: Latencies,
    /// Due to reply received. None in a closed loop.
    pub response_time: Option<Latencies>,
}

/// Samples beyond a percentile without which it is not held against another.
const SAMPLES_BEYOND_MIN: f64 = 100.0;

/// The results of the commands of `test`, all of them, whether or not each had its turn.
fn of_commands(test: &Test, mut counts: Vec<CommandCounts>, elapsed: Nanos) -> Vec<CommandResult> {
    if !test.is_mix() {
        return Vec::new();
    }
    counts.resize_with(test.commands.len(), CommandCounts::default);
    let result = |(command, counts): (&Command, CommandCounts)| CommandResult {
        title: command.title.clone(),
        weight: command.weight,
        completed: counts.completed,
        refused: counts.refused,
        requests_per_second: Rate::of(counts.completed, elapsed),
        reads: (counts.reads.total() > 0).then_some(counts.reads),
        service_time: counts.service,
        response_time: counts.response,
    };
    test.commands.iter().zip(counts).map(result).collect()
}

impl TestResult {
    /// What test number `index` of `plan` brought home in `round`. `target` is as in [`Document::record`].
    pub fn of(
        plan: &Plan,
        round: u64,
        index: usize,
        target: Option<usize>,
        recording: Recording,
        summary: Summary,
    ) -> TestResult {
        let test = &plan.tests[index];
        let Recording { counts, elapsed, timeline, load_threads, end, .. } = recording;
        let Counts {
            sent,
            completed,
            unknown,
            bytes_sent,
            bytes_received,
            errors,
            reads,
            commands,
            service,
            connect,
            handshake,
            response,
            slip,
            unsent,
            loop_lag_max: _,
            // It is what was sent and what was not.
            due: _,
        } = counts;
        TestResult {
            round,
            title: test.title.clone(),
            target,
            path: None,
            payload_bytes: test.payload_bytes,
            end,
            elapsed_ns: elapsed,
            requested: plan.requests(),
            sent,
            completed,
            connections: connect.count(),
            unknown,
            bytes_sent,
            bytes_received,
            summary,
            errors,
            reads: (reads.total() > 0).then_some(reads),
            commands: of_commands(test, commands, elapsed),
            unsent,
            service_time: service,
            response_time: response,
            slip,
            connect_time: connect,
            tls_handshake_time: handshake,
            timeline,
            load_threads,
            proxies: Vec::new(),
            observed: None,
            verdict: None,
            warnings: Vec::new(),
            calibration: None,
        }
    }

    /// Whether it ran to its end.
    pub fn is_whole(&self) -> bool {
        self.end == End::Completed
    }

    /// A figure of it: nanoseconds, or requests per second. None when there are too few samples to tell.
    pub fn figure(&self, metric: Metric) -> Option<f64> {
        let latencies = self.felt();
        match (metric, metric.percentile()) {
            (Metric::Throughput, _) => Some(self.summary.requests_per_second.0),
            (Metric::Cpu, _) => self.summary.client_cpu_ns_per_request,
            (_, Some(percentile)) => {
                let beyond = latencies.count() as f64 * (1.0 - percentile / 100.0);
                latencies.at(percentile).filter(|_| beyond >= SAMPLES_BEYOND_MIN).map(|at| at.0 as f64)
            }
            (_, None) => latencies.mean(),
        }
    }

    /// The latencies that users feel: response time where requests were due, service time otherwise.
    pub fn felt(&self) -> &Latencies {
        self.response_time.as_ref().unwrap_or(&self.service_time)
    }

    /// What is told of it one after the other: of a mix each command that was answered, as if it had been a test, and then
    /// all of them together.
    pub fn parts(&self) -> impl Iterator<Item = Cow<'_, TestResult>> {
        let commands = self.commands.iter().filter(|command| command.completed > 0);
        commands.map(|command| Cow::Owned(self.of_command(command))).chain([Cow::Borrowed(self)])
    }

    fn of_command(&self, command: &CommandResult) -> TestResult {
        TestResult {
            title: command.title.clone(),
            completed: command.completed,
            summary: Summary { requests_per_second: command.requests_per_second, ..self.summary.clone() },
            errors: Errors::default(),
            reads: command.reads,
            commands: Vec::new(),
            unsent: 0,
            service_time: command.service_time.clone(),
            response_time: command.response_time.clone(),
            slip: None,
            observed: None,
            // Told once, of the mix.
            verdict: None,
            warnings: Vec::new(),
            ..self.clone()
        }
    }
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
            self.repeats = self.spread();
        }
    }

    /// How far results of the same test and server fall apart.
    fn spread(&self) -> Vec<Repeats> {
        let mut tests: Vec<Vec<&TestResult>> = Vec::new();
        for result in self.results.iter().filter(|result| result.is_whole()) {
            let is_alike =
                |test: &&mut Vec<&TestResult>| (&test[0].title, test[0].target) == (&result.title, result.target);
            match tests.iter_mut().find(is_alike) {
                Some(test) => test.push(result),
                None => tests.push(vec![result]),
            }
        }
        tests.iter().filter_map(|results| Repeats::of(results)).collect()
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
        round.len() == self.config.tests.len() * servers && round.iter().all(|result| result.end == End::Completed)
    }
}
