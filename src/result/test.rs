//! What one test found out, as a document keeps it.

use super::calibration::Calibration;
use crate::observe::ProxyUse;
use crate::plan::Plan;
use crate::recording::{
    CommandCounts, Counts, End, Errors, Latencies, LoadThread, Observed, Reads, Recording, Timeline,
};
use crate::stats::{Bottleneck, Metric, Summary, Warning};
use crate::units::{Nanos, Rate};
use crate::workload::{Command, Test};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

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
